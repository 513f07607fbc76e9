"""`dream presets`: recipes to choose from."""

from __future__ import annotations

from typing import Annotated

import typer

app = typer.Typer(help="Presets: list them, show what one says.")


@app.command("list", epilog="Example: dream presets list")
def list_presets() -> None:
    """The presets by name, one's own first to be found."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from dreamer import presets
    from dreamer.nets import registry, weightfiles

    table = Table("preset", "network", "what it looks like", box=None)
    for name in presets.paths():
        recipe = presets.load(name).recipe
        here = recipe.network in registry.SPECS and weightfiles.find(recipe.network)
        network = recipe.network + ("" if here else " (weights missing)")
        table.add_row(*map(escape, (name, network, recipe.about.description)))
    Console().print(table)


@app.command("show", epilog="Example: dream presets show pagodas")
def show_preset(
    name: Annotated[
        str, typer.Argument(metavar="NAME|FILE", help="A preset, or a finished picture.")
    ] = "",
) -> None:
    """Every field of a preset (without a name: of the defaults), and what it means."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from dreamer import presets
    from dreamer.recipe import Recipe

    recipe = presets.load(name).recipe if name else Recipe()
    table = Table("field", "value", "default", "meaning", box=None)
    for field, info in Recipe.model_fields.items():
        if field != "about":
            value = getattr(recipe, field)
            default = info.default
            other = "" if value == default else str(default)
            table.add_row(*map(escape, (field, str(value), other, info.description or "")))
    Console().print(table)
