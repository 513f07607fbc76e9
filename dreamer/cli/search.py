"""`dream search`: many recipes at random, on a sheet to choose from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from dreamer.cli import options
from dreamer.errors import DreamerError, speaking_of

EXAMPLES = """Examples:

dream search photo.jpg  ·  sixteen dreams at random, as photo-search.png

dream search photo.jpg --pick r2c3=amber  ·  keep one; then dream image photo.jpg -p amber

dream search photo.jpg --around amber -n 9 --seed 2  ·  small steps from it

dream search photo.jpg -l mixed4d --strength 20  ·  what is set stays, all else is searched

dream search photo.jpg --over layers,strength --over rate=0.002..0.05 --over blur=0,0.5

dream search --noise 400x300 -m googlenet -n 25
"""

_SEARCH = "The search"
_DEFAULT_COUNT = 16


def _option(*names: str, help: str, metavar: str | None = None, **more: Any) -> Any:
    return typer.Option(*names, help=help, metavar=metavar, rich_help_panel=_SEARCH, **more)


Photo = Annotated[Path | None, typer.Argument(help="What the trials dream on.", show_default=False)]
Count = Annotated[int, _option("-n", "--trials", help="How many there are.", min=1, max=400)]
Over = Annotated[
    list[str] | None,
    _option(
        "--over",
        metavar="FIELD=LOW..HIGH|a,b,c",
        help="Search over this field only, or several; without a range, its usual one. "
        "Repeatable. Ranges are on a logarithmic scale where both ends are positive.",
    ),
]
Around = Annotated[
    str | None,
    _option("--around", metavar="NAME|FILE", help="Small steps from a preset, which comes, too."),
]
By = Annotated[
    str,
    _option(
        "--by",
        metavar="objective|naturalness|trial",
        help="What sorts the sheet: how far a dream raised its objective above the photo's, how "
        "little its activations differ from those of photos, or the order of the trials.",
    ),
]
SearchSeed = Annotated[int, _option("--seed", help="Another seed, other trials.", min=0)]
Pick = Annotated[
    str | None,
    _option(
        "--pick",
        metavar="rNcM[=NAME]",
        help="Keep a cell of the finished sheet as a preset of your own, or as --save-preset.",
    ),
]


def command(
    photo: Photo = None,
    count: Count = _DEFAULT_COUNT,
    over: Over = None,
    around: Around = None,
    by: By = "objective",
    seed: SearchSeed = 0,
    pick: Pick = None,
    preset: options.Preset = None,
    of: options.Of = None,
    unwanted: options.NotOf = None,
    layer: options.Layers = None,
    guide: options.Guide = None,
    motif: options.Motif = None,
    steps: options.Steps = None,
    rate: options.Rate = None,
    blur: options.Blur = None,
    strength: options.Strength = None,
    mask: options.Mask = None,
    keep_colours: options.KeepColours = False,
    palette: options.Palette = None,
    saturation: options.Saturation = None,
    settings: options.Settings = None,
    network: options.Network = None,
    weights: options.Weights = None,
    precision: options.Precision = None,
    threads: options.Threads = None,
    noise: options.Noise = None,
    size: options.Size = None,
    output: options.Output = None,
    save_preset: options.SavePreset = None,
    quality: options.Quality = None,
    fresh: options.Fresh = False,
    overwrite: options.Overwrite = False,
    quiet: options.Quiet = False,
) -> None:
    """Dream by many recipes, drawn at random, and show them side by side.

    A preset of each lies in a folder beside the sheet. What an option or the preset sets stays as
    it is. A search that was stopped goes on when the same command is run again.
    """
    network, weights = options.network_file(network, weights)
    # What follows is heavy, and `--help` does without it.
    from dreamer.cli import picking, session, sources, trials
    from dreamer.recipe import parse_setting

    if by not in trials.SORTS:
        raise DreamerError(f"--by {by!r} is unknown: there is {', '.join(trials.SORTS)}.")
    if around and preset:
        raise DreamerError("--around brings the recipe: leave --preset out.")
    if save_preset and not pick:
        raise DreamerError("--save-preset needs a cell to save: give --pick rNcM.")
    via = "--around" if around else "--preset"
    mask, guide = session.brought(around or preset, mask, guide, via)
    given = options.given(
        layers=layer or None,
        guide=session.file_sha256(guide, "guide"),
        motif=motif,
        steps=steps,
        rate=rate,
        blur=blur,
        strength=strength,
        mask=session.file_sha256(mask, "mask"),
        colours="photo" if keep_colours else None,
        palette=palette,
        saturation=saturation,
        network=network,
        precision=precision,
    )
    in_words = options.in_words(of, unwanted, weights, film=False)
    wanted = options.still(around or preset, settings or [], given, in_words, via=via, quiet=quiet)
    sized = options.size(size) or {"size": int(options.CELL_SIZE), "enlarge": False}
    # What is wrong with it shows before the search.
    wanted.recipe.changed(sized)
    (source, *others), _ = sources.find([photo] if photo else [], noise, wanted.recipe.seed)
    if others:
        raise DreamerError(f"A search is on one photo, and {photo} holds several: give one.")
    target, folder = sources.destination(
        output, many=False, depth=None, overwrite=overwrite or pick is not None
    )
    if pick:
        with speaking_of("--pick"):
            sheet = target or picking.newest(source, folder)
            picking.pick(sheet, pick, save_preset, overwrite=overwrite)
        return
    call = session.Session(
        wanted,
        weights,
        mask,
        guide,
        threads,
        target,
        folder,
        suffix=picking.SUFFIX,
        strict=False,
        quality=quality,
        depth=None,
        no_recipe=True,
        overwrite=overwrite,
        quiet=quiet,
    )
    held = {name for name, value in given.items() if value is not None}
    held |= {parse_setting(each)[0] for each in settings or []}
    held |= {"layers"} if in_words else set()
    asked = trials.Asked(over or [], frozenset(held), seed, around is not None, count, by, sized)
    trials.search(call, asked, source, fresh=fresh)
