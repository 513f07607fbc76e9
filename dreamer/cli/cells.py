"""Contact sheets: one photo dreamt on by many recipes, side by side."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

import typer

from dreamer import presets, sheets, words
from dreamer import recipe as recipes
from dreamer.cli import show
from dreamer.cli.show import Interrupt
from dreamer.cli.sources import make_folder
from dreamer.files import atomic, photos
from dreamer.files.photos import Photo
from dreamer.recipe import Recipe

if TYPE_CHECKING:
    from dreamer.ascent.engine import Progress
    from dreamer.assemble import Assembly, Plan
    from dreamer.cli.session import Session
    from dreamer.cli.show import Bar
    from dreamer.cli.sources import Source


class Cell(NamedTuple):
    """A dream of a sheet, finished: on which photo, at its size, and how."""

    photo: Photo
    assembly: Assembly
    plan: Plan
    state: Progress


def dream(
    call: Session,
    read: Photo,
    recipe: Recipe,
    before: Cell | None,
    see: Callable[[Progress], None],
    interrupt: Interrupt,
) -> Cell | None:
    """Dream on a photo, which is brought to the recipe's size; None where Ctrl-C came first.

    Args:
        call: loads the network.
        read: the photo as it was read.
        recipe: of this cell.
        before: the cell before, whose graphs serve again where they are the same.
        see: takes the states.
        interrupt: says whether Ctrl-C was pressed.
    """
    size = photos.fitted(read.image.shape[:2], recipe.size, enlarge=recipe.enlarge)
    photo = photos.resize(read, size)
    assembly = call.assemble(recipe, photo, before.assembly if before else None)
    plan = assembly.plan(size)
    for state in assembly.dream(photo.image, plan, call.read_mask(size)):
        see(state)
        if interrupt.asked:
            return None
    return Cell(photo, assembly, plan, state)


def sheet_all(
    call: Session, sources: Sequence[Source], kind: str | None, vary: Sequence[str]
) -> None:
    """A contact sheet of each photo: of a kind that `--sheet` names, or of what varies."""
    call.for_each(sources, lambda source, bar: _sheet(call, source, bar, kind, vary))


def columns(count: int) -> int:
    """How many of `count` cells stand in a row of a sheet that is about square."""
    return math.ceil(math.sqrt(count))


def _sheet(call: Session, source: Source, bar: Bar, kind: str | None, vary: Sequence[str]) -> None:
    started = time.perf_counter()
    read, path = source.read(), call.name(source)
    make_folder(path.parent)
    atomic.check_writable(path.parent)
    wanted, pictures, cell = _wanted(call, kind, vary), [], None
    with show.interruptible() as interrupt:
        for number, (label, recipe) in enumerate(wanted):
            call.note(f"{number + 1} of {len(wanted)}: {label}")
            see = bar.cell(number, len(wanted))
            cell = dream(call, read, recipe, cell, see, interrupt)
            if cell is None:
                break
            pictures.append(cell.state.picture())
    if pictures:
        labels = [label for label, _ in wanted[: len(pictures)]]
        row = (
            len(recipes.variations(Recipe(), vary[-1:])) if len(vary) > 1 else columns(len(wanted))
        )
        sheet = sheets.compose(pictures, labels, row)
        photos.write(path, sheet, quality=call.jpeg_quality, overwrite=call.overwrite)
    if len(pictures) < len(wanted):
        call.note(f"Stopped after {len(pictures)} of {len(wanted)} pictures.")
        raise typer.Exit(show.INTERRUPTED)
    if not call.quiet:
        typer.echo(f"{path}  {time.perf_counter() - started:.1f} s")


def _wanted(call: Session, kind: str | None, vary: Sequence[str]) -> list[tuple[str, Recipe]]:
    """The recipes of a sheet's pictures, each with the options that make it."""
    base = call.wanted.recipe
    if kind is None:
        return recipes.variations(base, vary)
    if kind == "layers":
        layers = call.assemble(base).network.landmarks
        return recipes.variations(base, [f"layers={','.join(layers)}", *vary])
    if kind == "words":
        table = words.load(base.network, call.weights)
        return [
            (f"{names.partition(',')[0]} {label}".strip(), recipe)
            for names, word in sorted(table.subjects.items())
            for label, recipe in recipes.variations(base.changed({"layers": word.layers}), vary)
        ]
    size = {"size": base.size, "enlarge": base.enlarge}
    named = [(name.strip(), presets.load(name.strip()).recipe) for name in kind.split(",")]
    return [
        (f"-p {name} {label}".strip(), recipe)
        for name, preset in named
        for label, recipe in recipes.variations(preset.changed(size), vary)
    ]
