"""`dream exemplars`: sheets, tables and means."""

import csv
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dreamer.analysis import exemplars
from dreamer.files import photos


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Gray photos of unlike sizes with a spot of red, the rarer the brighter; and what is none."""
    (tmp_path / "within").mkdir()
    for number in range(8):
        image = np.full((40 + number, 60, 3), 0.5, np.float32)
        image[10:15, 5 * number : 5 * number + 5, 0] = 0.6 + number / 20
        photos.write(tmp_path / ("within" if number % 2 else "") / f"{number}.png", image)
    (tmp_path / "copy.png").write_bytes((tmp_path / "6.png").read_bytes())
    (tmp_path / "broken.jpg").write_text("no picture")
    photos.write(tmp_path / "tiny.png", np.full((16, 16, 3), 1, np.float32))
    photos.write(tmp_path / ".hidden.png", np.full((64, 64, 3), 1, np.float32))
    return tmp_path


Dream = Callable[..., Any]


def test_the_command_writes_sheets_tables_and_means(
    dream: Dream, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder.parent)
    wanted = ("mixed3a:3,5", "mixed4c:7", "-k", 2, "--size", 64)
    outputs = ("-o", folder / "out.png", "-o", folder / "out.csv", "--mean", folder / "means")
    code, out, err = dream("exemplars", folder, *wanted, *outputs, "--photos-only")
    assert code == 0
    assert len(out.splitlines()) == 5
    assert "9 photos, 2 skipped" in err
    rows = list(csv.DictReader((folder / "out.csv").read_text().splitlines()))
    assert [(row["layer"], row["channel"], row["rank"]) for row in rows[:3]] == [
        ("mixed3a", "3", "1"),
        ("mixed3a", "3", "2"),
        ("mixed3a", "5", "1"),
    ]
    assert all(0 <= int(row["left"]) < int(row["right"]) <= int(row["width"]) for row in rows)
    assert photos.read(folder / "out.png").image.shape[1] == 2 * 160 + 3 * 8
    assert photos.read(folder / "means" / "mixed3a-5-mean.png").image.shape == (32, 32, 3)


def test_what_a_channel_does_not_answer_to_is_dark(dream: Dream, folder: Path) -> None:
    wanted = ("exemplars", folder, "mixed3a:3", "-k", 2, "--size", 64, "--photos-only")
    paths = [folder.parent / name for name in ("plain.png", "dark.png")]
    assert dream(*wanted, "-o", paths[0])[0] == 0
    assert dream(*wanted, "-o", paths[1], "--attribution", "gradient")[0] == 0
    plain, dark = (photos.read(path).image for path in paths)
    assert dark[:160].mean() < 0.8 * plain[:160].mean()
    np.testing.assert_array_equal(dark[180:], plain[180:])
    code, _, err = dream(*wanted, "--attribution", "magic")
    assert (code, "gradient" in err) == (2, True)


def test_a_folder_without_photos_is_refused(dream: Dream, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").touch()
    code, _, err = dream("exemplars", tmp_path, "mixed3a:3", "-o", tmp_path / "x.png")
    assert code == 2
    assert "no photo in the folder" in err
    (tmp_path / "broken.jpg").touch()
    code, _, err = dream("exemplars", tmp_path, "mixed3a:3", "-o", tmp_path / "x.png")
    assert code == 2
    assert "can be used (of 1 files)" in err


def test_an_interrupted_search_shows_what_it_found(
    dream: Dream, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    search = exemplars.search

    def interrupted(*given: Any) -> Iterator[exemplars.State]:
        for state in search(*given):
            if state.seen == 3:
                signal.raise_signal(signal.SIGINT)
            yield state

    monkeypatch.setattr(exemplars, "search", interrupted)
    code, out, err = dream("exemplars", ".", "mixed3a:3", "-o", "x.csv")
    assert code == 130
    assert out == "x.csv\n"
    assert "3 photos" in err
    assert "stopped there" in err
    # Two of the three may be one photo that is there twice.
    assert len(Path("x.csv").read_text().splitlines()) in (1 + 2, 1 + 3)


def test_channels_are_shown_beside_what_they_want_to_see(
    dream: Dream, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    few = folder / "filters.toml"
    few.write_text("steps = 2\njitter = 0\n")
    assert dream("exemplars", "within", "mixed3a:3", "-k", 2, "-p", few)[0] == 0
    sheet = photos.read(folder / "within-exemplars.png").image
    assert sheet.shape[1] == 3 * 160 + 4 * 8
    again = dream("exemplars", "within", "mixed3a:3", "-p", few, "-o", "within-exemplars.png")
    assert again[0] == 2
    assert "--overwrite" in again[2]
