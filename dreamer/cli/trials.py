"""One call of `dream search`: trial after trial, kept as they are made, then sorted on a sheet."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import typer

from dreamer import recipe as recipes
from dreamer import search as searching
from dreamer import sheets, words
from dreamer.arrays import Stored, from_stored, to_stored
from dreamer.cli import cells, picking, show
from dreamer.cli.cells import Cell
from dreamer.cli.session import Session
from dreamer.cli.show import Bar, Interrupt
from dreamer.cli.sources import Source, make_folder
from dreamer.errors import DreamerError
from dreamer.files import atomic, photos, workfolder
from dreamer.files.photos import Photo
from dreamer.files.workfolder import WorkFolder
from dreamer.recipe import About
from dreamer.search import Search, Stock, Trial

if TYPE_CHECKING:
    from dreamer.nets.naturalness import Naturalness
    from dreamer.nets.network import Network

LINES = 4
"""Of a cell's label."""

MOTIFS = range(30, 150)
"""Of layers that are searched over, in pixels: finer ones draw edges, coarser ones little."""

Measured = Mapping[str, float]
"""Of a finished trial: its number, and what is measured on its dream."""


class Sort(NamedTuple):
    """How a sheet is sorted: by what, the least first, and what of it stands in a label."""

    key: Callable[[Measured], float]
    tell: Callable[[Measured], str]


SORTS: Mapping[str, Sort] = {
    "objective": Sort(
        lambda measured: -measured["objective"],
        lambda measured: f"objective x{1 + measured['objective']:.3g}",
    ),
    "naturalness": Sort(
        lambda measured: measured["distance"],
        lambda measured: f"{measured['distance']:.2f} from photos",
    ),
    "trial": Sort(
        lambda measured: measured["trial"],
        lambda measured: f"trial {measured['trial'] + 1:g}",
    ),
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
    read, path = source.read(), call.resumable(source.folder, f"{source.name}-{call.suffix}.png")
    make_folder(path.parent)
    mine = call.overwrite or workfolder.unfinished(workfolder.of(path))
    if picking.folder(path).exists() and not mine:
        raise atomic.exists(picking.folder(path))
    with show.progress(1, quiet=call.quiet) as bar:
        bar.begin(0)
        net = call.assemble(call.wanted.recipe).network
        plan = _plan(call, asked, net)
        trials = _trials(plan, asked.trials, net)
        natural = _naturalness(net) if asked.by == "naturalness" else None
        identity = _identity(call, asked, plan, net, read)
        with (
            workfolder.opened(workfolder.of(path), identity, fresh=fresh) as work,
            show.interruptible() as interrupt,
        ):
            whole = _dream(call, read, trials, asked.size, work, bar, interrupt)
            partial = path.with_name(f"{path.stem}.partial{path.suffix}")
            shown = path if whole else partial
            kept = [cell for cell in _kept(work, natural) if cell[0]["trial"] < asked.trials]
            if kept:
                _write(call, shown, trials, kept, SORTS[asked.by])
            if whole:
                picking.remove(partial)
                work.finish()
    if not whole:
        holds = f"{shown} holds what is done. " if kept else ""
        call.note(f"Stopped after {len(kept)} trials. {holds}Run the same command to go on.")
        raise typer.Exit(show.INTERRUPTED)
    if not call.quiet:
        seconds = time.perf_counter() - started
        typer.echo(f"{path}  {len(kept)} cells, made in {seconds:.0f} s")


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
        **{name: version(name) for name in ("dreamer", "tensorflow")},
    }


def _naturalness(net: Network) -> Naturalness:
    from dreamer.nets import naturalness

    return naturalness.load(net)


def _kept(work: WorkFolder, natural: Naturalness | None) -> list[tuple[Measured, Stored]]:
    """The trials that are done, with their pictures; each measured, where it is asked for."""
    cells = zip((work.state or {}).get("cells", ()), work.frames(), strict=True)
    if natural is None:
        return list(cells)
    return [
        ({**measured, "distance": natural.distance(from_stored(frame))}, frame)
        for measured, frame in cells
    ]


def _dream(
    call: Session,
    read: Photo,
    trials: Sequence[Trial],
    size: Mapping[str, Any],
    work: WorkFolder,
    bar: Bar,
    interrupt: Interrupt,
) -> bool:
    """Dream by the trials that are not done yet; whether Ctrl-C left none."""
    done: list[Measured] = list((work.state or {}).get("cells", ()))
    first = int(done[-1]["trial"]) + 1 if done else 0
    if first:
        call.note(f"{len(done)} trials are done already.")
    sized = [(trial.label, trial.recipe.changed(size)) for trial in trials]
    for number, cell in cells.dream_all(call, read, sized, bar, interrupt, first):
        picture = cell.state.picture()
        done = [*done, {"trial": number, "objective": _raised(cell, picture)}]
        work.append(to_stored(picture), {"cells": done})
    return not interrupt.asked


def _raised(cell: Cell, picture: Any) -> float:
    """How far a dream raised its objective above the photo's, as a share of that."""
    before, after = (cell.assembly.score(image, cell.plan) for image in (cell.photo.image, picture))
    return (after - before) / max(abs(before), 1e-12)


def _write(
    call: Session,
    path: Path,
    trials: Sequence[Trial],
    kept: Sequence[tuple[Measured, Stored]],
    sort: Sort,
) -> None:
    """The sheet, and beside it each cell's preset."""
    kept = sorted(kept, key=lambda cell: sort.key(cell[0]))
    columns = sheets.square(len(kept))
    named = {
        f"r{place // columns + 1}c{place % columns + 1}": trials[int(measured["trial"])]
        for place, (measured, _) in enumerate(kept)
    }
    labels = [
        f"{name} · {sort.tell(measured)} · {trial.label}"
        for (name, trial), (measured, _) in zip(named.items(), kept, strict=True)
    ]
    picking.keep(path, {name: trial.recipe for name, trial in named.items()})
    sheet = sheets.compose([from_stored(frame) for _, frame in kept], labels, columns, LINES)
    photos.write(path, sheet, quality=call.jpeg_quality)
