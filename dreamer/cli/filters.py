"""`dream filters`: what each channel of a layer wants to see."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dreamer.cli import options
from dreamer.errors import DreamerError

if TYPE_CHECKING:
    pass

EXAMPLES = """Examples:

dream filters mixed4d  ·  the first 25 channels, as a contact sheet

dream filters mixed4d:139,62 mixed4c:447 --size 256 -m googlenet

dream filters mixed4d:139 --init photo.jpg  ·  grown from a photo

dream filters mixed4d:11 --set feature.parametrisation=pixels --jitter 0  ·  plain ascent
"""


def command(
    layers: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="LAYER[:CHANNELS]...",
            help="As mixed4d, mixed4d:139 or mixed4d:0-24; a mix as mixed4d:3@0.7,5@-0.4.",
            show_default=False,
        ),
    ] = None,
    preset: options.Preset = None,
    first: Annotated[
        int, typer.Option("--first", min=1, help="Channels of a layer that is given without any.")
    ] = 25,
    init: options.Init = None,
    keep: options.Keep = None,
    unit: options.Unit = False,
    leaky: options.Leaky = None,
    steps: options.Steps = None,
    rate: options.Rate = None,
    jitter: options.Jitter = None,
    blur: options.Blur = None,
    seed: options.Seed = None,
    settings: options.Settings = None,
    network: options.Network = None,
    weights: options.Weights = None,
    precision: options.Precision = None,
    threads: options.Threads = None,
    size: options.GrownSize = None,
    columns: options.Columns = None,
    each: options.Each = False,
    output: options.SheetOutput = None,
    save_preset: options.SavePreset = None,
    no_recipe: options.NoRecipe = False,
    overwrite: options.Overwrite = False,
    quiet: options.Quiet = False,
) -> None:
    """Show what channels want to see: pictures grown from noise, as a labelled contact sheet.

    An option that is not given means: as the preset says, which is `filters` unless one is given.
    """
    if network and network.endswith(".keras"):
        # A recipe holds no paths: the file itself is handed on as weights are.
        weights, network = Path(network), Path(network).name
    # What follows is heavy, and `--help` does without it.
    from dreamer.cli import session, sheeting, visualisation

    photo, kind = options.init(init)
    feature: dict[str, Any] = {"init": kind, "keep": keep, "unit": unit or None, "leaky": leaky}
    given: dict[str, Any] = {
        "feature": {name: value for name, value in feature.items() if value is not None},
        "layers": layers or None,
        "steps": steps,
        "rate": options.number(rate),
        "jitter": jitter,
        "blur": options.number(blur),
        "seed": seed,
        "network": network,
        "precision": precision,
        "size": size,
    }
    wanted = options.made(preset or "filters", settings or [], given)
    if not wanted.recipe.layers:
        raise DreamerError("Name a layer, as mixed4d; `dream models layers` shows them all.")
    if save_preset:
        session.save_preset(save_preset, wanted.recipe, overwrite=overwrite)
    call = visualisation.Visualisation(wanted, weights, photo, threads, no_recipe, overwrite, quiet)
    sheeting.run(call, first=first, columns=columns, each=each, output=output)
