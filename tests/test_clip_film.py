"""Films of clips: the dream rides on the motion, lets go at cuts, and the sound stays."""

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from itertools import pairwise, repeat
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dreamer import frames, riding
from dreamer.arrays import Image, from_stored
from dreamer.assemble import assemble
from dreamer.cli import clip as clipping
from dreamer.files import clips, ffmpeg, metadata, photos, workfolder
from dreamer.motion import matrices
from dreamer.motion.warp import warp
from dreamer.recipe import Recipe
from dreamer.riding import Mask, Riding

Dream = Callable[..., Any]
PAN = 2


@pytest.fixture(scope="module")
def panned(photo: Image) -> list[Image]:
    """A clip that pans to the right."""
    return [warp(photo, matrices.pan(PAN * t, 0), "reflect").clip(0, 1) for t in range(8)]


def rode(
    tiny: Any,
    clip: Sequence[Image],
    recipe: dict[str, Any] | None = None,
    mask: Mask | None = None,
    **film: Any,
) -> Riding:
    given = {"layers": ["mixed"], "jitter": 2, "steps": 4, "motif": [0.4, 0.4], **(recipe or {})}
    whole = Recipe().changed({**given, "film": {"frames": len(clip), **film}})
    assembly = assemble(riding.frame_recipe(whole), tiny)
    size = clip[0].shape[0], clip[0].shape[1]
    return Riding(assembly, whole, size, lambda skip: iter(clip[skip:]), lambda skip: repeat(mask))


def dreamt(film: Riding) -> list[Image]:
    made = frames.keys(film.step, film.begin, 1, film.keys)
    return [from_stored(carried.frame) for carried in (film.begin, *made)]


def flicker(pictures: Sequence[Image]) -> float:
    """How much a picture differs from the one before, the pan taken out."""
    return float(np.mean([np.abs(b[:, PAN:] - a[:, :-PAN]).mean() for a, b in pairwise(pictures)]))


@pytest.mark.parametrize("carried", ["difference", "picture"])
def test_the_dream_rides_on_the_motion_and_stays_as_strong(
    tiny: Any, panned: list[Image], carried: str
) -> None:
    alone = dreamt(rode(tiny, panned, flow="off"))
    ridden = dreamt(rode(tiny, panned, carried=carried))
    assert flicker(ridden) < 0.4 * flicker(alone)
    changes = [
        np.mean([np.abs(a - b).mean() for a, b in zip(film[4:], panned[4:], strict=True)])
        for film in (ridden, alone)
    ]
    assert changes[0] > 0.85 * changes[1]
    # What has just come into the picture is dreamt on at once.
    fresh = [np.abs(film[-1] - panned[-1])[:, :2].mean() for film in (ridden, alone)]
    assert fresh[0] > 0.3 * fresh[1]


def test_the_dream_begins_afresh_at_a_cut(tiny: Any, panned: list[Image]) -> None:
    other = np.rot90(panned[0], 2)[:, ::-1, ::-1].clip(0, 1) * np.float32(0.8)
    cut = [*panned[:3], *(other for _ in range(3))]
    ridden, after_others = dreamt(rode(tiny, cut)), dreamt(rode(tiny, [*panned[3:6], *cut[3:]]))
    np.testing.assert_array_equal(ridden[3:], after_others[3:])
    assert np.abs(ridden[2] - after_others[2]).mean() > 0.001


