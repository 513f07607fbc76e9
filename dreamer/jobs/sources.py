"""What a job dreams on, and where its pictures go."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import NamedTuple

from dreamer.arrays import Size
from dreamer.errors import DreamerError
from dreamer.files import atomic, photo_folder, photos, sixteen_bit
from dreamer.files.photos import Photo
from dreamer.imaging.noise import draw_noise, hash_description
from dreamer.jobs.events import format_count
from dreamer.jobs.resolve import parse_noise

FOLDER = "dreams"
"""The folder, in a folder of photos, for their dreams, so that the next run leaves those out."""


class Source(NamedTuple):
    """Something to dream on.

    Attributes:
        path: of the file; a name for noise.
        read: reads it.
        folder: where its dream goes, unless somebody says otherwise.
        name: what the name of its dream begins with.
    """

    path: Path
    read: Callable[[], Photo]
    folder: Path
    name: str


class Sources(NamedTuple):
    """All that a job dreams on, and what there is to say about it."""

    all: list[Source]
    note: str


def find_sources(
    paths: Sequence[Path], noise: str | None, seed: int, *, damaged: bool | None = None
) -> Sources:
    """Find photos, those in folders, or the noise that `--noise` describes.

    Args:
        paths: of photos and folders.
        noise, seed: as they are asked for.
        damaged: see `photos.read`.
    """
    if bool(paths) == bool(noise):
        both = ", not both" if noise else ""
        raise DreamerError(f"Give photos to dream on, or --noise WIDTHxHEIGHT{both}.")
    if noise:
        kind, size = parse_noise(noise)
        path = Path(f"{kind}.png")
        read = partial(_read_noise, kind, size, seed)
        return Sources([Source(path, read, path.parent, path.stem)], "")
    found: list[tuple[Path, Path]] = []
    notes = []
    for path in paths:
        if path.is_dir():
            inside, skipped = photo_folder.list_photos(path)
            others = f", {skipped} other files skipped" if skipped else ""
            notes.append(f"{path}: {format_count(len(inside), 'photo')}{others}")
            found += [(photo, path / FOLDER) for photo in inside]
        else:
            found.append((path, path.parent))
    names = photo_folder.make_distinct_names([path for path, _ in found])
    return Sources(
        [
            Source(path, partial(photos.read, path, damaged=damaged), folder, name)
            for (path, folder), name in zip(found, names, strict=True)
        ],
        "; ".join(notes),
    )


def _read_noise(kind: str, size: Size, seed: int) -> Photo:
    return Photo(draw_noise(kind, size, seed), None, hash_description(kind, size, seed))


class Destination(NamedTuple):
    """The file or the folder that `--output` names; both None where it was not given."""

    file: Path | None
    folder: Path | None


def find_destination(
    output: Path | None, *, many: bool, overwrite: bool, depth: int | None = None
) -> Destination:
    """Find out whether `--output` names a file or a folder, before any work.

    Args:
        output: as it was given.
        many: whether there will be several pictures.
        overwrite: whether a file that is there may be replaced.
        depth: bits per color channel, where they are asked for.

    Raises DreamerError where nothing can be written there.
    """
    if output is None:
        return Destination(None, None)
    if output.is_dir() or not output.suffix:
        return Destination(None, output)
    if many:
        raise DreamerError(f"Several pictures do not fit into {output}: give a folder.")
    suffix = output.suffix.lower()
    if suffix not in photos.WRITERS:
        known = " ".join(photos.WRITERS)
        raise DreamerError(f"Cannot write {output.suffix} files: end --output in one of {known}.")
    if depth == 16 and suffix not in sixteen_bit.WRITERS:
        raise DreamerError(f"A {suffix} file has 8 bits a color: write a .png or .tiff instead.")
    if output.exists() and not overwrite:
        raise atomic.exists_error(output)
    return Destination(output, None)


def name_file(output: Path | None, usual: str, *, overwrite: bool) -> Path:
    """Return the file of a single picture, called `usual` or the next free name unless given.

    Raises DreamerError, before any work, where nothing can be written there.
    """
    file, folder = find_destination(output, many=False, overwrite=overwrite)
    path = file or atomic.choose_default_name((folder or Path()) / usual, overwrite=overwrite)
    make_folder(path.parent)
    return path


def make_folder(path: Path) -> None:
    """Make a folder for outputs, where it is not there yet.

    Raises DreamerError, before any work, where nothing can be written into it.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DreamerError(f"Cannot make the folder {path}: {error.strerror}.") from None
    atomic.check_writable(path)


@dataclass(frozen=True)
class Naming:
    """Where the outputs of a job are written.

    Attributes:
        target: as `--output` says.
        suffix: what a name ends with that nobody gave.
        overwrite: whether files that are there may be replaced.
    """

    target: Destination
    suffix: str
    overwrite: bool
    _written: set[Path] = field(default_factory=set)

    def name(self, source: Source) -> Path:
        """Return where the dream of a source is written."""
        if self.target.file:
            return self.target.file
        named = atomic.fit_name(source.name, f"-{self.suffix}.png")
        path = (self.target.folder or source.folder) / named
        path = atomic.find_free_name(path, self._written if self.overwrite else None)
        self._written.add(path)
        return path

    def name_resumable(
        self, beside: Path, name: str, is_unfinished: Callable[[Path], bool]
    ) -> Path:
        """Return where something is written that can be gone on with.

        Args:
            beside: its folder, where none was asked for.
            name: of the file; an unfinished one of that name comes first.
            is_unfinished: tells whether there is one.

        Raises DreamerError where it exists.
        """
        path = self.target.file or (self.target.folder or beside) / name
        if self.overwrite or is_unfinished(path) or not path.exists():
            return path
        if self.target.file:
            raise atomic.exists_error(path)
        return atomic.find_free_name(path)
