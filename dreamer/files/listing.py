"""Which files a person means: photos in a folder, and names that tell two outputs apart."""

import re
from collections.abc import Callable, Sequence
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
        raise DreamerError(f"There is no photo in the folder {folder}: give another one.")
    return sorted(found, key=natural), len(files) - len(found)


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
