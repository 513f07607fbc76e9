"""Requests: what a job is asked for, as plain data.

A request is stored as JSON, sent to another machine, printed as a command line and read back. Each
field says in its definition how it is asked for on the command line; fields of a recipe say so in
theirs (`dreamer.recipe.field_types`), and a request holds them by name in `fields`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import Field, model_validator
from pydantic.fields import FieldInfo

from dreamer.files.codecs import CodecName
from dreamer.recipe.field_types import Data, Kind
from dreamer.recipe.names import traits

LOOK, NETWORK, FILES = "What it looks like", "Network", "Files"
QUICK, MOTION, CLIP = "Quick looks", "Motion and time", "When the source is a clip"
GROWTH, SEARCH = "How it grows", "The search"

Typed = str | bool | tuple[str, ...]
"""A value of a recipe's field as it is typed; a list where its option may be repeated."""


@dataclass(frozen=True)
class Option:
    """How a field of a request is asked for on the command line.

    Attributes:
        flags: as `-o` and `--output`; none of an argument without a name.
        panel: the part of the help where it stands.
        metavar: what the help calls its value; empty for the type's own name.
        completes: what Tab offers: `presets`, `networks`, `words` or `motions`.
    """

    flags: tuple[str, ...] = ()
    panel: str = ""
    metavar: str = ""
    completes: str = ""

    def __call__(self, schema: dict[str, Any]) -> None:
        """Say in a field's JSON schema which option sets it, as pydantic asks for."""
        schema["flags"] = list(self.flags)

    @property
    def flag(self) -> str:
        """Return the long flag; empty of an argument without a name."""
        return max(self.flags, key=len, default="")


def ask(
    default: Any,
    description: str,
    *flags: str,
    panel: str = FILES,
    metavar: str = "",
    completes: str = "",
    **limits: Any,
) -> Any:
    """Define a field of a request; see `Option`, and pydantic's `Field` for its limits."""
    option = Option(flags, panel, metavar, completes)
    return Field(default, description=description, json_schema_extra=option, **limits)


def option_of(info: FieldInfo) -> Option | None:
    """Return how a field is asked for; None of `fields`."""
    found = info.json_schema_extra
    return found if isinstance(found, Option) else None


class Bits(StrEnum):
    """Bits per color channel of a picture file."""

    EIGHT = "8"
    SIXTEEN = "16"


class Patch(StrEnum):
    """How much of a photo around the strongest cell is shown."""

    MOTIF = "motif"
    FIELD = "field"


class Attribution(StrEnum):
    """How it is found out what in a photo a channel answers to; see `analysis.attribution`."""

    GRADIENT = "gradient"
    INTEGRATED = "integrated"
    GRADCAM = "gradcam"


class Request(Data):
    """What every job is asked for."""

    command: ClassVar[str]
    kinds: ClassVar[tuple[Kind, ...]] = ()
    """What it makes: the fields of a recipe that these use can be given as options."""
    left_out: ClassVar[tuple[str, ...]] = ()
    """Fields of a recipe that are not options of this command all the same."""
    taken_in: ClassVar[tuple[str, ...]] = ()
    """Fields of a recipe that are options of this command although it makes nothing by it."""

    fields: dict[str, Typed] = Field(default_factory=dict, description="fields of the recipe")
    settings: tuple[str, ...] = ask(
        (),
        "set any field that `dream presets show` lists; repeatable",
        "--set",
        panel=LOOK,
        metavar="KEY=VALUE",
    )
    weights: Path | None = ask(
        None, "file with the weights of the network", "--weights", panel=NETWORK, metavar="FILE"
    )
    trust: bool = ask(
        False,
        "open a model whose file brings Python code of its own, as Lambda layers do, and runs it: "
        "only if you trust who made it",
        "--trust",
        panel=NETWORK,
    )
    overwrite: bool = ask(False, "replace existing files", "--overwrite")


