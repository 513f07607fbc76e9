"""The properties of a film that are set before its first frame."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from dreamer.arrays import Size
from dreamer.files.chapters import Chapter
from dreamer.files.codecs import CodecName
from dreamer.files.metadata import Embedded
from dreamer.files.sound import Sound

QUALITY = 75
"""Default quality of a film, 1 to 100."""


@dataclass(frozen=True)
class Film:
    """A film to be written.

    Args:
        path: its suffix, one of `films.SUFFIXES`, decides the format; a folder has none.
        size: height and width of the frames.
        fps: frames per second, from `ffmpeg.to_exact_rate`.
        made: the recipe to put inside.
        quality: 1 to 100, mapped to each codec's own scale.
        sound: the sound to add, if the format can hold any.
        max_mb: the largest size of a GIF or WebP, in megabytes (10⁶ bytes).
        loop: the number of frames of a film that is shown again and again; 0 of another.
        opacity: whether frames have a fourth channel, which the format must be able to hold.
        codec: of a film that is encoded; None for the usual one of its suffix.
        chapters: asked behind the last frame for what is known by then.
    """

    path: Path
    size: Size
    fps: Fraction
    made: Embedded | None = None
    quality: int = QUALITY
    sound: Sound | None = None
    max_mb: float | None = None
    codec: CodecName | None = None
    loop: int = 0
    opacity: bool = False
    chapters: Callable[[], Sequence[Chapter]] = tuple
