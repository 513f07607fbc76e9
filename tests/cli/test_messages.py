"""What a person is told: every option by its own name, and never an exception for a message."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer

from dreamer.arrays import Image
from dreamer.cli import app, interrupt, show
from dreamer.files import photos
from dreamer.jobs import presets
from dreamer.jobs.presets import read_finished

Dream = Callable[..., Any]
COMMANDS = {
    name: command
    for name, command in typer.main.get_command(app).commands.items()  # type: ignore[attr-defined]
    if name in ("image", "video", "class", "filters", "search", "exemplars", "compare")
}

WRONG: dict[str, tuple[str, ...]] = {
    "--preset": ("nope",),
    "--of": ("zzz", "birds=x", "0:birds, 0:fish"),
    "--not": ("zzz",),
    "--layer": ("nope", "birds", "mixed4c:99999", "mixed4c=x"),
    "--guide": ("nope.png",),
    "--motif": ("big", "0.1-0.5"),
    "--octaves": ("0", "x"),
    "--octave-scale": ("0.5",),
    "--steps": ("0", "x"),
    "--rate": ("fast", "-1"),
    "--jitter": ("-1",),
    "--blur": ("much", "-1"),
    "--strength": ("-1", "x"),
    "--opacity": ("2",),
    "--mask": ("nope.png",),
    "--palette": ("red,blue", "#12"),
    "--saturation": ("-1",),
    "--seed": ("-2", "x"),
    "--harmony": ("2", "x"),
    "--aspect": ("16/9", "0:1"),
    "--crop": ("left", "0,0,9999,9"),
    "--dpi": ("0", "x"),
    "--codec": ("divx",),
    "--set": ("nope=1", "steps", "steps=x"),
    "--model": ("nope", "nope.keras"),
    "--weights": ("nope.h5",),
    "--precision": ("half",),
    "--threads": ("0", "x", "1.5"),
    "--size": ("640xx480", "1", "full!"),
    "--noise": ("big", "64x64:nope"),
    "--finish": ("nope.png",),
    "--watch": ("nope.toml",),
    "--film": ("a.txt",),
    "--sheet": ("nope",),
    "--vary": ("steps", "nope=1,2"),
    "--output": ("a.bmp",),
    "--save-preset": ("no/such/x.toml",),
    "--quality": ("0", "101", "x"),
    "--depth": ("9",),
    "--motion": ("up",),
    "--speed": ("-1",),
    "--zoom": ("0", "big"),
    "--angle": ("999",),
    "--border": ("blue",),
    "--seconds": ("-1", "x"),
    "--frames": ("0",),
    "--fps": ("0", "x"),
    "--intro": ("-1",),
    "--cadence": ("0",),
    "--from": ("1",),
    "--to": ("1",),
    "--every": ("2", "0", "x"),
    "--flow": ("on",),
    "--blend-moving": ("0.5",),
    "--blend-still": ("0.5",),
    "--habituation": ("-1",),
    "--wander": ("-1", "far"),
    "--at": ("2,3", "0.5", "left"),
    "--dissolve": ("2", "much"),
    "--colors": ("blue",),
    "--audio": ("nope.mp3",),
    "--max-mb": ("-1", "x", "nan"),
    "--first": ("0", "x"),
    "--on": ("nope.png",),
    "--init": ("nope", "nope.png"),
    "--keep": ("worst",),
    "--leaky": ("2",),
    "--diverse": ("0",),
    "--between": ("1", "x"),
    "--columns": ("0", "x"),
    "--labels": ("nope.txt",),
    "--trials": ("0", "401", "x"),
    "--over": ("nope", "rate=5..1"),
    "--around": ("nope",),
    "--by": ("beauty",),
    "--pick": ("r9c9",),
    "--count": ("0", "x"),
    "--patch": ("square",),
    "--associate": ("dragons",),
    "--avoid": ("dragons",),
    "--themes": ("often", "0s", "9-4s"),
    "--bpm": ("x", "5"),
    "--arc": ("red", "#102040;blue"),
    "--music": ("nothing.mp3",),
    "--mask-motion": ("sideways",),
    "--mean": ("a.bmp",),
}
"""Values that an option cannot have."""

SOURCES: dict[str, list[str]] = {
    "image": ["photo.png"],
    "video": ["photo.png"],
    "search": ["photo.png"],
    "filters": ["mixed3b:0"],
    "class": ["hen"],
    "exemplars": ["photos", "mixed3b:0"],
    "compare": ["photo.png", "photo.png"],
}


def wrong_values() -> Iterator[tuple[str, str, str]]:
    for name, command in COMMANDS.items():
        for param in command.params:
            option = max(param.opts, key=len)
            if option.startswith("--") and option != "--help" and not param.is_flag:
                # An option without a line here fails the test.
                for value in WRONG.get(option, ("no wrong value is known",)):
                    yield name, option, value


@pytest.fixture
def folder(tmp_path: Path, photo: Image, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a photo and a folder of photos, which a command runs in."""
    photos.write(tmp_path / "photo.png", photo)
    (tmp_path / "photos").mkdir()
    photos.write(tmp_path / "photos" / "one.png", photo)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(("command", "option", "value"), list(wrong_values()))
