"""Folders of numbered PNG frames."""

import os
import re
from contextlib import suppress
from pathlib import Path

from dreamer.errors import DreamerError
from dreamer.files import atomic

_OWN_FILES = re.compile(r"\d{6,}\.png(\.[0-9a-f]+\.part)?")


def frame(folder: Path, number: int) -> Path:
    """Return the file of a frame, counted from 0."""
    return folder / f"{number:06d}.png"


def check(path: Path) -> None:
    """Raise DreamerError if a film would replace a folder that holds more than frames.

    Hidden files do not count, because operating systems leave them anywhere.
    """
    if not path.is_dir():
        return
    others = (file.name for file in path.iterdir() if not _OWN_FILES.fullmatch(file.name))
    if other := next((name for name in others if not name.startswith(".")), None):
        raise DreamerError(f"{path} holds {other}, which is no frame: give another name.")


def remove(path: Path) -> None:
    """Remove a film: a file, or the frames in a folder, and the folder if nothing else is in it."""
    if not path.is_dir():
        path.unlink(missing_ok=True)
        return
    for file in path.iterdir():
        if _OWN_FILES.fullmatch(file.name):
            file.unlink()
    with suppress(OSError):
        path.rmdir()


def publish(part: Path, path: Path, *, overwrite: bool) -> None:
    """Give a finished folder its name, in place of an older folder's.

    Files other than frames are moved over from the older folder.

    Raises DreamerError if the name is taken, unless `overwrite`.
    """
    if path.exists() and not overwrite:
        raise atomic.exists_error(path)
    descriptor = os.open(part, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    if path.is_dir():
        for file in path.iterdir():
            if not _OWN_FILES.fullmatch(file.name):
                file.rename(part / file.name)
    if path.exists():
        remove(path)
    part.rename(path)
