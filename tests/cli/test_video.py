"""`dream video` as it is typed: films, their recipes, runs that go on, and what is refused."""

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy
from numpy.typing import NDArray

from dreamer.analysis import music
from dreamer.arrays import Image
from dreamer.files import clips, ffmpeg, photos, work_folder
from dreamer.jobs.presets import read_finished
from dreamer.pipelines.feedback_film import FeedbackFilm

Dream = Callable[..., Any]
SMALL = ("--size", 64, "--steps", 1, "--fps", 8, "--intro", 0, "--seed", 3)


@pytest.fixture
def source(tmp_path: Path, photo: Image) -> Path:
    path = tmp_path / "a photo.png"
    photos.write(path, photo)
    return path


def shown(film: Path) -> NDArray[np.float32]:
    """All frames of a film."""
    return np.stack(list(clips.select(film).frames()))


def left(source: Path) -> list[str]:
    return sorted(path.name for path in source.parent.iterdir() if path != source)


def test_a_film_beside_the_photo_carries_its_recipe(dream: Dream, source: Path) -> None:
    code, out, err = dream("video", source, *SMALL, "--frames", 5, "--zoom", "0:(1), 4:(1.1)")
    assert code == 0
    assert left(source) == ["a photo-film.mp4"]
    film = source.with_name("a photo-film.mp4")
    assert str(film) in out
    assert "5 frames of 64×48" in err
    assert shown(film).shape == (5, 48, 64, 3)
    made = read_finished(film)
    assert made.recipe.film.zoom == "0:(1), 4:(1.1)"
    assert made.recipe.layers == ("mixed4c",)
    # The look of the film for a picture, and again for a film that has no frames of its own.
    code, _, err = dream("image", source, "-p", film, "--size", 64, "--steps", 1)
    assert code == 0
    assert "first frame" in err
    code, _, _ = dream("video", source, "-p", film, "--seconds", 0.25, "-o", source.parent / "png")
    assert code == 0
    assert len(list((source.parent / "png").iterdir())) == 2
    assert read_finished(source.parent / "png" / "000000.png").recipe.seed == 3


def test_a_loop_says_how_well_it_closes(dream: Dream, source: Path) -> None:
    loop = ("--loop", "--frames", 12, "--motion", "breathe", "-o", source.with_name("x.gif"))
    code, _, err = dream("video", source, *SMALL, *loop)
    assert code == 0
    assert "The loop closes cleanly." in err
    frames = shown(source.with_name("x.gif"))
    assert len(frames) == 12
    steps = np.abs(np.roll(frames, -1, 0) - frames).mean((1, 2, 3))
    assert steps[-1] < 1.5 * np.median(steps[:-1])


def test_the_ascent_of_a_picture_is_a_film_of_its_steps(dream: Dream, source: Path) -> None:
    film = source.with_name("ascent.mp4")
    code, _, _ = dream("image", source, "--octaves", 2, "--steps", 3, "--film", film)
    assert code == 0
    assert left(source) == ["a photo-dream.png", "ascent.mp4"]
    # Six states, drawn out to three seconds in which each passes into the next.
    frames = shown(film)
    assert len(frames) == 36
    assert np.abs(np.diff(frames[::7], axis=0)).mean((1, 2, 3)).min() > 0.001
    assert read_finished(film).recipe.octaves == 2
    last = photos.read(source.with_name("a photo-dream.png")).image
    np.testing.assert_allclose(shown(film)[-1].mean(), last.mean(), atol=0.02)


class Killed(BaseException):
    """Nobody catches it, as nobody catches a power cut."""


ON_THE_BEAT = ("--associate", "--themes", "1s", "--bpm", 180, "--zoom", "1 + 0.02*beat")


@pytest.mark.parametrize(
    "extra", [(), ("--loop", "--cadence", 2), ON_THE_BEAT], ids=["film", "loop", "association"]
)
def test_a_film_that_was_killed_goes_on_to_the_same_bytes(
    dream: Dream, source: Path, monkeypatch: pytest.MonkeyPatch, extra: tuple[object, ...]
) -> None:
    whole, parts = source.with_name("whole.mp4"), source.with_name("parts.mp4")
    options = (*SMALL, "--frames", 8, "-l", "0:mixed3b, 6:mixed4a", *extra)
    assert dream("video", source, *options, "-o", whole)[0] == 0
    step, made = FeedbackFilm.step, 0

    def dying(self: FeedbackFilm, carried: Any, number: int) -> Any:
        nonlocal made
        made += 1
        if made in (2, 5, 9):
            raise Killed
        return step(self, carried, number)

    monkeypatch.setattr(FeedbackFilm, "step", dying)
    for _ in range(3):
        with pytest.raises(Killed):
            dream("video", source, *options, "-o", parts)
        assert work_folder.unfinished(source.with_name("parts.mp4.unfinished"))
    monkeypatch.setattr(FeedbackFilm, "step", step)
    # Nothing else can be made of it by mistake.
    code, _, err = dream("video", source, *options, "-o", parts, "--strength", 5)
    assert code == 2
    assert "strength" in err
    assert "--fresh" in err
    assert dream("video", source, *options, "-o", parts)[0] == 0
    assert parts.read_bytes() == whole.read_bytes()
    assert left(source) == ["parts.mp4", "whole.mp4"]


