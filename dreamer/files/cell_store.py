"""The finished cells of an unfinished contact sheet, kept so that a stopped run can resume.

Each cell is a NumPy archive in a folder beside the sheet, which appears whole or not at all. Sheets
are made from the stored cells, of 16 bits per color, so that resuming does not change a sheet.
"""

import hashlib
import json
import math
import re
import zipfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from dreamer.arrays import Image, from_stored, to_stored
from dreamer.errors import DreamerError
from dreamer.files import atomic

_KEY = "key.json"
_OWN_FILES = re.compile(r"([0-9a-f]{16}\.npz|key\.json)(\.[0-9a-f]+\.part)?")


def folder(sheet: Path) -> Path:
    """Return the folder that holds the cells of a sheet until the sheet is written."""
    return sheet.with_name(atomic.fit_name(sheet.name, ".unfinished"))


class Cell(NamedTuple):
    """A picture on a sheet.

    Attributes:
        label: of the picture.
        picture: float32 `(h, w, 3)`.
        score: of the picture.
        first_score: of what it was made from; NaN where nobody asks.
        step: the steps that led to it.
        stopped: whether it stopped by itself.
    """

    label: str
    picture: Image
    score: float
    first_score: float = math.nan
    step: int = 0
    stopped: bool = False


class CellStore:
    """The stored cells of one sheet, by label.

    Args:
        place: their folder, from `folder`.
        key: everything that decides what the cells look like, as JSON can hold it.
        fresh: whether existing cells are thrown away.

    Raises DreamerError if there are cells made for another key.
    """

    def __init__(self, place: Path, key: Mapping[str, Any], *, fresh: bool) -> None:
        self._place, text = place, json.dumps(key, sort_keys=True)
        if fresh:
            self.remove()
        key_file = place / _KEY
        if key_file.is_file() and key_file.read_text("utf-8") != text:
            raise DreamerError(
                f"{place} holds an unfinished sheet of another recipe: give --fresh to begin anew, "
                "or another --output."
            )
        place.mkdir(parents=True, exist_ok=True)
        with atomic.open_replacing(key_file) as file:
            file.write(text.encode())

    def get(self, label: str) -> Cell | None:
        """Return a finished cell, or None if it is missing or damaged."""
        try:
            with np.load(self._path(label), allow_pickle=False) as archive:
                score, first = float(archive["score"]), float(archive["first_score"])
                step, stopped = int(archive["step"]), bool(archive["stopped"])
                return Cell(label, from_stored(archive["picture"]), score, first, step, stopped)
        except (OSError, ValueError, KeyError, zipfile.BadZipFile):
            return None

    def put(self, cell: Cell) -> None:
        """Store a finished cell."""
        with atomic.open_replacing(self._path(cell.label)) as file:
            np.savez(
                file,
                picture=to_stored(cell.picture),
                score=np.float64(cell.score),
                first_score=np.float64(cell.first_score),
                step=np.int64(cell.step),
                stopped=np.bool_(cell.stopped),
            )

    def remove(self) -> None:
        """Delete all cells, and their folder if nothing else is in it."""
        if not self._place.is_dir():
            return
        for file in self._place.iterdir():
            # Files of anyone else stay.
            if _OWN_FILES.fullmatch(file.name):
                file.unlink()
        with suppress(OSError):
            self._place.rmdir()

    def _path(self, label: str) -> Path:
        return self._place / f"{hashlib.sha256(label.encode()).hexdigest()[:16]}.npz"
