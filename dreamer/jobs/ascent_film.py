"""The ascent of a picture as a film, a frame per step."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from dreamer.arrays import Image, Size
from dreamer.errors import DreamerError, speaking_of
from dreamer.files import ffmpeg, films
from dreamer.files.film_spec import Film
from dreamer.jobs.sources import make_folder
from dreamer.recipe.provenance import Provenance

Frame = Callable[[Callable[[], Image]], None]
"""Takes what makes the next frame, `(h, w, 3)`."""

FPS = 12


def check_film(path: Path | None, *, alone: bool) -> None:
    """Raise DreamerError where no such film can be written, or of more than one ascent."""
    if path is None:
        return
    with speaking_of("--film"):
        films.format_of(path)
    if not alone:
        raise DreamerError("--film shows one ascent: give one photo, and neither sheet nor --vary.")


@contextmanager
def film_ascent(
    path: Path | None, size: Size, provenance: Provenance | None, *, overwrite: bool
) -> Iterator[Frame]:
    """Open a film of the states of an ascent; where no path is given, none is written."""
    if path is None:
        yield lambda picture: None
        return
    make_folder(path.parent)
    film = Film(path, size, ffmpeg.to_exact_rate(FPS), provenance)
    with films.open_writer(film, overwrite=overwrite) as writer:
        yield lambda picture: writer.write(picture())