def test_an_unfinished_film_goes_on_to_a_greater_length(
    dream: Dream, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    step = FeedbackFilm.step

    def dying(self: FeedbackFilm, carried: Any, number: int) -> Any:
        if number == 3:
            raise Killed
        return step(self, carried, number)

    monkeypatch.setattr(FeedbackFilm, "step", dying)
    with pytest.raises(Killed):
        dream("video", source, *SMALL, "--frames", 4)
    monkeypatch.setattr(FeedbackFilm, "step", step)
    code, _, err = dream("video", source, *SMALL, "--frames", 6)
    assert code == 0
    assert "3 dreamt frames are there already" in err
    assert len(shown(source.with_name("a photo-film.mp4"))) == 6


def test_noise_and_palettes_make_films(dream: Dream, tmp_path: Path) -> None:
    film = tmp_path / "film.mp4"
    palette = ("--palette", "0:(#102040,#405080), 3:(#801010,#c04020)", "--strength", 1)
    code, _, _ = dream("video", "--noise", "64x48", *SMALL, "--frames", 4, *palette, "-o", film)
    assert code == 0
    first, last = shown(film)[[0, -1]].astype(float)
    assert (last - first)[..., 0].mean() > 0.08 > (last - first)[..., 2].mean()
    assert np.isfinite(first).all()


REFUSED = {
    "no source": ([], "--noise"),
    "unknown suffix": (["PHOTO", "-o", "x.avi"], ".mp4"),
    "zoom of nothing": (["PHOTO", "--zoom", "0"], "--zoom"),
    "no rate": (["PHOTO", "--fps", "0"], "--fps"),
    "no length": (["PHOTO", "--frames", "0"], "--frames"),
    "slip in a schedule": (["PHOTO", "--zoom", "0:(1.02), 60:(1+*2)"], "▸"),
    "code in a schedule": (["PHOTO", "--zoom", "0:(__import__('os'))"], "--zoom"),
    "a clip behind a photo": (["PHOTO", "CLIP.mp4"], "is a clip"),
    "unknown name": (["PHOTO", "--angle", "0:(sine(t))"], "did you mean sin"),
    "division by zero": (["PHOTO", "--zoom", "0:(1/(37-t))"], "frame 37"),
    "out of range later": (["PHOTO", "--zoom", "0:(1-t/20)"], "frame 20"),
    "unknown motion": (["PHOTO", "--motion", "zoomm"], "--motion"),
    "unknown layer later": (["PHOTO", "-l", "0:mixed4c, 9:mixed4z"], "did you mean mixed4"),
    "palette no color": (["PHOTO", "--palette", "blue"], "palette"),
    "loop and cadence": (["PHOTO", "--loop", "--frames", "9", "--cadence", "2"], "--cadence"),
    "short loop": (["PHOTO", "--loop", "--frames", "2"], "loop"),
    "missing sound": (["PHOTO", "--audio", "nowhere.mp3"], "nowhere.mp3"),
    "disk": (["PHOTO", "--seconds", "80000", "--size", "8192", "--fps", "240"], "free"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_bad_input_gets_one_sentence_and_code_two(
    kind: str, dream: Dream, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(source.parent)
    arguments, named = REFUSED[kind]
    code, out, err = dream("video", *[source if a == "PHOTO" else a for a in arguments])
    assert code == 2
    assert not out
    assert named in err
    # What is said before a run may come before what ends it.
    *notes, sentence = err.splitlines()
    assert sentence.startswith("dream: ")
    assert all("hardly be seen" in note for note in notes)
    assert left(source) == []


def test_a_film_that_is_there_is_not_lost(dream: Dream, source: Path) -> None:
    film = source.with_name("film.mp4")
    film.write_bytes(b"precious")
    code, _, err = dream("video", source, "-o", film)
    assert code == 2
    assert "--overwrite" in err
    assert film.read_bytes() == b"precious"


def test_a_preset_is_checked_and_drawn_without_dreaming(dream: Dream, tmp_path: Path) -> None:
    preset, plot = tmp_path / "mine.toml", tmp_path / "plot.png"
    preset.write_text('[film]\nloop = true\nseconds = 2\nzoom = "0:(1+0.1*sin(2*pi*t/max_f))"\n')
    code, out, err = dream("presets", "check", preset, "-o", plot)
    assert code == 0
    assert "is valid; these change over the film: film.zoom." in out
    assert "max_f" in err
    line = photos.read(plot).image[..., 0] > 0.9
    # It rises first and falls then.
    rows = [np.flatnonzero(line[20:150, column]).mean() for column in (130, 370)]
    assert rows[0] < rows[1]
    preset.write_text('[film]\nzoom = "0:(1/(30-t))"\n')
    code, _, err = dream("presets", "check", preset)
    assert code == 2
    assert "frame 30" in err


@pytest.mark.parametrize(
    ("loop", "reached"), [((), 3), (("--loop",), 0)], ids=["film", "a loop's warm-up"]
)
def test_an_interrupt_keeps_the_film_so_far(
    dream: Dream,
    source: Path,
    monkeypatch: pytest.MonkeyPatch,
    loop: tuple[str, ...],
    reached: int,
) -> None:
    step = FeedbackFilm.step

    def interrupted(self: FeedbackFilm, carried: Any, number: int) -> Any:
        if number == 2:
            os.kill(os.getpid(), signal.SIGINT)
        return step(self, carried, number)

    options = (source, *SMALL, "--frames", 8, *loop)
    monkeypatch.setattr(FeedbackFilm, "step", interrupted)
    code, _, err = dream("video", *options)
    assert code == 130
    assert (f"frame {reached} of 8" if reached else "before the first frame") in err
    partial = source.with_name("a photo-film.partial.mp4")
    assert left(source) == ["a photo-film.mp4.unfinished", *([partial.name] if reached else [])]
    assert not reached or len(shown(partial)) == reached
    monkeypatch.setattr(FeedbackFilm, "step", step)
    assert dream("video", *options)[0] == 0
    assert left(source) == ["a photo-film.mp4"]
    assert len(shown(source.with_name("a photo-film.mp4"))) == 8


def write_song(path: Path, seconds: float = 2.0) -> Path:
    """Write a click twice a second."""
    rate = 22_050
    since = np.arange(int(rate * seconds)) / rate % 0.5
    wave = np.sin(2 * np.pi * 220 * since) * np.exp(-30 * since)
    scipy.io.wavfile.write(path, rate, (wave * 32_000).astype(np.int16))
    return path


@pytest.mark.skipif(not music.has_librosa(), reason="librosa is not installed")
def test_a_film_has_the_length_and_the_sound_of_its_music(dream: Dream, source: Path) -> None:
    song = write_song(source.with_name("song.wav"))
    film = source.with_name("x.mp4")
    beat = ("--music", song, "--zoom", "1 + 0.05*beat", "--set", "film.hold=1-0.5*drums.rms")
    code, _, err = dream("video", source, *SMALL, *beat, "-o", film)
    assert code == 2
    assert "film.hold reads drums.rms" in err
    stems = (*beat, "--music", f"drums={song}")
    code, _, err = dream("video", source, *SMALL, *stems, "-o", film)
    assert code == 0, err
    assert len(shown(film)) == 16
    assert clips.select(film).sound is not None
    assert set(read_finished(film).facts["music_sha256"]) == {"", "drums"}
    # Another song is another film: the one that was begun is not gone on with by mistake.
    code, _, err = dream("video", source, *SMALL, *beat[:2], "--music", song, "-o", film)
    assert code == 2


def test_a_dry_run_shows_the_path_undreamt(dream: Dream, source: Path) -> None:
    options = ("--bpm", 120, "--zoom", "1 + 0.05*beat", "--of", "0:birds, 1s:fish", "--dry-run")
    code, out, _ = dream("video", source, *SMALL, *options, "--seconds", 1)
    assert code == 0
    path = source.with_name("a photo-path.mp4")
    assert f"{path}  8 frames, undreamt" in out
    frames = shown(path)
    assert frames.shape == (8, 48, 64, 3)
    assert np.abs(np.diff(frames, axis=0)).mean((1, 2, 3)).min() > 0.001


def test_a_film_of_themes_has_chapters(dream: Dream, source: Path) -> None:
    film = source.with_name("x.mp4")
    themes = ("--associate", "birds,fish", "--themes", "1s", "--seconds", 2.5)
    code, _, err = dream("video", source, *SMALL, *themes, "-o", film)
    assert code == 0
    assert "It went birds → fish → birds." in err
    assert "birds,fish in turn" in err.replace("birds, fish", "birds,fish")
    said = ffmpeg.describe_file(film)
    assert said.count("Chapter #0") == 3
    assert len(shown(film)) == 20
    assert read_finished(film).recipe.film.associate == "birds,fish"
    assert read_finished(film).recipe.layers == ()
    for option in (("--avoid", "fish"), ("--themes", "2s")):
        code, _, err = dream("video", source, *SMALL, *option)
        assert code == 2
        assert "--associate" in err
