"""The options that the dreaming commands share, and how they become a recipe."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dreamer.cli import complete, show
from dreamer.errors import DreamerError, speaking_of, unknown

if TYPE_CHECKING:
    from dreamer.describe import InWords
    from dreamer.files.metadata import Made

_LOOK, _NETWORK, _FILES = "What it looks like", "Network", "Files"
_QUICK = "Quick looking"
_MOTION = "Motion and time"
_CLIP = "When the source is a clip"
_GROWTH = "How it grows"

CELL_SIZE = "400"
"""The longest side of a sheet's cell, in pixels, where `--size` does not say otherwise."""


class Bits(StrEnum):
    """What `--depth` may be."""

    EIGHT = "8"
    SIXTEEN = "16"


def _option(
    panel: str,
    *names: str,
    help: str,
    metavar: str | None = None,
    complete: Callable[[str], Iterable[Any]] | None = None,
) -> Any:
    return typer.Option(
        *names, help=help, metavar=metavar, rich_help_panel=panel, autocompletion=complete
    )


Preset = Annotated[
    str | None,
    _option(
        _LOOK,
        "-p",
        "--preset",
        metavar="NAME|FILE",
        help="A preset, or a finished picture.",
        complete=complete.presets,
    ),
]
Layers = Annotated[
    list[str] | None,
    _option(
        _LOOK,
        "-l",
        "--layer",
        metavar="LAYER[:CHANNELS][=WEIGHT]",
        help="What to raise, as mixed4c, mixed4d:139, mixed3b=-0.2, a class as predictions:207, or "
        "what the photo excites as mixed4d:strongest5 (weakest5, average5); repeatable.",
    ),
]
Of = Annotated[
    list[str] | None,
    _option(
        _LOOK,
        "--of",
        metavar="WORD[=WEIGHT]",
        help="What to dream of, as birds or vaults=0.5; repeatable. `dream models words` lists "
        "the words.",
        complete=complete.words,
    ),
]
NotOf = Annotated[
    list[str] | None,
    _option(
        _LOOK,
        "--not",
        metavar="WORD[=WEIGHT]",
        help="What to dream less of, as dogs, which is --of dogs=-1; repeatable.",
        complete=complete.words,
    ),
]
Guide = Annotated[
    Path | None,
    _option(
        _LOOK,
        "--guide",
        metavar="FILE|FOLDER",
        help="Dream of what is in another picture; or, with --set guide_match=statistics, of what "
        "is usual in a folder of photos.",
    ),
]
Motif = Annotated[
    str | None,
    _option(
        _LOOK,
        "--motif",
        metavar="LARGEST-SMALLEST",
        help="Motif sizes as shares of the short side, as 0.6-0.15.",
    ),
]
Octaves = Annotated[
    int | None,
    _option(_LOOK, "--octaves", help="Octaves down from the picture's own size, instead."),
]
OctaveScale = Annotated[
    float | None, _option(_LOOK, "--octave-scale", help="Ratio of neighbouring octaves.")
]
Steps = Annotated[int | None, _option(_LOOK, "--steps", help="Steps of ascent in each octave.")]
Rate = Annotated[
    str | None, _option(_LOOK, "--rate", metavar="NUMBER", help="Step size, in colours of 0 to 1.")
]
Jitter = Annotated[
    int | None, _option(_LOOK, "--jitter", help="Largest random shift before a step, in pixels.")
]
Blur = Annotated[
    str | None,
    _option(_LOOK, "--blur", metavar="NUMBER", help="Width of the blur between steps, in pixels."),
]
Strength = Annotated[
    float | None,
    _option(
        _LOOK,
        "--strength",
        help="Mean colour change, the same on every layer: 10 is gentle, 20 rich, 35 wild.",
    ),
]
Opacity = Annotated[
    str | None,
    _option(_LOOK, "--opacity", metavar="SHARE", help="Of the dream over the photo, 0 to 1."),
]
Mask = Annotated[
    Path | None, _option(_LOOK, "--mask", metavar="FILE", help="Dream only where it is white.")
]
KeepColours = Annotated[
    bool, _option(_LOOK, "--keep-colours", help="The photo's colours, the dream's lightness.")
]
Palette = Annotated[
    str | None,
    _option(
        _LOOK, "--palette", metavar="PHOTO|#hex,#hex", help="Grow in a photo's or these colours."
    ),
]
Saturation = Annotated[
    str | None,
    _option(_LOOK, "--saturation", metavar="FACTOR", help="Factor on the dream's chroma."),
]
Seamless = Annotated[
    bool,
    _option(_LOOK, "--seamless", help="A pattern: opposite edges meet, for tiling and wallpapers."),
]
Seed = Annotated[int | None, _option(_LOOK, "--seed", help="Another seed, another picture.")]
Settings = Annotated[
    list[str] | None,
    _option(
        _LOOK,
        "--set",
        metavar="KEY=VALUE",
        help="Any field that `dream presets show` lists; repeatable.",
    ),
]
Network = Annotated[
    str | None,
    _option(
        _NETWORK,
        "-m",
        "--model",
        metavar="NAME|FILE",
        help="See `dream models list`; or a .keras file of your own.",
        complete=complete.networks,
    ),
]
Weights = Annotated[
    Path | None, _option(_NETWORK, "--weights", metavar="FILE", help="The network's weights.")
]
Precision = Annotated[
    str | None,
    _option(
        _NETWORK,
        "--precision",
        metavar="auto|float32|mixed|bfloat16",
        help="auto is mixed where the processor multiplies bfloat16.",
    ),
]
Threads = Annotated[
    int | None,
    typer.Option(help="Processor threads; as many as there are.", min=1, rich_help_panel=_NETWORK),
]
Size = Annotated[
    str | None,
    _option(
        _FILES,
        "--size",
        metavar="PIXELS|full",
        help="Longest side; larger than the photo enlarges.",
    ),
]
Noise = Annotated[
    str | None,
    _option(
        _FILES,
        "--noise",
        metavar="WIDTHxHEIGHT[:KIND]",
        help="Begin with noise instead of a photo: fractal, uniform, gaussian or gradient.",
    ),
]
Draft = Annotated[
    bool,
    _option(_QUICK, "--draft", help="Stop before the last, costly octaves; a PNG to look at."),
]
Finish = Annotated[
    Path | None,
    _option(_QUICK, "--finish", metavar="DRAFT", help="Go on from a draft, given its photo."),
]
Watch = Annotated[
    Path | None,
    _option(
        _QUICK, "--watch", metavar="PRESET.toml", help="Redraw the picture on each save of it."
    ),
]
GrowthFilm = Annotated[
    Path | None,
    _option(
        _FILES, "--film", metavar="FILE.mp4", help="The ascent itself as a film, a frame a step."
    ),
]
Sheet = Annotated[
    str | None,
    _option(
        _QUICK,
        "--sheet",
        metavar="layers|words|PRESET,PRESET",
        help="Every layer of the network, every word, or several presets, side by side.",
    ),
]
Vary = Annotated[
    list[str] | None,
    _option(
        _QUICK,
        "--vary",
        metavar="FIELD=a,b,c",
        help="A sheet with a field's values side by side; twice makes a grid.",
    ),
]
Output = Annotated[
    Path | None,
    _option(
        _FILES,
        "-o",
        "--output",
        help="A .png, .jpg, .webp or .tiff file, or a folder; else a PNG beside the photo.",
    ),
]
SavePreset = Annotated[
    Path | None,
    _option(_FILES, "--save-preset", metavar="FILE", help="Write the recipe as a TOML preset."),
]
Quality = Annotated[
    int | None,
    typer.Option(help="Of a JPEG or WebP, 1 to 100.", min=1, max=100, rich_help_panel=_FILES),
]
Depth = Annotated[
    Bits | None, _option(_FILES, "--depth", help="Bits a colour, of a PNG or TIFF; else 8.")
]
NoRecipe = Annotated[
    bool, _option(_FILES, "--no-recipe", help="Leave the recipe out of the picture.")
]
Overwrite = Annotated[bool, _option(_FILES, "--overwrite", help="Replace existing files.")]
Motion = Annotated[
    str | None,
    _option(
        _MOTION,
        "--motion",
        metavar="NAME",
        help="zoom, spiral, drift, tunnel, breathe, orbit or still.",
        complete=complete.motions,
    ),
]
Speed = Annotated[
    str | None, _option(_MOTION, "--speed", metavar="NUMBER", help="Factor on the motion's speed.")
]
Zoom = Annotated[
    str | None,
    _option(_MOTION, "--zoom", metavar="FACTOR", help="Per frame, as 1.02; beside the motion."),
]
Angle = Annotated[
    str | None,
    _option(_MOTION, "--angle", metavar="DEGREES", help="Per frame; beside the motion."),
]
Border = Annotated[
    str | None,
    _option(
        _MOTION,
        "--border",
        metavar="KIND",
        help="What comes in from outside: photo, reflect, wrap or replicate.",
    ),
]
Seconds = Annotated[float | None, _option(_MOTION, "--seconds", help="The film's length.")]
FrameCount = Annotated[
    int | None, _option(_MOTION, "--frames", help="Its length in frames, instead.")
]
Fps = Annotated[float | None, _option(_MOTION, "--fps", help="Frames a second.")]
Loop = Annotated[
    bool | None, _option(_MOTION, "--loop/--no-loop", help="The end leads into the beginning.")
]
Intro = Annotated[
    float | None,
    _option(_MOTION, "--intro", help="Seconds in which motion and dream set in; none in a loop."),
]
Cadence = Annotated[
    int | None,
    _option(_MOTION, "--cadence", help="Dream every so many frames; carry and mix between them."),
]
From = Annotated[
    str | None, _option(_CLIP, "--from", metavar="TIME", help="Where to begin: seconds, or m:ss.")
]
To = Annotated[str | None, _option(_CLIP, "--to", metavar="TIME", help="Where to end.")]
Every = Annotated[
    int | None, typer.Option(help="Use every so many frames.", min=1, rich_help_panel=_CLIP)
]
Flow = Annotated[
    str | None,
    _option(
        _CLIP,
        "--flow",
        metavar="on|off",
        help="The dream rides on the clip's motion, or each frame is dreamt on its own.",
    ),
]
BlendMoving = Annotated[
    str | None,
    _option(
        _CLIP,
        "--blend-moving",
        metavar="SHARE",
        help="How much of each frame's dream is new where things move.",
    ),
]
BlendStill = Annotated[
    str | None,
    _option(_CLIP, "--blend-still", metavar="SHARE", help="The same where nothing moves."),
]
NoAudio = Annotated[bool, _option(_CLIP, "--no-audio", help="Leave the clip's sound out.")]
FilmStrength = Annotated[
    str | None,
    _option(
        _LOOK, "--strength", metavar="NUMBER", help="Mean colour change by the dream in a second."
    ),
]
Habituation = Annotated[
    str | None,
    _option(
        _LOOK,
        "--habituation",
        metavar="NUMBER",
        help="How soon the film tires of a motif; 0 stays with it.",
    ),
]
FilmColours = Annotated[
    str | None,
    _option(
        _LOOK,
        "--colours",
        metavar="KIND",
        help="Held to those of the first frame, to their slow average, or free.",
    ),
]
FilmPalette = Annotated[
    str | None,
    _option(_LOOK, "--palette", metavar="#hex,#hex", help="Colours to hold the film to."),
]
FilmSize = Annotated[
    int | None, _option(_FILES, "--size", metavar="PIXELS", help="Longest side of a frame.")
]
FilmOutput = Annotated[
    Path | None,
    _option(
        _FILES,
        "-o",
        "--output",
        help="A .mp4, .webm, .gif, .webp or .mov file, or a folder of PNG frames.",
    ),
]
Audio = Annotated[
    Path | None, _option(_FILES, "--audio", metavar="FILE", help="Sound to put under the film.")
]
MaxMb = Annotated[
    float | None,
    typer.Option(
        "--max-mb",
        help="Megabytes that a GIF or WebP may have: it is made smaller.",
        min=0.01,
        rich_help_panel=_FILES,
    ),
]
KeepFrames = Annotated[
    bool, _option(_FILES, "--keep-frames", help="Keep the frames as PNG of 16 bits a colour.")
]
Fresh = Annotated[
    bool, _option(_FILES, "--fresh", help="Start over instead of going on with what is there.")
]
Init = Annotated[
    str | None,
    _option(
        _GROWTH,
        "--init",
        metavar="KIND|PHOTO",
        help="Grow from fourier, uniform or gaussian noise, from grey, or from a photo.",
    ),
]
Keep = Annotated[
    str | None,
    _option(
        _GROWTH, "--keep", metavar="last|best", help="The last picture, or that of the best score."
    ),
]
Unit = Annotated[
    bool, _option(_GROWTH, "--unit", help="One unit in the middle, cropped to what it can see.")
]
Leaky = Annotated[
    float | None,
    _option(
        _GROWTH, "--leaky", metavar="SLOPE", help="Of the network's ReLUs below zero; 0 is none."
    ),
]
Diverse = Annotated[
    int | None, _option(_GROWTH, "--diverse", help="Different pictures of each channel or class.")
]
Between = Annotated[
    int | None,
    typer.Option(
        "--between",
        min=2,
        help="Pictures on the way from one channel to another, as a row; with --film as a film.",
        rich_help_panel=_GROWTH,
    ),
]
GrownSize = Annotated[
    int | None, _option(_FILES, "--size", metavar="PIXELS", help="Longest side of a picture.")
]
Columns = Annotated[
    int | None, typer.Option("--columns", help="Of the sheet.", min=1, rich_help_panel=_FILES)
]
Each = Annotated[bool, _option(_FILES, "--each", help="Single pictures instead of a sheet.")]
SheetOutput = Annotated[
    Path | None,
    _option(
        _FILES,
        "-o",
        "--output",
        help="A .png, .jpg, .webp or .tiff file, or a folder; else a PNG in this folder.",
    ),
]
Quiet = Annotated[bool, typer.Option("-q", "--quiet", help="Only errors.")]


