"""GIF and animated WebP: frames are kept losslessly until all are there, then encoded."""

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
from dreamer.files.filmspec import Film
from dreamer.files.metadata import Made


class Cut(NamedTuple):
    """What of a film is given up for fewer bytes."""

    scale: float = 1.0
    """Of the sides."""
    step: int = 1
    """From one frame that stays to the next."""
    share: float = 1.0
    """Of the colours, or of the quality where a format counts none."""

    @property
    def weight(self) -> float:
        """About the share of the bytes that is left."""
        return self.scale**2 / self.step * math.sqrt(self.share)


_SMALLER = [Cut(scale) for scale in (1, 0.92, 0.85, 0.77, 0.7, 0.63, 0.56, 0.5)]
_FEWER = [Cut(0.5, step) for step in (2, 3)]
_PLAINER = [Cut(0.5, 3, share) for share in (0.5, 0.25, 0.125)]
LADDER = (*_SMALLER, *_FEWER, *_PLAINER)
"""What is tried to keep a film small enough, in this order."""


_SAMPLED = 64
"""Frames that give a palette its colours, and pixels along the sides of each."""


def _palette(spool: Path, view: str, frames: int, colours: int) -> Pillow.Image:
    """One palette for a film, 16×16, its last colour transparent.

    By maximum coverage (Xiang 1997): dithering reaches only what lies between a palette's
    colours, and median cut, which averages, leaves the strongest ones out.
    """
    # By nearest neighbour, which makes no colours of its own.
    few = f"framestep={-(-frames // _SAMPLED)},scale={_SAMPLED}:{_SAMPLED}:flags=neighbor"
    raw = ("-vf", f"{view},{few}", "-f", "rawvideo", "-pix_fmt", "rgb24", "pipe:1")
    pixels = np.frombuffer(ffmpeg.run((*ffmpeg.source(spool), *raw), str(spool)), np.uint8)
    sample = Pillow.fromarray(pixels.reshape(-1, _SAMPLED, 3))
    found = sample.quantize(colours - 1, Pillow.Quantize.MAXCOVERAGE).getpalette() or [0, 0, 0]
    opaque = np.resize(np.array(found, np.uint8).reshape(-1, 3), (255, 3))
    rgba = np.zeros((256, 4), np.uint8)
    rgba[:255] = np.insert(opaque, 3, 255, axis=1)
    return Pillow.fromarray(rgba.reshape(16, 16, 4))


def _gif(spool: Path, view: str, frames: int, quality: float, target: Path) -> None:
    """One palette for the film, then its frames in it, by error diffusion (Sierra lite)."""
    with tempfile.TemporaryDirectory() as folder:
        palette = Path(folder) / "palette.png"
        _palette(spool, view, frames, max(8, min(256, round(3.42 * quality)))).save(palette)
        use = f"[0:v]{view}[a];[a][1:v]paletteuse=dither=sierra2_4a:diff_mode=rectangle"
        sources = (*ffmpeg.source(spool), *ffmpeg.source(palette))
        ffmpeg.run(
            (*sources, "-lavfi", use, *_PLAIN, "-loop", "0", ffmpeg.target(target)), str(target)
        )


def _webp(spool: Path, view: str, frames: int, quality: float, target: Path) -> None:
    encoder = ("-c:v", "libwebp_anim", "-quality", f"{quality:.1f}", "-loop", "0")
    ffmpeg.run(
        (*ffmpeg.source(spool), "-vf", view, *encoder, *_PLAIN, ffmpeg.target(target)), str(target)
    )


_PLAIN = ("-threads", str(ffmpeg.THREADS), "-flags:v", "+bitexact", "-fflags", "+bitexact")


class Animation(NamedTuple):
    """How stored frames become an animation."""

    encode: Callable[[Path, str, int, float, Path], None]
    """From stored frames, a filter, how many they are, and a quality of 1 to 100, to a file."""
    with_recipe: Callable[[bytes, Made], bytes]
    most_fps: int
    share: str
    """The name of what `Cut.share` is of."""


