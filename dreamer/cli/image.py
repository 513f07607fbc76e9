"""`dream image`: dream on photos."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from dreamer.cli import options
from dreamer.errors import DreamerError

EXAMPLES = """Examples:

dream image photo.jpg  ·  the default dream, written beside the photo

dream image photo.jpg --of birds --of vaults=0.5  ·  in words

dream image photo.jpg -m googlenet -l mixed4d:139 --motif 0.8-0.2

dream image a.jpg b.jpg -p pagodas -o out/

dream image holiday/  ·  every photo in a folder, into holiday/dreams/

dream image photo.jpg --draft  ·  a quarter of the time; then --finish photo-draft.png

dream image photo.jpg --watch mine.toml --size 480  ·  redrawn on each save

dream image photo.jpg --vary layers=mixed3b,mixed4c --vary strength=10,20  ·  a grid

dream image --noise 1280x720 -l mixed4d  ·  a picture grown from nothing

dream image photo.jpg -p finished.png  ·  the recipe inside a finished picture
"""


def command(
    photos: Annotated[
        list[Path] | None, typer.Argument(help="Photos, or folders of them.", show_default=False)
    ] = None,
    preset: options.Preset = None,
    of: options.Of = None,
    unwanted: options.NotOf = None,
    layer: options.Layers = None,
    guide: options.Guide = None,
    motif: options.Motif = None,
    octaves: options.Octaves = None,
    octave_scale: options.OctaveScale = None,
    steps: options.Steps = None,
    rate: options.Rate = None,
    jitter: options.Jitter = None,
    blur: options.Blur = None,
    strength: options.Strength = None,
    opacity: options.Opacity = None,
    mask: options.Mask = None,
    keep_colours: options.KeepColours = False,
    palette: options.Palette = None,
    saturation: options.Saturation = None,
    seamless: options.Seamless = False,
    seed: options.Seed = None,
    settings: options.Settings = None,
    network: options.Network = None,
    weights: options.Weights = None,
    precision: options.Precision = None,
    threads: options.Threads = None,
    size: options.Size = None,
    noise: options.Noise = None,
    draft: options.Draft = False,
    finish: options.Finish = None,
    watch: options.Watch = None,
    film: options.GrowthFilm = None,
    sheet: options.Sheet = None,
    vary: options.Vary = None,
    output: options.Output = None,
    save_preset: options.SavePreset = None,
    quality: options.Quality = None,
    depth: options.Depth = None,
    no_recipe: options.NoRecipe = False,
    overwrite: options.Overwrite = False,
    quiet: options.Quiet = False,
) -> None:
    """Dream on photos. An option that is not given means: as the preset says."""
    if sheet or vary:
        size = size or options.CELL_SIZE
    network, weights = options.network_file(network, weights)
    # What follows is heavy, and `--help` does without it.
    from dreamer import presets
    from dreamer.cli import cells, drafts, growth, session, show, sources
    from dreamer.cli import watch as watching
    from dreamer.describe import InWords

    drafts.check(draft, finish, output, no_recipe)
    own = finish or watch
    if own and (preset or sheet or vary or (finish and watch)):
        raise DreamerError(f"{own} is the recipe here: leave --preset, --sheet and --vary out.")
    preset = str(own) if own else preset
    via = "--preset" if not own else "--finish" if finish else "--watch"
    mask, guide = session.brought(preset, mask, guide, via)

    given = options.given(
        layers=layer or None,
        guide=session.file_sha256(guide, "guide"),
        motif=motif,
        octaves=octaves,
        octave_scale=octave_scale,
        steps=steps,
        rate=rate,
        jitter=jitter,
        blur=blur,
        strength=strength,
        opacity=opacity,
        mask=session.file_sha256(mask, "mask"),
        colours="photo" if keep_colours else None,
        palette=palette,
        saturation=saturation,
        seamless=seamless or None,
        seed=seed,
        network=network,
        precision=precision,
        **options.size(size),
    )
    in_words = options.in_words(of, unwanted, weights, film=False)
    if sheet == "words":
        in_words = in_words or InWords()
    asked = partial(options.still, preset, settings or [], given, in_words, via=via, quiet=quiet)
    read = partial(asked, noise=None if size else noise)
    wanted = read()
    found, note = sources.find(photos or [], noise, wanted.recipe.seed)
    if note:
        show.note(note, quiet=quiet)
    bits = int(depth.value) if depth else None
    target, folder = sources.destination(
        output, many=len(found) > 1, depth=bits, overwrite=overwrite
    )
    growth.check(film, alone=len(found) == 1 and not (watch or sheet or vary))
    if save_preset:
        session.save_preset(save_preset, wanted.recipe, overwrite=overwrite)
    call = session.Session(
        wanted,
        weights,
        mask,
        guide,
        threads,
        target,
        folder,
        suffix=_suffix(preset, sheet=bool(sheet or vary), draft=draft, finish=bool(finish)),
        strict=any(each is not None for each in (motif, octaves, octave_scale)),
        quality=quality,
        depth=bits,
        no_recipe=no_recipe,
        overwrite=overwrite,
        quiet=quiet,
        draft=draft,
        finish=presets.load(str(finish)) if finish else None,
        film=film,
    )
    if watch:
        watching.watch(call, found, watch, lambda: read().recipe)
    elif sheet or vary:
        cells.sheet_all(call, found, sheet, vary or [])
    else:
        call.dream_all(found)


def _suffix(preset: str | None, *, sheet: bool, draft: bool, finish: bool) -> str:
    """What an output's name ends with."""
    if sheet or draft:
        return "sheet" if sheet else "draft"
    return Path(preset).stem if preset and not finish else "dream"
