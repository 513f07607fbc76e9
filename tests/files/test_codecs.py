"""What the codecs of films keep of the frames, and what they need."""

import re
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from dreamer.errors import DreamerError
from dreamer.files import clips, codecs, ffmpeg, films, photos
from dreamer.files.codecs import CODECS, CodecName
from dreamer.files.film_spec import Film

COLORS = ((200, 60, 20), (30, 120, 220), (255, 0, 255), (128, 128, 128), (0, 0, 0), (255,) * 3)
EVERY = [(name, suffix) for name, codec in CODECS.items() for suffix in codec.suffixes]


def write(path: Path, codec: CodecName, size: tuple[int, int] = (120, 256)) -> list[str]:
    """Write a film in which each of `COLORS` is one frame; give the notes."""
    with films.open_writer(Film(path, size, Fraction(25), codec=codec)) as writer:
        for color in COLORS:
            writer.write(np.full((*size, 3), np.array(color) / 255, np.float32))
    return writer.notes


@pytest.mark.parametrize(("name", "suffix"), EVERY)
def test_a_flat_color_comes_back(name: CodecName, suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"x{suffix}"
    write(path, name)
    wanted = np.array(COLORS)[:, None, None]
    read = np.stack(list(clips.select(path).frames())) * 255
    assert np.abs(read - wanted).max() <= 3
    # As a player shows it, which is told the colors by the file.
    raw = ffmpeg.run((*ffmpeg.source(path), "-f", "rawvideo", "-pix_fmt", "rgb24", "pipe:1"), "x")
    shown = np.frombuffer(raw, np.uint8).reshape(len(COLORS), 120, 256, 3)
    assert np.abs(shown.astype(int) - wanted).max() <= 3


@pytest.mark.parametrize("name", CODECS)
def test_odd_sizes_are_kept_where_a_codec_allows_them(name: CodecName, tmp_path: Path) -> None:
    codec = CODECS[name]
    path = tmp_path / f"x{codec.suffixes[0]}"
    notes = " ".join(write(path, name, (131, 263)))
    height, width = (side // codec.multiple * codec.multiple for side in (131, 263))
    assert clips.select(path).size == (height, width)
    assert (f"{width}×{height}" in notes) == (codec.multiple > 1)


@pytest.mark.parametrize("name", CODECS)
def test_the_same_frames_give_the_same_bytes(name: CodecName, tmp_path: Path) -> None:
    paths = [tmp_path / f"{each}{CODECS[name].suffixes[0]}" for each in "ab"]
    for path in paths:
        write(path, name)
    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_a_codecs_least_size_is_said(tmp_path: Path) -> None:
    with pytest.raises(DreamerError, match=re.escape("would have 64×48 pixels, and dnxhr needs")):
        write(tmp_path / "x.mov", CodecName.DNXHR, (48, 64))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("suffix", [".mp4", ".gif", ""])
def test_a_codec_goes_into_its_own_films_only(suffix: str, tmp_path: Path) -> None:
    with pytest.raises(DreamerError, match=re.escape("prores goes into a film that ends in .mov")):
        write(tmp_path / f"x{suffix}", CodecName.PRORES)


def test_every_suffix_has_a_usual_codec() -> None:
    usual = {".mp4": "h264", ".webm": "vp9", ".mov": "prores", ".mkv": "ffv1"}
    assert {
        s: n for s in codecs.SUFFIXES for n, c in CODECS.items() if c is codecs.choose(s)
    } == usual


def test_a_loops_seam_is_no_larger_step_than_its_others(tmp_path: Path) -> None:
    """Measured in the film as it is decoded, on slow motion over noise, which is hardest."""
    random = np.random.default_rng(0).random((96, 96, 3)).astype(np.float32)
    picture = gaussian_filter(random, (1.5, 1.5, 0), mode="wrap")
    picture = (0.5 + (picture - picture.mean()) * 2).clip(0, 1)
    frames = [np.roll(picture, 2 * number, 1) for number in range(48)]
    path = tmp_path / "x.mp4"
    with films.open_writer(Film(path, (96, 96), Fraction(24), loop=48)) as writer:
        for frame in frames:
            writer.write(frame)
    shown = np.stack(list(clips.select(path).frames()))
    steps = np.abs(shown - np.roll(shown, 1, 0)).mean((1, 2, 3))
    assert steps[0] <= 1.15 * np.median(np.roll(steps, 5)[:11])
    # No frame is worse than the others, key frames or not.
    error = 10 * np.log10(1 / ((shown - np.stack(frames)) ** 2).mean((1, 2, 3)))
    assert np.median(error) - error.min() < 1.5


TRANSPARENT = [(suffix, name) for name, suffix in EVERY if CODECS[name].with_opacity]


@pytest.mark.parametrize(("suffix", "name"), [*TRANSPARENT, ("", None)])
def test_opacity_comes_back(suffix: str, name: CodecName | None, tmp_path: Path) -> None:
    path, size = tmp_path / f"x{suffix}", (48, 64)
    share = np.zeros(size, np.float32)
    share[12:36, 16:48] = 1
    share[:12, 16:48] = 0.5
    frame = np.dstack([np.full((*size, 3), (0.8, 0.3, 0.1), np.float32), share])
    order = Film(path, size, Fraction(25), codec=name, opacity=True)
    with films.open_writer(order) as writer:
        for _ in range(3):
            writer.write(frame)
    if not suffix:
        read = photos.read(path / "000001.png")
        assert read.alpha is not None
        np.testing.assert_allclose(read.alpha, share, atol=0.01)
        return
    clip = clips.select(path, background=(0.0, 0.0, 1.0))
    assert clip.facts.transparent
    np.testing.assert_allclose(list(clip.opacities())[1], share, atol=0.05)
    np.testing.assert_allclose(next(clip.frames())[24, 32], (0.8, 0.3, 0.1), atol=0.02)
    np.testing.assert_allclose(next(clip.frames())[40, 4], (0, 0, 1), atol=0.02)
