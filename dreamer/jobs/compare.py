"""The job behind `dream compare`: what two pictures do to a network, layer by layer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from dreamer.arrays import Image
from dreamer.errors import DreamerError
from dreamer.files import photos
from dreamer.imaging import contact_sheet
from dreamer.jobs.events import Done, Outcome, Progress, Sink, Stop, Table
from dreamer.jobs.outputs import choose_files, write_table
from dreamer.jobs.requests import CompareRequest
from dreamer.jobs.resolve import Origin, network_file, resolve
from dreamer.jobs.workbench import Workbench
from dreamer.recipe.field_types import Kind

if TYPE_CHECKING:
    from dreamer.analysis.comparison import Compared
    from dreamer.networks.network import Network

COLUMNS = ("layer", "channel", "first", "second", "difference", "correlation")
"""Columns of the table: strengths in each picture, and the correlation of the whole layer."""

SIDE = 160
"""Side of a cell of the sheet, in pixels."""

_NAMED = 3


class Row(NamedTuple):
    """A line of the summary: a layer, and the channels that tell two pictures apart in it.

    Attributes:
        layer: of the network.
        correlation: of the two profiles of its channels.
        strongest: in A and in B, by name.
        apart: what is more in A, and more in B.
    """

    layer: str
    correlation: float
    strongest: tuple[str, str]
    apart: tuple[str, str]


def run(request: CompareRequest, emit: Sink, stop: Stop, bench: Workbench) -> Outcome:
    """Compare two pictures, and write a sheet or a table.

    Raises DreamerError where nothing can be done.
    """
    usual = Path(f"{request.first.stem}-against-{request.second.stem}.png")
    files = choose_files(request.output, usual, overwrite=request.overwrite)
    read = photos.read(request.first), photos.read(request.second)
    wanted = resolve(request, Kind.PICTURE, emit, Origin(None))
    _, file = network_file(request)
    bench.start(None)
    emit(Progress(None, "loading the network …"))
    net = bench.load(wanted.recipe, file, emit)
    from dreamer.analysis import comparison
    from dreamer.networks import channels

    names = list(dict.fromkeys(map(net.resolve, request.layers))) or _choose_overview(net)
    pictures = channels.resize_for_measurement(read[0]), channels.resize_for_measurement(read[1])
    compared = comparison.compare(net, names, pictures)
    if stop.asked:
        return Outcome(stopped=True)
    titles = ("layer", "corr.", "strongest in A", "in B", "more in A", "more in B")
    emit(Table(titles, tuple(map(_write_row, summarize(net, compared)))))
    if distances := measure_distances(net, pictures):
        a, b = distances
        emit(Done(f"distance from photos (1 is usual for one): A {a:.2f}, B {b:.2f}"))
    if files.table:
        rows = _list_rows(compared)
        write_table(files.table, COLUMNS, rows, overwrite=request.overwrite)
        emit(Done(str(files.table), files.table))
    if files.sheet:
        cells = [
            cell for each in compared if each.layer in net.layers for cell in _cells(each, pictures)
        ]
        if not cells:
            raise DreamerError("None of these layers has feature maps to show: ask for a .csv.")
        shown, labels = zip(*cells, strict=True)
        sheet = contact_sheet.compose(shown, labels, columns=7)
        photos.write(files.sheet, sheet, overwrite=request.overwrite)
        emit(Done(str(files.sheet), files.sheet))
    return Outcome()


def _choose_overview(net: Network) -> list[str]:
    """Choose layers from first to last, and the classes' scores where there are any."""
    marks = sorted(net.landmarks, key=list(net.layers).index)
    return [*marks, *dict.fromkeys(net.resolve(name) for name in list(net.units)[-1:])]


def summarize(net: Network, compared: Sequence[Compared]) -> list[Row]:
    """Summarize what a comparison found, a row for each layer."""
    from dreamer.analysis import classifier

    head = classifier.find_head(net) if net.units else None

    def name(each: Compared, numbers: Sequence[int]) -> str:
        naming = head.label if head and each.layer == head.layer else str
        return ", ".join(map(naming, numbers))

    return [
        Row(
            each.layer,
            each.correlation,
            (name(each, each.strongest(0, _NAMED)), name(each, each.strongest(1, _NAMED))),
            (name(each, each.apart(0, _NAMED)), name(each, each.apart(1, _NAMED))),
        )
        for each in compared
    ]


def _write_row(row: Row) -> tuple[str, ...]:
    return (row.layer, f"{row.correlation:.2f}", *row.strongest, *row.apart)


def measure_distances(net: Network, pictures: tuple[Image, Image]) -> tuple[float, float] | None:
    """Measure how far two pictures are from photos; None where nothing is known of the network."""
    from dreamer.analysis import naturalness

    if not naturalness.is_known(net):
        return None
    measure = naturalness.load(net)
    return measure.distance(pictures[0]), measure.distance(pictures[1])


def _list_rows(compared: Sequence[Compared]) -> Iterator[Sequence[object]]:
    for each in compared:
        for channel, (a, b) in enumerate(each.profiles.T.tolist()):
            yield (each.layer, channel, a, b, a - b, each.correlation)


def _cells(each: Compared, pictures: Sequence[Image]) -> Iterator[tuple[Image, str]]:
    """Yield a row of the sheet: both pictures lit by the layer, its profiles, two channels."""
    profiles = contact_sheet.scatter(each.profiles[0], each.profiles[1], SIDE)
    yield from _light(each, pictures, None)
    yield profiles, f"correlation {each.correlation:.2f}"
    for picture in (0, 1):
        (channel,) = each.apart(picture, 1)
        yield from _light(each, pictures, channel)


def _light(
    each: Compared, pictures: Sequence[Image], channel: int | None
) -> Iterator[tuple[Image, str]]:
    lights = each.lights(channel)
    for place, (picture, light) in enumerate(zip(pictures, lights, strict=True)):
        if channel is None:
            label = f"{each.layer}  {'AB'[place]}"
        else:
            label = f":{channel}  {'AB'[place]} {each.profiles[place, channel]:.3g}"
        yield contact_sheet.spotlight(picture, light, SIDE), label