def test_a_wrong_value_is_one_sentence_that_names_its_option(
    dream: Dream, folder: Path, command: str, option: str, value: str, request: Any
) -> None:
    if command == "class" and option not in ("--model", "--weights"):
        weights = request.getfixturevalue("real_weights")
        network = ["-m", "googlenet", "--weights", str(weights / "tensorflow_inception_graph.pb")]
    else:
        network = []
    source = [] if option in ("--noise", "--finish") else SOURCES[command]
    source = ["photo.png"] if option == "--finish" else source
    code, out, err = dream(command, *source, *network, option, value)
    assert code == 2, err
    # What is said before a run may come before what ends it.
    *notes, sentence = err.splitlines()
    assert sentence.startswith("dream: ")
    assert sentence.endswith((".", "?"))
    assert option in sentence
    assert not [note for note in notes if note.startswith("dream: ")]
    assert not out
    assert sorted(path.name for path in folder.iterdir()) == ["photo.png", "photos"]


def run(folder: Path, encoding: str, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "dreamer", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONIOENCODING": encoding, "COLUMNS": "100"},
        capture_output=True,
        check=False,
    )


@pytest.mark.parametrize("encoding", ["cp1252", "ascii"])
def test_a_name_that_a_log_cannot_hold_ends_no_batch(
    folder: Path, photo: Image, encoding: str
) -> None:
    photos.write(folder / "写真.png", photo)
    quick = ("--steps", "1", "--octaves", "1", "-o", "out")
    done = run(folder, encoding, "image", "写真.png", "photo.png", *quick)
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in (folder / "out").iterdir()) == [
        "photo-dream.png",
        "写真-dream.png",
    ]
    assert b"Traceback" not in done.stderr
    assert b"photo-dream.png" in done.stdout


@pytest.mark.parametrize("encoding", ["cp1252", "cp1251", "ascii"])
@pytest.mark.parametrize("command", [["presets", "show"], ["presets", "list"], ["image", "--help"]])
def test_tables_and_help_are_shown_in_any_encoding(
    tmp_path: Path, encoding: str, command: list[str]
) -> None:
    done = run(tmp_path, encoding, *command)
    assert done.returncode == 0, done.stderr
    assert len(done.stdout) > 500


def test_our_own_signs_have_plainer_ones() -> None:
    show.make_legible()
    plain = "96×72 → 写 …".encode("ascii", "dreamer.plainer")
    assert plain == b"96x72 -> ? ..."


