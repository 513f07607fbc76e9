"""What is decided about a film before its first frame."""

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from dreamer.arrays import Size
from dreamer.files.metadata import Made
from dreamer.files.sound import Sound

QUALITY = 75
"""Of a film, 1 to 100."""


@dataclass(frozen=True)
class Film:
    """A film to be written.

    Args:
        path: its suffix, a key of `films.FORMATS`, decides the format; a folder has none.
        size: height and width of the frames.
        fps: frames a second, from `ffmpeg.rate`.
        made: the recipe to put inside.
        quality: 1 to 100; each codec has a scale of its own for it.
        sound: put under the film where the format holds sound.
        max_mb: megabytes (10⁶ bytes) that a GIF or WebP may have.
    """

    path: Path
    size: Size
    fps: Fraction
    made: Made | None = None
    quality: int = QUALITY
    sound: Sound | None = None
    max_mb: float | None = None
