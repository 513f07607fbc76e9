"""The ascent of a picture as a film, a frame per step."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from dreamer.arrays import Image, Size
from dreamer.errors import DreamerError, speaking_of
from dreamer.files import ffmpeg, films
from dreamer.files.film_spec import Film
from dreamer.jobs.sources import make_folder
from dreamer.recipe.provenance import Provenance

Frame = Callable[[Callable[[], Image]], None]
"""Takes what makes the next frame, `(h, w, 3)`."""

FPS = 12

LEAST_SECONDS = 3.0
"""An ascent of few steps is drawn out to so many seconds, each state passing into the next."""


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
    path: Path | None,
    size: Size,
    provenance: Provenance | None,
    *,
    overwrite: bool,
    states: int | None = None,
) -> Iterator[Frame]:
    """Open a film of the states of an ascent; where no path is given, none is written.

    Args:
        path: of the film.
        size: height and width.
        provenance: to put inside.
        overwrite: whether an existing film is replaced.
        states: how many there will be; None for many.
    """
    if path is None:
        yield lambda picture: None
        return
    make_folder(path.parent)
    film = Film(path, size, ffmpeg.to_exact_rate(FPS), provenance)
    parts = math.ceil((LEAST_SECONDS * FPS - 1) / max(1, states - 1)) if states else 1
    before: Image | None = None
    with films.open_writer(film, overwrite=overwrite) as writer:

        def write(picture: Callable[[], Image]) -> None:
            nonlocal before
            now = picture()
            begin = now if before is None else before
            for part in range(1, (1 if before is None else parts) + 1):
                writer.write(begin + np.float32(part / parts) * (now - begin))
            before = now

        yield write
