"""`dream models`: which networks there are, and what is in them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dreamer.cli import options

app = typer.Typer(help="Networks: list them, show their layers, fetch their weights.")

Name = Annotated[str, typer.Argument(help="A network's name.", show_default=False)]


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
    """The layers of a network: channels, and the size of a motif in pixels."""
    from dreamer.nets import runtime, weightfiles

    own = name.endswith(".keras")
    path = None if own else weightfiles.find(name, weights)
    runtime.start()
    from rich.console import Console
    from rich.table import Table

    from dreamer.assemble import load
    from dreamer.nets import network
    from dreamer.recipe import Recipe

    file = Path(name)
    net = load(Recipe(network=file.name), file) if own else network.build(name, path)
    table = Table("layer", "channels", "motif", box=None)
    for layer, channels in net.layers.items():
        motif = net.spec.motifs.get(layer)
        table.add_row(layer, str(channels), f"{motif} px" if motif else "")
    for layer, count in net.units.items():
        table.add_row(layer, f"{count} of the whole picture", "")
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

    typer.echo(weightfiles.fetch(name, source))
