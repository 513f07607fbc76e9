"""What `dream class` writes: a picture of a class, or a sheet of several."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import typer

from dreamer import recipe as recipes
from dreamer.cli import sources
from dreamer.cli.sources import make_folder
from dreamer.cli.visualisation import Visualisation
from dreamer.errors import DreamerError
from dreamer.files import atomic, photos
from dreamer.recipe import Recipe

if TYPE_CHECKING:
    from dreamer.nets.heads import Head
    from dreamer.visualise import Grown


class Asked(NamedTuple):
    """Of which classes pictures are wanted, the file of their names, and what is varied."""

    names: Sequence[str]
    labels: Path | None
    vary: Sequence[str]


class Cell(NamedTuple):
    """A picture with the recipe that makes it again, and the options that vary it."""

    grown: Grown
    recipe: Recipe
    options: str


def run(
    call: Visualisation, asked: Asked, *, columns: int | None, each: bool, output: Path | None
) -> None:
    """Grow a picture of each class by each variation of the recipe, and write them."""
    started = time.perf_counter()
    varied = recipes.variations(call.wanted.recipe, asked.vary)
    net = call.net
    from dreamer.nets import heads

    head = heads.head(net, asked.labels)
    classes = heads.outputs(head, asked.names) or _recorded(head, call.wanted.recipe)
    alone = len(classes) * len(varied) == 1
    file, folder = sources.destination(
        output, many=each and not alone, depth=None, overwrite=call.overwrite
    )
    where = file.parent if file else folder or Path()
    make_folder(where)
    atomic.check_writable(where)
    said = f"; {head.removed}" if head.removed else ""
    call.note(f"{net.name}: {', '.join(map(head.label, classes))}{said}")
    cells = [
        cell for options, recipe in varied for cell in _grown(call, head, recipe, options, classes)
    ]
    if each or alone:
        for cell in cells:
            name = cell.grown.label.replace(" ", "-").replace("/", "-")
            path = file or atomic.free_name(where / f"{name}.png")
            made = call.made(cell.recipe)
            photos.write(path, cell.grown.picture, made=made, overwrite=call.overwrite)
            typer.echo(str(path))
    else:
        path = file or atomic.free_name(where / "classes.png")
        shown = [replace(c.grown, label=f"{c.options} {c.grown.label}".strip()) for c in cells]
        made = call.made(_of(head, call.wanted.recipe, classes))
        call.write_sheet(path, shown, columns or _columns(len(classes), len(varied)), made)
    for cell in cells:
        typer.echo(f"{cell.options} {seen(head, cell.grown)}".strip())
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


def _grown(
    call: Visualisation, head: Head, recipe: Recipe, options: str, classes: Sequence[int]
) -> list[Cell]:
    from dreamer import visualise

    targets = [
        target._replace(label=head.label(output))
        for output, target in zip(
            classes, visualise.targets(head.net, head.layer, classes), strict=True
        )
    ]
    return [
        Cell(grown, _of(head, recipe, [output]), options)
        for output, grown in zip(classes, call.grow(recipe, targets), strict=True)
    ]


def _columns(classes: int, varied: int) -> int:
    """A row for each variation; of one class or one recipe, about a square."""
    return classes if classes > 1 and varied > 1 else math.ceil(math.sqrt(classes * varied))


def seen(head: Head, grown: Grown) -> str:
    """A class's score before and after, and what its finished picture is taken for."""
    guesses = ", ".join(
        f"{guess.label} {guess.share:.1%}" for guess in head.guesses(head.shares(grown.picture))
    )
    return f"{grown.label}: {grown.first_score:.4g} → {grown.score:.4g}, seen as {guesses}"
