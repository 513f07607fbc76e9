"""`dream compare`: the sheet and the table."""

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dreamer.arrays import Image
from dreamer.files import photos


def test_the_command_shows_and_tells(
    dream: Callable[..., Any], photo: Image, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    photos.write(Path("a.png"), photo)
    photos.write(Path("b.png"), photo[::-1, :60])
    code, out, _ = dream("compare", "a.png", "b.png", "-l", "mixed3a", "-l", "mixed4a")
    assert code == 0
    assert [line.split()[0] for line in out.splitlines()[1:3]] == ["mixed3a", "mixed4a"]
    assert "distance from photos" in out
    sheet = photos.read(tmp_path / "a-against-b.png").image
    assert sheet.shape[1] == 7 * 160 + 8 * 8
    assert dream("compare", "a.png", "b.png", "-l", "mixed3a", "-o", "c.csv", "-q")[0] == 0
    rows = list(csv.DictReader(Path("c.csv").read_text().splitlines()))
    assert len(rows) == 256
    for row in rows:
        difference = float(row["first"]) - float(row["second"])
        assert float(row["difference"]) == pytest.approx(difference, rel=1e-3, abs=1e-2)
