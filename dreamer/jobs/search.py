"""The job behind `dream search`: many recipes at random, kept as they are dreamt, on one sheet."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from dreamer.arrays import Image
from dreamer.errors import DreamerError, speaking_of
from dreamer.files import atomic, photos
from dreamer.files import cell_store as stored
from dreamer.files.cell_store import CellStore
from dreamer.files.photos import Photo, Style
from dreamer.imaging import contact_sheet
from dreamer.imaging.appeal import measure_appeal
from dreamer.jobs import search_presets, sheets
from dreamer.jobs.dream_photos import CELL_SIZE, Dreaming, Place, start_dreaming
from dreamer.jobs.events import Done, Outcome, Sink, Stop, format_count
from dreamer.jobs.mask_and_guide_files import find_companions
from dreamer.jobs.outputs import choose_encoding
from dreamer.jobs.requests import SearchRequest
from dreamer.jobs.resolve import Origin, resolve, take_first_frame
from dreamer.jobs.search_grown import run_grown
from dreamer.jobs.sources import Naming, Source, find_destination, find_sources, make_folder
from dreamer.jobs.workbench import Workbench
from dreamer.networks import runtime
from dreamer.recipe import About, search_space, to_fields, words
from dreamer.recipe.field_types import Kind
from dreamer.recipe.names import find_field
from dreamer.recipe.search_space import Search, Stock, Trial
from dreamer.recipe.toml_text import changed_fields, parse_setting

if TYPE_CHECKING:
    from dreamer.analysis.naturalness import Naturalness
    from dreamer.networks.network import Network

MOTIFS = range(30, 150)
"""Motif sizes, in pixels, of layers that are searched over: finer ones draw edges, coarser ones
little."""


class Tried(NamedTuple):
    """A finished trial: its number, its dream, and what is measured on that.

    Attributes:
        raised: how far above the photo's the objective is, as a share of that.
        distance: from what is natural (`naturalness`); 0 where nobody asks for it.
        appeal: how likely an eye chooses it.
    """

    number: int
    picture: Image
    raised: float
    distance: float
    appeal: float = 0.0


class Sort(NamedTuple):
    """How a sheet is sorted: by what, the least first, and what of it stands in a label."""

    key: Callable[[Tried], float]
    describe: Callable[[Tried], str]


SORTS: Mapping[str, Sort] = {
    "appeal": Sort(lambda tried: -tried.appeal, lambda tried: f"trial {tried.number + 1}"),
    "objective": Sort(
        lambda tried: -tried.raised, lambda tried: f"objective x{1 + tried.raised:.3g}"
    ),
    "naturalness": Sort(
        lambda tried: tried.distance, lambda tried: f"{tried.distance:.2f} from photos"
    ),
    "trial": Sort(lambda tried: tried.number, lambda tried: f"trial {tried.number + 1}"),
}


@dataclass(frozen=True)
class Ask:
    """What a search does beyond the recipe.

    Attributes:
        request: as it was given.
        held: fields that options have set.
        size: the recipe's fields that give the size of the cells.
        naming: of the sheet.
        quality: of the sheet, where it is no PNG.
    """

    request: SearchRequest
    held: frozenset[str]
    size: Mapping[str, Any]
    naming: Naming
    quality: int


def run(request: SearchRequest, emit: Sink, stop: Stop, bench: Workbench) -> Outcome:
    """Search on one photo; or keep a cell of a finished search.

    Raises DreamerError where nothing can be done.
    """
    if request.grow:
        return run_grown(request, emit, stop, bench)
    if request.around and request.preset:
        raise DreamerError("--around brings the recipe: leave --preset out.")
    if request.save_preset and not request.pick:
        raise DreamerError("--save-preset needs a cell to save: give --pick rNcM.")
    origin = Origin(request.around or request.preset, "--around" if request.around else "--preset")
    companions = find_companions(request, origin.preset)
    size = request.fields.get("size")
    asked_size = {"size": size or CELL_SIZE, "enlarge": size not in (None, "full")}
    fields = {name: value for name, value in request.fields.items() if name != "size"}
    request = request.model_copy(update={"fields": fields})
    wanted = take_first_frame(resolve(request, Kind.PICTURE, emit, origin, companions), emit)
    # What is wrong with it shows before the search.
    sized = wanted.recipe.changed(asked_size)
    (source, *others), _ = find_sources(
        [request.photo] if request.photo else [], request.noise, wanted.recipe.seed
    )
    if others:
        raise DreamerError(
            f"A search is on one photo, and {request.photo} holds several: give one."
        )
    target = find_destination(
        request.output, many=False, overwrite=request.overwrite or request.pick is not None
    )
    if request.pick:
        with speaking_of("--pick"):
            sheet = target.file or search_presets.find_newest(
                source.name, target.folder or source.folder
            )
            path, place = search_presets.pick_cell(
                sheet, request.pick, request.save_preset, overwrite=request.overwrite
            )
        emit(Done(f"{path}  {place} of {sheet}", path))
        return Outcome()
    dreaming = start_dreaming(request, wanted, companions, emit, stop, bench)
    held = {*fields, *(find_field(parse_setting(each)[0]) or "" for each in request.settings)}
    held |= {"layers"} if request.of or request.unwanted else set()
    held |= {"colors"} if request.keep_colors else set()
    naming = Naming(target, search_presets.SUFFIX, request.overwrite)
    encoding = choose_encoding(wanted, request.quality, None, target.file, recipe=False)
    size_fields = {"size": sized.size, "enlarge": sized.enlarge}
    ask = Ask(request, frozenset(held), size_fields, naming, encoding.quality)
    return _search(dreaming, ask, source)


def _search(dreaming: Dreaming, ask: Ask, source: Source) -> Outcome:
    """Search on one photo; where the job is asked to stop, write a sheet of what is done."""
    request, place = ask.request, Place(0, 1, dreaming.emit)
    name = f"{source.name}-{search_presets.SUFFIX}.png"
    read, path = source.read(), ask.naming.name_resumable(source.folder, name, _is_unfinished)
    make_folder(path.parent)
    cells = search_presets.cells_folder(path)
    if cells.exists() and not (request.overwrite or _is_unfinished(path)):
        raise atomic.exists_error(cells)
    place.begin()
    net = dreaming.build(dreaming.wanted.recipe).network
    plan = _plan(dreaming, ask, net)
    trials = _draw_trials(plan, request.count, net)
    natural = _load_naturalness(net) if request.by == "naturalness" else None
    key = _identify(dreaming, ask, plan, net, read)
    store = CellStore(stored.folder(path), key, fresh=request.fresh)
    try:
        whole = _dream(dreaming, read, trials, ask.size, store, place)
    except DreamerError:
        if not _measure(store, len(trials), read.image, None):
            store.remove()
        raise
    partial = atomic.partial_path(path)
    shown = path if whole else partial
    done = _measure(store, len(trials), read.image, natural)
    if done and not dreaming.stop.drops:
        _write(ask, shown, trials, done)
    if whole:
        search_presets.remove_sheet(partial)
        store.remove()
        text = f"{path}  {format_count(len(done), 'cell')}"
        dreaming.emit(Done(text, path, timed=True))
        return Outcome()
    if dreaming.stop.drops:
        store.remove()
    holds = f"{shown} holds what is done. " if done else ""
    dreaming.note(f"Stopped after {len(done)} trials. {holds}Run the same command to go on.")
    return Outcome(stopped=True)


def _is_unfinished(sheet: Path) -> bool:
    return stored.folder(sheet).is_dir()


def _plan(dreaming: Dreaming, ask: Ask, net: Network) -> Search:
    """Plan what is searched over: what nobody has set, or what was asked for."""
    recipe, held, stock = dreaming.wanted.recipe, {*ask.held}, _find_stock(dreaming, net)
    around = ask.request.around is not None
    own: dict[str, Any] = {
        "about": About().model_dump(),
        "layers": recipe.layers or net.spec.layers,
    }
    if recipe.octaves:
        # They replace each other.
        held.add("motif")
    if not around:
        held |= changed_fields(recipe).keys()
        own |= {} if "patience" in held else {"patience": search_space.PATIENCE}
    with speaking_of("--over"):
        fields = search_space.parse_search_space(ask.request.over, held, stock)
    return Search(recipe.changed(own), fields, ask.request.seed, around, stock)


def _draw_trials(plan: Search, count: int, net: Network) -> list[Trial]:
    """Draw all trials. Raises DreamerError for a value or a layer that cannot be."""
    trials = [plan.trial(number) for number in range(count)]
    for layer in {term.layer for trial in trials for term in trial.recipe.terms}:
        net.resolve(layer)
    return trials


def _find_stock(dreaming: Dreaming, net: Network) -> Stock:
    """Find the layers of a network that draw most, and its words, if it has any."""
    motifs = net.spec.motifs
    layers = [layer for layer in net.landmarks if motifs.get(layer, MOTIFS.start) in MOTIFS]
    try:
        subjects = words.load(dreaming.wanted.recipe.network, dreaming.weights).subjects
    except DreamerError:
        subjects = {}
    return Stock(
        {layer: net.channels(layer) for layer in layers},
        {names.partition(",")[0]: word.layers for names, word in sorted(subjects.items())},
    )


def _identify(
    dreaming: Dreaming, ask: Ask, plan: Search, net: Network, read: Photo
) -> dict[str, Any]:
    """Return everything that decides the cells; how many there are does not."""
    return {
        "recipe": to_fields(plan.base),
        "fields": {name: repr(values) for name, values in plan.fields.items()},
        "around": plan.around,
        "seed": plan.seed,
        "cells": dict(ask.size),
        "photo_sha256": read.sha256,
        "network_sha256": net.sha256,
        "threads": dreaming.started,
        **runtime.versions(),
    }


def _dream(
    dreaming: Dreaming,
    read: Photo,
    trials: Sequence[Trial],
    size: Mapping[str, Any],
    store: CellStore,
    place: Place,
) -> bool:
    """Dream by the trials that are not in the store yet; tell whether all are done."""
    there = {number for number in range(len(trials)) if store.get(str(number))}
    if there:
        dreaming.note(f"{len(there)} of {len(trials)} are done already.")
    sized = [(trial.label, trial.recipe.changed(size)) for trial in trials]
    cells = sheets.Cells(sized, "trial", there)
    for number, cell in sheets.dream_cells(dreaming, read, cells, place):
        picture = cell.state.picture()
        store.put(stored.Cell(str(number), picture, _measure_raise(cell, picture)))
    return not dreaming.stop.asked


def _measure_raise(cell: sheets.Cell, picture: Image) -> float:
    """Measure how far a dream raised its objective above the photo's, as a share of that."""
    before, after = (cell.pipeline.score(image, cell.plan) for image in (cell.photo.image, picture))
    return (after - before) / max(abs(before), 1e-12)