class RecipeRequest(Request):
    """What every job is asked for that makes pictures by a recipe."""

    preset: str | None = ask(
        None,
        "start from a preset, or from a finished picture or film",
        "-p",
        "--preset",
        panel=LOOK,
        metavar="NAME|FILE",
        completes="presets",
    )
    threads: int | None = ask(
        None,
        "number of processor threads (default: as many as there are)",
        "--threads",
        panel=NETWORK,
        ge=1,
    )
    save_preset: Path | None = ask(
        None, "write the recipe as a TOML preset", "--save-preset", metavar="FILE"
    )


class DreamRequest(RecipeRequest):
    """What jobs are asked for that dream on photos or clips."""

    of: tuple[str, ...] = ask(
        (),
        "what to dream of, as birds or vaults=0.5; repeatable; `dream models words` lists the "
        "words",
        "--of",
        panel=LOOK,
        metavar="WORD[=WEIGHT]",
        completes="words",
    )
    unwanted: tuple[str, ...] = ask(
        (),
        "what to dream less of, as dogs, which is --of dogs=-1; repeatable",
        "--not",
        panel=LOOK,
        metavar="WORD[=WEIGHT]",
        completes="words",
    )
    noise: str | None = ask(
        None,
        "start from noise instead of a photo: fractal, uniform, gaussian or gradient",
        "--noise",
        metavar="WIDTHxHEIGHT[:KIND]",
    )
    allow_damaged: bool = ask(
        False, "use what there is of a photo whose file ends too early", "--allow-damaged"
    )
    quality: int | None = ask(
        None,
        "quality of a JPEG, a WebP or a film, 1 to 100",
        "--quality",
        ge=1,
        le=100,
    )


class ImageRequest(DreamRequest):
    """Dream on photos."""

    command = "image"
    kinds = (Kind.PICTURE,)

    photos: tuple[Path, ...] = ask((), "photos, or folders of them", metavar="PHOTOS")
    keep_colors: bool = ask(
        False, "keep the photo's colors under the dream's lightness", "--keep-colors", panel=LOOK
    )
    neon: bool = ask(
        False,
        "colors and grain as the network alone would have them, on whatever photo",
        "--neon",
        panel=LOOK,
    )
    draft: bool = ask(
        False,
        "stop before the last, costly octaves, for a first look; --finish goes on from it",
        "--draft",
        panel=QUICK,
    )
    finish: Path | None = ask(
        None,
        "go on from a draft, or from a picture that Ctrl-C stopped, given its photo",
        "--finish",
        panel=QUICK,
        metavar="DRAFT",
    )
    watch: Path | None = ask(
        None,
        "redraw the picture each time this preset is saved",
        "--watch",
        panel=QUICK,
        metavar="PRESET.toml",
    )
    sheet: str | None = ask(
        None,
        "make a contact sheet: every layer of the network, every word, or some presets and words",
        "--sheet",
        panel=QUICK,
        metavar="layers|words|NAME,NAME",
    )
    vary: tuple[str, ...] = ask(
        (),
        "make a contact sheet of several values of a field; given twice, a grid",
        "--vary",
        panel=QUICK,
        metavar="FIELD=a,b,c",
    )
    columns: int | None = ask(None, "columns of the sheet", "--columns", panel=QUICK, ge=1)
    no_labels: bool = ask(
        False, "leave out what is written under the pictures", "--no-labels", panel=QUICK
    )
    film: Path | None = ask(
        None, "write the ascent itself as a film, a frame per step", "--film", metavar="FILE.mp4"
    )
    output: Path | None = ask(
        None,
        "a .png, .jpg, .webp or .tiff file, or a folder (default: a PNG beside the photo)",
        "-o",
        "--output",
    )
    depth: Bits | None = ask(
        None, "bits per color channel of a PNG or TIFF (default: 8)", "--depth"
    )
    dpi: float | None = ask(
        None,
        "dots per inch for whoever prints the picture (default: the photo's)",
        "--dpi",
        ge=1,
        le=100_000,
    )
    no_recipe: bool = ask(False, "leave the recipe out of the picture", "--no-recipe")


