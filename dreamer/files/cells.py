"""The finished cells of an unfinished sheet: what a stopped run left, so that the next goes on.

Each lies in a folder beside the sheet as a NumPy archive of its own, which appears whole or not at
all, in the form in which the sheet shows it either way.
"""

import hashlib
import json
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
_OURS = re.compile(r"([0-9a-f]{16}\.npz|key\.json)(\.[0-9a-f]+\.part)?")


def folder(sheet: Path) -> Path:
    """Where the cells of a sheet lie until it is written."""
    return sheet.with_name(atomic.fitting(sheet.name, ".unfinished"))


class Cell(NamedTuple):
    """A picture on a sheet, what it is called, and its score."""

    label: str
    picture: Image
    score: float


class Cells:
    """The cells of one sheet by their labels; made for the same `key`, or begun anew.

    Args:
        place: from `folder`.
        key: what JSON holds, and all that decides what the cells look like.
        fresh: whether cells that are there are thrown away.

    Raises DreamerError where there are cells made for another key.
    """

    def __init__(self, place: Path, key: Mapping[str, Any], *, fresh: bool) -> None:
        self._place, text = place, json.dumps(key, sort_keys=True)
        if fresh:
            self.remove()
        known = place / _KEY
        if known.is_file() and known.read_text("utf-8") != text:
            raise DreamerError(
                f"{place} holds an unfinished sheet of another recipe: give --fresh to begin anew, "
                "or another --output."
            )
        place.mkdir(parents=True, exist_ok=True)
        with atomic.replacing(known) as file:
            file.write(text.encode())

    def get(self, label: str) -> Cell | None:
        """A finished cell; None where it is missing."""
        try:
            with np.load(self._path(label), allow_pickle=False) as archive:
                return Cell(label, from_stored(archive["picture"]), float(archive["score"]))
        except (OSError, ValueError, KeyError, zipfile.BadZipFile):
            return None

    def put(self, cell: Cell) -> None:
        """Keep a finished cell."""
        with atomic.replacing(self._path(cell.label)) as file:
            np.savez(file, picture=to_stored(cell.picture), score=np.float64(cell.score))

    def remove(self) -> None:
        """The sheet is written: the cells are needed no more."""
        if not self._place.is_dir():
            return
        for file in self._place.iterdir():
            # Nothing else that lies there is lost.
            if _OURS.fullmatch(file.name):
                file.unlink()
        with suppress(OSError):
            self._place.rmdir()

    def _path(self, label: str) -> Path:
        return self._place / f"{hashlib.sha256(label.encode()).hexdigest()[:16]}.npz"
