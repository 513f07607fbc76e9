"""The job behind `dream class`: a picture of a class, or a sheet of several."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from dreamer.errors import DreamerError
from dreamer.files import atomic, photos
from dreamer.imaging import contact_sheet
from dreamer.jobs.ascent_film import check_film
from dreamer.jobs.events import Done, Outcome, Planned, Sink, Stop, Stopped
from dreamer.jobs.outputs import save_preset
from dreamer.jobs.requests import ClassRequest
from dreamer.jobs.resolve import Origin, network_file, parse_init, resolve
from dreamer.jobs.scores import Seen, choose_scores, describe_score, look
from dreamer.jobs.sources import find_destination, make_folder
from dreamer.jobs.visualization import Run, Visualization
from dreamer.jobs.workbench import Workbench
from dreamer.recipe import Recipe
from dreamer.recipe.field_types import Kind
from dreamer.recipe.toml_text import vary

if TYPE_CHECKING:
    from dreamer.analysis.classifier import Head
    from dreamer.pipelines.layer_growth import Grown


class Cell(NamedTuple):
    """A picture, the recipe that makes it again, the options that vary it, and how it is seen."""

    grown: Grown
    recipe: Recipe
    options: str
    seen: Seen


def run(request: ClassRequest, emit: Sink, stop: Stop, bench: Workbench) -> Outcome:
    """Grow a picture of each class by each variation of the recipe, and write them.

    Raises DreamerError where nothing can be done.
    """
    init = request.fields.get("visualization.init")
    _, photo = parse_init(str(init) if init else None)
    wanted = resolve(request, Kind.CLASS, emit, Origin(request.preset, usual="class"))
    if request.save_preset:
        save_preset(request.save_preset, wanted.recipe, overwrite=request.overwrite)
    overwrite = request.overwrite
    pictures, scores = choose_scores(request.output, request.log, overwrite=overwrite)
    how = Run(
        *(request.threads, overwrite, not request.no_recipe, emit, stop, bench), scores=scores
    )
    _, file = network_file(request)
    job = Visualization(wanted, file, photo, how, entire=True, targets=len(request.names))
    try:
        _write_all(job, request, pictures)
    except Stopped:
        return Outcome(stopped=True)
    scores.write(emit)
    return Outcome()


def _write_all(job: Visualization, request: ClassRequest, output: Path | None) -> None:
    check_film(request.film, alone=not request.vary)
    varied = vary(job.wanted.recipe, request.vary)
    if len({recipe.network for _, recipe in varied}) > 1:
        raise DreamerError("Classes are looked up on one network: run once for each, with -m.")
    net = job.net
    from dreamer.analysis import classifier

    head = classifier.find_head(net, request.labels, request.head)
    classes = classifier.find_outputs(head, request.names) or _find_recorded(
        head, job.wanted.recipe
    )
    count = len(classes) * sum(recipe.visualization.diverse for _, recipe in varied)
    alone = count == 1
    file, folder = find_destination(
        output, many=request.each and not alone, overwrite=request.overwrite
    )
    where = file.parent if file else folder or Path()
    make_folder(where)
    job.run.emit(Planned(f"{net.name}: {', '.join(map(head.label, classes))}"))
    for text in head.notes(request.names):
        job.note(text)
    job.run.parts.count = len(varied)
    columns = request.columns or _count_columns(len(classes), [recipe for _, recipe in varied])
    cells = [
        cell
        for options, recipe in varied
        for cell in _grow(job, head, (options, recipe), classes, (request.film, columns))
    ]
    for cell in cells:
        job.run.scores.add(cell.grown, cell.options, cell.seen)
    wants_pictures = output or not job.run.scores.table
    if wants_pictures and (request.each or alone):
        _write_each(job, cells, file, where)
    elif wants_pictures:
        path = file or atomic.choose_default_name(
            where / "classes.png", overwrite=request.overwrite
        )
        shown = [
            (contact_sheet.lay_on_paper(cell.grown.picture, cell.grown.alpha), _label(cell))
            for cell in cells
        ]
        scored = {_label(cell): describe_score(cell.grown, cell.seen) for cell in cells}
        own = _name_classes(head, job.wanted.recipe, classes)
        job.write_sheet(path, shown, columns, job.describe(own, scores=scored))
    for cell in cells:
        job.run.emit(Done(f"{cell.options} {_describe_seen(head, cell)}".strip()))


def _write_each(job: Visualization, cells: Sequence[Cell], file: Path | None, where: Path) -> None:
    written: set[Path] = set()
    for cell in cells:
        usual = where / (re.sub(r"\W+", "-", cell.grown.label) + ".png")
        # Several may have one label.
        path = file or atomic.find_free_name(usual, written if job.run.overwrite else None)
        written.add(path)
        provenance = job.describe(cell.recipe, **describe_score(cell.grown, cell.seen))
        one, overwrite = cell.grown, job.run.overwrite
        photos.write(path, one.picture, one.alpha, made=provenance, overwrite=overwrite)
        job.run.emit(Done(str(path), path))


def _find_recorded(head: Head, recipe: Recipe) -> list[int]:
    """Find the classes that a finished picture was made of."""
    net = head.net
    own = [term for term in recipe.terms if net.resolve(term.layer) == head.layer]
    found = [head.found(str(channel)) for term in own for channel in term.channels or ()]
    if not found:
        raise DreamerError(
            f"Name a class, as magpie or 18: `dream models classes {net.name}` lists them."
        )
    return found


def _name_classes(head: Head, recipe: Recipe, classes: Sequence[int]) -> Recipe:
    """Return a recipe that names its classes, for a picture to carry."""
    return recipe.changed({"layers": [f"{head.layer}:{','.join(map(str, classes))}"]})


def _grow(
    job: Visualization,
    head: Head,
    varied: tuple[str, Recipe],
    classes: Sequence[int],
    filmed: tuple[Path | None, int],
) -> list[Cell]:
    from dreamer.pipelines.targets import find_targets

    options, recipe = varied
    units = find_targets(head.net, head.layer, classes)
    named = [
        unit._replace(label=head.label(output)) for output, unit in zip(classes, units, strict=True)
    ]
    every = job.grow(_name_classes(head, recipe, classes), named, *filmed, option=options)
    outputs = [output for output in classes for _ in range(recipe.visualization.diverse)]
    return [
        Cell(grown, _name_classes(head, recipe, [output]), options, look(head, output, grown))
        for output, grown in zip(outputs, every, strict=True)
    ]


def _count_columns(classes: int, varied: Sequence[Recipe]) -> int:
    """Count a row for each variation, or for a class's different pictures; else about a square."""
    diverse = varied[0].visualization.diverse
    if len(varied) > 1 and classes * diverse > 1:
        return classes * diverse
    if diverse > 1 and classes > 1:
        return diverse
    return contact_sheet.choose_columns(classes * len(varied) * diverse)


def _label(cell: Cell) -> str:
    score = f"{cell.grown.score:.3g}  p {cell.seen.probability:.2f}"
    return f"{cell.options} {cell.grown.label}  {score}".strip()


def _describe_seen(head: Head, cell: Cell) -> str:
    """Describe a class's score before and after, and what its picture is taken for."""
    grown = cell.grown
    guesses = head.guesses(grown.picture)
    seen = ", ".join(
        f"{each.label} {each.score:.3g} (p = {each.probability:.2f})" for each in guesses
    )
    return (
        f"{grown.label}: {grown.first_score:.3g} → {grown.score:.3g} before the softmax, "
        f"p = {cell.seen.probability:.2f}; seen as {seen}"
    )