def number(text: str | None) -> float | str | None:
    """A number, or the text of one over a film's time, which the recipe reads."""
    try:
        return None if text is None else float(text)
    except ValueError:
        return text


def noise(text: str) -> tuple[str, tuple[int, int]]:
    """Read `WIDTHxHEIGHT[:KIND]`: the kind, height and width."""
    match = re.fullmatch(r"(\d{1,5})[x×](\d{1,5})(?::(\w+))?", text)
    if not match:
        raise DreamerError(f"--noise {text!r} is not understood: write it as 1280x720:fractal.")
    from dreamer.files import photos

    kind = match[3] or next(iter(photos.NOISES))
    if kind not in photos.NOISES:
        remedy = f"--noise can be {', '.join(photos.NOISES)}."
        raise unknown("noise", kind, photos.NOISES, remedy)
    return kind, (int(match[2]), int(match[1]))


def init(text: str | None) -> tuple[Path | None, str | None]:
    """Read `--init`: the photo, and the kind of beginning."""
    if text is None or text == "photo":
        return None, text
    path = Path(text)
    return (path, "photo") if path.suffix or path.is_file() else (None, text)


def size(text: str | None) -> dict[str, Any]:
    """Read `PIXELS|full` into the fields that it sets."""
    if text is None:
        return {}
    pixels = int(text) if re.fullmatch(r"-?[0-9]+", text) else text
    return {"size": pixels, "enlarge": text != "full"}


