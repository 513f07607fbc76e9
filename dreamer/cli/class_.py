"""`dream class`: the picture that a classifier takes for a class."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dreamer.cli import options

EXAMPLES = """Examples:

dream class magpie  ·  the picture that googlenet takes for a magpie

dream class goldfish hen "sea snake" -o birds-and-others.png  ·  a sheet

dream class 394 n01751748 --each -o classes/  ·  by number, by WordNet id, into single files

dream class hen --diverse 4  ·  four different pictures of one class

dream class magpie -m my.keras --labels names.txt  ·  on a classifier of your own

dream class magpie --vary feature.parametrisation=fourier,pixels --vary seed=1,2,3  ·  a grid

dream class hen -p class-median --film hen.mp4  ·  another preset, and the ascent as a film
"""


def command(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="NAME|INDEX...",
            help="Classes, as magpie, 'sea snake', 394 or n01582220; `dream models classes` lists "
            "them. Without: those of the picture that -p names.",
            show_default=False,
        ),
    ] = None,
    preset: options.Preset = None,
    labels: Annotated[
        Path | None,
        typer.Option(
            "--labels",
            metavar="FILE",
            help="What each output of the network is called, a line each.",
            rich_help_panel="Network",
        ),
    ] = None,
    init: options.Init = None,
    keep: options.Keep = None,
    leaky: options.Leaky = None,
    diverse: options.Diverse = None,
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
    vary: options.Vary = None,
    film: options.GrowthFilm = None,
    output: options.SheetOutput = None,
    save_preset: options.SavePreset = None,
    no_recipe: options.NoRecipe = False,
    overwrite: options.Overwrite = False,
    quiet: options.Quiet = False,
) -> None:
    """Grow the picture that a classifier takes for a class; several classes make a sheet.

    Printed are each class's score before and after, and the likeliest classes of the finished
    picture. An option that is not given means: as the preset says, which is `class` unless one is
    given.
    """
    network, weights = options.network_file(network, weights)
    # What follows is heavy, and `--help` does without it.
    from dreamer.cli import classing, session, visualisation

    photo, kind = options.init(init)
    given = options.given(
        feature=options.part(init=kind, keep=keep, leaky=leaky, diverse=diverse),
        steps=steps,
        rate=rate,
        jitter=jitter,
        blur=blur,
        seed=seed,
        network=network,
        precision=precision,
        size=size,
    )
    kind = "a class's picture"
    wanted = options.made(preset or "class", settings or [], given, kind=kind, quiet=quiet)
    if save_preset:
        session.save_preset(save_preset, wanted.recipe, overwrite=overwrite)
    call = visualisation.Visualisation(
        wanted,
        weights,
        photo,
        threads,
        no_recipe,
        overwrite,
        quiet,
        entire=True,
        targets=len(names or []),
    )
    asked = classing.Asked(names or [], labels, vary or [], film, columns, each)
    classing.run(call, asked, output)
