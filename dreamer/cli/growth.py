"""`--film` of pictures: the ascent itself as a film, a frame a step."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from dreamer.arrays import Image, Size
from dreamer.cli.sources import make_folder
from dreamer.errors import DreamerError, speaking_of
from dreamer.files import ffmpeg, films
from dreamer.files.filmspec import Film
from dreamer.files.metadata import Made

Frame = Callable[[Callable[[], Image]], None]
"""Takes what makes the next frame, `(h, w, 3)`."""

FPS = 12


def check(path: Path | None, *, alone: bool) -> None:
    """Raise DreamerError where no such film can be written, or of more than one ascent."""
    if path is None:
        return
    with speaking_of("--film"):
        films.format_of(path)
    if not alone:
        raise DreamerError("--film shows one ascent: give one photo, and neither sheet nor --vary.")


@contextmanager
def filmed(path: Path | None, size: Size, made: Made | None, *, overwrite: bool) -> Iterator[Frame]:
    """What makes a film of an ascent's states; where no path is given it makes nothing."""
    if path is None:
        yield lambda picture: None
        return
    make_folder(path.parent)
    with films.writing(Film(path, size, ffmpeg.rate(FPS), made), overwrite=overwrite) as writer:
        yield lambda picture: writer.write(picture())
