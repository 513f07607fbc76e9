"""The part of `dream search` that grows a channel or a class by many recipes, on one sheet."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from dreamer.errors import DreamerError, speaking_of
from dreamer.files import atomic, photos
from dreamer.files import cell_store as stored
from dreamer.files.cell_store import Cell, CellStore
from dreamer.imaging import contact_sheet
from dreamer.jobs import search_presets
from dreamer.jobs.events import Done, Outcome, Planned, Sink, Stop, Stopped, format_count
from dreamer.jobs.requests import SearchRequest
from dreamer.jobs.resolve import Origin, network_file, resolve
from dreamer.jobs.sources import find_destination, make_folder
from dreamer.jobs.visualization import Run, Visualization
from dreamer.jobs.workbench import Workbench
from dreamer.recipe import search_space, to_fields
from dreamer.recipe.field_types import Kind
from dreamer.recipe.layer_spec import parse_layer
from dreamer.recipe.search_space import Search, Stock, Trial

if TYPE_CHECKING:
    from dreamer.pipelines.targets import Target


def run_grown(request: SearchRequest, emit: Sink, stop: Stop, bench: Workbench) -> Outcome:
    """Grow what `--grow` names by recipes drawn at random; or keep a cell of such a sheet.

    Raises DreamerError where nothing can be done.
    """
    assert request.grow is not None
    if request.photo or request.noise or request.of:
        raise DreamerError("--grow grows pictures from nothing: leave the photo and --of out.")
    if request.by not in ("objective", "trial", "appeal"):
        raise DreamerError("--grow sorts --by objective or trial.")
    overwrite = request.overwrite or request.pick is not None
    target = find_destination(request.output, many=False, overwrite=overwrite)
    name = atomic.fit_name("-".join(request.grow.replace(":", " ").split()), "")
    if request.pick:
        with speaking_of("--pick"):
            sheet = target.file or search_presets.find_newest(name, target.folder or Path())
            path, place = search_presets.pick_cell(
                sheet, request.pick, request.save_preset, overwrite=request.overwrite
            )
        emit(Done(f"{path}  {place} of {sheet}", path))
        return Outcome()
    is_channel = ":" in request.grow
    usual, kind = ("filters", Kind.CHANNEL) if is_channel else ("class", Kind.CLASS)
    flag = "--around" if request.around else "--preset"
    origin = Origin(request.around or request.preset, flag, usual=usual)
    wanted = resolve(request, kind, emit, origin)
    how = Run(request.threads, request.overwrite, True, emit, stop, bench)
    _, file = network_file(request)
    job = Visualization(wanted, file, None, how, entire=not is_channel)
    usual_name = (target.folder or Path()) / f"{name}-{search_presets.SUFFIX}.png"
    path = target.file or usual_name
    if path.exists() and not overwrite and not stored.folder(path).is_dir():
        path = atomic.choose_default_name(usual_name, overwrite=False)
    make_folder(path.parent)
    return _search(job, request, path)


def _find_target(job: Visualization, asked: str) -> Target:
    """Return the channel or the class that is grown. Raises DreamerError where it is several."""
    # TensorFlow is started with the network, before anything imports it.
    net = job.net
    from dreamer.analysis import classifier
    from dreamer.pipelines.targets import find_targets

    if ":" not in asked:
        head = classifier.find_head(net)
        output = head.found(asked)
        return find_targets(net, head.layer, [output])[0]
    term = parse_layer(asked)
    found = find_targets(net, term.layer, term.channels, term.channel_weights)
    if len(found) > 1:
        raise DreamerError(f"--grow takes one channel or class, and {asked} is {len(found)}.")
    return found[0]


def _search(job: Visualization, request: SearchRequest, path: Path) -> Outcome:
    target = _find_target(job, request.grow or "")
    held, around = set(request.fields), request.around is not None
    base = job.wanted.recipe.changed({"layers": [target.label]})
    with speaking_of("--over"):
        fields = search_space.parse_search_space(
            request.over, held, Stock({}), search_space.GROWN_FIELDS
        )
    plan = Search(base, fields, request.seed, around, Stock({}))
    trials = [plan.trial(number) for number in range(request.count)]
    job.run.emit(Planned(f"{job.net.name}: {format_count(len(trials), 'recipe')} {target.label}"))
    key = {
        **{
            "recipe": to_fields(base),
            "fields": {name: repr(each) for name, each in fields.items()},
        },
        **{"around": around, "seed": plan.seed, "network_sha256": job.net.sha256},
    }
    store = CellStore(stored.folder(path), key, fresh=request.fresh)
    job.run.parts.count = len(trials)
    try:
        for number, trial in enumerate(trials):
            if store.get(str(number)) is None:
                (one, *_) = job.grow(trial.recipe, [target])
                store.put(Cell(str(number), one.picture, one.score, one.first_score, one.step))
            job.run.parts.done = number + 1
    except Stopped:
        job.note("What is finished is kept: the same command goes on with the rest.")
        return Outcome(stopped=True)
    _write(job, path, trials, store, by_score=request.by != "trial")
    store.remove()
    return Outcome()


def _write(
    job: Visualization, path: Path, trials: list[Trial], store: CellStore, *, by_score: bool
) -> None:
    """Write the sheet, and beside it each cell's preset."""
    cells = [cell for number in range(len(trials)) if (cell := store.get(str(number)))]
    if by_score:
        cells.sort(key=lambda cell: -cell.score)
    columns = contact_sheet.choose_columns(len(cells))
    places = [f"r{number // columns + 1}c{number % columns + 1}" for number in range(len(cells))]
    recipes = {
        place: trials[int(cell.label)].recipe for place, cell in zip(places, cells, strict=True)
    }
    search_presets.write_cells(path, recipes)
    labels = [
        f"{place} · {cell.score:.4g} · {trials[int(cell.label)].label}"
        for place, cell in zip(places, cells, strict=True)
    ]
    sheet = contact_sheet.compose([cell.picture for cell in cells], labels, columns)
    photos.write(path, sheet, overwrite=True)
    job.run.emit(Done(f"{path}  {format_count(len(cells), 'cell')}", path))
