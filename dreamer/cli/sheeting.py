"""What `dream filters` writes: sheets of channels, single pictures, or a film."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import typer

from dreamer import presets, sheets
from dreamer import recipe as recipes
from dreamer.cli import growth, show, sources, ways
from dreamer.cli.visualisation import Visualisation
from dreamer.errors import DreamerError
from dreamer.files import atomic, cells, photos
from dreamer.files.cells import Cell, Cells
from dreamer.recipe import Recipe

if TYPE_CHECKING:
    from dreamer.targets import Target
    from dreamer.visualise import Grown


@dataclass(frozen=True)
class Asked:
    """What the options of one call ask for beside the recipe."""

    first: int
    all: bool
    vary: Sequence[str]
    between: int | None
    film: Path | None
    columns: int | None
    each: bool
    output: Path | None
    fresh: bool


class Job(NamedTuple):
    """What makes one sheet: its name, the recipe that names its channels, and those."""

    name: str
    recipe: Recipe
    targets: Sequence[Target]


def run(call: Visualisation, asked: Asked) -> None:
    """Grow what the recipe's layers name, and write it."""
    started = time.perf_counter()
    growth.check(asked.film, alone=not (asked.vary or asked.each))
    jobs = list(_jobs(call, asked))
    _check(call, asked, jobs)
    file, folder = sources.destination(
        asked.output,
        many=asked.each or len(jobs) > 1,
        depth=None,
        overwrite=call.overwrite,
    )
    many = Path(f"{Path(call.net.name).stem}-filters") if len(jobs) > 1 else Path()
    where = file.parent if file else folder or many
    sources.make_folder(where)
    _announce(call, asked, jobs)
    for job in jobs:
        if asked.between:
            path = file or atomic.usual_name(where / "between.png", overwrite=call.overwrite)
            ways.between(call, job.recipe, job.targets, asked.between, path, asked.film)
        elif asked.film:
            columns = asked.columns or sheets.square(len(job.targets))
            call.grow(job.recipe, job.targets, asked.film, columns)
            show.say(str(asked.film))
        elif asked.each:
            _singles(call, job, where)
        else:
            _sheet(call, job, asked, file or where / f"{job.name}.png", given=bool(file))
    call.note(f"{time.perf_counter() - started:.1f} s")


def _check(call: Visualisation, asked: Asked, jobs: Sequence[Job]) -> None:
    """Raise DreamerError for options that do not go together."""
    if not (asked.between or asked.film):
        return
    if len(jobs) > 1:
        raise DreamerError("A film or a row shows one layer: name one, or channels.")
    if asked.between:
        ways.check(jobs[0].targets, alone=not (asked.vary or asked.each))
    else:
        call.film_size(jobs[0].recipe, jobs[0].targets)


def _announce(call: Visualisation, asked: Asked, jobs: Sequence[Job]) -> None:
    """Say what is about to be done; what is wrong with the recipe shows here."""
    varied = [recipe for _, recipe in recipes.variations(call.wanted.recipe, asked.vary)]
    for visualiser in map(call.visualiser, varied):
        for job in jobs:
            visualiser.check(job.targets)
    height, width = call.visualiser(varied[0]).size
    count = sum(len(job.targets) for job in jobs) * len(varied) * varied[0].feature.diverse
    sheets = f" on {len(jobs)} sheets" if len(jobs) > 1 else ""
    steps = f"{varied[0].steps} steps"
    call.note(
        f"{call.net.name}: {count} picture{'s' * (count > 1)}{sheets}, {width}×{height}, {steps}"
    )


def _jobs(call: Visualisation, asked: Asked) -> Iterator[Job]:
    """Channels that are named come together on a sheet, and each whole layer has one of its own."""
    recipe, net = call.wanted.recipe, call.net
    from dreamer import targets as goals

    terms = list(zip(recipe.layers, recipe.terms, strict=True))
    named = [(text, term) for text, term in terms if term.channels]
    whole = [term for _, term in terms if not term.channels]
    if chosen := next((term for term in whole if term.choice), None):
        raise DreamerError(f"{chosen.layer} is chosen on a photo, and here is none: give numbers.")
    if named:
        targets = [
            target
            for _, term in named
            for target in goals.targets(net, term.layer, term.channels, term.channel_weights)
        ]
        yield Job("filters", recipe.changed({"layers": [text for text, _ in named]}), targets)
    layers = [name for term in whole for name in goals.layers(net, term.layer)]
    for layer in dict.fromkeys(layers):
        count = net.channels(layer) if asked.all else min(asked.first, net.channels(layer))
        own = recipe.changed({"layers": [f"{layer}:0-{count - 1}"]})
        yield Job(f"filters-{layer}", own, goals.targets(net, layer, range(count)))