class VideoRequest(DreamRequest):
    """Make a film of a photo or a clip."""

    command = "video"
    kinds = (Kind.FILM, Kind.CLIP)
    left_out = ("steps", "motif", "strength", "palette")

    source: Path | None = ask(
        None, "a photo to start from; or a clip, or a folder of numbered frames, to dream on"
    )
    others: tuple[Path, ...] = ask((), "more photos, between which the film dreams")

    @model_validator(mode="before")
    @classmethod
    def _begin_with_source(cls, given: Any) -> Any:
        """Let the first of several photos be the source."""
        others = given.get("others") if isinstance(given, Mapping) else None
        if others and given.get("source") is None:
            return {**given, "source": others[0], "others": tuple(others[1:])}
        return given

    start: str | None = ask(
        None, "where to start: seconds, or m:ss", "--from", panel=CLIP, metavar="TIME"
    )
    stop: str | None = ask(None, "where to stop", "--to", panel=CLIP, metavar="TIME")
    every: int | None = ask(None, "use only every so many frames", "--every", panel=CLIP, ge=1)
    no_audio: bool = ask(False, "leave out the sound of the clip", "--no-audio", panel=CLIP)
    background: str | None = ask(
        None,
        "what a transparent clip is shown on (default: it stays transparent where the film can be, "
        "in .webm, .mkv, a folder, or --codec prores4444; otherwise black)",
        "--background",
        panel=CLIP,
        metavar="#rrggbb",
    )
    output: Path | None = ask(
        None,
        "a .mp4, .webm, .mov, .mkv, .gif or .webp file, or a folder for PNG frames",
        "-o",
        "--output",
    )
    codec: CodecName | None = ask(
        None,
        "how the film is encoded (default: h264 in .mp4, vp9 in .webm, prores in .mov, ffv1 in "
        ".mkv)",
        "--codec",
    )
    dry_run: bool = ask(
        False,
        "write the film undreamt, in seconds: the photo moved along the path with a grid, and what "
        "is scheduled",
        "--dry-run",
        panel=QUICK,
    )
    music: tuple[str, ...] = ask(
        (),
        "a song that the film keeps time with, and gets the length and the sound of; or stems by "
        "name, as drums=a.wav; schedules read bass, mid, treble, rms, onset, beat, beat_phase and "
        "bpm of it, and drums.onset; repeatable",
        "--music",
        metavar="FILE|STEM=FILE",
    )
    audio: Path | None = ask(None, "sound for the film", "--audio", metavar="FILE")
    max_mb: float | None = ask(
        None,
        "megabytes that a GIF or WebP may have; it is made smaller until it fits",
        "--max-mb",
        ge=0.01,
    )
    no_recipe: bool = ask(False, "leave the recipe out of the film", "--no-recipe")
    keep_frames: bool = ask(
        False, "keep the frames as PNG files of 16 bits per color channel", "--keep-frames"
    )
    fresh: bool = ask(False, "start over instead of going on with what is there", "--fresh")
    verbose: bool = ask(False, "tell the figures behind the words, too", "-v", "--verbose")


class GrownRequest(RecipeRequest):
    """What jobs are asked for that grow pictures of channels or classes."""

    vary: tuple[str, ...] = ask(
        (),
        "show several values of a field side by side; given twice, a grid",
        "--vary",
        panel=QUICK,
        metavar="FIELD=a,b,c",
    )
    columns: int | None = ask(None, "columns of the sheet", "--columns", ge=1)
    each: bool = ask(False, "write single pictures instead of a sheet", "--each")
    film: Path | None = ask(
        None, "write the ascent itself as a film, a frame per step", "--film", metavar="FILE.mp4"
    )
    output: tuple[Path, ...] = ask(
        (),
        "a .png, .jpg, .webp or .tiff file, or a folder (default: a PNG in this folder); or a "
        "table of the scores (.csv, .json), alone or given besides",
        "-o",
        "--output",
        metavar="FILE|FOLDER",
    )
    log: Path | None = ask(
        None, "write the score of every step, as .csv or .json", "--log", metavar="FILE"
    )
    no_recipe: bool = ask(False, "leave the recipe out of the picture", "--no-recipe")


