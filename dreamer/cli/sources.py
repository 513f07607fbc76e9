"""What a call dreams on, and where its pictures go."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from dreamer.cli import options
from dreamer.errors import DreamerError
from dreamer.files import atomic, deep, listing, photos
from dreamer.files.photos import Photo

FOLDER = "dreams"
"""In a folder of photos: where their dreams go, so that the next call does not dream on them."""


class Source(NamedTuple):
    """Something to dream on, and how it is read; its output's folder and the name's beginning."""

    path: Path
    read: Callable[[], Photo]
    folder: Path
    name: str


class Sources(NamedTuple):
    """All of a call, and what there is to say about them."""

    all: list[Source]
    note: str


def find(paths: Sequence[Path], noise: str | None, seed: int) -> Sources:
    """Photos, those in folders, or the noise that `--noise` describes, named in this folder."""
    if bool(paths) == bool(noise):
        both = ", not both" if noise else ""
        raise DreamerError(f"Give photos to dream on, or --noise WIDTHxHEIGHT{both}.")
    if noise:
        kind, size = options.noise(noise)
        path = Path(f"{kind}.png")
        read = partial(photos.noise, kind, size, seed)
        return Sources([Source(path, read, path.parent, path.stem)], "")
    found: list[tuple[Path, Path]] = []
    notes = []
    for path in paths:
        if path.is_dir():
            inside, skipped = listing.photos_in(path)
            others = f", {skipped} other files skipped" if skipped else ""
            notes.append(f"{path}: {len(inside)} photos{others}")
            found += [(photo, path / FOLDER) for photo in inside]
        else:
            found.append((path, path.parent))
    return Sources(
        [
            Source(path, partial(photos.read, path), folder, name)
            for (path, folder), name in zip(
                found, listing.distinct([path for path, _ in found]), strict=True
            )
        ],
        "; ".join(notes),
    )


def destination(
    output: Path | None, *, many: bool, depth: int | None, overwrite: bool
) -> tuple[Path | None, Path | None]:
    """The file or the folder that `--output` names; both None where it was not given."""
    if output is None:
        return None, None
    if output.is_dir() or not output.suffix:
        return None, output
    if many:
        raise DreamerError(f"Several pictures do not fit into {output}: give a folder.")
    suffix = output.suffix.lower()
    if suffix not in photos.WRITERS:
        known = " ".join(photos.WRITERS)
        raise DreamerError(f"Cannot write {output.suffix} files: end --output in one of {known}.")
    if depth == 16 and suffix not in deep.WRITERS:
        raise DreamerError(f"A {suffix} file has 8 bits a colour: write a .png or .tiff instead.")
    if output.exists() and not overwrite:
        raise atomic.exists(output)
    return output, None


def make_folder(path: Path) -> None:
    """Make a folder for outputs, where it is not there yet.

    Raises DreamerError, before any work, where nothing can be written into it.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DreamerError(f"Cannot make the folder {path}: {error.strerror}.") from None
    atomic.check_writable(path)
