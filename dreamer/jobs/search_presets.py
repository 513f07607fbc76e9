"""The presets beside a search's sheet, one for each cell, and how one of them is kept for good."""

from __future__ import annotations

import glob
import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from dreamer.errors import DreamerError
from dreamer.files import atomic
from dreamer.jobs import presets
from dreamer.jobs.outputs import save_preset
from dreamer.jobs.sources import make_folder
from dreamer.recipe import Recipe

SUFFIX = "search"
"""What the name of a sheet ends with."""

_CELL = re.compile(r"r\d+c\d+")


def cells_folder(sheet: Path) -> Path:
    """Return where the presets of a sheet's cells lie."""
    return sheet.with_name(atomic.fit_name(sheet.stem, "-cells"))


def write_cells(sheet: Path, recipes: Mapping[str, Recipe]) -> None:
    """Write each cell's preset, by its place; those of an earlier sheet of that name go."""
    make_folder(cells_folder(sheet))
    _clear(cells_folder(sheet))
    for place, recipe in recipes.items():
        save_preset(cells_folder(sheet) / f"{place}.toml", recipe, overwrite=True)


def remove_sheet(sheet: Path) -> None:
    """Remove a sheet, if it is there, with the presets of its cells."""
    sheet.unlink(missing_ok=True)
    if cells_folder(sheet).is_dir():
        _clear(cells_folder(sheet))
        with suppress(OSError):
            cells_folder(sheet).rmdir()


def _clear(cells: Path) -> None:
    for path in cells.glob("*.toml"):
        if _CELL.fullmatch(path.stem):
            path.unlink()


def find_newest(name: str, folder: Path) -> Path:
    """Find the last sheet of a search on what is called so. Raises DreamerError if none is."""
    pattern = f"{glob.escape(name)}-{SUFFIX}*.png"
    found = [path for path in folder.glob(pattern) if cells_folder(path).is_dir()]
    if not found:
        raise DreamerError(
            f"There is no search on {name} in {folder}: make one first, or name its sheet by "
            "--output."
        )
    return max(found, key=lambda path: path.stat().st_mtime_ns)


def pick_cell(sheet: Path, asked: str, target: Path | None, *, overwrite: bool) -> tuple[Path, str]:
    """Keep a cell's preset; return where, and the cell's place.

    Args:
        sheet: of a search.
        asked: `rNcM`, or `rNcM=NAME`.
        target: where to; a preset of that name among the user's own, if None.
        overwrite: whether one that is there may be replaced.

    Raises DreamerError where the sheet has no such cell, or the name is none.
    """
    place, _, name = asked.partition("=")
    name = name or re.sub(r"[^a-zA-Z0-9]+", "-", f"{sheet.stem}-{place}").strip("-")
    there = sorted(path.stem for path in cells_folder(sheet).glob("*.toml"))
    if place not in there:
        cells = f"its cells are {there[0]} to {there[-1]}" if there else "it has none"
        raise DreamerError(f"{sheet} has no cell {place!r}: {cells}.")
    if target is None:
        target = presets.choose_path(name)
        make_folder(target.parent)
    recipe = presets.load(str(cells_folder(sheet) / f"{place}.toml")).recipe
    save_preset(target, recipe.changed({"about": {"name": name}}), overwrite=overwrite)
    return target, place
