"""GIF and animated WebP: frames are stored losslessly, and encoded once all are there."""

import math
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image as Pillow

from dreamer.arrays import Stored, to_bytes
from dreamer.files import ffmpeg, metadata
from dreamer.files.film_spec import Film
from dreamer.files.metadata import Embedded


class Reduction(NamedTuple):
    """A reduction of an animation that makes its file smaller."""

    scale: float = 1.0
    """Factor on height and width."""
    step: int = 1
    """Step from one frame that is kept to the next."""
    share: float = 1.0
    """Share of the colors that is kept, or of the quality in a format without a palette."""

    @property
    def weight(self) -> float:
        """Return the approximate share of the bytes that is left."""
        return self.scale**2 / self.step * math.sqrt(self.share)


_SMALLER_SIDES = [Reduction(scale) for scale in (1, 0.92, 0.85, 0.77, 0.7, 0.63, 0.56, 0.5)]
_FEWER_FRAMES = [Reduction(0.5, step) for step in (2, 3)]
_LOWER_QUALITY = [Reduction(0.5, 3, share) for share in (0.5, 0.25, 0.125)]
LADDER = (*_SMALLER_SIDES, *_FEWER_FRAMES, *_LOWER_QUALITY)
"""Cuts that are tried, in this order, until a film is small enough."""


_SAMPLE = 64
"""Most frames from which a palette is computed, and pixels along each of their sides."""


def _make_palette(spool: Path, view: str, frames: int, colors: int) -> Pillow.Image:
    """Compute one palette for a film, as a picture of 16×16 whose last color is transparent.

    The colors are chosen by maximum coverage (Xiang 1997): dithering reaches only what lies
    between a palette's colors, and median cut, which averages, leaves out the strongest ones.
    """
    # Nearest neighbor, because it adds no colors that the frames do not have.
    sampling = f"framestep={-(-frames // _SAMPLE)},scale={_SAMPLE}:{_SAMPLE}:flags=neighbor"
    raw = ("-vf", f"{view},{sampling}", "-f", "rawvideo", "-pix_fmt", "rgb24", "pipe:1")
    pixels = np.frombuffer(ffmpeg.run((*ffmpeg.source(spool), *raw), str(spool)), np.uint8)
    sample = Pillow.fromarray(pixels.reshape(-1, _SAMPLE, 3))
    found = sample.quantize(colors - 1, Pillow.Quantize.MAXCOVERAGE).getpalette() or [0, 0, 0]
    opaque = np.resize(np.array(found, np.uint8).reshape(-1, 3), (255, 3))
    rgba = np.zeros((256, 4), np.uint8)
    rgba[:255] = np.insert(opaque, 3, 255, axis=1)
    return Pillow.fromarray(rgba.reshape(16, 16, 4))


def _encode_gif(spool: Path, view: str, frames: int, quality: float, target: Path) -> None:
    """Encode a GIF with one palette for all frames, dithered by error diffusion (Sierra lite)."""
    with tempfile.TemporaryDirectory() as folder:
        palette = Path(folder) / "palette.png"
        _make_palette(spool, view, frames, max(8, min(256, round(3.42 * quality)))).save(palette)
        use = f"[0:v]{view}[a];[a][1:v]paletteuse=dither=sierra2_4a:diff_mode=rectangle"
        sources = (*ffmpeg.source(spool), *ffmpeg.source(palette))
        ffmpeg.run(
            (*sources, "-lavfi", use, *_REPRODUCIBLE, "-loop", "0", ffmpeg.target(target)),
            str(target),
        )


def _encode_webp(spool: Path, view: str, frames: int, quality: float, target: Path) -> None:
    encoder = ("-c:v", "libwebp_anim", "-quality", f"{quality:.1f}", "-loop", "0")
    ffmpeg.run(
        (*ffmpeg.source(spool), "-vf", view, *encoder, *_REPRODUCIBLE, ffmpeg.target(target)),
        str(target),
    )


_REPRODUCIBLE = ("-threads", str(ffmpeg.THREADS), "-flags:v", "+bitexact", "-fflags", "+bitexact")


class Animation(NamedTuple):
    """An animated format: how it is encoded, and what it can hold."""

    encode: Callable[[Path, str, int, float, Path], None]
    """Takes stored frames, a filter, their number, a quality of 1 to 100, and the file to write."""
    with_recipe: Callable[[bytes, Embedded], bytes]
    most_fps: int
    share: str
    """Name of what `Cut.share` is a share of, for notes."""