def palette(text: str) -> list[str]:
    """Read `#hex,#hex`, or find the main colours of a photo."""
    path = Path(text)
    if text.startswith("#"):
        return [colour.strip() for colour in text.split(",")]
    if not path.is_file():
        raise DreamerError(
            f"--palette takes colours as #rrggbb,#rrggbb, or a photo: {text} is neither."
        )
    from dreamer.ascent import look
    from dreamer.files import photos

    with speaking_of("--palette"):
        return look.main_colours(photos.read(path, "palette").image)


def given(**options: Any) -> dict[str, Any]:
    """What options set, from what was typed, by the recipe's fields; None means not given."""
    return {
        name: _READERS[name](value) if name in _READERS and value is not None else value
        for name, value in options.items()
    }


def part(**options: Any) -> dict[str, Any]:
    """What options set of a part of the recipe; what is not given is left out."""
    return {name: value for name, value in options.items() if value is not None}


_READERS: Mapping[str, Callable[[Any], Any]] = {
    "palette": palette,
    **dict.fromkeys(("rate", "blur", "opacity", "saturation"), number),
}


def in_words(
    of: Sequence[str] | None, unwanted: Sequence[str] | None, file: Path | None, *, film: bool
) -> InWords | None:
    """What `--of` and `--not` ask for; `file` is the network's own."""
    from dreamer.describe import InWords

    return InWords(of or [], unwanted or [], file, film) if of or unwanted else None