def test_no_failure_of_one_photo_ends_a_batch(
    dream: Dream, folder: Path, photo: Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    photos.write(folder / "second.png", photo)
    read = photos.read

    def failing(path: Path, role: str = "photo", **options: Any) -> photos.Photo:
        if path.name == "photo.png":
            raise RuntimeError("a bug in a library")
        return read(path, role, **options)

    monkeypatch.setattr(photos, "read", failing)
    quick = ("--steps", 1, "--octaves", 1, "-o", "out")
    code, _, err = dream("image", "photo.png", "second.png", *quick)
    assert code == 1
    assert "photo.png failed (RuntimeError: a bug in a library)" in err
    assert (folder / "out" / "second-dream.png").is_file()


def test_a_slip_in_one_preset_ends_no_check(dream: Dream, folder: Path) -> None:
    (folder / "slip.toml").write_text("strenght = 3")
    code, out, err = dream("presets", "check", "slip.toml", "pagodas")
    assert code == 2
    assert "strenght" in err
    assert "pagodas is valid." in out


@pytest.mark.parametrize("letters", [225, 250])
def test_a_name_that_fits_is_enough(dream: Dream, folder: Path, photo: Image, letters: int) -> None:
    quick = ("--steps", 1, "--octaves", 2, "--octave-scale", 1.3)
    name = f"{'a' * (letters - 4)}.png"
    assert dream("image", "photo.png", *quick, "-o", name)[0] == 0
    assert sorted(path.name for path in folder.iterdir()) == [name, "photo.png", "photos"]
    (folder / name).unlink()
    photos.write(folder / name, photo)
    assert dream("image", name, *quick)[0] == 0
    assert len(list(folder.iterdir())) == 4


def test_too_long_a_name_is_one_sentence(dream: Dream, folder: Path) -> None:
    code, _, err = dream("image", "photo.png", "-o", f"{'a' * 300}.png")
    assert code == 2
    assert "too long" in err
    assert len(err.splitlines()) == 1


def test_what_is_given_twice_is_said(dream: Dream, folder: Path) -> None:
    quick = ("--steps", 1, "--octaves", 1, "-o", "x.png")
    code, _, err = dream("image", "photo.png", *quick, "--seed", 1, "--seed", 2)
    assert code == 0
    assert "--seed is given 2 times: the last one, 2, counts." in err
    assert read_finished(folder / "x.png").recipe.seed == 2


def test_what_is_not_used_is_said(dream: Dream, folder: Path) -> None:
    quick = ("--size", 64, "-o", "x.png", "--steps", 1, "--overwrite")
    err = dream("image", "photo.png", *quick, "-p", "bloom")[2]
    assert "bloom also says film." in err
    assert "which a picture does not use" in err
    words = ("--of", "birds", "--save-preset", "words.toml")
    assert dream("image", "photo.png", *quick, "-p", "feathers", *words)[0] == 0
    err = dream("image", "photo.png", *quick, "-p", "words.toml", "--of", "dogs")[2]
    assert "--of and --not take the place of what words.toml dreams of" in err
    film = ("--size", 64, "-o", "x.mp4", "--frames", 1, "--overwrite")
    err = dream("video", "photo.png", *film, "-p", "pagodas", "--set", "strength=20")[2]
    assert "strength, which a film does not use" in err
    assert "also says" not in dream("image", "photo.png", *quick, "-p", "pagodas")[2]


def test_a_preset_of_ones_own_is_credited_to_nobody_else(dream: Dream, folder: Path) -> None:
    quick = ("--size", 64, "--steps", 1, "-o", "x.png")
    palette = ("--palette", "#102040,#e0c080", "--save-preset", "friend.toml")
    assert dream("image", "photo.png", *quick, "-p", "marbling", *palette)[0] == 0
    about = presets.load("friend.toml").recipe.about
    assert (about.name, about.author) == ("", "")
    assert about.description == "based on Marbling by the dreamer authors"
    assert read_finished(folder / "x.png").recipe.about.author == ""


@pytest.mark.parametrize("asked", ["320x80", "96x200"])
def test_noise_has_the_pixels_asked_for(dream: Dream, folder: Path, asked: str) -> None:
    width, height = map(int, asked.split("x"))
    quick = ("--noise", asked, "-p", "pagodas")
    assert dream("image", *quick, "--steps", 1, "-o", "x.png")[0] == 0
    assert photos.read(folder / "x.png").image.shape[:2] == (height, width)
    assert dream("video", *quick, "--frames", 1, "-o", "frames")[0] == 0
    assert photos.read(folder / "frames" / "000000.png").image.shape[:2] == (height, width)
    sized = ("--noise", asked, "--size", 144, "--steps", 1, "-o", "small.png")
    assert dream("image", *sized)[0] == 0
    assert max(photos.read(folder / "small.png").image.shape[:2]) == 144
    again = ("--noise", asked, "-p", "small.png", "-o", "again.png")
    assert dream("image", *again)[0] == 0
    assert (folder / "again.png").read_bytes() == (folder / "small.png").read_bytes()


def test_a_film_has_the_octaves_asked_for(dream: Dream, folder: Path) -> None:
    quick = ("--frames", 1, "--size", 192, "-o", "x.mp4", "--overwrite")
    for how in (("--octaves", 3), ("--set", "octaves=3")):
        err = dream("video", "photo.png", *quick, *how)[2]
        assert "3 steps at 97×73, 137×102, 192×144" in err


def test_a_subject_that_the_film_swallows_is_said_before(dream: Dream, folder: Path) -> None:
    quick = ("--seconds", 4, "--fps", 2, "--size", 64, "-o", "x.mp4", "--overwrite")
    err = dream("video", "photo.png", *quick, "--of", "0:birds, 2s:fish")[2]
    assert "birds will hardly be seen" in err
    err = dream("video", "photo.png", *quick, "--of", "0:birds, 2s:fish", "--intro", 0)[2]
    assert "hardly" not in err


def test_a_stopped_picture_is_gone_on_with(
    dream: Dream, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick = ("--steps", 2, "--octaves", 3, "--octave-scale", 1.2)
    assert dream("image", "photo.png", *quick, "-o", "whole.png")[0] == 0
    write, shown = photos.write_preview, []

    def stopping(path: Path, picture: Image) -> None:
        write(path, picture)
        shown.append(path.name)
        # The first one shows the first step, the second one the end of the first octave.
        if len(shown) == 2:
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(photos, "write_preview", stopping)
    code, _, err = dream("image", "photo.png", *quick, "-o", "part.png")
    monkeypatch.setattr(photos, "write_preview", write)
    assert shown == ["part.preview.png"] * 2
    assert code == interrupt.INTERRUPTED
    assert "--finish part.png goes on from the end of octave 1" in err
    assert dream("image", "photo.png", "--finish", "part.png", "-o", "rest.png")[0] == 0
    whole, rest = (photos.read(folder / f"{name}.png").image for name in ("whole", "rest"))
    np.testing.assert_array_equal(whole, rest)
    code, _, err = dream("image", "photo.png", "--finish", "whole.png", "-o", "x.png")
    assert code == 2
    assert "is finished" in err
    code, _, err = dream("image", "photo.png", "--finish", "part.png", "--seed", 3, "-o", "x.png")
    assert code == 2
    assert "leave out --seed" in err


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"size": "640xx480"}, "size cannot be '640xx480': write the longest side"),
        ({"strength": 200}, "strength cannot be 200: write a number up to 100"),
        ({"motion": "up"}, "motion cannot be 'up': write glide, zoom, spiral"),
    ],
)
def test_a_program_is_told_the_argument(given: dict[str, Any], named: str, photo: Image) -> None:
    import dreamer

    with pytest.raises(dreamer.DreamerError, match=named):
        next(dreamer.film(photo, **given)) if "motion" in given else dreamer.dream(photo, **given)
