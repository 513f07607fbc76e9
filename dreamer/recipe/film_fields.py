"""The part of a recipe that is for films only: motion, time, colors and habituation."""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import AfterValidator, BeforeValidator, Field

from dreamer.recipe.field_types import (
    FILMS,
    Acts,
    Data,
    FrameSize,
    Kind,
    Motif,
    NotNegative,
    OverTime,
    Positive,
    define,
    split_commas,
)
from dreamer.recipe.schedule import Clock, Number, Signals, parse_text

Motion = Literal["glide", "zoom", "spiral", "drift", "tunnel", "breathe", "orbit", "still"]
"""The names of the motions."""

FILM = (Kind.FILM,)
"""Films grown from a photo only, as the users of a field."""

CLIP = (Kind.CLIP,)
"""Films dreamt over a clip only, as the users of a field."""


def complete_changes(changes: Mapping[str, Any]) -> dict[str, Any]:
    """Add the changes that others imply: a palette sets `colors`, and seconds reset `frames`."""
    colors = {"colors": "palette"} if changes.get("palette") else {}
    seconds = {"frames": None} if changes.get("seconds") else {}
    return {**seconds, **changes, **colors}


FREELY = "free"
"""What `associate` is where a film chooses by itself what it begins with."""

_THEMES = re.compile(
    r"(\d{1,4}(?:\.\d{1,3})?)(?:-(\d{1,4}(?:\.\d{1,3})?))?(s|beat|bar)s?", re.ASCII
)


class ThemeLength(NamedTuple):
    """How long a theme lasts: at least and at most, in seconds, beats or bars."""

    least: float
    most: float
    unit: str


def parse_themes(text: str) -> ThemeLength:
    """Parse `4s`, `4-8s`, `8 beats` or `2 bars`.

    Raises ValueError if it is none of these, or if that is less than one.
    """
    match = _THEMES.fullmatch(text.replace(" ", ""))
    if not match:
        raise ValueError("write 5s, 4-8s, 8 beats or 2 bars")
    least, most = float(match[1]), float(match[2] or match[1])
    if not 1 <= least <= most:
        raise ValueError("write 1 at least, and the smaller number first")
    return ThemeLength(least, most, match[3])


def _check_themes(text: str) -> str:
    parse_themes(text)
    return text


_CODES = re.compile(r"#[0-9a-fA-F]{6}(\s*,\s*#[0-9a-fA-F]{6})*")


def _join_colors(value: object) -> object:
    """Accept a list of colors as well as a text."""
    return ",".join(map(str, value)) if isinstance(value, list | tuple) else value


def _split_arc(value: object) -> object:
    """Accept palettes separated by semicolons as well as a list."""
    return [each.strip() for each in value.split(";")] if isinstance(value, str) else value


def _check_arc(palettes: tuple[str, ...]) -> tuple[str, ...]:
    for codes in palettes:
        if not _CODES.fullmatch(codes):
            raise ValueError(f"{codes!r} are not colors: write #rrggbb,#rrggbb;#rrggbb,#rrggbb")
    return palettes


Arc = Annotated[tuple[str, ...], BeforeValidator(_split_arc), AfterValidator(_check_arc)]
"""Palettes in turn; also accepts a text with semicolons between them."""


def _check_palette(text: str | None) -> str | None:
    for codes in parse_text(text).texts if text else ():
        if not _CODES.fullmatch(codes):
            raise ValueError(f"{codes!r} are not colors: write #rrggbb,#rrggbb")
    return text


Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]

ALONE, ASSOCIATING = (2.0, 1.0), (1.0, 2.0)
"""Habituation and memory, where nobody asks for others."""

DISSOLVING = 0.6
"""How much of a film dissolves in a second, where it does not associate and nobody says."""

WANDERING = 4.0
"""How far a film of whole layers strays, where nobody says."""

MOMENTS = 5000
"""The approximate number of frames of a long film that are checked in advance."""