def network_file(network: str | None, weights: Path | None) -> tuple[str | None, Path | None]:
    """The network's name and its weights: of a `.keras` file, its name and the file itself.

    A recipe holds no paths, so the file is handed on as weights are.
    """
    if network and network.endswith(".keras"):
        return Path(network).name, Path(network)
    return network, weights


def still(
    preset: str | None,
    settings: Sequence[str],
    given: Mapping[str, Any],
    in_words: InWords | None = None,
    *,
    noise: str | None = None,
    via: str = "--preset",
    quiet: bool = False,
) -> Made:
    """The same as `made` for a picture: of a film's recipe, its first frame.

    One that begins with `noise` has its pixels, whatever a preset says.
    """
    wanted = made(preset, settings, given, in_words, via=via, quiet=quiet)
    first = wanted.recipe.still()
    if first != wanted.recipe:
        show.note("The recipe is a film's: the picture takes its first frame.", quiet=quiet)
    if noise and not repeats(wanted, noise):
        first = first.changed({"size": "full"})
    return wanted._replace(recipe=first)


def repeats(wanted: Made, text: str) -> bool:
    """Whether a recipe is that of a picture or film that was made of this very noise."""
    from dreamer.files import photos

    described = photos.noise_sha256(*noise(text), wanted.recipe.seed)
    return wanted.facts.get("photo_sha256") == described