ANIMATIONS: Mapping[str, Animation] = {
    # Delays are hundredths of a second, and programs take those below two for ten.
    ".gif": Animation(_gif, metadata.into_gif, 50, "colours"),
    ".webp": Animation(_webp, metadata.into_webp, 1000, "quality"),
}
"""By suffix."""


@contextmanager
def spooled(film: Film, part: Path, notes: list[str]) -> Iterator[Callable[[Stored], None]]:
    """Store frames losslessly as they come, and encode them into `part` at the end."""
    spool = part.with_suffix(".nut")
    frames = 0
    # One that a killed run has left may still be written to.
    spool.unlink(missing_ok=True)
    stored = ("-c:v", "ffv1", "-pix_fmt", "gbrp", *_PLAIN, ffmpeg.target(spool))
    try:
        with ffmpeg.encoding(
            (*ffmpeg.raw(film.size, film.fps, "rgb24"), *stored), str(film.path)
        ) as push:

            def write(frame: Stored) -> None:
                nonlocal frames
                frames += 1
                push(to_bytes(frame).tobytes())

            yield write
        _fit(film, spool, frames, part, notes)
    finally:
        spool.unlink(missing_ok=True)


def _fit(film: Film, spool: Path, frames: int, part: Path, notes: list[str]) -> None:
    """Encode by the first rung of the ladder that makes the film small enough."""
    animation = ANIMATIONS[part.suffix]
    limit = film.max_mb * 1e6 if film.max_mb else math.inf
    rung = 0
    while True:
        cut = LADDER[rung]
        size = _encode(film, spool, frames, part, cut)
        if size <= limit or cut is LADDER[-1]:
            break
        # What this attempt has shown spares those that cannot be small enough.
        later = range(rung + 1, len(LADDER))
        hoped = (i for i in later if LADDER[i].weight / cut.weight * size <= limit)
        rung = next(hoped, later[-1])
    notes += _told(film, animation, cut, size / 1e6)


def _step(film: Film, animation: Animation, cut: Cut) -> int:
    return cut.step * math.ceil(film.fps / animation.most_fps)


def _encode(film: Film, spool: Path, frames: int, part: Path, cut: Cut) -> int:
    """Write the animation with its recipe; gives its bytes."""
    animation = ANIMATIONS[part.suffix]
    height, width = (max(1, round(side * cut.scale)) for side in film.size)
    step = _step(film, animation, cut)
    view = f"framestep={step},scale={width}:{height}:flags=lanczos"
    animation.encode(spool, view, -(-frames // step), film.quality * cut.share, part)
    if film.made:
        part.write_bytes(animation.with_recipe(part.read_bytes(), film.made))
    return part.stat().st_size


def _told(film: Film, animation: Animation, cut: Cut, megabytes: float) -> Iterator[str]:
    """The sentences about size and rate, and about what was given up for them."""
    height, width = (max(1, round(side * cut.scale)) for side in film.size)
    fps = film.fps / _step(film, animation, cut)
    yield f"{film.path.name}: {width}×{height}, {float(fps):.4g} fps, {megabytes:.1f} MB."
    if film.fps > animation.most_fps:
        yield (
            f"{film.path.suffix} shows at most {animation.most_fps} fps: "
            f"of the film's {float(film.fps):g} every frame but the first of "
            f"{_step(film, animation, Cut())} is left out."
        )
    given = {
        f"{cut.scale:.0%} of the size": cut.scale < 1,
        f"one frame of {cut.step}": cut.step > 1,
        f"{cut.share:.0%} of the {animation.share}": cut.share < 1,
    }
    if cut != LADDER[0]:
        kept = ", ".join(what for what, less in given.items() if less)
        yield f"To stay below {film.max_mb:g} MB it keeps {kept}."
    if film.max_mb and megabytes > film.max_mb:
        yield f"It is larger than {film.max_mb:g} MB all the same: make a shorter film."
