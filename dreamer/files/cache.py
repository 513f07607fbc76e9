"""The user's cache: files that spare the next process some work, and that nothing depends on.

An entry that is damaged, or that another version of the program wrote, is not found.
"""

import hashlib
import os
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import BinaryIO

import platformdirs

from dreamer.errors import DreamerError
from dreamer.files import atomic

FOLDER_VARIABLE = "DREAMER_CACHE"
"""Environment variable with the folder of the cache; empty for none."""

MOST_BYTES = 500_000_000
"""The cache holds at most so much; what was used longest ago goes first."""

_SOURCE = ("arrays.py", "analysis", "ascent", "networks", "pipelines", "recipe")
"""What of the package decides what is kept."""

_NAME = re.compile("[0-9a-f]{64}")

_PACKAGES = ("tensorflow", "keras", "numpy")


def find_folder() -> Path | None:
    """Return the folder of the cache; None if there is to be none."""
    named = os.environ.get(FOLDER_VARIABLE)
    if named is None:
        return platformdirs.user_cache_path("dreamer", appauthor=False) / "kept"
    return Path(named) if named else None


def name_entry(*parts: object) -> str:
    """Return the name of an entry.

    Args:
        parts: all that decides it, besides the program and the packages that it uses.
    """
    return hashlib.sha256(repr((_hash_program(), parts)).encode()).hexdigest()


@cache
def _hash_program() -> str:
    # A checkout keeps its version's number while it changes.
    found = hashlib.sha256()
    root = Path(__file__).parents[1]
    for name in _SOURCE:
        path = root / name
        for file in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
            found.update(file.read_bytes())
    return found.hexdigest() + "".join(map(version, _PACKAGES))


def find(name: str) -> Path | None:
    """Return the file of an entry; None if there is none. It counts as used now."""
    folder = find_folder()
    if folder is None:
        return None
    path = folder / name
    # Of a cache that is read only, too.
    with suppress(OSError):
        os.utime(path)
    return path if path.is_file() else None


def write(name: str, fill: Callable[[BinaryIO], object]) -> None:
    """Write an entry. That the cache cannot be written to is no error.

    Args:
        name: as `name_entry` gave it.
        fill: writes its content.
    """
    folder = find_folder()
    if folder is None:
        return
    with suppress(OSError, DreamerError):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with atomic.open_replacing(folder / name) as file:
            fill(file)
        _remove_oldest(folder)


def _remove_oldest(folder: Path) -> None:
    left = MOST_BYTES
    for file in sorted(_list_entries(folder), key=lambda file: -file.stat().st_mtime):
        left -= file.stat().st_size
        if left < 0:
            file.unlink()


def _list_entries(folder: Path) -> Iterator[Path]:
    # Whoever names a folder may have other files there.
    return (path for path in folder.glob("*") if _NAME.fullmatch(path.name) and path.is_file())


def clear() -> tuple[int, int]:
    """Remove all entries; return how many there were, and their bytes."""
    folder = find_folder()
    files = [] if folder is None else list(_list_entries(folder))
    sizes = [file.stat().st_size for file in files]
    for file in files:
        file.unlink()
    return len(sizes), sum(sizes)