def made(
    preset: str | None,
    settings: Sequence[str],
    given: Mapping[str, Any],
    in_words: InWords | None = None,
    *,
    kind: str = "a picture",
    via: str = "--preset",
    quiet: bool = False,
) -> Made:
    """The recipe that a preset, `--set` and the options describe; None means not given.

    The later of the three has the last word. The facts are those of the preset, if it is a
    finished picture. What a person may not expect is said.

    Args:
        preset, settings, given, in_words: what is asked for.
        kind: what is made by the recipe, a key of `describe.UNUSED`.
        via: the option that names the preset.
        quiet: whether nothing is said.
    """
    from dreamer import presets, recipe
    from dreamer.describe import described

    with speaking_of(via):
        base = presets.load(preset) if preset else None
    chosen = {key: value for key, value in given.items() if value is not None}
    parsed = list(map(recipe.parse_setting, settings))
    for text in _unexpected(preset, base, chosen, parsed, in_words, kind):
        show.note(text, quiet=quiet)
    return described(base, chosen, in_words, settings=parsed)


def _unexpected(
    preset: str | None,
    base: Made | None,
    chosen: Mapping[str, Any],
    settings: Sequence[tuple[str, Any]],
    in_words: InWords | None,
    kind: str,
) -> Iterator[str]:
    """What a person may not expect of what is asked for, a sentence each."""
    from dreamer.describe import unused
    from dreamer.layers import brief

    for name in ("mask", "guide"):
        recorded = getattr(base.recipe, name) if base else None
        if recorded and chosen.get(name, recorded) != recorded:
            yield f"The {name} is not the one that the recipe was made with."
    words = in_words and (in_words.asked or in_words.unwanted)
    if base and base.recipe.layers and (words or "layers" in chosen):
        raised = ", ".join(map(brief, base.recipe.layers))
        options = "--of and --not take" if words else "--layer takes"
        yield f"{options} the place of what {preset} dreams of ({raised})."
    moved = {**chosen, **chosen.get("film", {})}
    if "motif" in moved and "octaves" not in chosen and "octaves" in dict(settings):
        yield "--motif takes the place of --set octaves."
    flat = [
        f"{name}.{inner}" if isinstance(value, dict) else name
        for name, value in settings
        for inner in (value if isinstance(value, dict) else ("",))
    ]
    if idle := unused(base.recipe if base else None, flat, kind):
        source = f"{preset} and --set" if preset and flat else preset or "--set"
        more = f" and {len(idle) - SHOWN} more" if len(idle) > SHOWN else ""
        yield f"{source} also says {', '.join(idle[:SHOWN])}{more}, which {kind} does not use."


SHOWN = 5
"""Fields that are named in a message; the others are counted."""