class FiltersRequest(GrownRequest):
    """Grow pictures of what channels want to see."""

    command = "filters"
    kinds = (Kind.CHANNEL,)
    left_out = ("layers",)

    layers: tuple[str, ...] = ask(
        (),
        "channels, as mixed4d, mixed4d:139 or mixed4d:0-24; a mix as mixed4d:3@0.7,5@-0.4; several "
        'layers as "mixed4?"; or convolutions for all of those, a sheet for each layer',
        metavar="LAYER[:CHANNELS]...",
    )
    first: int = ask(
        25,
        "how many channels of a layer that is given without any",
        "--first",
        panel=LOOK,
        ge=1,
    )
    every_channel: bool = ask(
        False,
        "show all channels of such a layer; the same command goes on where it was stopped",
        "--all",
        panel=LOOK,
    )
    on: Path | None = ask(
        None,
        "show the channels that a photo excites most, the strongest first; their pictures are kept "
        "for the next time",
        "--on",
        panel=LOOK,
        metavar="PHOTO",
    )
    grid: Path | None = ask(
        None,
        "show what a layer sees at each place of a photo, as a picture of pictures",
        "--grid",
        panel=LOOK,
        metavar="PHOTO",
    )
    cells: int = ask(
        8, "how many places along the longer side of --grid", "--cells", panel=LOOK, ge=1, le=64
    )
    caricature: Path | None = ask(
        None,
        "exaggerate what a layer sees in a photo",
        "--caricature",
        panel=LOOK,
        metavar="PHOTO",
    )
    between: int | None = ask(
        None,
        "show so many pictures on the way from one channel to another, as a row; with --film as a "
        "film",
        "--between",
        panel=GROWTH,
        ge=2,
    )
    fresh: bool = ask(False, "start over instead of going on with what is there", "--fresh")
    verbose: bool = ask(False, "tell the figures behind the words, too", "-v", "--verbose")


class ClassRequest(GrownRequest):
    """Grow the picture that a classifier takes for a class."""

    command = "class"
    kinds = (Kind.CLASS,)

    names: tuple[str, ...] = ask(
        (),
        "classes, as magpie, 'sea snake', 394 or n01582220; `dream models classes` lists them "
        "(default: those of the picture that -p names)",
        metavar="NAME|INDEX...",
    )
    labels: Path | None = ask(
        None,
        "what each output of the network is called, one per line",
        "--labels",
        panel=NETWORK,
        metavar="FILE",
    )
    head: str | None = ask(
        None,
        "the layer of the classes, of a network that ends in several",
        "--head",
        panel=NETWORK,
        metavar="LAYER",
    )


class ExemplarsRequest(RecipeRequest):
    """Find the photos, and the places in them, that excite channels most."""

    command = "exemplars"
    taken_in = ("network",)

    folder: Path = ask(..., "photos of any size; folders inside it count, too", metavar="FOLDER")
    layers: tuple[str, ...] = ask(
        ..., "channels, as mixed4d:139 or mixed4c:1,5-9", metavar="LAYER:CHANNELS..."
    )
    count: int = ask(8, "how many exemplars of each channel", "-k", "--count", panel=LOOK, ge=1)
    longest: int = ask(
        320,
        "longest side at which photos are looked at, in pixels",
        "--size",
        panel=LOOK,
        metavar="PIXELS",
        ge=16,
    )
    patch: Patch = ask(
        Patch.MOTIF,
        "show all of the receptive field, or its middle of the size of a motif, which counts most",
        "--patch",
        panel=LOOK,
    )
    attribution: Attribution | None = ask(
        None,
        "darken in the photos what the channel does not answer to: by the gradient times the "
        "photo, by gradients integrated from gray on, or by feature maps (Grad-CAM)",
        "--attribution",
        panel=LOOK,
        metavar="gradient|integrated|gradcam",
    )
    photos_only: bool = ask(
        False, "do not grow the channels' own pictures", "--photos-only", panel=LOOK
    )
    mean: Path | None = ask(
        None,
        "write the mean of the patches; of several channels, into a folder",
        "--mean",
        metavar="FILE|FOLDER",
    )
    output: tuple[Path, ...] = ask(
        (),
        "a sheet (.png, .jpg, …) or a table (.csv, .json); given twice, both",
        "-o",
        "--output",
        metavar="FILE",
    )


