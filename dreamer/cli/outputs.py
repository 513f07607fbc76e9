"""Where sheets and tables go: `-o` given once or twice."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, NamedTuple

import typer

from dreamer.errors import DreamerError

TABLE = ".csv"

Option = Annotated[
    list[Path] | None,
    typer.Option(
        "-o",
        "--output",
        help="A sheet (.png, .jpg, …) or a table (.csv); given twice, both.",
    ),
]


class Outputs(NamedTuple):
    """The files that are wanted; None for what is not."""

    sheet: Path | None
    table: Path | None


def chosen(given: Sequence[Path] | None, usual: Path, *, overwrite: bool) -> Outputs:
    """What `-o` names; without it a sheet called `usual`, or the next free name.

    Raises DreamerError, before any work, where something cannot be written.
    """
    # What reads pictures is left out where only help is wanted.
    from dreamer.files import atomic, photos

    if not given:
        given = [atomic.usual_name(usual, overwrite=overwrite)]
    kinds: dict[bool, Path] = {}
    for path in given:
        suffix = path.suffix.lower()
        if suffix != TABLE and suffix not in photos.WRITERS:
            known = " ".join([TABLE, *photos.WRITERS])
            raise DreamerError(f"Cannot write {path}: end --output in one of {known}.")
        if kinds.setdefault(suffix == TABLE, path) != path:
            raise DreamerError(f"Give one sheet and one table: {path} is one too many.")
        check(path, overwrite=overwrite)
    return Outputs(kinds.get(False), kinds.get(True))


def check(path: Path, *, overwrite: bool) -> None:
    """Raise DreamerError now where a file could not be written later."""
    from dreamer.cli.sources import make_folder
    from dreamer.files import atomic

    if path.exists() and not overwrite:
        raise atomic.exists(path)
    make_folder(path.parent)


def write_table(
    path: Path, columns: Sequence[str], rows: Iterable[Sequence[object]], *, overwrite: bool
) -> None:
    """Write a table as CSV."""
    from dreamer.files import atomic

    text = io.StringIO(newline="")
    csv.writer(text).writerows([columns, *rows])
    with atomic.replacing(path, overwrite=overwrite) as file:
        file.write(text.getvalue().encode())
