"""`dream models words`: what a network can be asked for in words."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dreamer.cli import shared_options, show
from dreamer.errors import DreamerError, speaking_of
from dreamer.jobs.events import Progress, Table

if TYPE_CHECKING:
    from dreamer.recipe import Recipe
    from dreamer.recipe import words as word_tables

EXAMPLES = """Examples:

dream models words  ·  the list

dream models words --on photo.jpg  ·  what the photo contains already, strongest first

dream models words -o words.png  ·  a thumbnail of each, grown from noise (or --on a photo)

dream models words --fit photos/ -m my.keras --labels names.txt  ·  words for a classifier
"""

_SHOWN = 12
_NOISE = "224x224"

On = Annotated[
    Path | None, typer.Option("--on", metavar="PHOTO", help="Show what is in this photo already.")
]
Output = Annotated[
    Path | None,
    typer.Option("-o", "--output", help="A sheet of thumbnails; or the fitted table."),
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
Layers = Annotated[
    list[str] | None,
    typer.Option(
        "-l",
        "--layer",
        metavar="LAYER",
        help="For --fit: layers whose channels a word raises; repeatable (default: one, rather "
        "late).",
    ),
]


def command(
    network: shared_options.Network = None,
    on: On = None,
    fit: Fit = None,
    labels: shared_options.Labels = None,
    layer: Layers = None,
    settings: shared_options.Settings = None,
    weights: shared_options.Weights = None,
    output: Output = None,
    overwrite: shared_options.Overwrite = False,
    quiet: shared_options.Quiet = False,
) -> None:
    """List the words for `--of`, see them, find them in a photo, or fit them."""
    from dreamer.jobs.requests import ImageRequest

    recipe, file = resolve(network, settings, weights)
    if fit:
        target = _choose_target(recipe, file, labels, output, overwrite=overwrite)
        _fit(recipe, file, fit, labels or Path(), layer or [], target, quiet=quiet)
        return
    from dreamer.recipe import words

    table = words.load(recipe.network, file)
    if output:
        from dreamer.cli.commands import run

        source = {"photos": (on,)} if on else {"noise": _NOISE}
        fields = {"network": network} if network else {}
        own = {"fields": fields, "settings": tuple(settings or ()), "weights": weights}
        shown = {"sheet": "words", "output": output, "overwrite": overwrite, **source}
        run(ImageRequest(**own, **shown), quiet=quiet)
    elif on:
        _show_found(recipe, file, on, table)
    else:
        _show(table)


def resolve(
    network: str | None, settings: Sequence[str] | None, weights: Path | None
) -> tuple[Recipe, Path | None]:
    """Return a recipe that names a network, and the file of its weights or itself."""
    from dreamer.jobs.events import ignore
    from dreamer.jobs.requests import ImageRequest
    from dreamer.jobs.resolve import Origin, network_file
    from dreamer.jobs.resolve import resolve as resolve_request
    from dreamer.recipe.field_types import Kind

    fields = {"network": network} if network else {}
    request = ImageRequest(fields=fields, settings=tuple(settings or ()), weights=weights)
    wanted = resolve_request(request, Kind.PICTURE, ignore, Origin(None))
    return wanted.recipe, network_file(request)[1]


def _show(table: word_tables.Table) -> None:
    from rich.columns import Columns
    from rich.console import Console

    from dreamer.recipe import class_labels

    console = Console()
    console.print(Columns(sorted(table.subjects), padding=(0, 2)))
    if table.classes:
        names = [names.partition(",")[0] for names in table.class_names]
        some = ", ".join(names[:: -(-len(names) // 5)])
        console.print(f"\nand {len(names)} classes by name, as {some}")
        if any(map(class_labels.WORDNET.fullmatch, table.classes)):
            console.print("\nand any noun that some of these are a kind of, as vehicle or reptile")


def _show_found(
    recipe: Recipe, weights: Path | None, photo: Path, table: word_tables.Table
) -> None:
    from dreamer.files import photos
    from dreamer.networks import runtime

    with speaking_of("--on"):
        read = photos.read(photo)
    runtime.start()
    from dreamer.networks import channels, loading

    net, image = loading.load_for_recipe(recipe, weights), channels.resize_for_measurement(read)
    terms = [term for word in table.subjects.values() for term in word.terms]
    layers = {net.resolve_with_channels(term.layer, term.channels or ()) for term in terms}
    energies = {layer: channels.measure_strengths(net, layer, image).tolist() for layer in layers}
    rows = [(name, f"{times:.1f} ×") for name, times in table.found(energies)[:_SHOWN]]
    show.show_table(Table(("word", "against an average photo"), tuple(rows)))


def _choose_target(
    recipe: Recipe,
    weights: Path | None,
    labels: Path | None,
    output: Path | None,
    *,
    overwrite: bool,
) -> Path:
    """Choose where a fitted table goes. Raises DreamerError where it cannot be made."""
    from dreamer.files import atomic
    from dreamer.recipe import words

    if labels is None:
        raise DreamerError("Fitting needs the classes' names: give --labels FILE, one per line.")
    target = output or words.beside(weights or Path(recipe.network))
    if target.exists() and not overwrite:
        raise atomic.exists_error(target)
    return target


def _fit(
    recipe: Recipe,
    weights: Path | None,
    folder: Path,
    labels: Path,
    layers: Sequence[str],
    target: Path,
    *,
    quiet: bool,
) -> None:
    from dreamer.networks import runtime

    runtime.start()
    from dreamer.analysis import word_fitting
    from dreamer.files import atomic, photo_sets
    from dreamer.networks import loading
    from dreamer.recipe import class_labels, words

    if not folder.exists():
        raise DreamerError(f"There is no folder {folder}: check --fit.")
    named, shown = class_labels.read(labels), photo_sets.load(folder)
    net = loading.load_for_recipe(recipe, weights)
    with show.terminal(quiet=quiet) as emit:
        table = word_fitting.fit(
            net, named, shown, layers, lambda share, text: emit(Progress(share, text))
        )
    with atomic.open_replacing(target) as file:
        file.write(words.to_json(table).encode())
    show.say(f"{target}: {len(table.subjects)} subjects, {len(table.classes)} classes")
