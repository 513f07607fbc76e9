"""Folders of photos, and distinct names for what is made from each photo."""

import hashlib
import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from dreamer.errors import DreamerError
from dreamer.files import pictures


def natural_sort_key(path: Path) -> list[str | int]:
    """Return a sort key that puts `2.jpg` before `10.jpg`, and ignores case."""
    parts = re.split(r"(\d+)", path.name.casefold())
    return [int(part) if part.isdecimal() else part for part in parts]


def list_photos(folder: Path) -> tuple[list[Path], int]:
    """Return the pictures in a folder in natural order, and the number of other files.

    Subfolders and hidden files are ignored.

    Raises DreamerError if the folder cannot be read or holds no picture.
    """
    try:
        files = [p for p in folder.iterdir() if p.is_file() and not p.name.startswith(".")]
    except OSError as error:
        raise DreamerError(f"Cannot read the folder {folder}: {error.strerror}.") from None
    found = [path for path in files if path.suffix.lower() in pictures.SUFFIXES]
    if not found:
        raise no_photo_error(folder)
    return sorted(found, key=natural_sort_key), len(files) - len(found)


def walk(folder: Path) -> Iterator[Path]:
    """Yield the pictures in a folder and its subfolders, except hidden ones, in no given order.

    No list is kept, so there may be any number of them. Links to folders are not followed.

    Raises DreamerError if the folder itself cannot be read.
    """
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                yield from _walk_entry(entry)
    except OSError as error:
        raise DreamerError(f"Cannot read the folder {folder}: {error.strerror}.") from None


def _walk_entry(entry: os.DirEntry[str]) -> Iterator[Path]:
    path = Path(entry.path)
    if entry.name.startswith("."):
        return
    if entry.is_dir(follow_symlinks=False):
        # A subfolder that cannot be read must not hide the others.
        with suppress(DreamerError):
            yield from walk(path)
    elif path.suffix.lower() in pictures.SUFFIXES and entry.is_file():
        yield path


def sha256(folder: Path) -> str:
    """Return a hash of all pictures in a folder and its subfolders, whatever their names and order.

    Raises DreamerError if there are none, or one cannot be read.
    """
    total = count = 0
    for path in walk(folder):
        try:
            with path.open("rb") as file:
                total += int(hashlib.file_digest(file, "sha256").hexdigest(), 16)
        except OSError as error:
            raise DreamerError(f"Cannot read the photo {path}: {error.strerror}.") from None
        count += 1
    if not count:
        raise no_photo_error(folder)
    return f"{total % 2**256:064x}"


def no_photo_error(folder: Path, unreadable: int = 0) -> DreamerError:
    """Return the error for a folder without photos, or with only `unreadable` ones."""
    those = f" that can be used (of {unreadable} files)" if unreadable else ""
    return DreamerError(f"There is no photo{those} in the folder {folder}: give another one.")


_NAMINGS: Sequence[Callable[[Path], str]] = (
    lambda path: path.stem,
    lambda path: f"{path.resolve().parent.name}-{path.stem}",
    lambda path: f"{path.stem}-{path.suffix.removeprefix('.').lower()}",
)


def make_distinct_names(paths: Sequence[Path]) -> list[str]:
    """Return names for the outputs of photos: their stems, made distinct where they agree.

    The name of the folder is added or, if that does not help, the suffix. Photos that even these
    do not tell apart get the same name.
    """
    groups: dict[str, list[Path]] = {}
    for path in paths:
        groups.setdefault(path.stem, []).append(path)
    names: dict[Path, str] = {}
    for group in groups.values():
        telling = (naming for naming in _NAMINGS if len(set(map(naming, group))) == len(group))
        naming = next(telling, _NAMINGS[0])
        names |= {path: naming(path) for path in group}
    return [names[path] for path in paths]
