"""`dream presets`: recipes to choose from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dreamer.cli import options

app = typer.Typer(help="Presets: list them, show what one says, check your own.")


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
    for prefix, data in (("", recipe), ("film.", recipe.film), ("feature.", recipe.feature)):
        for field, info in type(data).model_fields.items():
            if prefix + field not in ("about", "film", "feature"):
                value, default = getattr(data, field), info.default
                other = "" if value == default else str(default)
                row = (prefix + field, str(value), other, info.description or "")
                table.add_row(*map(escape, row))
    Console().print(table)


@app.command("check", epilog="Example: dream presets check mine.toml -o schedules.png")
def check_presets(
    names: Annotated[
        list[str], typer.Argument(metavar="NAME|FILE...", help="Presets, or finished films.")
    ],
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="A .png with the numbers that change over the film."),
    ] = None,
    overwrite: options.Overwrite = False,
) -> None:
    """Read presets without dreaming, and draw what changes over a film."""
    from dreamer import presets, sheets
    from dreamer.files import photos

    pictures, labels = [], []
    for name in names:
        recipe = presets.load(name).recipe
        film, schedules = recipe.film, recipe.schedules
        for field, schedule in schedules.items():
            if film.loop and schedule.uses_max_f:
                typer.echo(f"{name}: {field} uses max_f in a loop, whose period is n.", err=True)
            values = [schedule.at(recipe.clock(frame)) for frame in range(film.length)]
            pictures.append(sheets.curve(values))
            labels.append(f"{field} = {schedule.text}")
        for frame in range(film.length):
            recipe.at(recipe.clock(frame))
        typer.echo(f"{name}: can be read; numbers that change: {len(schedules)}")
    if output and pictures:
        sheet = sheets.compose(pictures, labels, columns=1)
        photos.write(output, sheet, overwrite=overwrite)
    elif output:
        typer.echo(f"Nothing to draw in {output}: no number changes.", err=True)
