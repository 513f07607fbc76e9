"""`dream video` on a clip: frames, rate and sound stay."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dreamer.arrays import Image
from dreamer.files import clips, ffmpeg, photos, work_folder
from dreamer.jobs.presets import read_finished
from dreamer.pipelines.clip_film import ClipFilm

Dream = Callable[..., Any]


SMALL = ("--steps", 1, "--motif", 0.9, "--seed", 3, "--size", 64)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A film of ten frames with sound."""
    path = tmp_path_factory.mktemp("clip") / "a clip.mp4"
    picture = "testsrc2=size=64x48:rate=30000/1001"
    inputs = ("-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", "sine=440:sample_rate=48000")
    coded = ("-frames:v", "10", "-t", "0.3337", "-pix_fmt", "yuv420p", "-movflags", "+faststart")
    ffmpeg.run((*inputs, *coded, ffmpeg.target(path)), path.name)
    return path


def packets(path: Path) -> list[str]:
    """The checksums of a film's packets of sound."""
    listed = ("-map", "0:a", "-c", "copy", "-f", "framecrc", "pipe:1")
    said = ffmpeg.run((*ffmpeg.source(path), *listed), path.name).decode()
    return [row.split(",")[-1] for row in said.splitlines() if not row.startswith("#")]


def test_frames_rate_duration_and_sound_are_those_of_the_clip(
    dream: Dream, clip: Path, tmp_path: Path
) -> None:
    film = tmp_path / "film.mp4"
    code, _, err = dream("video", clip, *SMALL, "-o", film)
    assert code == 0, err
    assert "following its motion" in err
    before, after = clips.select(clip), clips.select(film)
    assert (after.count, after.fps, after.size) == (10, Fraction(30000, 1001), (48, 64))
    assert after.facts.duration == before.facts.duration
    assert abs(after.facts.start - before.facts.start) < 1e-3
    assert packets(film) == packets(clip) != []
    made = read_finished(film)
    assert made.recipe.steps == 1
    assert made.facts["photo_sha256"] == clips.hash_clip(clip)
    silent = tmp_path / "silent.webm"
    part = ("--from", "0:00.1", "--to", "0.3", "--every", 2, "--no-audio", "--flow", "off")
    assert dream("video", clip, "-p", film, *part, "-o", silent)[0] == 0
    short = clips.select(silent)
    assert (short.count, short.fps, short.facts.sound) == (3, Fraction(15000, 1001), None)


def test_a_folder_of_frames_and_a_mask_film_are_taken(
    dream: Dream, clip: Path, tmp_path: Path
) -> None:
    folder, mask = tmp_path / "frames", tmp_path / "mask"
    for path in (folder, mask):
        path.mkdir()
    for name, frame in zip((99, 100, 1000), clips.select(clip).frames(), strict=False):
        photos.write(folder / f"{name}.png", frame)
        white = np.zeros_like(frame)
        white[:, 32:] = name != 1000
        photos.write(mask / f"{name}.png", white)
    options = (*SMALL, "--steps", 4, "--mask", mask, "--set", "feather=0", "--fps", 12)
    out = tmp_path / "png"
    assert dream("video", folder, *options, "-o", out)[0] == 0
    for number, name in enumerate((99, 100, 1000)):
        made = photos.read(out / f"{number:06d}.png").image
        change = np.abs(made - photos.read(folder / f"{name}.png").image)
        assert change[:, :32].max() < 0.01
        assert (change[:, 32:].mean() > 0.01) == (name != 1000)


@pytest.fixture
def disc(tmp_path: Path) -> Path:
    """A clip of four frames: a gray disc on nothing."""
    path = tmp_path / "disc.mov"
    inside = "255*lt(hypot(X-32,Y-24),18)"
    picture = f"color=gray:s=64x48:r=25:d=0.16,format=rgba,geq=r=160:g=160:b=160:a='{inside}'"
    coded = ("-c:v", "prores_ks", "-profile:v", "4444", "-pix_fmt", "yuva444p10le")
    ffmpeg.run(("-f", "lavfi", "-i", picture, *coded, ffmpeg.target(path)), path.name)
    return path


@pytest.mark.parametrize("suffix", [".mkv", ".mp4"])
def test_a_transparent_clip_stays_so_where_the_film_can_be(
    suffix: str, dream: Dream, disc: Path
) -> None:
    film = disc.with_name(f"film{suffix}")
    code, _, err = dream("video", disc, *SMALL, "-o", film)
    assert code == 0, err
    made = clips.select(film)
    assert made.facts.transparent == (suffix == ".mkv")
    assert ("transparent: that is kept" in err) == (suffix == ".mkv")
    assert ("shown on #000000 (--background)" in err) == (suffix == ".mp4")
    if suffix == ".mkv":
        for share, wanted in zip(made.opacities(), clips.select(disc).opacities(), strict=True):
            np.testing.assert_allclose(share, wanted, atol=0.02)
        # What is not there is not the background either.
        edge = next(replace(made, background=(1.0, 1.0, 1.0)).frames())
        assert edge[24, 12:52].min() > 0.1
    on_red = disc.with_name("red.mkv")
    assert dream("video", disc, *SMALL, "--background", "#ff0000", "-o", on_red)[0] == 0
    assert not clips.select(on_red).facts.transparent


def test_a_film_has_exactly_the_pixels_asked_for(dream: Dream, clip: Path, tmp_path: Path) -> None:
    options = (*SMALL[:-2], "--to", "0.1")
    for size, suffix in (("96x40", ".mp4"), ("97x41", ".mkv")):
        film = tmp_path / f"film{suffix}"
        code, _, err = dream("video", clip, *options, "--size", size, "-o", film)
        assert code == 0, err
        width, height = map(int, size.split("x"))
        assert clips.select(film).size == (height, width)
    code, _, err = dream(
        "video", clip, *options, "--size", "96x40", "--codec", "dnxhr", "-o", tmp_path / "x.mov"
    )
    assert code == 2
    assert "dnxhr needs 256×120 at least" in err