class Film(Data):
    """The fields of a film; those with `OverTime` may be schedules, as `0:(1.02), 60:(1.06)`."""

    motion: Motion = define(
        "glide",
        "camera motion: glide, which breathes as it moves in, zoom, spiral, drift, tunnel, "
        "breathe, orbit or still; the same at every frame rate",
        "film.motion",
        Acts.START,
        FILM,
        flag="--motion",
        metavar="NAME",
    )
    speed: Annotated[Number, OverTime(0, 20)] = define(
        1.0,
        "factor on the speed of the motion",
        "film.speed",
        Acts.START,
        FILM,
        flag="--speed",
        metavar="NUMBER",
    )
    zoom: Annotated[Number, OverTime(0.01, 100)] = define(
        1.0,
        "additional zoom per frame, such as 1.02",
        "film.zoom",
        Acts.START,
        FILM,
        flag="--zoom",
        metavar="FACTOR",
    )
    angle: Annotated[Number, OverTime(-360, 360)] = define(
        0.0,
        "additional rotation per frame, in degrees",
        "film.angle",
        Acts.START,
        FILM,
        flag="--angle",
        metavar="DEGREES",
    )
    pan_x: Annotated[Number, OverTime(-1, 1)] = define(
        0.0, "shift to the right per frame, as a share of the width", "film.pan_x", Acts.START, FILM
    )
    pan_y: Annotated[Number, OverTime(-1, 1)] = define(
        0.0, "shift downward per frame, as a share of the height", "film.pan_y", Acts.START, FILM
    )
    tilt_x: Annotated[Number, OverTime(-80, 80)] = define(
        0.0,
        "rotation per frame about the horizontal axis, in degrees",
        "film.tilt_x",
        Acts.START,
        FILM,
    )
    tilt_y: Annotated[Number, OverTime(-80, 80)] = define(
        0.0,
        "rotation per frame about the vertical axis, in degrees",
        "film.tilt_y",
        Acts.START,
        FILM,
    )
    field_of_view: Annotated[Number, OverTime(5, 150)] = define(
        60.0, "field of view of a tilt, in degrees", "film.field_of_view", Acts.START, FILM
    )
    center_x: Annotated[Number, OverTime(-1, 2)] = define(
        0.5,
        "center of zoom and rotation, as a share of the width",
        "film.center_x",
        Acts.START,
        FILM,
    )
    center_y: Annotated[Number, OverTime(-1, 2)] = define(
        0.5,
        "center of zoom and rotation, as a share of the height",
        "film.center_y",
        Acts.START,
        FILM,
    )
    border: Literal["photo", "reflect", "wrap", "replicate"] = define(
        "photo",
        "what fills areas from outside the frame: the photo, or the frame reflected, wrapped "
        "or replicated",
        "film.border",
        Acts.START,
        FILM,
        flag="--border",
        metavar="photo|reflect|wrap|replicate",
    )

    fps: Positive = define(
        24.0, "frames per second", "film.fps", Acts.START, FILMS, flag="--fps", le=240
    )
    written_fps: Positive | None = define(
        None,
        "frame rate that keyframes and per-frame values are written for (default: fps)",
        "film.written_fps",
        Acts.START,
        FILMS,
        le=240,
    )
    seconds: Positive = define(
        10.0, "length in seconds", "film.seconds", Acts.START, FILM, flag="--seconds", le=86400
    )
    frames: int | None = define(
        None,
        "length in frames; replaces --seconds",
        "film.frames",
        Acts.START,
        FILMS,
        flag="--frames",
        ge=1,
        le=1_000_000,
    )
    intro: NotNegative = define(
        2.0,
        "seconds over which motion and dream fade in; not used in a loop",
        "film.intro",
        Acts.START,
        FILM,
        flag="--intro",
    )
    loop: bool = define(
        False, "make the end lead into the beginning", "film.loop", Acts.START, FILMS, flag="--loop"
    )
    cadence: int = define(
        1,
        "dream on every Nth frame only, and blend in between",
        "film.cadence",
        Acts.START,
        FILM,
        flag="--cadence",
        ge=1,
        le=24,
    )

    steps: int = define(
        3,
        "steps of gradient ascent in each octave of a frame",
        "film.steps",
        Acts.START,
        FILM,
        flag="--steps",
        ge=1,
        le=1000,
    )
    motif: Motif = define(
        (0.22, 0.22),
        "largest and smallest motif, as shares of the short side, for example 0.6-0.15",
        "film.motif",
        Acts.PLAN,
        FILM,
        flag="--motif",
        metavar="LARGEST-SMALLEST",
    )
    strength: Annotated[Number, OverTime(0, 10_000)] = define(
        80.0,
        "mean color change per second (ΔE)",
        "film.strength",
        Acts.SHOWN,
        FILM,
        flag="--strength",
        metavar="NUMBER",
    )
    size: FrameSize = define(
        640,
        "longest side of a frame, in pixels; or exactly 1920x480, which crops",
        "film.size",
        Acts.START,
        FILMS,
        flag="--size",
        metavar="PIXELS|WIDTHxHEIGHT",
    )

    associate: Annotated[str, Field(min_length=1, max_length=1000)] | None = define(
        None,
        "dream of one subject after the other: free for what the film sees by itself, a word to "
        "begin with, or several to hold to, as birds,temples",
        "film.associate",
        Acts.START,
        FILM,
        flag="--associate",
        metavar="free|WORD[,WORD…]",
    )
    avoid: Annotated[tuple[str, ...], BeforeValidator(split_commas)] = define(
        (),
        "words that a film which associates freely never comes to",
        "film.avoid",
        Acts.START,
        FILM,
        flag="--avoid",
        metavar="WORD[,WORD…]",
    )
    themes: Annotated[str, AfterValidator(_check_themes)] = define(
        "4-8s",
        "how long each subject lasts, as 5s or 4-8s; with music, 8 beats or 2 bars",
        "film.themes",
        Acts.START,
        FILM,
        flag="--themes",
        metavar="4-8s|8 beats|2 bars",
    )
    bpm: Annotated[float, Field(ge=20, le=400, allow_inf_nan=False)] | None = define(
        None,
        "beats per minute of an even beat, which schedules read as beat, beat_phase and bpm, in "
        "place of those of the music",
        "film.bpm",
        Acts.START,
        FILM,
        flag="--bpm",
        metavar="NUMBER",
    )
    attack: Annotated[float, Field(ge=0, le=10)] = define(
        0.04,
        "seconds in which what schedules read of music rises",
        "film.attack",
        Acts.START,
        FILM,
    )
    decay: Annotated[float, Field(ge=0, le=10)] = define(
        0.3, "seconds in which it falls", "film.decay", Acts.START, FILM
    )
    offset: Annotated[float, Field(ge=-60, le=60)] = define(
        0.0, "seconds by which it comes later", "film.offset", Acts.START, FILM
    )
    mask_motion: Literal["follow", "fixed"] = define(
        "follow",
        "whether a mask, and the photo under it, moves with the picture, as long as it is in sight "
        "(follow), or stays where it is (fixed, and in loops that zoom)",
        "film.mask_motion",
        Acts.SHOWN,
        FILM,
        flag="--mask-motion",
        metavar="follow|fixed",
    )
    allow_flashes: bool = define(
        False,
        "let the whole picture flash more often than three times a second, which can hurt people",
        "film.allow_flashes",
        Acts.SHOWN,
        FILM,
        flag="--allow-flashes",
    )
    habituation: Annotated[Number, OverTime(0, 10)] | None = define(
        None,
        "how quickly the film tires of a motif; 0 never does (default: 2; 1 where it associates)",
        "film.habituation",
        Acts.TENSOR,
        FILM,
        flag="--habituation",
        metavar="NUMBER",
    )
    memory: Annotated[Number, OverTime(0.01, 3600)] | None = define(
        None,
        "seconds of the past that habituation considers (default: 1; 2 where it associates)",
        "film.memory",
        Acts.TENSOR,
        FILM,
    )
    wander: Annotated[Number, OverTime(0, 10)] | None = define(
        None,
        "how far the film strays from its objective, to ever other channels of its layers; 0 not "
        "at all (default: 4; 0 where words or channels are asked for)",
        "film.wander",
        Acts.TENSOR,
        FILM,
        flag="--wander",
        metavar="NUMBER",
    )
    colors: Literal["alive", "first", "average", "palette", "free"] = define(
        "alive",
        "what frame colors do: live near the photo's, with its lightness (alive), or stay those of "
        "the first frame (first), of a slow average (average), of the palette (palette), or of "
        "nothing (free)",
        "film.colors",
        Acts.SHOWN,
        FILM,
        flag="--colors",
        metavar="alive|first|average|palette|free",
    )
    palette: Annotated[
        str | None, BeforeValidator(_join_colors), AfterValidator(_check_palette)
    ] = define(
        None,
        "colors to hold the film to, such as #102040,#e06020, or a schedule of palettes",
        "film.palette",
        Acts.SHOWN,
        FILM,
        flag="--palette",
        metavar="#rrggbb,…",
    )
    arc: Annotated[tuple[str, ...], BeforeValidator(_split_arc), AfterValidator(_check_arc)] = (
        define(
            (),
            "palettes that living colors are drawn to in turn, over the film or, with associate, "
            "one for each theme, as #102040,#e0c080;#401010,#e06020",
            "film.arc",
            Acts.SHOWN,
            FILM,
            flag="--arc",
            metavar="#rrggbb,…;#rrggbb,…",
        )
    )
    hold: Annotated[Number, OverTime(0, 1)] = define(
        1.0, "how strongly to hold colors and contrast, 0 to 1", "film.hold", Acts.SHOWN, FILM
    )
    grain: Share = define(
        0.25,
        "weight of the finest detail of a frame's laplacian gradient, as detail of a picture",
        "film.grain",
        Acts.GRAPH,
        FILMS,
    )
    chroma_grain: Share = define(
        0.05,
        "weight of the color of that detail, as chroma_detail of a picture",
        "film.chroma_grain",
        Acts.GRAPH,
        FILMS,
    )
    detail: Annotated[Number, OverTime(0, 1)] = define(
        0.0,
        "how strongly to hold fine detail to the first frame's, 0 to 1",
        "film.detail",
        Acts.START,
        FILM,
    )
    noise: Annotated[Number, OverTime(0, 1)] = define(
        0.0,
        "noise added per second where zooming brings no detail, for colors from 0 to 1",
        "film.noise",
        Acts.START,
        FILM,
    )
    dissolve: Annotated[Number, OverTime(0, 1)] | None = define(
        None,
        "share of the way to its large shapes that a frame goes per second, so that new motifs "
        "grow out of the old ones (default: 0.6; 0 where it associates)",
        "film.dissolve",
        Acts.START,
        FILM,
        flag="--dissolve",
        metavar="SHARE",
    )
    source: Annotated[Number, OverTime(0, 1)] = define(
        0.0,
        "share of the photo mixed in per second, following the motion",
        "film.source",
        Acts.START,
        FILM,
    )

    flow: bool = define(
        True,
        "let the dream follow the motion of the clip (on), or dream on each frame alone (off)",
        "film.flow",
        Acts.START,
        CLIP,
        flag="--flow",
        metavar="on|off",
    )
    carried: Literal["difference", "picture"] = define(
        "difference",
        "what follows the clip's motion: the difference between dream and frame, or the whole"
        " picture",
        "film.carried",
        Acts.START,
        CLIP,
    )
    blend_moving: Annotated[Number, OverTime(0, 1)] = define(
        0.1,
        "share of new dream per 1/24 second where the clip moves",
        "film.blend_moving",
        Acts.START,
        CLIP,
        flag="--blend-moving",
        metavar="SHARE",
    )
    blend_still: Annotated[Number, OverTime(0, 1)] = define(
        0.1,
        "share of new dream per 1/24 second where the clip is still",
        "film.blend_still",
        Acts.START,
        CLIP,
        flag="--blend-still",
        metavar="SHARE",
    )
    fade: Annotated[Number, OverTime(0.01, 3600)] = define(
        4.0,
        "half-life of the dream that is carried along a clip, in seconds",
        "film.fade",
        Acts.START,
        CLIP,
    )

    def keep_rate(self, changes: Mapping[str, Any]) -> dict[str, Any]:
        """Return changes of the film with `written_fps` added if they change `fps`.

        Keyframes then keep the frame rate that they were written for.
        """
        rate = {"written_fps": self.written_fps or self.fps} if "fps" in changes else {}
        return {**rate, **changes}

    @property
    def tiring(self) -> tuple[float, float]:
        """Return habituation and memory, of a film at a moment.

        A theme that is to last must not tire at once; without any, a picture that hardly moves
        would be frozen.
        """
        usual = ASSOCIATING if self.associate else ALONE
        asked = self.habituation, self.memory
        first, second = (
            float(default if value is None else value)
            for value, default in zip(asked, usual, strict=True)
        )
        return first, second

    @property
    def dissolving(self) -> float:
        """Return the share of what was dreamt that dissolves in a second, at a moment."""
        if self.dissolve is not None:
            return float(self.dissolve)
        return 0.0 if self.associate else DISSOLVING

    def find_wandering(self, *, chosen: bool) -> float:
        """Return how far a film strays at a moment, where channels are chosen or none are."""
        if self.wander is not None:
            return float(self.wander)
        return 0.0 if chosen or self.associate else WANDERING

    @property
    def length(self) -> int:
        """Return the number of frames."""
        return self.frames or max(1, round(self.seconds * self.fps))

    def ease(self, frame: float) -> float:
        """Return the share of motion and dream that has faded in at a frame, 0 to 1."""
        if self.loop or not self.intro:
            return 1.0
        share = min(frame / (self.intro * self.fps), 1.0)
        return share * share * (3 - 2 * share)

    def unseen(self, texts: Sequence[str], signals: Signals | None = None) -> list[str]:
        """Return the values of text schedules that lose most of their weight to the fade-in."""
        frames = range(0, self.length, max(1, self.length // MOMENTS))
        whole, seen = defaultdict[str, float](float), defaultdict[str, float](float)
        for schedule in map(parse_text, texts):
            for frame in frames if len(set(schedule.texts)) > 1 else ():
                for value, share in schedule.at(self.clock(frame, signals=signals)):
                    whole[value] += share
                    seen[value] += share * self.ease(frame)
        return [value for value in whole if seen[value] < whole[value] / 2]

    def clock(self, frame: float, seed: float = 0.0, signals: Signals | None = None) -> Clock:
        """Return the moment of a frame, counted at the frame rate that schedules assume."""
        ratio = (self.written_fps or self.fps) / self.fps
        return Clock(frame * ratio, self.length * ratio, self.fps * ratio, seed, signals)
