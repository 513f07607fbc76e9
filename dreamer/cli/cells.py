"""Contact sheets: one photo dreamt on by many recipes, side by side."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import typer

from dreamer import presets, sheets, words
from dreamer import recipe as recipes
from dreamer.arrays import Image
from dreamer.cli import show
from dreamer.cli.show import Interrupt
from dreamer.cli.sources import make_folder
from dreamer.errors import speaking_of
from dreamer.files import photos
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


def dream_all(
    call: Session,
    read: Photo,
    wanted: Sequence[tuple[str, Recipe]],
    bar: Bar,
    interrupt: Interrupt,
    done: Collection[int] = (),
) -> Iterator[tuple[int, Cell]]:
    """Dream on a photo by one recipe after the other, until Ctrl-C; each with its number.

    A recipe that cannot be dreamt by is left out, and that is said.

    Args:
        call: loads the network.
        read: the photo as it was read.
        wanted: the recipes, with what tells them apart.
        bar: shows how far all are.
        interrupt: says whether Ctrl-C was pressed.
        done: the numbers, from 0, of those that are there already.

    Raises DreamerError where none of all could be dreamt by.
    """
    cell, refused = None, None
    for number, (label, recipe) in enumerate(wanted):
        if number in done:
            continue
        call.note(f"{bar.unit} {number + 1} of {len(wanted)}: {label}")
        try:
            made = dream(call, read, recipe, cell, bar.cell(number, len(wanted)), interrupt)
        except Exception as error:
            call.note(f"Left out: {show.of_failure(label, error)}")
            refused = error
            continue
        if made is None:
            return
        cell = made
        yield number, made
    if refused and not cell and not done:
        raise refused


def sheet_all(
    call: Session, sources: Sequence[Source], kind: str | None, vary: Sequence[str]
) -> None:
    """A contact sheet of each photo: of a kind that `--sheet` names, or of what varies."""
    call.for_each(sources, lambda source, bar: _sheet(call, source, bar, kind, vary))


def _sheet(call: Session, source: Source, bar: Bar, kind: str | None, vary: Sequence[str]) -> None:
    started = time.perf_counter()
    read, path = source.read(), call.name(source)
    make_folder(path.parent)
    wanted = _wanted(call, kind, vary)
    pictures: dict[int, Image] = {}
    with show.interruptible() as interrupt:
        for number, cell in dream_all(call, read, wanted, bar, interrupt):
            pictures[number] = cell.state.picture()
        stopped = interrupt.asked
    if pictures:
        row = _in_a_row(len(wanted), vary)
        _write(call, path, wanted[: max(pictures) + 1], pictures, vary, row)
    if stopped:
        call.note(f"Stopped after {len(pictures)} of {len(wanted)} pictures.")
        raise typer.Exit(show.INTERRUPTED)
    if not call.quiet:
        show.say(f"{path}  {time.perf_counter() - started:.1f} s")


def _in_a_row(count: int, vary: Sequence[str]) -> int:
    """How many pictures: of a grid the values of its last field, else what is about square."""
    return len(recipes.variations(Recipe(), vary[-1:])) if len(vary) > 1 else sheets.square(count)


def _write(
    call: Session,
    path: Path,
    wanted: Sequence[tuple[str, Recipe]],
    pictures: Mapping[int, Image],
    vary: Sequence[str],
    row: int,
) -> None:
    """Write a sheet, `row` pictures in each.

    A picture that was left out is black, so that the others keep their places.
    """
    black = np.zeros_like(next(iter(pictures.values())))
    shown = [pictures.get(number, black) for number in range(len(wanted))]
    labels = [label for label, _ in wanted]
    if vary and len(vary) > 1:
        across = [label for label, _ in recipes.variations(Recipe(), vary[-1:])]
        rest = [label.removesuffix(across[0]).strip() for label in labels[::row]]
        sheet = sheets.compose(shown, [""] * len(shown), row, across, rest)
    else:
        sheet = sheets.compose(shown, labels, row)
    photos.write(path, sheet, quality=call.jpeg_quality, overwrite=call.overwrite)


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
    with speaking_of("--sheet"):
        named = [(name.strip(), presets.load(name.strip()).recipe) for name in kind.split(",")]
    return [
        (f"-p {name} {label}".strip(), recipe)
        for name, preset in named
        for label, recipe in recipes.variations(preset.changed(size), vary)
    ]
