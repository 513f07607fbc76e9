"""The job behind `dream filters`: sheets of channels, single pictures, or a film."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from dreamer.errors import DreamerError
from dreamer.files import atomic, cell_store, photos
from dreamer.files.cell_store import CellStore
from dreamer.imaging import contact_sheet
from dreamer.jobs import presets
from dreamer.jobs.ascent_film import check_film
from dreamer.jobs.channel_to_channel import check_between, write_between
from dreamer.jobs.events import Done, Note, Outcome, Planned, Sink, Stop, Stopped, format_count
from dreamer.jobs.outputs import Headings, round_number, save_preset
from dreamer.jobs.requests import FiltersRequest
from dreamer.jobs.resolve import Origin, network_file, parse_init, resolve
from dreamer.jobs.scores import choose_scores, describe_score
from dreamer.jobs.sheet_cache import grow_missing
from dreamer.jobs.sources import find_destination, make_folder
from dreamer.jobs.visualization import Run, Visualization
from dreamer.jobs.workbench import Workbench
from dreamer.recipe import Recipe, to_fields
from dreamer.recipe.field_types import Kind
from dreamer.recipe.toml_text import vary

if TYPE_CHECKING:
    from dreamer.pipelines.layer_growth import Grown
    from dreamer.pipelines.targets import Target


class Sheet(NamedTuple):
    """What makes one sheet: its name, the recipe that names its channels, and those."""

    name: str
    recipe: Recipe
    targets: Sequence[Target]


def run(request: FiltersRequest, emit: Sink, stop: Stop, bench: Workbench) -> Outcome:
    """Grow what a request's layers name, and write it.

    Raises DreamerError where nothing can be done.
    """
    init = request.fields.get("visualization.init")
    _, photo = parse_init(str(init) if init else None)
    if request.fields.get("visualization.unit") and request.fields.get("jitter", "0") != "0":
        emit(Note("--jitter is not for --unit: what is shifted is another unit's."))
    if request.layers:
        given = {**request.fields, "layers": request.layers}
        request = request.model_copy(update={"fields": given})
    origin = Origin(request.preset, usual="filters")
    wanted = resolve(request, Kind.CHANNEL, emit, origin)
    if not wanted.recipe.layers:
        raise DreamerError("Name a layer, as mixed4d; `dream models layers` shows them all.")
    if request.save_preset:
        save_preset(request.save_preset, wanted.recipe, overwrite=request.overwrite)
    count = sum(len(term.channels or range(request.first)) for term in wanted.recipe.terms)
    overwrite = request.overwrite or request.fresh
    pictures, scores = choose_scores(request.output, request.log, overwrite=overwrite)
    how = Run(
        *(request.threads, overwrite, not request.no_recipe, emit, stop, bench), scores=scores
    )
    _, file = network_file(request)
    job = Visualization(wanted, file, photo, how, targets=count)
    try:
        if request.on:
            from dreamer.jobs.channel_catalog import write_catalog

            write_catalog(job, request, request.on, pictures)
        elif request.grid or request.caricature:
            from dreamer.jobs.photo_views import write_view

            write_view(job, request, pictures)
        else:
            _write_all(job, request, pictures)
    except Stopped:
        return Outcome(stopped=True)
    scores.write(emit)
    return Outcome()


def _write_all(job: Visualization, request: FiltersRequest, output: Path | None) -> None:
    check_film(request.film, alone=not (request.vary or request.each))
    sheets = list(_find_sheets(job, request))
    _check(job, request, sheets)
    file, folder = find_destination(
        output, many=request.each or len(sheets) > 1, overwrite=job.run.overwrite
    )
    many = Path(f"{Path(job.net.name).stem}-filters") if len(sheets) > 1 else Path()
    where = file.parent if file else folder or many
    make_folder(where)
    job.run.emit(Planned(_describe_plan(job, request, sheets)))
    varied = len(vary(job.wanted.recipe, request.vary))
    job.run.parts.count = varied * len(sheets)
    for number, sheet in enumerate(sheets):
        # Of a sheet that is there already, nothing grows.
        job.run.parts.done = varied * number
        if request.between:
            path = file or atomic.choose_default_name(
                where / "between.png", overwrite=job.run.overwrite
            )
            write_between(job, sheet.recipe, sheet.targets, request.between, path, request.film)
        elif request.film:
            columns = request.columns or contact_sheet.choose_columns(len(sheet.targets))
            for one in job.grow(sheet.recipe, sheet.targets, request.film, columns):
                job.run.scores.add(one)
            job.run.emit(Done(str(request.film), request.film))
        elif job.run.scores.table and not output:
            for option, recipe in vary(sheet.recipe, request.vary):
                for one in job.grow(recipe, sheet.targets, option=option):
                    job.run.scores.add(one, option)
        elif request.each:
            _write_each(job, sheet, where)
        else:
            path = file or where / f"{sheet.name}.png"
            _write_sheet(job, sheet, request, path, given=bool(file))


def _check(job: Visualization, request: FiltersRequest, sheets: Sequence[Sheet]) -> None:
    """Raise DreamerError for options that do not go together."""
    if not (request.between or request.film):
        return
    if len(sheets) > 1:
        raise DreamerError("A film or a row shows one layer: name one, or channels.")
    if request.between:
        check_between(sheets[0].targets, alone=not (request.vary or request.each))
        if job.run.scores.table or job.run.scores.log:
            raise DreamerError("--between has a score for each mix: leave tables and --log out.")
    else:
        job.film_size(sheets[0].recipe, sheets[0].targets)


def _describe_plan(job: Visualization, request: FiltersRequest, sheets: Sequence[Sheet]) -> str:
    """Describe what is about to be done; what is wrong with the recipe shows here."""
    varied = [recipe for _, recipe in vary(job.wanted.recipe, request.vary)]
    for visualizer in map(job.visualizer, varied):
        for sheet in sheets:
            visualizer.check(sheet.targets)
    height, width = job.visualizer(varied[0]).size
    count = sum(len(sheet.targets) for sheet in sheets)
    count *= len(varied) * varied[0].visualization.diverse
    on = f" on {len(sheets)} sheets" if len(sheets) > 1 else ""
    return (
        f"{job.net.name}: {format_count(count, 'picture')}{on}, {width}×{height}, "
        f"{format_count(varied[0].steps, 'step')}"
    )


def _find_sheets(job: Visualization, request: FiltersRequest) -> Iterator[Sheet]:
    """Find the sheets: channels that are named share one, and each whole layer has its own."""
    recipe, net = job.wanted.recipe, job.net
    from dreamer.pipelines.targets import find_layers, find_targets, join_terms

    if recipe.visualization.together:
        yield Sheet("filters", recipe, [join_terms(net, recipe)])
        return
    terms = list(zip(recipe.layers, recipe.terms, strict=True))
    named = [(text, term) for text, term in terms if term.channels]
    whole = [term for _, term in terms if not term.channels]
    if chosen := next((term for term in whole if term.choice), None):
        raise DreamerError(f"{chosen.layer} is chosen on a photo, and here is none: give numbers.")
    if named:
        targets = [
            target
            for _, term in named
            for target in find_targets(net, term.layer, term.channels, term.channel_weights)
        ]
        yield Sheet("filters", recipe.changed({"layers": [text for text, _ in named]}), targets)
    layers = [name for term in whole for name in find_layers(net, term.layer)]
    for layer in dict.fromkeys(layers):
        every = net.channels(layer)
        count = every if request.every_channel else min(request.first, every)
        own = recipe.changed({"layers": [f"{layer}:0-{count - 1}"]})
        yield Sheet(f"filters-{layer}", own, find_targets(net, layer, range(count)))


def _is_there(job: Visualization, path: Path, recipe: Recipe) -> bool:
    """Tell whether a picture is there already, and made by this recipe."""
    if job.run.overwrite or not path.exists():
        return False
    try:
        same = presets.load(str(path)).recipe == recipe
    except DreamerError:
        same = False
    if same:
        job.note(f"{path} is there already.")
    return same


def _write_each(job: Visualization, sheet: Sheet, where: Path) -> None:
    """Write each picture as a file; those that are there already stay."""
    from dreamer.pipelines.targets import repeat_targets

    files: dict[str, tuple[Path, Recipe]] = {}
    missing = []
    for target in sheet.targets:
        together = sheet.recipe.visualization.together
        recipe = sheet.recipe if together else sheet.recipe.changed({"layers": [target.label]})
        repeated = repeat_targets([target], recipe.visualization.diverse)
        labels = [each.label for each in repeated]
        files |= {label: (where / _name_file(label), recipe) for label in labels}
        if not all(_is_there(job, *files[label]) for label in labels):
            missing.append(target)

    def write(one: Grown) -> None:
        path, recipe = files[one.label]
        if not _is_there(job, path, recipe):
            carried = job.describe(recipe, **describe_score(one))
            alpha, overwrite = one.alpha, job.run.overwrite
            photos.write(path, one.picture, alpha, made=carried, overwrite=overwrite)
            job.run.emit(Done(str(path), path))
        job.run.scores.add(one)

    if missing:
        job.grow(sheet.recipe, missing, finished=write)


def _name_file(label: str) -> str:
    """Return the name of a picture: `mixed4d:139 1/3` is in mixed4d-139-1of3.png."""
    plain = label.replace(" + ", "+").replace(":", "-").replace(" ", "-").replace("/", "of")
    return f"{plain}.png"


def _write_sheet(
    job: Visualization, sheet: Sheet, request: FiltersRequest, path: Path, *, given: bool
) -> None:
    """Write a sheet, going on with one that was stopped; one that is there already stays."""
    from dreamer.pipelines.targets import repeat_targets

    if not given and not request.fresh and not cell_store.folder(path).exists():
        if _is_there(job, path, sheet.recipe):
            return
        path = atomic.choose_default_name(path, overwrite=job.run.overwrite)
    key = {
        "recipe": to_fields(sheet.recipe),
        "vary": list(request.vary),
        "network": job.net.sha256,
        "photo": job.photo_sha256,
    }
    store = CellStore(cell_store.folder(path), key, fresh=request.fresh)
    varied = vary(sheet.recipe, request.vary)
    shown = []
    for option, recipe in varied:
        for cell in grow_missing(job, recipe, sheet.targets, store, option):
            shown.append(cell)
            alone = cell._replace(label=cell.label.removeprefix(option).strip())
            job.run.scores.add(alone, option)
    diverse = sheet.recipe.visualization.diverse
    row = diverse if diverse > 1 else len(sheet.targets)
    in_rows = (request.vary or diverse > 1) and row > 1
    columns = request.columns or (row if in_rows else contact_sheet.choose_columns(len(shown)))
    headings = Headings()
    if request.vary and columns == row > 1:
        across = [each.label for each in repeat_targets(sheet.targets, diverse)]
        headings = Headings(across, [option for option, _ in varied])
    labeled = [
        (each.picture, f"{'' if headings.across else each.label}  {each.score:.4g}".strip())
        for each in shown
    ]
    scored = {each.label: round_number(each.score) for each in shown}
    carried = job.describe(sheet.recipe, scores=scored)
    job.write_sheet(path, labeled, columns, carried, headings)
    store.remove()
