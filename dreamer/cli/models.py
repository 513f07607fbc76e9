"""`dream models`: which networks there are, and what is in them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dreamer.cli import complete, options, show, words
from dreamer.errors import speaking_of

if TYPE_CHECKING:
    from dreamer.nets.network import Network
    from dreamer.nets.receptive import Field

app = typer.Typer(help="Networks: list them, show their layers, fetch their weights.")

app.command("words", epilog=words.EXAMPLES)(words.command)

Name = Annotated[
    str,
    typer.Argument(help="A network's name.", show_default=False, autocompletion=complete.networks),
]


@app.command("list", epilog="Example: dream models list")
def list_networks() -> None:
    """The networks, and whether their weights are on this machine."""
    from rich.console import Console
    from rich.table import Table

    from dreamer.nets import registry, weightfiles

    table = Table("network", "what it is", "weights", box=None)
    for name, spec in registry.SPECS.items():
        here = weightfiles.find(name)
        table.add_row(name, spec.summary, "here" if here else f"dream models fetch {name}")
    Console().print(table)


@app.command("layers", epilog="Example: dream models layers googlenet")
def layers(name: Name, weights: options.Weights = None) -> None:
    """The layers of a network: how many channels each has, and its sizes in pixels.

    The motif is what counts most to a cell of the layer's grid, the receptive field all that it
    can see (it may be larger than the picture). The stride leads from one cell to the next, the
    first of which has its centre here on a picture of 512×512.
    """
    from rich.console import Console
    from rich.table import Column, Table

    net = opened(name, weights)
    from dreamer.nets import receptive

    fields = receptive.fields(net.model)
    # Names are there to be copied, whole.
    titles = ("channels", "motif", "receptive field", "stride", "centre")
    table = Table(Column("layer", no_wrap=True), *titles, box=None)
    for layer, channels in net.layers.items():
        motif = net.spec.motifs.get(layer, "")
        table.add_row(layer, str(channels), str(motif), *_seen(fields[layer]))
    for layer, count in net.units.items():
        table.add_row(layer, str(count), "", "everything")
    Console().print(table)


def _seen(field: Field | None) -> tuple[str, ...]:
    """Size, stride and first centre of a receptive field; both where the two axes differ."""
    if field is None:
        return ("everything",)
    pairs = (
        dict.fromkeys(f"{getattr(span, name):g}" for span in field)
        for name in ("size", "stride", "centre")
    )
    return tuple("×".join(pair) for pair in pairs)


def opened(
    name: str,
    weights: Path | None,
    settings: Sequence[str] | None = None,
    *,
    need: bool = False,
) -> Network:
    """A network by name, with random weights where there are none and none are needed.

    The settings are a recipe's, of which a `.keras` file needs those of its input.
    """
    from dreamer.nets import runtime, weightfiles

    own = name.endswith(".keras")
    network_name, file = options.network_file(name, weights)
    chosen = options.made(None, settings or [], {"network": network_name}).recipe
    find = weightfiles.need if need else weightfiles.find
    path = None if own else find(name, weights)
    runtime.start()
    from dreamer.assemble import load
    from dreamer.nets import network

    net = load(chosen, file) if own else network.build(name, path)
    for text in net.notes:
        show.note(text, quiet=False)
    return net


@app.command("classes", epilog="Example: dream models classes googlenet")
def classes(
    name: Name,
    labels: Annotated[
        Path | None, typer.Option(metavar="FILE", help="What its outputs are called, a line each.")
    ] = None,
    weights: options.Weights = None,
) -> None:
    """What `dream class` can be asked for on a network: numbers, WordNet ids and names."""
    from rich.console import Console
    from rich.table import Table

    net = opened(name, weights)
    from dreamer.nets import heads

    table = Table("class", "WordNet id", "names", box=None)
    for output, label in enumerate(heads.head(net.entire(), labels).labels):
        table.add_row(str(output), *label)
    Console().print(table)


@app.command("channels", epilog="Example: dream models channels dreamnet mixed4c --on photo.jpg")
def channels(
    name: Name,
    layer: Annotated[str, typer.Argument(help="One of its layers.", show_default=False)],
    photo: Annotated[
        Path, typer.Option("--on", metavar="PHOTO", help="The photo.", show_default=False)
    ],
    settings: options.Settings = None,
    weights: options.Weights = None,
) -> None:
    """A layer's channels by how strongly a photo excites them, the strongest first.

    The strength is the mean square over the photo; of a layer of classes, the score itself. Silent
    channels are zero all over the photo; dead ones all over pictures of noise of every kind too,
    which does not prove that no photo wakes them.
    """
    from rich.console import Console
    from rich.table import Table

    from dreamer.files import photos

    with speaking_of("--on"):
        read = photos.read(photo)
    net = opened(name, weights, settings, need=True)
    from dreamer.nets import channels as excited

    layer = net.resolve(layer)
    strength = excited.strengths(net, layer, excited.looked_at(read))
    asleep = excited.asleep(net, layer)
    table = Table("channel", "strength", "", box=None)
    for channel in (-strength).argsort(kind="stable"):
        silent = "dead" if asleep[channel] else "silent"
        flag = "" if strength[channel] else silent
        table.add_row(str(channel), f"{strength[channel]:.4g}", flag)
    Console().print(table)


@app.command("fetch", epilog="Example: dream models fetch googlenet --from inception5h.zip")
def fetch(
    name: Name,
    source: Annotated[
        Path | None, typer.Option("--from", metavar="FILE", help="A file instead of a download.")
    ] = None,
) -> None:
    """Put a network's weights where `dream` finds them."""
    from dreamer.nets import weightfiles

    show.say(weightfiles.fetch(name, source))
