"""`dream filters`: what each channel of a layer wants to see."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dreamer.cli import options
from dreamer.errors import DreamerError

EXAMPLES = """Examples:

dream filters mixed4d  ·  the first 25 channels of a layer, as a contact sheet

dream filters mixed4d:139,62 mixed4c:447 -m googlenet --size 256  ·  channels by number

dream filters convolutions --first 25  ·  of all convolutions, a sheet a layer

dream filters "mixed??" --all -m googlenet  ·  every channel of every block; goes on if stopped

dream filters mixed4d:139 --diverse 4  ·  four different pictures of one channel

dream filters mixed4d:139,62 --between 7  ·  the way from one channel to another, in a row

dream filters mixed4d:139,62 --between 96 --film way.mp4  ·  the same as a film

dream filters mixed4d:139 --film growing.mp4  ·  the ascent itself, a frame a step

dream filters mixed4d:0-3 --vary feature.parametrisation=fourier,pixels  ·  a row for each

dream filters mixed3b:7 --unit --size 224  ·  one unit, cropped to what it can see

dream filters mixed4d --on photo.jpg  ·  the channels that a photo excites most

dream filters mixed4d:139 --init photo.jpg  ·  grown from a photo
"""


def command(
    layers: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="LAYER[:CHANNELS]...",
            help="As mixed4d, mixed4d:139 or mixed4d:0-24; a mix as mixed4d:3@0.7,5@-0.4; several "
            'as "mixed4?"; convolutions for all of those. A sheet a layer.',
            show_default=False,
        ),
    ] = None,
    preset: options.Preset = None,
    first: Annotated[
        int, typer.Option("--first", min=1, help="Channels of a layer that is given without any.")
    ] = 25,
    on: Annotated[
        Path | None,
        typer.Option(
            metavar="PHOTO",
            help="The channels that a photo excites most, strongest first; their pictures are "
            "grown once and kept.",
        ),
    ] = None,
    every_channel: Annotated[
        bool, typer.Option("--all", help="All channels of such a layer; goes on where it stopped.")
    ] = False,
    init: options.Init = None,
    keep: options.Keep = None,
    unit: options.Unit = False,
    leaky: options.Leaky = None,
    diverse: options.Diverse = None,
    between: options.Between = None,
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
    fresh: options.Fresh = False,
    overwrite: options.Overwrite = False,
    quiet: options.Quiet = False,
) -> None:
    """Show what channels want to see: pictures grown from noise, as a labelled contact sheet.

    An option that is not given means: as the preset says, which is `filters` unless one is given.
    """
    network, weights = options.network_file(network, weights)
    # What follows is heavy, and `--help` does without it.
    from dreamer.cli import catalogue, session, sheeting, show, visualisation

    photo, kind = options.init(init)
    if unit and jitter:
        show.note("--jitter is not for --unit: what is shifted is another unit's.", quiet=quiet)
    given = options.given(
        feature=options.part(init=kind, keep=keep, unit=unit or None, leaky=leaky, diverse=diverse),
        layers=layers or None,
        steps=steps,
        rate=rate,
        jitter=jitter,
        blur=blur,
        seed=seed,
        network=network,
        precision=precision,
        size=size,
    )
    kind = "a channel's picture"
    wanted = options.made(preset or "filters", settings or [], given, kind=kind, quiet=quiet)
    if not wanted.recipe.layers:
        raise DreamerError("Name a layer, as mixed4d; `dream models layers` shows them all.")
    if save_preset:
        session.save_preset(save_preset, wanted.recipe, overwrite=overwrite)
    count = sum(len(term.channels or range(first)) for term in wanted.recipe.terms)
    call = visualisation.Visualisation(
        wanted, weights, photo, threads, no_recipe, overwrite or fresh, quiet, targets=count
    )
    if on:
        if every_channel or vary or between or film or each:
            raise DreamerError(
                "--on shows one sheet: leave --all, --vary, --between, --film and --each out."
            )
        catalogue.run(call, on, first=first, columns=columns, output=output)
        return
    asked = sheeting.Asked(
        first, every_channel, vary or [], between, film, columns, each, output, fresh
    )
    sheeting.run(call, asked)
