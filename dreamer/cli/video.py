"""`dream video`: films that are fed back into themselves, or ride on a clip."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dreamer.cli import options
from dreamer.errors import speaking_of

if TYPE_CHECKING:
    from dreamer.files.metadata import Made

EXAMPLES = """Examples:

dream video photo.jpg  ·  ten seconds of zoom, written beside the photo

dream video photo.jpg --motion spiral --seconds 30 -l mixed4d -o spiral.mp4

dream video photo.jpg --loop --seconds 6 --size 480 -o loop.gif --max-mb 8

dream video photo.jpg -l "0:mixed3b, 4s:mixed4c" --zoom "0:(1.0), 96:(1.03, ease-in)"

dream video clip.mp4 -p pagodas  ·  the dream rides on the clip's own motion; the sound stays

dream video clip.mp4 --from 0:10 --to 0:15 --strength 15 --mask mask.mp4 -o part.mp4

dream video --noise 1280x720 -p finished.png  ·  a picture's look, grown from nothing
"""


def command(
    source: Annotated[
        Path | None,
        typer.Argument(
            help="A photo to begin with; a clip, or a folder of numbered frames, to dream on.",
            show_default=False,
        ),
    ] = None,
    preset: options.Preset = None,
    motion: options.Motion = None,
    speed: options.Speed = None,
    zoom: options.Zoom = None,
    angle: options.Angle = None,
    border: options.Border = None,
    seconds: options.Seconds = None,
    count: options.FrameCount = None,
    fps: options.Fps = None,
    loop: options.Loop = None,
    intro: options.Intro = None,
    cadence: options.Cadence = None,
    start: options.From = None,
    stop: options.To = None,
    every: options.Every = None,
    flow: options.Flow = None,
    blend_moving: options.BlendMoving = None,
    blend_still: options.BlendStill = None,
    no_audio: options.NoAudio = False,
    of: options.Of = None,
    unwanted: options.NotOf = None,
    layer: options.Layers = None,
    guide: options.Guide = None,
    motif: options.Motif = None,
    octaves: options.Octaves = None,
    octave_scale: options.OctaveScale = None,
    steps: options.Steps = None,
    strength: options.FilmStrength = None,
    habituation: options.Habituation = None,
    colours: options.FilmColours = None,
    palette: options.FilmPalette = None,
    saturation: options.Saturation = None,
    mask: options.Mask = None,
    jitter: options.Jitter = None,
    blur: options.Blur = None,
    seed: options.Seed = None,
    settings: options.Settings = None,
    network: options.Network = None,
    weights: options.Weights = None,
    precision: options.Precision = None,
    threads: options.Threads = None,
    size: options.FilmSize = None,
    noise: options.Noise = None,
    output: options.FilmOutput = None,
    audio: options.Audio = None,
    quality: options.Quality = None,
    max_mb: options.MaxMb = None,
    save_preset: options.SavePreset = None,
    no_recipe: options.NoRecipe = False,
    keep_frames: options.KeepFrames = False,
    fresh: options.Fresh = False,
    overwrite: options.Overwrite = False,
    quiet: options.Quiet = False,
) -> None:
    """Film a dream: each frame of a photo's film is moved a little and dreamt again.

    On a clip the dream rides on the clip's own motion, and its sound stays.
    A film that was stopped goes on when the same command is run again.
    """
    network, weights = options.network_file(network, weights)
    # What follows is heavy, and `--help` does without it.
    from dreamer import filmfields
    from dreamer.cli import clip, film, session, show, sources
    from dreamer.files import films
    from dreamer.layers import brief

    mask, guide = session.brought(preset, mask, guide)
    on_clip = source is not None and clip.is_clip(source)
    moving = options.part(
        motion=motion,
        speed=options.number(speed),
        zoom=options.number(zoom),
        angle=options.number(angle),
        border=border,
        seconds=seconds,
        frames=count,
        fps=fps,
        loop=loop,
        intro=intro,
        cadence=cadence,
        motif=motif,
        steps=steps,
        strength=options.number(strength),
        habituation=options.number(habituation),
        colours=colours,
        palette=palette,
        size=size,
        flow=flow,
        blend_moving=options.number(blend_moving),
        blend_still=options.number(blend_still),
    )
    given = options.given(
        film=filmfields.implied(moving),
        layers=layer or None,
        octaves=octaves,
        octave_scale=octave_scale,
        guide=session.file_sha256(guide, "guide"),
        saturation=saturation,
        mask=clip.mask_sha256(mask),
        jitter=jitter,
        blur=blur,
        seed=seed,
        network=network,
        precision=precision,
    )
    part = clip.Part(start, stop, every, fps, not no_audio)
    if on_clip and source:
        given |= clip.as_picture(source, moving)
    else:
        clip.check_photo(source, part, moving)
    in_words = options.in_words(of, unwanted, weights, film=True)
    kind = "a clip" if on_clip else "a film"
    wanted = options.made(preset, settings or [], given, in_words, kind=kind, quiet=quiet)
    if noise and not size:
        wanted = _of_its_size(wanted, noise, quiet=quiet)
    texts = [*(of or []), *(unwanted or []), *(layer or [])] or wanted.recipe.layers
    if not on_clip and (unseen := wanted.recipe.film.unseen(texts)):
        show.note(
            f"{' and '.join(map(brief, unseen))} will hardly be seen, because the film sets in "
            f"over its first {wanted.recipe.film.intro:g} s: give a later key, or --intro 0.",
            quiet=quiet,
        )
    if output and (output.suffix or not output.is_dir()):
        with speaking_of("--output"):
            films.format_of(output)
    target = output if output and not output.is_dir() else None
    if save_preset:
        session.save_preset(save_preset, wanted.recipe, overwrite=overwrite)
    call = session.Session(
        wanted,
        weights,
        mask,
        guide,
        threads,
        target,
        output if output and output.is_dir() else None,
        suffix=Path(preset).stem if preset else "film",
        strict=False,
        quality=quality,
        depth=None,
        no_recipe=no_recipe,
        overwrite=overwrite,
        quiet=quiet,
    )
    making = film.FilmSession(call, keep_frames, fresh, audio, max_mb)
    if on_clip and source:
        making.dream(*clip.named(source), partial(clip.take, source, part))
    else:
        found = sources.find([source] if source else [], noise, wanted.recipe.seed).all[0]
        making.dream(found.folder, found.name, partial(film.photo, found))


def _of_its_size(wanted: Made, noise: str, *, quiet: bool) -> Made:
    """A film of just the pixels that `--noise` names, unless it is repeated."""
    from dreamer.cli import show

    _, (height, width) = options.noise(noise)
    if options.repeats(wanted, noise):
        return wanted
    if height % 2 or width % 2:
        even = f"{width // 2 * 2}×{height // 2 * 2}"
        show.note(f"A film has even sides: {even} instead of {width}×{height}.", quiet=quiet)
    sized = {"film": {"size": max(height, width)}}
    return wanted._replace(recipe=wanted.recipe.changed(sized, "--noise"))
