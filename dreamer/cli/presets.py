"""`dream presets`: recipes to choose from, and to share."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dreamer.cli import complete, shared_options, show
from dreamer.errors import DreamerError

if TYPE_CHECKING:
    from rich.table import Table

    from dreamer.arrays import Image
    from dreamer.recipe import Recipe

app = typer.Typer(help="Presets: list them, show what one says, make and check your own.")

Name = Annotated[
    str,
    typer.Argument(
        metavar="NAME|FILE",
        help="A preset, or a finished picture.",
        autocompletion=complete.offer_presets,
    ),
]


@app.command("list", epilog="Example: dream presets list")
def list_presets() -> None:
    """List the presets by name; one of your own hides a shipped one of that name."""
    from rich.markup import escape

    from dreamer.jobs import presets
    from dreamer.networks import registry, weight_files

    table = _table("preset", "for", "network", "what it looks like, tags and author", fixed=3)
    for name in presets.find_all():
        try:
            recipe = presets.load(name).recipe
        except DreamerError as error:
            # A slip in one of them hides no other.
            table.add_row(escape(name), "", "", f"[red]{escape(str(error))}[/]")
            continue
        here = recipe.network in registry.SPECS and weight_files.find(recipe.network)
        network = escape(recipe.network) + ("" if here else "\n[dim]weights missing[/]")
        about = recipe.about
        notes = escape(" · ".join(filter(None, (", ".join(about.tags), about.author))))
        looks = f"{escape(about.description)}\n[dim]{notes}[/]"
        table.add_row(escape(name), presets.classify(recipe), network, looks)
    _print(table)


@app.command("show", epilog="Example: dream presets show pagodas")
def show_preset(
    name: Name = "",
    every: Annotated[
        bool, typer.Option("--all", help="Show the fields that are as usual, too.")
    ] = False,
) -> None:
    """Show what a preset says, and what each field means; without a name, all fields."""
    from rich.markup import escape

    from dreamer.jobs import presets
    from dreamer.recipe import Recipe

    recipe = presets.load(name).recipe if name else Recipe()
    if name:
        about = _table("", "")
        for field, value in recipe.about.model_dump().items():
            about.add_row(field, escape(", ".join(value) if field == "tags" else value))
        _print(about)
    table = _table("field", "value", "default", "meaning", fixed=1)
    for row in _list_fields(recipe, every=every or not name):
        table.add_row(*map(escape, row))
    _print(table)


def _list_fields(recipe: Recipe, *, every: bool) -> list[tuple[str, str, str, str]]:
    """List name, value, default if it is another, and meaning, of the fields that differ or all.

    Where words were asked for, they stand for the layers that they mean.
    """
    from dreamer.recipe import Recipe
    from dreamer.recipe.names import name_path, traits

    usual, rows = Recipe(), []
    for field in traits():
        part, _, inner = field.rpartition(".")
        if part == "about" or (field == "layers" and recipe.of and not every):
            continue
        data = getattr(recipe, part) if part else recipe
        value = getattr(data, inner)
        default = getattr(getattr(usual, part) if part else usual, inner)
        if every or value != default:
            info = type(data).model_fields[inner]
            other = "" if value == default else _write(default)
            rows.append((name_path(field), _write(value), other, info.description or ""))
    return rows


def _write(value: object) -> str:
    if isinstance(value, tuple):
        return " ".join(map(str, value)) or "none"
    return "none" if value is None else str(value)


@app.command("new", epilog="Example: dream presets new soft-fur --from finished.png --author Me")
def make_preset(
    name: Annotated[str, typer.Argument(help="What it is called, as soft-fur.")],
    source: Annotated[
        str,
        typer.Option(
            "--from",
            metavar="NAME|FILE",
            help="The preset or the finished picture to start from.",
            autocompletion=complete.offer_presets,
        ),
    ],
    author: Annotated[str | None, typer.Option(help="Who made it.")] = None,
    description: Annotated[str | None, typer.Option(help="What it looks like, in a line.")] = None,
    tags: Annotated[
        str | None, typer.Option(metavar="TAG,TAG", help="Words to find it by.")
    ] = None,
    license_: Annotated[
        str | None, typer.Option("--license", "--licence", help="As CC0-1.0 or CC-BY-4.0.")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o", "--output", help="A .toml file or a folder (default: your own presets)."
        ),
    ] = None,
) -> None:
    """Make a preset of your own from a finished picture or another preset."""
    from dreamer.jobs import presets
    from dreamer.jobs.sources import make_folder

    path = presets.choose_path(name)
    if output:
        path = output if output.suffix.lower() == ".toml" else output / path.name
    given: dict[str, Any] = {
        "name": name.replace("-", " ").capitalize(),
        "author": author,
        "description": description,
        "tags": [tag.strip() for tag in tags.split(",")] if tags else None,
        "license": license_,
    }
    about = {field: value for field, value in given.items() if value is not None}
    make_folder(path.parent)
    recipe = presets.create(path, source, about)
    show.say(path)
    if left := [field for field, value in recipe.about if not value]:
        show.note(f"Before you share it: it has no {', no '.join(left)} yet.")


@app.command("path", epilog="Example: dream presets path pagodas")
def show_path(name: Name = "") -> None:
    """Show where your own presets lie; with a name, where that one does."""
    from dreamer.jobs import presets

    show.say(presets.find_path(name) if name else presets.own_folder())


@app.command("check", epilog="Example: dream presets check pulse --music song.mp3 -o curves.png")
def check_presets(
    names: Annotated[
        list[str],
        typer.Argument(
            metavar="NAME|FILE...",
            help="Presets, or finished films.",
            autocompletion=complete.offer_presets,
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="A .png with the numbers that change over the film."),
    ] = None,
    music: Annotated[
        list[str] | None,
        typer.Option(
            "--music",
            metavar="FILE|STEM=FILE",
            help="A song that films keep time with; its loudness and beats are drawn, too.",
        ),
    ] = None,
    overwrite: shared_options.Overwrite = False,
) -> None:
    """Check presets without dreaming, and draw what changes over a film."""
    from dreamer.files import photos
    from dreamer.imaging import contact_sheet

    curves: list[tuple[str, Image]] = []
    wrong = 0
    for name in names:
        try:
            curves += _check(name, music or [])
        except DreamerError as error:
            # A slip in one of them hides no other.
            show.complain(str(error))
            wrong += 1
    if output and curves:
        labels, pictures = zip(*curves, strict=True)
        sheet = contact_sheet.compose(pictures, labels, columns=1)
        photos.write(output, sheet, overwrite=overwrite)
    elif output:
        show.note(f"Nothing to draw in {output}: no number changes.")
    if wrong:
        raise typer.Exit(2)


def _check(name: str, music: Sequence[str]) -> list[tuple[str, Image]]:
    """Read a preset at every frame; return a curve of each number that changes, with its label."""
    from dreamer.imaging import contact_sheet
    from dreamer.jobs import presets
    from dreamer.jobs.events import ignore
    from dreamer.jobs.music_source import read_music

    recipe = presets.load(name).recipe
    heard = read_music(music, recipe.film, ignore)
    signals = heard.signals if heard else None
    if heard:
        recipe = heard.give_length(recipe)
    film, schedules = recipe.film, recipe.schedules
    seconds = film.length / film.fps
    beats = [beat / seconds for beat in signals.beats if beat < seconds] if signals else []
    curves = []
    if signals and "rms" in signals.curves:
        label = f"loudness and {len(beats)} beats"
        curves.append((label, contact_sheet.curve(signals.curves["rms"].tolist(), beats)))
    for field, schedule in schedules.items():
        if film.loop and schedule.uses_max_f:
            show.note(f"{name}: {field} uses max_f in a loop, whose period is n.")
        if missing := sorted(schedule.needs_music - {*(signals.curves if signals else ())}):
            show.note(f"{name}: {field} reads {', '.join(missing)}, which --music gives.")
        values = [schedule.at(recipe.clock(frame, signals)) for frame in range(film.length)]
        curves.append((f"{field} = {schedule.text}", contact_sheet.curve(values, beats)))
    for frame in range(film.length):
        recipe.at(recipe.clock(frame, signals))
    changing = f"; these change over the film: {', '.join(schedules)}" if schedules else ""
    show.say(f"{name} is valid{changing}.")
    return curves


def _table(*heads: str, fixed: int = 0) -> Table:
    """Return a table, of whose columns the first `fixed` are never cut."""
    from rich.table import Table

    table = Table(box=None, show_header=any(heads))
    for number, head in enumerate(heads):
        table.add_column(head, no_wrap=number < fixed)
    return table


def _print(table: Table) -> None:
    from rich.console import Console

    Console().print(table)