ANIMATIONS: Mapping[str, Animation] = {
    # Delays are in hundredths of a second, and programs show those below two as ten.
    ".gif": Animation(_encode_gif, metadata.into_gif, 50, "colors"),
    ".webp": Animation(_encode_webp, metadata.into_webp, 1000, "quality"),
}
"""Animated formats by suffix."""


@contextmanager
def open_animation(film: Film, part: Path, notes: list[str]) -> Iterator[Callable[[Stored], None]]:
    """Store frames losslessly as they come, and encode them into `part` at the end.

    Yields the function that stores a frame.
    """
    spool = part.with_suffix(".nut")
    frames = 0
    # The encoder of a killed run may still be writing to the old file.
    spool.unlink(missing_ok=True)
    stored = ("-c:v", "ffv1", "-pix_fmt", "gbrp", *_REPRODUCIBLE, ffmpeg.target(spool))
    try:
        with ffmpeg.encoding(
            (*ffmpeg.raw_input_arguments(film.size, film.fps, "rgb24"), *stored), str(film.path)
        ) as push:

            def write(frame: Stored) -> None:
                nonlocal frames
                frames += 1
                push(to_bytes(frame).tobytes())

            yield write
        _encode_to_limit(film, spool, frames, part, notes)
    finally:
        spool.unlink(missing_ok=True)


def _encode_to_limit(film: Film, spool: Path, frames: int, part: Path, notes: list[str]) -> None:
    """Encode with the first cut of the ladder that makes the film small enough."""
    animation = ANIMATIONS[part.suffix]
    limit = film.max_mb * 1e6 if film.max_mb else math.inf
    rung = 0
    while True:
        cut = LADDER[rung]
        size = _encode(film, spool, frames, part, cut)
        if size <= limit or cut is LADDER[-1]:
            break
        # Encoding is slow, so skip the cuts that cannot be enough, judging by this one.
        later = range(rung + 1, len(LADDER))
        promising = (i for i in later if LADDER[i].weight / cut.weight * size <= limit)
        rung = next(promising, later[-1])
    notes += _describe_result(film, animation, cut, size / 1e6)


def _compute_step(film: Film, animation: Animation, cut: Reduction) -> int:
    return cut.step * math.ceil(film.fps / animation.most_fps)


def _encode(film: Film, spool: Path, frames: int, part: Path, cut: Reduction) -> int:
    """Write the animation with its recipe, and return its size in bytes."""
    animation = ANIMATIONS[part.suffix]
    height, width = (max(1, round(side * cut.scale)) for side in film.size)
    step = _compute_step(film, animation, cut)
    view = f"framestep={step},scale={width}:{height}:flags=lanczos"
    animation.encode(spool, view, -(-frames // step), film.quality * cut.share, part)
    if film.made:
        part.write_bytes(animation.with_recipe(part.read_bytes(), film.made))
    return part.stat().st_size


def _describe_result(
    film: Film, animation: Animation, cut: Reduction, megabytes: float
) -> Iterator[str]:
    """Yield notes on the size and frame rate, and on what was given up for them."""
    height, width = (max(1, round(side * cut.scale)) for side in film.size)
    fps = film.fps / _compute_step(film, animation, cut)
    yield f"{film.path.name}: {width}×{height}, {float(fps):.4g} fps, {megabytes:.1f} MB."
    if film.fps > animation.most_fps:
        yield (
            f"{film.path.suffix} shows at most {animation.most_fps} fps: "
            f"of the film's {float(film.fps):g} every frame but the first of "
            f"{_compute_step(film, animation, Reduction())} is left out."
        )
    reductions = {
        f"{cut.scale:.0%} of the size": cut.scale < 1,
        f"one frame of {cut.step}": cut.step > 1,
        f"{cut.share:.0%} of the {animation.share}": cut.share < 1,
    }
    if cut != LADDER[0]:
        kept = ", ".join(text for text, reduced in reductions.items() if reduced)
        yield f"To stay below {film.max_mb:g} MB it keeps {kept}."
    if film.max_mb and megabytes > film.max_mb:
        yield f"It is larger than {film.max_mb:g} MB all the same: make a shorter film."