class Killed(BaseException):
    """Nobody catches it, as nobody catches a power cut."""


def test_a_film_that_was_killed_goes_on_to_the_same_bytes(
    dream: Dream, clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, parts = tmp_path / "whole.mp4", tmp_path / "parts.mp4"
    options = ("video", clip, *SMALL, "--to", 0.2, "--palette", "#102040,#a05080")
    assert dream(*options, "-o", whole)[0] == 0
    step = ClipFilm.step

    def dying(self: ClipFilm, carried: Any, number: int) -> Any:
        if number == 3:
            raise Killed
        return step(self, carried, number)

    monkeypatch.setattr(ClipFilm, "step", dying)
    with pytest.raises(Killed):
        dream(*options, "-o", parts)
    assert work_folder.unfinished(tmp_path / "parts.mp4.unfinished")
    monkeypatch.setattr(ClipFilm, "step", step)
    code, _, err = dream(*options, "-o", parts)
    assert code == 0
    assert "3 dreamt frames are there already" in err
    assert parts.read_bytes() == whole.read_bytes()


def test_a_truncated_film_is_dreamt_as_far_as_it_goes(
    dream: Dream, clip: Path, tmp_path: Path
) -> None:
    cut, film = tmp_path / "cut.mp4", tmp_path / "film.mp4"
    data = clip.read_bytes()
    cut.write_bytes(data[: len(data) * 2 // 3])
    code, _, err = dream("video", cut, *SMALL, "-o", film)
    assert code == 0
    assert "cut short" in err
    assert 1 <= clips.select(film).count < 10


def test_a_film_of_one_frame_and_none_of_sound(dream: Dream, clip: Path, tmp_path: Path) -> None:
    one = tmp_path / "one.mkv"
    ffmpeg.run((*ffmpeg.source(clip), "-frames:v", "1", "-an", ffmpeg.target(one)), "one")
    assert dream("video", one, *SMALL)[0] == 0
    assert clips.select(tmp_path / "one-film.mp4").count == 1


def test_a_transparent_clip_is_dreamt_on_its_background(dream: Dream, tmp_path: Path) -> None:
    nothing = "color=c=0x00ff00:s=64x48:r=10:d=0.2,format=rgba,colorchannelmixer=aa=0"
    path, made = tmp_path / "a.mov", tmp_path / "out"
    coded = ("-c:v", "qtrle", "-pix_fmt", "argb", ffmpeg.target(path))
    ffmpeg.run(("-f", "lavfi", "-i", nothing, *coded), path.name)
    made.mkdir()
    chosen = ("--background", "#2040ff", "--strength", 1, "-o", made / "film.mp4")
    code, _, err = dream("video", path, *SMALL, *chosen)
    assert code == 0
    assert "is transparent: it is shown on #2040ff (--background)" in err
    seen = next(clips.select(made / "film.mp4").frames()).mean((0, 1)) * 255
    np.testing.assert_allclose(seen, [0x20, 0x40, 0xFF], atol=30)
    assert read_finished(made / "film.mp4").facts["background"] == "#2040ff"


REFUSED = {
    "no film": (["TEXT.mp4"], "is no film"),
    "missing": (["nowhere.mp4"], "There is no film"),
    "no frames in the range": (["CLIP", "--from", "5"], "has no frames"),
    "no time": (["CLIP", "--from", "soon"], "no time in a film"),
    "empty folder": (["EMPTY"], "holds no frames"),
    "only sound": (["SOUND.mp4"], "holds no pictures"),
    "motion": (["CLIP", "--motion", "zoom"], "--motion is not for the clip"),
    "length": (["CLIP", "--seconds", "2"], "see --from and --to"),
    "rate": (["CLIP", "--fps", "12"], "a rate of its own"),
    "flow": (["CLIP", "--flow", "perhaps"], "--flow cannot be perhaps"),
    "blend": (["CLIP", "--blend-moving", "2"], "--blend-moving"),
    "short mask": (["CLIP", "--mask", "SHORT.mp4"], "has 2 frames"),
    "photo": (["PHOTO.png", "--from", "1"], "--from is for a clip"),
    "background": (["CLIP", "--background", "red"], "--background cannot be red: write a color"),
    "photo's background": (["PHOTO.png", "--background", "#ff0000"], "--background is for a clip"),
    "wild name": (["CLIP", "-o", "film.xyz"], ".xyz"),
}


@pytest.fixture
def around(clip: Path, tmp_path: Path, photo: Image) -> Iterator[Path]:
    """A folder of things that are no clips."""
    (tmp_path / "TEXT.mp4").write_text("no film")
    (tmp_path / "EMPTY").mkdir()
    photos.write(tmp_path / "PHOTO.png", photo)
    for name, how in (("SOUND.mp4", ("-vn",)), ("SHORT.mp4", ("-frames:v", "2"))):
        ffmpeg.run((*ffmpeg.source(clip), *how, ffmpeg.target(tmp_path / name)), name)
    return tmp_path


@pytest.mark.parametrize("kind", REFUSED)
def test_bad_input_gets_one_sentence_and_leaves_nothing(
    kind: str, dream: Dream, clip: Path, around: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(around)
    before = sorted(around.iterdir())
    arguments, named = REFUSED[kind]
    code, out, err = dream("video", *[clip if a == "CLIP" else a for a in arguments], "-q")
    assert code == 2
    assert not out
    assert named in err
    assert err.count("\n") == 1
    assert sorted(around.iterdir()) == before