def _is_there(call: Visualisation, path: Path, recipe: Recipe) -> bool:
    """Whether a picture is there already, and made by this recipe."""
    if call.overwrite or not path.exists():
        return False
    try:
        same = presets.load(str(path)).recipe == recipe
    except DreamerError:
        same = False
    if same:
        call.note(f"{path} is there already.")
    return same


def _singles(call: Visualisation, job: Job, where: Path) -> None:
    """Write each picture as a file; those that are there already stay."""

    from dreamer import targets as goals

    files: dict[str, tuple[Path, Recipe]] = {}
    missing = []
    for target in job.targets:
        recipe = job.recipe.changed({"layers": [target.label]})
        labels = [each.label for each in goals.in_ways([target], recipe.feature.diverse)]
        files |= {label: (where / _file_name(label), recipe) for label in labels}
        if not all(_is_there(call, *files[label]) for label in labels):
            missing.append(target)

    def write(one: Grown) -> None:
        path, recipe = files[one.label]
        if not _is_there(call, path, recipe):
            photos.write(path, one.picture, made=call.made(recipe), overwrite=call.overwrite)
            show.say(str(path))

    if missing:
        call.grow(job.recipe, missing, finished=write)


def _file_name(label: str) -> str:
    """Of a picture: `mixed4d:139 1/3` is in mixed4d-139-1of3.png."""
    return f"{label.replace(':', '-').replace(' ', '-').replace('/', 'of')}.png"


def _sheet(call: Visualisation, job: Job, asked: Asked, path: Path, *, given: bool) -> None:
    """Write a sheet, going on with one that was stopped; one that is there already stays."""
    if not given and not asked.fresh and not cells.folder(path).exists():
        if _is_there(call, path, job.recipe):
            return
        path = atomic.usual_name(path, overwrite=call.overwrite)
    key = {
        "recipe": recipes.to_fields(job.recipe),
        "vary": list(asked.vary),
        "network": call.net.sha256,
        "photo": call.photo_sha256,
    }
    store = Cells(cells.folder(path), key, fresh=asked.fresh)
    shown = [
        cell
        for option, recipe in recipes.variations(job.recipe, asked.vary)
        for cell in kept(call, recipe, job.targets, store, option)
    ]
    rows = job.recipe.feature.diverse if job.recipe.feature.diverse > 1 else len(job.targets)
    in_rows = (asked.vary or job.recipe.feature.diverse > 1) and rows > 1
    columns = asked.columns or (rows if in_rows else sheets.square(len(shown)))
    across: Sequence[str] = ()
    down: Sequence[str] = ()
    if asked.vary and columns == rows > 1:
        across = [each.label for each in _in_ways(job)]
        down = [option for option, _ in recipes.variations(job.recipe, asked.vary)]
    labelled = [
        (each.picture, f"{'' if across else each.label}  {each.score:.4g}".strip())
        for each in shown
    ]
    call.write_sheet(path, labelled, columns, call.made(job.recipe), across, down)
    store.remove()


def _in_ways(job: Job) -> list[Target]:
    from dreamer import targets as goals

    return goals.in_ways(job.targets, job.recipe.feature.diverse)


def kept(
    call: Visualisation,
    recipe: Recipe,
    targets: Sequence[Target],
    store: Cells,
    option: str = "",
) -> list[Cell]:
    """The pictures of one recipe; those that are not in the store yet are grown, and kept there."""

    from dreamer import targets as goals

    ways = recipe.feature.diverse

    def stored(target: Target) -> list[Cell | None]:
        named = goals.in_ways([target], ways)
        return [store.get(f"{option} {each.label}".strip()) for each in named]

    missing = [target for target in targets if None in stored(target)]

    def keep(one: Grown) -> None:
        store.put(Cell(f"{option} {one.label}".strip(), one.picture, one.score))

    if missing:
        try:
            call.grow(recipe, missing, finished=keep)
        except typer.Exit:
            call.note("What is finished is kept: the same command goes on with the rest.")
            raise
    return [cell for target in targets for cell in stored(target) if cell is not None]
