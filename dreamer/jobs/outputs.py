"""How pictures, sheets, tables and presets are written."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from dreamer.arrays import Image
from dreamer.errors import DreamerError, speaking_of
from dreamer.files import atomic, photos, sixteen_bit
from dreamer.files.photos import Photo, Style
from dreamer.imaging import contact_sheet
from dreamer.jobs.events import Done, Note, Sink
from dreamer.jobs.sources import make_folder
from dreamer.recipe import Recipe, to_toml
from dreamer.recipe.provenance import Provenance

TABLES = (".csv", ".json")
"""Suffixes of tables."""


@dataclass(frozen=True)
class Encoding:
    """How a job writes its pictures.

    Attributes:
        quality: of a JPEG or WebP, 1 to 100.
        depth: bits per color channel.
        recipe: whether a picture carries its recipe.
        dpi: dots per inch; None for the photo's own.
    """

    quality: int = photos.QUALITY
    depth: int = photos.DEPTH
    recipe: bool = True
    dpi: float | None = None

    def write(
        self,
        path: Path,
        picture: Image,
        provenance: Provenance | None,
        photo: Photo,
        *,
        overwrite: bool = True,
    ) -> None:
        """Write what was dreamt on a photo, with how it was made and written inside it."""
        facts: dict[str, Any] = {}
        if path.suffix.lower() != ".png":
            facts["quality"] = self.quality
        if self.depth != photos.DEPTH:
            facts["depth"] = self.depth
        if self.dpi:
            facts["dpi"] = self.dpi
        if provenance is not None:
            provenance = provenance._replace(facts={**provenance.facts, **facts})
        photos.write(
            path,
            picture,
            photo.alpha,
            provenance if self.recipe else None,
            style=Style(self.quality, self.dpi or photo.dpi),
            depth=self.depth,
            overwrite=overwrite,
        )


def choose_encoding(
    wanted: Provenance,
    quality: int | None,
    depth: int | None,
    file: Path | None,
    *,
    recipe: bool,
    dpi: float | None = None,
) -> Encoding:
    """Choose how pictures are written: as asked for, or as a finished picture was.

    Args:
        wanted: the recipe, with the facts of the picture that is repeated.
        quality, depth: as asked for.
        file: the output, where it is known; not every kind of file has 16 bits.
        recipe: whether a picture carries its recipe.
        dpi: as asked for.
    """
    recorded = wanted.facts.get("quality")
    if quality is None and isinstance(recorded, int) and 1 <= recorded <= 100:
        quality = recorded
    deep_enough = file is None or file.suffix.lower() in sixteen_bit.WRITERS
    recorded = wanted.facts.get("depth")
    if depth is None and recorded in (8, 16) and deep_enough:
        depth = int(recorded)
    recorded = wanted.facts.get("dpi")
    if dpi is None and isinstance(recorded, int | float) and 1 < recorded <= 100_000:
        dpi = float(recorded)
    return Encoding(quality or photos.QUALITY, depth or photos.DEPTH, recipe, dpi)


def save_preset(path: Path, recipe: Recipe, *, overwrite: bool) -> None:
    """Write a recipe as a TOML preset."""
    with (
        speaking_of("--save-preset"),
        atomic.open_replacing(path, overwrite=overwrite) as file,
    ):
        file.write(to_toml(recipe).encode())


class Files(NamedTuple):
    """The sheet and the table that are wanted; None for what is not."""

    sheet: Path | None
    table: Path | None


def choose_files(given: Sequence[Path], usual: Path, *, overwrite: bool) -> Files:
    """Choose what `--output` names; without it a sheet called `usual`, or the next free name.

    Raises DreamerError, before any work, where something cannot be written.
    """
    kinds: dict[bool, Path] = {}
    for path in given or [atomic.choose_default_name(usual, overwrite=overwrite)]:
        suffix = path.suffix.lower()
        if suffix not in TABLES and suffix not in photos.WRITERS:
            known = " ".join([*TABLES, *photos.WRITERS])
            raise DreamerError(f"Cannot write {path}: end --output in one of {known}.")
        if kinds.setdefault(suffix in TABLES, path) != path:
            raise DreamerError(f"Give one sheet and one table: {path} is one too many.")
        check_file(path, overwrite=overwrite)
    return Files(kinds.get(False), kinds.get(True))


def split_output(given: Sequence[Path], *, overwrite: bool) -> tuple[Path | None, Path | None]:
    """Return what `--output` names of pictures, a file or a folder, and of a table.

    Raises DreamerError, before any work, where there are two of a kind.
    """
    kinds: dict[bool, Path] = {}
    for path in given:
        is_table = path.suffix.lower() in TABLES
        if kinds.setdefault(is_table, path) != path:
            raise DreamerError(
                f"Give one --output for pictures and one for a table: {path} is one too many."
            )
        if is_table:
            check_file(path, overwrite=overwrite)
    return kinds.get(False), kinds.get(True)


def check_table(path: Path | None, flag: str, *, overwrite: bool) -> None:
    """Raise DreamerError, before any work, where a table cannot be written."""
    if path is None:
        return
    if path.suffix.lower() not in TABLES:
        raise DreamerError(f"Cannot write {path}: end {flag} in one of {' '.join(TABLES)}.")
    check_file(path, overwrite=overwrite)


def check_file(path: Path, *, overwrite: bool) -> None:
    """Raise DreamerError now where a file could not be written later."""
    if path.exists() and not overwrite:
        raise atomic.exists_error(path)
    make_folder(path.parent)


def write_table(
    path: Path, columns: Sequence[str], rows: Iterable[Sequence[object]], *, overwrite: bool
) -> None:
    """Write a table as CSV, or as JSON: a list of objects. Numbers get six digits."""
    rounded = [[round_number(value) for value in row] for row in rows]
    if path.suffix.lower() == ".json":
        named = [dict(zip(columns, row, strict=True)) for row in rounded]
        text = json.dumps(named, indent=1, default=str, allow_nan=False) + "\n"
    else:
        lines = io.StringIO(newline="")
        csv.writer(lines).writerows([columns, *rounded])
        text = lines.getvalue()
    with atomic.open_replacing(path, overwrite=overwrite) as file:
        file.write(text.encode())


def round_number(value: object) -> object:
    """Return a float with six digits, or None where it is not finite; else the value."""
    if not isinstance(value, float):
        return value
    return float(f"{value:.6g}") if math.isfinite(value) else None


class Headings(NamedTuple):
    """What stands above the columns and the rows of a sheet, if anything."""

    across: Sequence[str] = ()
    down: Sequence[str] = ()


PLAIN = Headings()


def write_sheet(
    path: Path,
    cells: Sequence[tuple[Image, str]],
    columns: int,
    provenance: Provenance | None,
    emit: Sink,
    headings: Headings = PLAIN,
    *,
    overwrite: bool,
) -> None:
    """Write labeled pictures side by side, on several sheets where one would be too large."""
    make_folder(path.parent)
    most = contact_sheet.most_cells(cells[0][0].shape[:2], columns)
    parts = [cells[first : first + most] for first in range(0, len(cells), most)]
    for number, part in enumerate(parts, 1):
        name = path.with_stem(f"{path.stem}-{number}") if len(parts) > 1 else path
        pictures, labels = zip(*part, strict=True)
        rows = headings.down[(number - 1) * most // columns :]
        sheet = contact_sheet.compose(pictures, labels, columns, headings.across, rows)
        photos.write(name, sheet, made=provenance, overwrite=overwrite)
        emit(Done(str(name), name))
    if len(parts) > 1:
        emit(Note(f"One sheet of all {len(cells)} would be too large: there are {len(parts)}."))