def _load_naturalness(net: Network) -> Naturalness:
    from dreamer.analysis import naturalness

    return naturalness.load(net)


def _measure(
    store: CellStore, count: int, photo: Image, natural: Naturalness | None
) -> list[Tried]:
    """Measure what is in the store."""
    found = [(number, store.get(str(number))) for number in range(count)]
    tried = []
    for number, cell in found:
        if cell:
            picture, raised = cell.picture, cell.score
            like = photos.resize(Photo(photo, None, ""), picture.shape[:2]).image
            distance = natural.distance(picture) if natural else 0.0
            tried.append(Tried(number, picture, raised, distance, measure_appeal(picture, like)))
    return tried


def _write(ask: Ask, path: Path, trials: Sequence[Trial], done: Sequence[Tried]) -> None:
    """Write the sheet, and beside it each cell's preset."""
    sort = SORTS[ask.request.by]
    done, columns = sorted(done, key=sort.key), contact_sheet.choose_columns(len(done))
    named = {
        f"r{place // columns + 1}c{place % columns + 1}": each for place, each in enumerate(done)
    }
    labels = [
        " · ".join((name, *_describe(sort, each), trials[each.number].label))
        for name, each in named.items()
    ]
    recipes = {name: trials[each.number].recipe for name, each in named.items()}
    search_presets.write_cells(path, recipes)
    sheet = contact_sheet.compose([each.picture for each in done], labels, columns)
    photos.write(path, sheet, style=Style(ask.quality))


def _describe(sort: Sort, tried: Tried) -> list[str]:
    """Describe what a cell is sorted by, and its number as the progress has it."""
    return list(dict.fromkeys([sort.describe(tried), SORTS["trial"].describe(tried)]))
