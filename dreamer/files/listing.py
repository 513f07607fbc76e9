"""Which files a person means: photos in a folder, and names that tell two outputs apart."""

import hashlib
import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from dreamer.errors import DreamerError
from dreamer.files import pictures


def natural(path: Path) -> list[str | int]:
    """A key that sorts `2.jpg` before `10.jpg`, and without regard to case."""
    parts = re.split(r"(\d+)", path.name.casefold())
    return [int(part) if part.isdecimal() else part for part in parts]


def photos_in(folder: Path) -> tuple[list[Path], int]:
    """The pictures in a folder in natural order, and how many other files there are.

    Folders within it, and hidden files, are not looked at.

    Raises DreamerError where it cannot be read or holds no picture.
    """
    try:
        files = [p for p in folder.iterdir() if p.is_file() and not p.name.startswith(".")]
    except OSError as error:
        raise DreamerError(f"Cannot read the folder {folder}: {error.strerror}.") from None
    found = [path for path in files if path.suffix.lower() in pictures.SUFFIXES]
    if not found:
        raise no_photo(folder)
    return sorted(found, key=natural), len(files) - len(found)


def walk(folder: Path) -> Iterator[Path]:
    """The pictures in a folder and in those within it, hidden ones left out, in no order.

    No list is held, so that there may be any number. Links to folders are not followed.

    Raises DreamerError where the folder itself cannot be read.
    """
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                yield from _within(entry)
    except OSError as error:
        raise DreamerError(f"Cannot read the folder {folder}: {error.strerror}.") from None


def _within(entry: os.DirEntry[str]) -> Iterator[Path]:
    path = Path(entry.path)
    if entry.name.startswith("."):
        return
    if entry.is_dir(follow_symlinks=False):
        # One that may not be read keeps nobody from the others.
        with suppress(DreamerError):
            yield from walk(path)
    elif path.suffix.lower() in pictures.SUFFIXES and entry.is_file():
        yield path


def sha256(folder: Path) -> str:
    """A hash of all pictures in a folder and in those within it, whatever their names and order.

    Raises DreamerError where there is none, or one cannot be read.
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
        raise no_photo(folder)
    return f"{total % 2**256:064x}"


def no_photo(folder: Path, unreadable: int = 0) -> DreamerError:
    """The error for a folder without any photo, or where all of so many cannot be used."""
    those = f" that can be used (of {unreadable} files)" if unreadable else ""
    return DreamerError(f"There is no photo{those} in the folder {folder}: give another one.")


_NAMINGS: Sequence[Callable[[Path], str]] = (
    lambda path: path.stem,
    lambda path: f"{path.resolve().parent.name}-{path.stem}",
    lambda path: f"{path.stem}-{path.suffix.removeprefix('.').lower()}",
)


def distinct(paths: Sequence[Path]) -> list[str]:
    """Names for outputs in one folder: the stem, with the folder or the suffix where two agree.

    Photos that even these do not tell apart get the same name.
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