class CompareRequest(Request):
    """Compare the activations of two pictures, layer by layer."""

    command = "compare"
    taken_in = ("network",)

    first: Path = ask(..., "a picture", metavar="A")
    second: Path = ask(..., "another one, of any size", metavar="B")
    layers: tuple[str, ...] = ask(
        (),
        "compare these layers instead of an overview; repeatable",
        "-l",
        "--layer",
        panel=LOOK,
        metavar="LAYER",
    )
    output: tuple[Path, ...] = ask(
        (),
        "a sheet (.png, .jpg, …) or a table (.csv, .json); given twice, both",
        "-o",
        "--output",
        metavar="FILE",
    )


class SearchRequest(DreamRequest):
    """Dream by many recipes, drawn at random."""

    command = "search"
    kinds = (Kind.PICTURE,)
    left_out = ("seed",)

    photo: Path | None = ask(None, "the photo to dream on")
    grow: str | None = ask(
        None,
        "grow a channel, as mixed4d:139, or a class, as magpie, instead of dreaming on a photo",
        "--grow",
        panel=SEARCH,
        metavar="LAYER:CHANNEL|CLASS",
    )
    count: int = ask(16, "how many recipes to try", "-n", "--trials", panel=SEARCH, ge=1, le=400)
    over: tuple[str, ...] = ask(
        (),
        "search over this field only, or several; without a range, over its usual one; ranges are "
        "on a logarithmic scale where both ends are positive; repeatable",
        "--over",
        panel=SEARCH,
        metavar="FIELD=LOW..HIGH|a,b,c",
    )
    around: str | None = ask(
        None,
        "take small steps from a preset, which is shown, too",
        "--around",
        panel=SEARCH,
        metavar="NAME|FILE",
        completes="presets",
    )
    by: Literal["appeal", "objective", "naturalness", "trial"] = ask(
        "appeal",
        "how to sort the sheet: by what an eye is likely to choose, by how far a dream raised its "
        "score above the photo's, by how little its activations differ from those of photos, or by "
        "number",
        "--by",
        panel=SEARCH,
        metavar="appeal|objective|naturalness|trial",
    )
    seed: int = ask(0, "another seed, other recipes", "--seed", panel=SEARCH, ge=0)
    pick: str | None = ask(
        None,
        "keep a cell of the finished sheet as a preset of your own, or as --save-preset",
        "--pick",
        panel=SEARCH,
        metavar="rNcM[=NAME]",
    )
    keep_colors: bool = ask(
        False, "keep the photo's colors under the dream's lightness", "--keep-colors", panel=LOOK
    )
    output: Path | None = ask(
        None,
        "a .png, .jpg, .webp or .tiff file, or a folder (default: a PNG beside the photo)",
        "-o",
        "--output",
    )
    fresh: bool = ask(False, "start over instead of going on with what is there", "--fresh")
    verbose: bool = ask(False, "tell the figures behind the words, too", "-v", "--verbose")


def recipe_options(request: type[Request]) -> list[str]:
    """Return the fields of a recipe that are options of a command, in order."""
    return [
        field
        for field, trait in traits().items()
        if (
            trait.flag and set(trait.used_by) & set(request.kinds) and field not in request.left_out
        )
        or field in request.taken_in
    ]


REQUESTS: Mapping[str, type[Request]] = {
    kind.command: kind
    for kind in (
        *(ImageRequest, VideoRequest, FiltersRequest, ClassRequest),
        *(ExemplarsRequest, CompareRequest, SearchRequest),
    )
}
"""By the name of the command."""
