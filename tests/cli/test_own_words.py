"""`dream words`: words of one's own."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dreamer.arrays import Image
from dreamer.files import photos
from dreamer.jobs.presets import read_finished
from dreamer.recipe import words

Dream = Callable[..., Any]


@pytest.fixture(autouse=True)
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(words.platformdirs, "user_config_path", lambda *_, **__: tmp_path / "own")


@pytest.fixture
def folder(tmp_path: Path, photo: Image) -> Path:
    path = tmp_path / "rex"
    path.mkdir()
    for number in range(2):
        photos.write(path / f"{number}.png", photo[::-1] if number else photo)
    return path


def test_a_learnt_word_is_dreamt_of_and_carried_and_forgotten(
    dream: Dream, folder: Path, tmp_path: Path
) -> None:
    code, out, err = dream("words", "learn", "our rex", folder)
    assert code == 0
    assert "our rex: learnt from 2 photos" in out
    assert '--of "our rex"' in out
    assert "five to twenty say more" in err
    picture = tmp_path / "x.png"
    small = ("--size", 64, "--steps", 1, "--octaves", 1, "-o", picture)
    assert dream("image", folder / "0.png", "--of", "our rex", *small)[0] == 0
    made = read_finished(picture).recipe
    assert made.of == ("our rex",)
    assert all(layer.startswith(("mixed4d:", "mixed4e:")) for layer in made.layers)
    # There is one already; another may take its place.
    assert dream("words", "learn", "our rex", folder)[0] == 2
    assert dream("words", "learn", "our rex", folder / "0.png", "--overwrite")[0] == 0
    assert "our rex" in dream("models", "words")[1]
    code, out, _ = dream("words", "forget", "our rex")
    assert code == 0
    assert "forgotten" in out
    code, _, err = dream("words", "forget", "our rex")
    assert code == 2
    assert "there are none" in err
    # What was made with it carries it.
    again = tmp_path / "again.png"
    assert dream("image", folder / "0.png", "-p", picture, "-o", again)[0] == 0
    assert again.read_bytes() == picture.read_bytes()


def test_a_bad_photo_is_left_out_and_a_known_word_is_said(dream: Dream, folder: Path) -> None:
    (folder / "2.png").write_bytes(b"no picture")
    code, out, err = dream("words", "learn", "birds", folder)
    assert code == 0
    assert "birds: learnt from 2 photos" in out
    assert "Left out: " in err
    assert "yours comes first" in err


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("a=b", "FOLDER"), "letters, digits"),
        (("-rex", "FOLDER"), "No such option"),
        (("rex", "nowhere.png"), "None of the photos"),
        (("rex", "FOLDER", "-m", "inception_v3"), "--against"),
    ],
)
def test_what_cannot_be_learnt_is_one_sentence(
    dream: Dream, folder: Path, arguments: tuple[str, ...], named: str
) -> None:
    if "inception_v3" in arguments:
        pytest.importorskip("tensorflow")
        from dreamer.networks import weight_files

        if not weight_files.find("inception_v3"):
            pytest.skip("inception_v3's weights are not here")
    given = [folder if each == "FOLDER" else each for each in arguments]
    code, _, err = dream("words", "learn", *given)
    assert code == 2
    assert named in err
