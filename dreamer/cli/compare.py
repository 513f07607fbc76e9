"""`dream compare`: what two pictures do to a network, layer by layer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dreamer.cli import models, options, outputs, show
from dreamer.errors import DreamerError

if TYPE_CHECKING:
    from dreamer.arrays import Image
    from dreamer.nets.comparison import Compared
    from dreamer.nets.network import Network

EXAMPLES = """Examples:

dream compare magpie-photo.jpg magpie.png -m googlenet  ·  a sheet, and a summary of every layer

dream compare photo.jpg photo-dream.png -o both.png -o both.csv  ·  every channel in a table

dream compare a.jpg b.jpg -l mixed3b -l mixed4d  ·  these layers only
"""

COLUMNS = ("layer", "channel", "first", "second", "difference", "correlation")
"""Of the table: a channel's strength in each picture, and the correlation of its whole layer."""

SIDE = 160
"""Of a cell of the sheet, in pixels."""

_NAMED = 3


def command(
    first: Annotated[Path, typer.Argument(metavar="A", help="A picture.")],
    second: Annotated[Path, typer.Argument(metavar="B", help="Another one, of any size.")],
    layer: Annotated[
        list[str] | None,
        typer.Option("-l", "--layer", metavar="LAYER", help="Instead of an overview; repeatable."),
    ] = None,
    network: options.Network = None,
    settings: options.Settings = None,
    weights: options.Weights = None,
    output: outputs.Option = None,
    overwrite: options.Overwrite = False,
    quiet: options.Quiet = False,
) -> None:
    """Compare the activations of two pictures, layer by layer.

    The sheet lights each picture where the layer answers, puts the strengths of all channels in A
    (across) against those in B (upwards), and shows the channel that most tells A from B, and the
    one that most tells B from A, in both. The summary names the strongest channels of each, and
    those that differ most. A correlation of 1 means that the layer cannot tell them apart. The
    distance tells how far a picture's activations are from those of photos.
    """
    from dreamer import sheets
    from dreamer.files import photos
    from dreamer.recipe import Recipe

    usual = Path(f"{first.stem}-against-{second.stem}.png")
    files = outputs.chosen(output, usual, overwrite=overwrite)
    read = photos.read(first), photos.read(second)
    net = models.opened(network or Recipe().network, weights, settings, need=True)
    from dreamer.nets import channels, comparison

    names = list(dict.fromkeys(map(net.resolve, layer))) if layer else _overview(net)
    pictures = channels.looked_at(read[0]), channels.looked_at(read[1])
    compared = comparison.compare(net, names, pictures)
    if not quiet:
        _summarise(net, compared)
        _tell_naturalness(net, pictures)
    if files.table:
        outputs.write_table(files.table, COLUMNS, _rows(compared), overwrite=overwrite)
        show.say(str(files.table))
    if files.sheet:
        cells = [c for each in compared if each.layer in net.layers for c in _cells(each, pictures)]
        if not cells:
            raise DreamerError("None of these layers has feature maps to show: ask for a .csv.")
        shown, labels = zip(*cells, strict=True)
        sheet = sheets.compose(shown, labels, columns=7)
        photos.write(files.sheet, sheet, overwrite=overwrite)
        show.say(str(files.sheet))


def _overview(net: Network) -> list[str]:
    """Layers from first to last, and the classes' scores where there are any."""
    marks = sorted(net.landmarks, key=list(net.layers).index)
    return [*marks, *dict.fromkeys(net.resolve(name) for name in list(net.units)[-1:])]


def _summarise(net: Network, compared: Sequence[Compared]) -> None:
    from rich.console import Console
    from rich.table import Column, Table

    from dreamer.nets import heads

    head = heads.head(net) if net.units else None
    titles = ("corr.", "strongest in A", "in B", "more in A", "more in B")
    table = Table(Column("layer", no_wrap=True), *titles, box=None)
    for each in compared:
        name = head.label if head and each.layer == head.layer else str
        ranked = (each.strongest, each.apart)
        numbers = (rank(picture, _NAMED) for rank in ranked for picture in (0, 1))
        columns = (", ".join(map(name, some)) for some in numbers)
        table.add_row(each.layer, f"{each.correlation:.2f}", *columns)
    Console().print(table)


def _tell_naturalness(net: Network, pictures: Sequence[Image]) -> None:
    from dreamer.nets import naturalness

    if naturalness.is_known(net):
        measure = naturalness.load(net)
        a, b = (measure.distance(picture) for picture in pictures)
        show.say(f"distance from photos (1 is usual for one): A {a:.2f}, B {b:.2f}")


def _rows(compared: Sequence[Compared]) -> Iterator[Sequence[object]]:
    for each in compared:
        for channel, (a, b) in enumerate(each.profiles.T.tolist()):
            numbers = (f"{value:.6g}" for value in (a, b, a - b, each.correlation))
            yield (each.layer, channel, *numbers)


def _cells(each: Compared, pictures: Sequence[Image]) -> Iterator[tuple[Image, str]]:
    """A row of the sheet: both pictures lit by the layer, its profiles, two telling channels."""
    from dreamer import sheets

    profiles = sheets.scatter(each.profiles[0], each.profiles[1], SIDE)
    yield from _lit(each, pictures, None)
    yield profiles, f"correlation {each.correlation:.2f}"
    for picture in (0, 1):
        (channel,) = each.apart(picture, 1)
        yield from _lit(each, pictures, channel)


def _lit(
    each: Compared, pictures: Sequence[Image], channel: int | None
) -> Iterator[tuple[Image, str]]:
    from dreamer import sheets

    lights = each.lights(channel)
    for place, (picture, light) in enumerate(zip(pictures, lights, strict=True)):
        if channel is None:
            label = f"{each.layer}  {'AB'[place]}"
        else:
            label = f":{channel}  {'AB'[place]} {each.profiles[place, channel]:.3g}"
        yield sheets.lit(picture, light, SIDE), label
