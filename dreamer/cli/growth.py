"""`dream image --film`: the ascent itself as a film, a frame a step."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from dreamer.arrays import Size
from dreamer.cli.sources import make_folder
from dreamer.errors import DreamerError
from dreamer.files import ffmpeg, films
from dreamer.files.filmspec import Film
from dreamer.files.metadata import Made

if TYPE_CHECKING:
    from dreamer.ascent.engine import Progress

FPS = 12


def check(path: Path | None, *, alone: bool) -> None:
    """Raise DreamerError where no such film can be written, or of more than one picture."""
    if path is None:
        return
    films.format_of(path)
    if not alone:
        raise DreamerError("--film shows the ascent of one picture: give one photo, and no sheet.")


@contextmanager
def filmed(
    path: Path | None, size: Size, made: Made | None, *, overwrite: bool
) -> Iterator[Callable[[Progress], None]]:
    """What takes the states of a dream and makes a film of them; nothing where no path is given."""
    if path is None:
        yield lambda state: None
        return
    make_folder(path.parent)
    with films.writing(Film(path, size, ffmpeg.rate(FPS), made), overwrite=overwrite) as writer:
        yield lambda state: writer.write(state.picture())
