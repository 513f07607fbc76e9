"""Comparing two pictures: profiles, what differs, the sheet and the table."""

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dreamer.arrays import Image
from dreamer.files import photos
from dreamer.nets import comparison, network
from dreamer.nets.comparison import Compared


def test_layers_are_compared_channel_by_channel(tiny: Any, photo: Image) -> None:
    other = photo[:50, ::-1] * np.float32(0.3)
    first, second = comparison.compare(tiny, ["relu", "mixed"], (photo, other))
    assert (first.layer, second.layer) == ("relu", "mixed")
    maps = [
        np.asarray(network.freeze(tiny, ["mixed"], "float32")(image[None])["mixed"][0])
        for image in (photo, other)
    ]
    profiles = [np.sqrt(np.square(each).mean((0, 1))) for each in maps]
    np.testing.assert_allclose(second.profiles, profiles, rtol=1e-4, atol=1e-6)
    assert second.correlation == pytest.approx(np.corrcoef(*profiles)[0, 1], abs=1e-4)
    assert second.strongest(1, 3) == list(np.argsort(-profiles[1], kind="stable")[:3])
    difference = second.profiles[1] - second.profiles[0]
    assert second.apart(1, 1) == [difference.argmax()]
    lights = second.lights(second.apart(0, 1)[0])
    assert max(light.max() for light in lights) == pytest.approx(1)
    assert [light.shape for light in lights] == [each.shape[:2] for each in maps]


def test_a_picture_is_like_itself_and_a_dead_layer_like_none(tiny: Any, photo: Image) -> None:
    (same,) = comparison.compare(tiny, ["mixed"], (photo, photo))
    assert same.correlation == pytest.approx(1)
    flat = np.zeros((2, 5), np.float32)
    assert Compared("dead", (flat[None], flat[None]), flat).correlation == 0


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
