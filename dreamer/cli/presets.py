"""`dream presets`: recipes to choose from, and to share."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dreamer.cli import complete, options, show
from dreamer.errors import DreamerError

if TYPE_CHECKING:
    from rich.table import Table

    from dreamer.arrays import Image
    from dreamer.fields import Data

app = typer.Typer(help="Presets: list them, show what one says, make and check your own.")

Name = Annotated[
    str,
    typer.Argument(
        metavar="NAME|FILE",
        help="A preset, or a finished picture.",
        autocompletion=complete.presets,
    ),
]


@app.command("list", epilog="Example: dream presets list")
def list_presets() -> None:
    """The presets by name; one's own hides a shipped one of that name."""
    from rich.markup import escape

    from dreamer import presets
    from dreamer.nets import registry, weightfiles

    table = _table("preset", "for", "network", "what it looks like, tags and author", fixed=3)
    for name in presets.paths():
        try:
            recipe = presets.load(name).recipe
        except DreamerError as error:
            # A slip in one of them hides no other.
            table.add_row(escape(name), "", "", f"[red]{escape(str(error))}[/]")
            continue
        here = recipe.network in registry.SPECS and weightfiles.find(recipe.network)
        network = escape(recipe.network) + ("" if here else "\n[dim]weights missing[/]")
        about = recipe.about
        notes = escape(" · ".join(filter(None, (", ".join(about.tags), about.author))))
        looks = f"{escape(about.description)}\n[dim]{notes}[/]"
        table.add_row(escape(name), presets.kind(recipe), network, looks)
    _print(table)


@app.command("show", epilog="Example: dream presets show pagodas")
def show_preset(
    name: Name = "",
    every: Annotated[
        bool, typer.Option("--all", help="The fields that are as usual, too.")
    ] = False,
) -> None:
    """What a preset says, and what each field means; without a name, all fields and defaults."""
    from rich.markup import escape

    from dreamer import presets
    from dreamer.recipe import PARTS, Recipe

    recipe = presets.load(name).recipe if name else Recipe()
    if name:
        about = _table("", "")
        for field, value in recipe.about.model_dump().items():
            about.add_row(field, escape(", ".join(value) if field == "tags" else value))
        _print(about)
    table = _table("field", "value", "default", "meaning", fixed=1)
    for prefix, data in (("", recipe), *((f"{part}.", getattr(recipe, part)) for part in PARTS)):
        for row in _rows(data, prefix, every=every or not name):
            table.add_row(*map(escape, row))
    _print(table)


def _rows(data: Data, prefix: str, *, every: bool) -> list[tuple[str, str, str, str]]:
    """Field, value, default if it is another, and meaning, of the fields that differ or of all."""
    from dreamer.recipe import PARTS

    rows = []
    for field, info in type(data).model_fields.items():
        value, default = getattr(data, field), info.default
        if field not in PARTS and field != "about" and (every or value != default):
            other = "" if value == default else str(default)
            rows.append((prefix + field, str(value), other, info.description or ""))
    return rows


@app.command("new", epilog="Example: dream presets new soft-fur --from finished.png --author Me")
def new_preset(
    name: Annotated[str, typer.Argument(help="What it is called, as soft-fur.")],
    source: Annotated[
        str,
        typer.Option(
            "--from",
            metavar="NAME|FILE",
            help="The preset or the finished picture that it begins as.",
            autocompletion=complete.presets,
        ),
    ],
    author: Annotated[str | None, typer.Option(help="Who made it.")] = None,
    description: Annotated[str | None, typer.Option(help="What it looks like, a line.")] = None,
    tags: Annotated[str | None, typer.Option(metavar="TAG,TAG", help="To find it by.")] = None,
    licence: Annotated[str | None, typer.Option(help="As CC0-1.0 or CC-BY-4.0.")] = None,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="A .toml file or a folder; else your own presets."),
    ] = None,
) -> None:
    """Make a preset of your own from a finished picture or another preset."""
    from dreamer import presets
    from dreamer.cli.sources import make_folder

    path = presets.own_path(name)
    if output:
        path = output if output.suffix.lower() == ".toml" else output / path.name
    given: dict[str, Any] = {
        "name": name.replace("-", " ").capitalize(),
        "author": author,
        "description": description,
        "tags": [tag.strip() for tag in tags.split(",")] if tags else None,
        "licence": licence,
    }
    about = {field: value for field, value in given.items() if value is not None}
    make_folder(path.parent)
    presets.create(path, source, about)
    show.say(path)
    left = [field for field, value in presets.load(str(path)).recipe.about if not value]
    if left:
        show.note(f"Before you share it: it has no {', no '.join(left)} yet.", quiet=False)


@app.command("path", epilog="Example: dream presets path pagodas")
def show_path(name: Name = "") -> None:
    """Where your own presets lie; with a name, where that one does."""
    from dreamer import presets

    show.say(presets.path_of(name) if name else presets.own_folder())


@app.command("check", epilog="Example: dream presets check mine.toml -o schedules.png")
def check_presets(
    names: Annotated[
        list[str],
        typer.Argument(
            metavar="NAME|FILE...",
            help="Presets, or finished films.",
            autocompletion=complete.presets,
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="A .png with the numbers that change over the film."),
    ] = None,
    overwrite: options.Overwrite = False,
) -> None:
    """Read presets without dreaming, and draw what changes over a film."""
    from dreamer import sheets
    from dreamer.files import photos

    curves: list[tuple[str, Image]] = []
    wrong = 0
    for name in names:
        try:
            curves += _checked(name)
        except DreamerError as error:
            # A slip in one of them hides no other.
            show.complain(str(error))
            wrong += 1
    if output and curves:
        labels, pictures = zip(*curves, strict=True)
        sheet = sheets.compose(pictures, labels, columns=1)
        photos.write(output, sheet, overwrite=overwrite)
    elif output:
        show.note(f"Nothing to draw in {output}: no number changes.", quiet=False)
    if wrong:
        raise typer.Exit(2)


def _checked(name: str) -> list[tuple[str, Image]]:
    """Read a preset at every frame; a curve of each number that changes, with its label."""
    from dreamer import presets, sheets

    recipe = presets.load(name).recipe
    film, schedules = recipe.film, recipe.schedules
    curves = []
    for field, schedule in schedules.items():
        if film.loop and schedule.uses_max_f:
            show.note(f"{name}: {field} uses max_f in a loop, whose period is n.", quiet=False)
        values = [schedule.at(recipe.clock(frame)) for frame in range(film.length)]
        curves.append((f"{field} = {schedule.text}", sheets.curve(values)))
    for frame in range(film.length):
        recipe.at(recipe.clock(frame))
    show.say(f"{name}: can be read; numbers that change: {len(schedules)}")
    return curves


def _table(*heads: str, fixed: int = 0) -> Table:
    """A table, of whose columns the first `fixed` are never cut."""
    from rich.table import Table

    table = Table(box=None, show_header=any(heads))
    for number, head in enumerate(heads):
        table.add_column(head, no_wrap=number < fixed)
    return table


def _print(table: Table) -> None:
    from rich.console import Console

    Console().print(table)