def test_the_look_does_not_jump_where_a_dream_begins(
    tiny: Any, panned: list[Image], monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a clip that stands still, the first frames differ less than without any settling."""
    still = [panned[0]] * 3

    def jump() -> float:
        first, second, _ = dreamt(rode(tiny, still))
        return float(np.abs(second - first).mean())

    settled = jump()
    monkeypatch.setattr(riding, "SETTLING", 0)
    assert settled < 0.8 * jump()


def test_what_comes_into_the_picture_settles_frame_by_frame(tiny: Any, panned: list[Image]) -> None:
    film = rode(tiny, panned)
    *_, last = frames.keys(film.step, film.begin, 1, film.keys)
    age = last.memory["age"][8:-8]
    assert age[:, 0].max() < 1.5
    assert np.median(age[:, 10]) == pytest.approx(5, abs=1)
    np.testing.assert_allclose(age[:, 40], riding.SETTLING + len(panned), atol=0.1)


def test_a_lone_dream_is_laid_on_in_part_unless_nothing_is_ever_carried() -> None:
    kept = np.float32([0, 0.5, 0.8, 0.9, 1])
    expected = [riding.MOST, riding.MOST, 0.6, 0.3, 0]
    np.testing.assert_allclose(riding.laid(kept, np.float32(0.9)), expected, atol=1e-6)
    assert riding.laid(np.float32(0), np.float32(0)) == 1


def test_a_film_tells_its_cuts(tiny: Any, panned: list[Image]) -> None:
    other = np.rot90(panned[0], 2)[:, ::-1, ::-1].clip(0, 1) * np.float32(0.8)
    cut = [*panned[:3], *(other for _ in range(3))]
    film = rode(tiny, cut)
    *_, last = frames.keys(film.step, film.begin, 1, film.keys)
    assert film.closing([], last.memory) == ["Cuts, at which the dream began afresh: frame 3"]


def test_blends_of_one_dream_each_frame_alone(tiny: Any, panned: list[Image]) -> None:
    alone = dreamt(rode(tiny, panned[:3], flow="off"))
    np.testing.assert_array_equal(dreamt(rode(tiny, panned[:3], blend_moving=1))[2], alone[2])
    still = dreamt(rode(tiny, [panned[0]] * 3, blend_still=1))
    assert np.abs(still[2] - dreamt(rode(tiny, [panned[0]] * 3))[2]).mean() > 0.001


def test_a_film_can_be_gone_on_with_from_any_frame(tiny: Any, panned: list[Image]) -> None:
    looks = {"saturation": 0.5, "opacity": 0.9}
    film = rode(tiny, panned[:5], looks)
    whole = list(frames.keys(film.step, film.begin, 1, 5))
    again = list(frames.keys(rode(tiny, panned[:5], looks).step, whole[1], 3, 5))
    for one, other in zip(whole[2:], again, strict=True):
        np.testing.assert_array_equal(one.frame, other.frame)
        assert one.memory.keys() == other.memory.keys() == {"age", "dream", "cuts"}


def test_a_mask_keeps_the_clip_where_it_is_black(tiny: Any, panned: list[Image]) -> None:
    mask = np.zeros(panned[0].shape[:2], np.float32)
    mask[:, 48:] = 1
    ridden = dreamt(rode(tiny, panned[:4], {"feather": 0}, mask))
    for picture, frame in zip(ridden, panned, strict=False):
        np.testing.assert_allclose(picture[:, :48], frame[:, :48], atol=1e-4)
        assert np.abs(picture[:, 48:] - frame[:, 48:]).mean() > 0.005


# From here on as a person types it.

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
    assert "riding on its motion" in err
    before, after = clips.select(clip), clips.select(film)
    assert (after.count, after.fps, after.size) == (10, Fraction(30000, 1001), (48, 64))
    assert after.facts.duration == before.facts.duration
    assert abs(after.facts.start - before.facts.start) < 1e-3
    assert packets(film) == packets(clip) != []
    made = metadata.read(film)
    assert made.recipe.steps == 1
    assert made.facts["photo_sha256"] == clipping.sha256(clip)
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


class Killed(BaseException):
    """Nobody catches it, as nobody catches a power cut."""


def test_a_film_that_was_killed_goes_on_to_the_same_bytes(
    dream: Dream, clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, parts = tmp_path / "whole.mp4", tmp_path / "parts.mp4"
    options = ("video", clip, *SMALL, "--to", 0.2, "--palette", "#102040,#a05080")
    assert dream(*options, "-o", whole)[0] == 0
    step = Riding.step

    def dying(self: Riding, carried: Any, number: int) -> Any:
        if number == 3:
            raise Killed
        return step(self, carried, number)

    monkeypatch.setattr(Riding, "step", dying)
    with pytest.raises(Killed):
        dream(*options, "-o", parts)
    assert workfolder.unfinished(tmp_path / "parts.mp4.unfinished")
    monkeypatch.setattr(Riding, "step", step)
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
