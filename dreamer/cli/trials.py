"""One call of `dream search`: trial after trial, kept as they are made, then sorted on a sheet."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import typer

from dreamer import recipe as recipes
from dreamer import search as searching
from dreamer import sheets, words
from dreamer.arrays import Image
from dreamer.cli import cells, picking, show
from dreamer.cli.session import Session
from dreamer.cli.show import Bar
from dreamer.cli.sources import Source, make_folder
from dreamer.errors import DreamerError, speaking_of
from dreamer.files import atomic, photos
from dreamer.files import cells as stored
from dreamer.files.cells import Cells
from dreamer.files.photos import Photo
from dreamer.nets import runtime
from dreamer.recipe import About
from dreamer.search import Search, Stock, Trial

if TYPE_CHECKING:
    from dreamer.nets.naturalness import Naturalness
    from dreamer.nets.network import Network

MOTIFS = range(30, 150)
"""Of layers that are searched over, in pixels: finer ones draw edges, coarser ones little."""


class Done(NamedTuple):
    """A finished trial: its number, its dream, and what is measured on that.

    Attributes:
        raised: how far above the photo's the objective is, as a share of that.
        distance: from what is natural (`naturalness`); 0 where nobody asks for it.
    """

    number: int
    picture: Image
    raised: float
    distance: float


class Sort(NamedTuple):
    """How a sheet is sorted: by what, the least first, and what of it stands in a label."""

    key: Callable[[Done], float]
    tell: Callable[[Done], str]


def _told(sort: Sort, done: Done) -> list[str]:
    """What a cell is sorted by, and its number as the progress has it."""
    return list(dict.fromkeys([sort.tell(done), SORTS["trial"].tell(done)]))


SORTS: Mapping[str, Sort] = {
    "objective": Sort(lambda done: -done.raised, lambda done: f"objective x{1 + done.raised:.3g}"),
    "naturalness": Sort(
        lambda done: done.distance, lambda done: f"{done.distance:.2f} from photos"
    ),
    "trial": Sort(lambda done: done.number, lambda done: f"trial {done.number + 1}"),
}


class Asked(NamedTuple):
    """What a search does beyond the recipe.

    Attributes:
        over: as `search.chosen` reads it.
        held: fields that options have set.
        seed: of the search.
        around: whether trials are small steps.
        trials: how many there are.
        by: a key of `SORTS`.
        size: the recipe's fields that give the cells' size.
    """

    over: Sequence[str]
    held: frozenset[str]
    seed: int
    around: bool
    trials: int
    by: str
    size: Mapping[str, Any]


def search(call: Session, asked: Asked, source: Source, *, fresh: bool) -> None:
    """Search on one photo; Ctrl-C ends it with a sheet of the trials that are done."""
    started = time.perf_counter()
    name = f"{source.name}-{call.suffix}.png"
    read, path = source.read(), call.resumable(source.folder, name, _unfinished)
    make_folder(path.parent)
    if picking.folder(path).exists() and not (call.overwrite or _unfinished(path)):
        raise atomic.exists(picking.folder(path))
    with show.progress(1, quiet=call.quiet, unit="trial") as bar:
        bar.begin(0)
        net = call.assemble(call.wanted.recipe).network
        plan = _plan(call, asked, net)
        trials = _trials(plan, asked.trials, net)
        natural = _naturalness(net) if asked.by == "naturalness" else None
        key = _identity(call, asked, plan, net, read)
        store = Cells(stored.folder(path), key, fresh=fresh)
        try:
            whole = _dream(call, read, trials, asked.size, store, bar)
        except DreamerError:
            if not _done(store, len(trials), None):
                store.remove()
            raise
        partial = atomic.so_far(path)
        shown = path if whole else partial
        done = _done(store, len(trials), natural)
        if done:
            _write(call, shown, trials, done, SORTS[asked.by])
        if whole:
            picking.remove(partial)
            store.remove()
    if not whole:
        holds = f"{shown} holds what is done. " if done else ""
        call.note(f"Stopped after {len(done)} trials. {holds}Run the same command to go on.")
        raise typer.Exit(show.INTERRUPTED)
    if not call.quiet:
        seconds = time.perf_counter() - started
        show.say(f"{path}  {len(done)} cells, made in {seconds:.0f} s")


def _unfinished(sheet: Path) -> bool:
    return stored.folder(sheet).is_dir()


def _plan(call: Session, asked: Asked, net: Network) -> Search:
    """What is searched over: what neither the preset nor an option sets, or what was asked for."""
    recipe, held, stock = call.wanted.recipe, {*asked.held}, _stock(call, net)
    own: dict[str, Any] = {
        "about": About().model_dump(),
        "layers": recipe.layers or net.spec.layers,
    }
    if recipe.octaves:
        # They replace each other.
        held.add("motif")
    if not asked.around:
        held |= recipes.to_fields(recipe).keys()
        own |= {} if "patience" in held else {"patience": searching.PATIENCE}
    with speaking_of("--over"):
        fields = searching.chosen(asked.over, held, stock)
    return Search(recipe.changed(own), fields, asked.seed, asked.around, stock)


def _trials(plan: Search, count: int, net: Network) -> list[Trial]:
    """All trials. Raises DreamerError for a value or a layer that cannot be."""
    trials = [plan.trial(number) for number in range(count)]
    for layer in {term.layer for trial in trials for term in trial.recipe.terms}:
        net.resolve(layer)
    return trials


def _stock(call: Session, net: Network) -> Stock:
    """The layers of a network that draw most, and its words, if it has any."""
    motifs = net.spec.motifs
    layers = [layer for layer in net.landmarks if motifs.get(layer, MOTIFS.start) in MOTIFS]
    try:
        subjects = words.load(call.wanted.recipe.network, call.weights).subjects
    except DreamerError:
        subjects = {}
    return Stock(
        {layer: net.channels(layer) for layer in layers},
        {names.partition(",")[0]: word.layers for names, word in sorted(subjects.items())},
    )


def _identity(
    call: Session, asked: Asked, plan: Search, net: Network, read: Photo
) -> dict[str, Any]:
    """Everything that decides the cells; how many there are does not."""
    return {
        "recipe": recipes.to_fields(plan.base),
        "fields": {name: repr(values) for name, values in plan.fields.items()},
        "around": plan.around,
        "seed": plan.seed,
        "cells": dict(asked.size),
        "photo_sha256": read.sha256,
        "network_sha256": net.sha256,
        "threads": call.threads,
        **runtime.versions(),
    }


def _dream(
    call: Session,
    read: Photo,
    trials: Sequence[Trial],
    size: Mapping[str, Any],
    store: Cells,
    bar: Bar,
) -> bool:
    """Dream by the trials that are not in the store yet; whether Ctrl-C left none."""
    there = {number for number in range(len(trials)) if store.get(str(number))}
    if there:
        call.note(f"{len(there)} of {len(trials)} are done already.")
    sized = [(trial.label, trial.recipe.changed(size)) for trial in trials]
    with show.interruptible() as interrupt:
        for number, cell in cells.dream_all(call, read, sized, bar, interrupt, there):
            picture = cell.state.picture()
            store.put(stored.Cell(str(number), picture, _raised(cell, picture)))
        return not interrupt.asked


def _raised(cell: cells.Cell, picture: Image) -> float:
    """How far a dream raised its objective above the photo's, as a share of that."""
    before, after = (cell.assembly.score(image, cell.plan) for image in (cell.photo.image, picture))
    return (after - before) / max(abs(before), 1e-12)


def _naturalness(net: Network) -> Naturalness:
    from dreamer.nets import naturalness

    return naturalness.load(net)


def _done(store: Cells, count: int, natural: Naturalness | None) -> list[Done]:
    """What is in the store, measured."""
    found = [(number, store.get(str(number))) for number in range(count)]
    return [
        Done(number, picture, raised, natural.distance(picture) if natural else 0.0)
        for number, (_, picture, raised) in ((number, cell) for number, cell in found if cell)
    ]


def _write(
    call: Session, path: Path, trials: Sequence[Trial], done: Sequence[Done], sort: Sort
) -> None:
    """The sheet, and beside it each cell's preset."""
    done, columns = sorted(done, key=sort.key), sheets.square(len(done))
    named = {
        f"r{place // columns + 1}c{place % columns + 1}": each for place, each in enumerate(done)
    }
    labels = [
        " · ".join((name, *_told(sort, each), trials[each.number].label))
        for name, each in named.items()
    ]
    picking.keep(path, {name: trials[each.number].recipe for name, each in named.items()})
    sheet = sheets.compose([each.picture for each in done], labels, columns)
    photos.write(path, sheet, quality=call.jpeg_quality)
