"""Sets of photos to train on, from a folder or a zip archive."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import ImageOps

from dreamer.errors import DreamerError
from dreamer.files import photo_folder
from dreamer.files.pictures import SUFFIXES, open_picture

Picture: TypeAlias = NDArray[Any]
"""`(h, w, 3)`, RGB, 0 to 255: uint8 for photos, float32 for everything made from them."""

HELD_OUT_EVERY = 10
"""Step, in the sorted names, from one photo that is held out from training to the next."""

LEAST_SIDE = 4
"""Shortest side that a photo may have, in pixels."""

LONGEST_SHORT_SIDE = 288
"""Short side to which larger photos are reduced, in pixels."""


def load(source: Path, *, held_out: bool = False) -> list[Picture]:
    """Load the photos of a folder or a zip archive: those to train on, or those held out.

    Raises DreamerError if it cannot be read, or holds too few photos, or one that is damaged or
    too small.
    """
    try:
        with _open_source(source) as (names, read):
            photos = sorted(name for name in names if _is_photo(Path(name)))
            chosen = [n for i, n in enumerate(photos) if (i % HELD_OUT_EVERY == 0) == held_out]
            found = [_decode(read(name), f"{name} in {source}") for name in chosen]
    except (OSError, RuntimeError, zipfile.BadZipFile, zlib.error) as error:
        why = getattr(error, "strerror", None) or "it is neither a folder nor a whole, open .zip"
        raise DreamerError(f"Cannot read the photos of {source}: {why}.") from None
    if not found:
        raise DreamerError(
            f"There are too few photos in {source}: give two at least, of which every tenth from "
            "the first is left out."
        )
    return found


@contextmanager
def _open_source(source: Path) -> Iterator[tuple[list[str], Callable[[str], bytes]]]:
    if source.is_dir():
        names = [str(path.relative_to(source)) for path in photo_folder.walk(source)]
        yield names, lambda name: (source / name).read_bytes()
    else:
        with zipfile.ZipFile(source) as archive:
            yield archive.namelist(), archive.read


def _is_photo(name: Path) -> bool:
    hidden = any(part.startswith((".", "__MACOSX")) for part in name.parts)
    return name.suffix.lower() in SUFFIXES and not hidden


def _decode(data: bytes, name: str) -> Picture:
    with open_picture(data, name) as read:
        rgb = ImageOps.exif_transpose(read.picture).convert("RGB")
        shrink = LONGEST_SHORT_SIDE / min(rgb.size)
        if shrink < 1:
            rgb = rgb.resize((round(rgb.width * shrink), round(rgb.height * shrink)))
        if min(rgb.size) < LEAST_SIDE:
            raise DreamerError(f"{name} is too small to train on: leave it out.")
        return np.asarray(rgb)
