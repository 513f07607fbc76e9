"""Contact sheets of one photo that is dreamt on by many recipes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import cache, partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from dreamer.arrays import Image
from dreamer.errors import DreamerError, speaking_of, unknown
from dreamer.files import photos
from dreamer.files.framing import frame_photo
from dreamer.files.photos import Photo, Style
from dreamer.imaging import contact_sheet
from dreamer.jobs import presets
from dreamer.jobs.dream_photos import Ask, Dreaming, Place, for_each
from dreamer.jobs.events import Done, Outcome, Stopped
from dreamer.jobs.failures import describe_failure
from dreamer.jobs.framing import find_framing
from dreamer.jobs.requests import ImageRequest
from dreamer.jobs.resolve import list_names
from dreamer.jobs.sources import Source, make_folder
from dreamer.recipe import Recipe, words
from dreamer.recipe.toml_text import WriteOption, split_values, vary, write_option

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
    photo, framed = frame_photo(read, find_framing(recipe))
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
        sheet = _compose(wanted[: max(pictures) + 1], pictures, request)
        photos.write(path, sheet, style=Style(ask.encoding.quality), overwrite=ask.naming.overwrite)
    if stopped:
        dreaming.note(f"Stopped after {len(pictures)} of {len(wanted)} pictures.")
        raise Stopped
    dreaming.emit(Done(str(path), path, timed=True))


def _compose(
    wanted: Sequence[tuple[str, Recipe]],
    pictures: Mapping[int, Image],
    request: ImageRequest,
) -> Image:
    """Compose a sheet.

    A picture that was left out is black, so that the others keep their places.
    """
    black = np.zeros_like(next(iter(pictures.values())))
    shown = [pictures.get(number, black) for number in range(len(wanted))]
    labels = ["" if request.no_labels else label for label, _ in wanted]
    across: list[str] = []
    if len(request.vary) > 1 and not request.columns:
        field, _, values = request.vary[-1].partition("=")
        across = [_write_value(field, each) for each in split_values(values, "--vary")]
    row = request.columns or len(across) or contact_sheet.choose_columns(len(wanted))
    if not across or request.no_labels:
        return contact_sheet.compose(shown, labels, row)
    rest = [label.removesuffix(across[0]).strip() for label in labels[::row]]
    return contact_sheet.compose(shown, [""] * len(shown), row, across, rest)


def _write_value(field: str, value: str) -> str:
    """Return the option by which a cell has one of the values that vary."""
    return f"--of {value}" if field == "of" else write_option(field, value)[0]


def _write_in_words(
    field: str, value: str, table: Callable[[], words.Table]
) -> tuple[str, dict[str, Any]]:
    """Return the option that gives a cell one of the values that vary, and what it changes."""
    if field != "of":
        return write_option(field, value)
    return _write_value(field, value), {"layers": words.expand([value], table()), "of": [value]}


def _find_recipes(dreaming: Dreaming, request: ImageRequest) -> list[tuple[str, Recipe]]:
    """Find the recipes of a sheet's pictures, each with the options that make it."""
    base, kind, varied = dreaming.wanted.recipe, request.sheet, request.vary

    @cache
    def table() -> words.Table:
        return words.load(base.network, dreaming.weights)

    write = partial(_write_in_words, table=table)
    if kind is None:
        return vary(base, varied, write)
    if kind == "layers":
        layers = dreaming.build(base).network.landmarks
        return vary(base, [f"layers={','.join(layers)}", *varied], write)
    if kind == "words":
        named = [
            (names.partition(",")[0], base.changed({"layers": word.layers}))
            for names, word in sorted(table().subjects.items())
        ]
    else:
        with speaking_of("--sheet"):
            named = [_read_cell(name, base, write, table) for name in list_names(kind)]
    return [
        (f"{name} {label}".strip(), recipe)
        for name, begun in named
        for label, recipe in vary(begun, varied, write)
    ]


def _read_cell(
    name: str, base: Recipe, write: WriteOption, table: Callable[[], words.Table]
) -> tuple[str, Recipe]:
    """Return the recipe of a preset, or of a word, with the option that names it."""
    if presets.exists(name):
        size = {"size": base.size, "enlarge": base.enlarge}
        return f"-p {name}", presets.load(name).recipe.changed(size)
    try:
        label, changes = write("of", name)
    except DreamerError:
        known = [*presets.find_all(), *table().subjects]
        remedy = "`dream presets` and `dream models words` list them."
        raise unknown("preset or word", name, known, remedy) from None
    return label, base.changed(changes)
