"""What `dream class` writes: a picture of a class, or a sheet of several."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from dreamer import recipe as recipes
from dreamer import sheets
from dreamer.cli import growth, show, sources
from dreamer.cli.sources import make_folder
from dreamer.cli.visualisation import Visualisation
from dreamer.errors import DreamerError
from dreamer.files import atomic, photos
from dreamer.recipe import Recipe

if TYPE_CHECKING:
    from dreamer.nets.heads import Head
    from dreamer.visualise import Grown


class Asked(NamedTuple):
    """What is wanted beside the recipe: `names` of classes, their file, and how it is shown."""

    names: Sequence[str]
    labels: Path | None
    vary: Sequence[str]
    film: Path | None
    columns: int | None
    each: bool


class Cell(NamedTuple):
    """A picture, the recipe that makes it again, and the options that vary it."""

    grown: Grown
    recipe: Recipe
    options: str


def run(call: Visualisation, asked: Asked, output: Path | None) -> None:
    """Grow a picture of each class by each variation of the recipe, and write them."""
    started = time.perf_counter()
    growth.check(asked.film, alone=not asked.vary)
    varied = recipes.variations(call.wanted.recipe, asked.vary)
    if len({recipe.network for _, recipe in varied}) > 1:
        raise DreamerError("Classes are looked up on one network: run once for each, with -m.")
    net = call.net
    from dreamer.nets import heads

    head = heads.head(net, asked.labels)
    classes = heads.outputs(head, asked.names) or _recorded(head, call.wanted.recipe)
    alone = len(classes) * sum(recipe.feature.diverse for _, recipe in varied) == 1
    file, folder = sources.destination(
        output, many=asked.each and not alone, depth=None, overwrite=call.overwrite
    )
    where = file.parent if file else folder or Path()
    make_folder(where)
    call.note(f"{net.name}: {', '.join(map(head.label, classes))}")
    for text in head.notes(asked.names):
        call.note(text)
    columns = asked.columns or _columns(len(classes), [recipe for _, recipe in varied])
    cells = [
        cell
        for options, recipe in varied
        for cell in _cells(call, head, (options, recipe), classes, (asked.film, columns))
    ]
    if asked.each or alone:
        written: set[Path] = set()
        for cell in cells:
            usual = where / (re.sub(r"\W+", "-", cell.grown.label) + ".png")
            # Several may have one label.
            path = file or atomic.free_name(usual, written if call.overwrite else None)
            written.add(path)
            made = call.made(cell.recipe)
            photos.write(path, cell.grown.picture, made=made, overwrite=call.overwrite)
            show.say(str(path))
    else:
        path = file or atomic.usual_name(where / "classes.png", overwrite=call.overwrite)
        shown = [(cell.grown.picture, _label(cell)) for cell in cells]
        call.write_sheet(path, shown, columns, call.made(_of(head, call.wanted.recipe, classes)))
    for cell in cells:
        show.say(f"{cell.options} {_seen(head, cell)}".strip())
    call.note(f"{time.perf_counter() - started:.1f} s")


def _recorded(head: Head, recipe: Recipe) -> list[int]:
    """The classes that a finished picture was made of."""
    net = head.net
    own = [term for term in recipe.terms if net.resolve(term.layer) == head.layer]
    found = [head.found(str(channel)) for term in own for channel in term.channels or ()]
    if not found:
        raise DreamerError(
            f"Name a class, as magpie or 18: `dream models classes {net.name}` lists them."
        )
    return found


def _of(head: Head, recipe: Recipe, classes: Sequence[int]) -> Recipe:
    """A recipe that names its classes, for a picture to carry."""
    return recipe.changed({"layers": [f"{head.layer}:{','.join(map(str, classes))}"]})


def _cells(
    call: Visualisation,
    head: Head,
    varied: tuple[str, Recipe],
    classes: Sequence[int],
    filmed: tuple[Path | None, int],
) -> list[Cell]:
    from dreamer.targets import targets

    options, recipe = varied
    units = targets(head.net, head.layer, classes)
    named = [
        unit._replace(label=head.label(output)) for output, unit in zip(classes, units, strict=True)
    ]
    every = call.grow(_of(head, recipe, classes), named, *filmed)
    outputs = [output for output in classes for _ in range(recipe.feature.diverse)]
    return [
        Cell(grown, _of(head, recipe, [output]), options)
        for output, grown in zip(outputs, every, strict=True)
    ]


def _columns(classes: int, varied: Sequence[Recipe]) -> int:
    """A row for each variation, or of a class's different pictures; else about a square."""
    ways = varied[0].feature.diverse
    if len(varied) > 1 and classes * ways > 1:
        return classes * ways
    return ways if ways > 1 and classes > 1 else sheets.square(classes * len(varied) * ways)


def _label(cell: Cell) -> str:
    return f"{cell.options} {cell.grown.label}  {cell.grown.score:.3g}".strip()


def _seen(head: Head, cell: Cell) -> str:
    """A class's score before and after, and what its finished picture is taken for."""
    grown = cell.grown
    seen = ", ".join(f"{guess.label} {guess.score:.3g}" for guess in head.guesses(grown.picture))
    return f"{grown.label}: {grown.first_score:.3g} → {grown.score:.3g}, seen as {seen}"
