"""Contact sheets of one photo that is dreamt on by many recipes."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from dreamer.arrays import Image
from dreamer.errors import speaking_of
from dreamer.files import photos
from dreamer.files.photos import Photo, Style
from dreamer.imaging import contact_sheet
from dreamer.jobs import presets
from dreamer.jobs.dream_photos import Ask, Dreaming, Place, for_each
from dreamer.jobs.events import Done, Outcome, Stopped
from dreamer.jobs.failures import describe_failure
from dreamer.jobs.framing import find_framing
from dreamer.jobs.requests import ImageRequest
from dreamer.jobs.sources import Source, make_folder
from dreamer.recipe import Recipe, words
from dreamer.recipe.toml_text import vary

if TYPE_CHECKING:
    from dreamer.ascent.multiscale import Progress
    from dreamer.pipelines.image import ImagePipeline
    from dreamer.pipelines.plan import Plan


class Cell(NamedTuple):
    """A dream of a sheet, finished: on which photo, at its size, and how."""

    photo: Photo
    pipeline: ImagePipeline
    plan: Plan
    state: Progress


class Cells(NamedTuple):
    """The dreams of a sheet.

    Attributes:
        recipes: each with what tells it from the others.
        unit: what one of them is called, as "picture".
        done: the numbers, from 0, of those that are there already.
    """

    recipes: Sequence[tuple[str, Recipe]]
    unit: str = "picture"
    done: Collection[int] = ()


def dream_cells(
    dreaming: Dreaming, photo: Photo, cells: Cells, place: Place
) -> Iterator[tuple[int, Cell]]:
    """Dream on a photo by one recipe after the other; yield each with its number.

    A recipe that cannot be dreamt by is left out, and that is noted. Ends where the job is asked
    to stop.

    Args:
        dreaming: of the job.
        photo: as it was read.
        cells: what is dreamt.
        place: reports how far all are.

    Raises DreamerError where none of all could be dreamt by.
    """
    refused: Exception | None = None
    made = 0
    count = len(cells.recipes)
    for number, (label, recipe) in enumerate(cells.recipes):
        if number in cells.done:
            continue
        dreaming.note(f"{cells.unit} {number + 1} of {count}: {label}")
        try:
            cell = _dream(dreaming, photo, recipe, place, (number, count))
        except Exception as error:
            dreaming.note(f"Left out: {describe_failure(label, error)}")
            refused = error
            continue
        if cell is None:
            return
        made += 1
        yield number, cell
    if refused and not made and not cells.done:
        raise refused


def _dream(
    dreaming: Dreaming, read: Photo, recipe: Recipe, place: Place, cell: tuple[int, int]
) -> Cell | None:
    """Dream on a photo at the recipe's size; None where the job was asked to stop."""
    photo, framed = dreaming.frame(read, find_framing(recipe))
    pipeline = dreaming.build(recipe, photo)
    plan = pipeline.plan(framed.size)
    for state in pipeline.dream(photo.image, plan, dreaming.mask(framed)):
        place.report(state, *cell)
        if dreaming.stop.asked:
            return None
    return Cell(photo, pipeline, plan, state)


def write_sheets(
    dreaming: Dreaming, ask: Ask, sources: Sequence[Source], request: ImageRequest
) -> Outcome:
    """Write a contact sheet of each photo: of the kind that is asked for, or of what varies."""

    def write(source: Source, place: Place) -> None:
        _write_sheet(dreaming, ask, source, place, request)

    return for_each(dreaming, sources, write)


def _write_sheet(
    dreaming: Dreaming, ask: Ask, source: Source, place: Place, request: ImageRequest
) -> None:
    read, path = source.read(), ask.naming.name(source)
    make_folder(path.parent)
    wanted = _find_recipes(dreaming, request)
    pictures: dict[int, Image] = {}
    for number, cell in dream_cells(dreaming, read, Cells(wanted), place):
        pictures[number] = cell.state.picture()
    stopped = dreaming.stop.asked
    if pictures and not dreaming.stop.drops:
        row = _count_columns(len(wanted), request.vary)
        sheet = _compose(wanted[: max(pictures) + 1], pictures, request.vary, row)
        photos.write(path, sheet, style=Style(ask.encoding.quality), overwrite=ask.naming.overwrite)
    if stopped:
        dreaming.note(f"Stopped after {len(pictures)} of {len(wanted)} pictures.")
        raise Stopped
    dreaming.emit(Done(str(path), path, timed=True))


def _count_columns(count: int, varied: Sequence[str]) -> int:
    """Count the pictures in a row: of a grid the values of its last field, else about a square."""
    return (
        len(vary(Recipe(), varied[-1:])) if len(varied) > 1 else contact_sheet.choose_columns(count)
    )


def _compose(
    wanted: Sequence[tuple[str, Recipe]],
    pictures: Mapping[int, Image],
    varied: Sequence[str],
    row: int,
) -> Image:
    """Compose a sheet, `row` pictures in each row.

    A picture that was left out is black, so that the others keep their places.
    """
    black = np.zeros_like(next(iter(pictures.values())))
    shown = [pictures.get(number, black) for number in range(len(wanted))]
    labels = [label for label, _ in wanted]
    if len(varied) > 1:
        across = [label for label, _ in vary(Recipe(), varied[-1:])]
        rest = [label.removesuffix(across[0]).strip() for label in labels[::row]]
        return contact_sheet.compose(shown, [""] * len(shown), row, across, rest)
    return contact_sheet.compose(shown, labels, row)


def _find_recipes(dreaming: Dreaming, request: ImageRequest) -> list[tuple[str, Recipe]]:
    """Find the recipes of a sheet's pictures, each with the options that make it."""
    base, kind, varied = dreaming.wanted.recipe, request.sheet, request.vary
    if kind is None:
        return vary(base, varied)
    if kind == "layers":
        layers = dreaming.build(base).network.landmarks
        return vary(base, [f"layers={','.join(layers)}", *varied])
    if kind == "words":
        table = words.load(base.network, dreaming.weights)
        return [
            (f"{names.partition(',')[0]} {label}".strip(), recipe)
            for names, word in sorted(table.subjects.items())
            for label, recipe in vary(base.changed({"layers": word.layers}), varied)
        ]
    size = {"size": base.size, "enlarge": base.enlarge}
    with speaking_of("--sheet"):
        named = [(name.strip(), presets.load(name.strip()).recipe) for name in kind.split(",")]
    return [
        (f"-p {name} {label}".strip(), recipe)
        for name, preset in named
        for label, recipe in vary(preset.changed(size), varied)
    ]
