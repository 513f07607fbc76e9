"""`dream models words`: what a network can be asked for in words."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dreamer.cli import options
from dreamer.errors import DreamerError, speaking_of

if TYPE_CHECKING:
    from dreamer.recipe import Recipe
    from dreamer.words import Table

EXAMPLES = """Examples:

dream models words  ·  the list

dream models words --on photo.jpg  ·  what the photo contains already, strongest first

dream models words -o words.png  ·  a thumbnail of each, grown from noise (or --on a photo)

dream models words --fit photos/ -m my.keras --labels names.txt  ·  words for a classifier
"""

_SHOWN = 12
_NOISE = "224x224"

On = Annotated[
    Path | None, typer.Option("--on", metavar="PHOTO", help="What is in this photo already.")
]
Output = Annotated[
    Path | None, typer.Option("-o", "--output", help="A sheet of thumbnails; or the fitted table.")
]
Fit = Annotated[
    Path | None,
    typer.Option(
        "--fit",
        metavar="FOLDER",
        help="Make a table for a classifier from photos of all kinds; every tenth is left out, to "
        "measure by.",
    ),
]
Labels = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="For --fit: what each output is called, a line each."),
]

Layers = Annotated[
    list[str] | None,
    typer.Option(
        "-l",
        "--layer",
        metavar="LAYER",
        help="For --fit: whose channels a word raises; repeatable. [default: one, rather late]",
    ),
]


def command(
    network: options.Network = None,
    on: On = None,
    fit: Fit = None,
    labels: Labels = None,
    layer: Layers = None,
    settings: options.Settings = None,
    weights: options.Weights = None,
    output: Output = None,
    overwrite: options.Overwrite = False,
    quiet: options.Quiet = False,
) -> None:
    """The words for `--of`: list them, see them, find them in a photo, or fit them."""
    name, file = options.network_file(network, weights)
    chosen = options.made(None, settings or [], options.given(network=name)).recipe
    if fit:
        _fit(chosen, file, fit, labels, layer or [], output, overwrite=overwrite, quiet=quiet)
        return
    from dreamer import words

    table = words.load(chosen.network, file)
    if output:
        from dreamer.cli import image

        image.command(
            [on] if on else None,
            noise=None if on else _NOISE,
            sheet="words",
            network=network,
            settings=settings,
            weights=weights,
            output=output,
            overwrite=overwrite,
            quiet=quiet,
        )
    elif on:
        _show_found(chosen, file, on, table)
    else:
        _show(table)


def _show(table: Table) -> None:
    from rich.columns import Columns
    from rich.console import Console

    console = Console()
    console.print(Columns(sorted(table.subjects), padding=(0, 2)))
    if table.classes:
        names = [names.partition(",")[0] for names in table.class_names]
        some = ", ".join(names[:: -(-len(names) // 5)])
        console.print(f"\nand {len(names)} classes by name, as {some}")


def _show_found(chosen: Recipe, weights: Path | None, photo: Path, table: Table) -> None:
    from rich.console import Console
    from rich.table import Table as Rows

    from dreamer.files import photos
    from dreamer.nets import runtime

    with speaking_of("--on"):
        read = photos.read(photo)
    runtime.start()
    from dreamer import assemble
    from dreamer.nets import channels

    net, image = assemble.load(chosen, weights), channels.looked_at(read)
    terms = [term for word in table.subjects.values() for term in word.terms]
    layers = {net.checked(term.layer, term.channels or ()) for term in terms}
    energies = {layer: channels.strengths(net, layer, image).tolist() for layer in layers}
    rows = Rows("word", "against an average photo", box=None)
    for name, times in table.found(energies)[:_SHOWN]:
        rows.add_row(name, f"{times:.1f} ×")
    Console().print(rows)


def _fit(
    chosen: Recipe,
    weights: Path | None,
    folder: Path,
    labels: Path | None,
    layers: Sequence[str],
    output: Path | None,
    *,
    overwrite: bool,
    quiet: bool,
) -> None:
    from dreamer import classes, words
    from dreamer.cli import show
    from dreamer.files import atomic
    from dreamer.nets import runtime

    if labels is None:
        raise DreamerError("Fitting needs the classes' names: give --labels FILE, a line each.")
    target = output or words.beside(weights or Path(chosen.network))
    if target.exists() and not overwrite:
        raise atomic.exists(target)
    runtime.start()
    from dreamer import assemble
    from dreamer.nets import wordfit
    from dreamer.nets.training import pictures

    if not folder.exists():
        raise DreamerError(f"There is no folder {folder}: check --fit.")
    named, shown = classes.read(labels), pictures.load(folder)
    net = assemble.load(chosen, weights)
    with show.share_done(quiet=quiet) as update:
        table = wordfit.fit(net, named, shown, layers, update)
    with atomic.replacing(target, overwrite=overwrite) as file:
        file.write(words.to_json(table).encode())
    show.say(f"{target}: {len(table.subjects)} subjects, {len(table.classes)} classes")
