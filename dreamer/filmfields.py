"""A film's part of the recipe: motion, time, and what keeps it alive."""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from dreamer.fields import Data, Motif, NotNegative, OverTime, Positive
from dreamer.schedule import Clock, Number, parse_text

Motion = Literal["zoom", "spiral", "drift", "tunnel", "breathe", "orbit", "still"]


def implied(changes: Mapping[str, Any]) -> dict[str, Any]:
    """Changes of a film with what they mean: a palette holds the colours, seconds count."""
    colours = {"colours": "palette"} if changes.get("palette") else {}
    seconds = {"frames": None} if changes.get("seconds") else {}
    return {**seconds, **changes, **colours}


_CODES = re.compile(r"#[0-9a-fA-F]{6}(\s*,\s*#[0-9a-fA-F]{6})*")


def _joined(value: object) -> object:
    """A list of colours is as good as their text."""
    return ",".join(map(str, value)) if isinstance(value, list | tuple) else value


def _read_palette(text: str | None) -> str | None:
    for codes in parse_text(text).texts if text else ():
        if not _CODES.fullmatch(codes):
            raise ValueError(f"{codes!r} are no colours: write #rrggbb,#rrggbb")
    return text


MOMENTS = 5000
"""Of a film, at which schedules are looked at before it is made."""


class Film(Data):
    """What a film adds to a picture's recipe.

    Fields of `OverTime` may be schedules, as `0:(1.02), 60:(1.06)`.
    """

    motion: Motion = Field("zoom", description="how the picture moves; defined per second")
    speed: Annotated[Number, OverTime(0, 20)] = Field(
        1.0, description="factor on the motion's speed"
    )
    zoom: Annotated[Number, OverTime(0.01, 100)] = Field(
        1.0, description="factor per frame, beside the motion"
    )
    angle: Annotated[Number, OverTime(-360, 360)] = Field(
        0.0, description="degrees per frame, beside the motion"
    )
    pan_x: Annotated[Number, OverTime(-1, 1)] = Field(
        0.0, description="shift to the right per frame, as a share of the width"
    )
    pan_y: Annotated[Number, OverTime(-1, 1)] = Field(
        0.0, description="shift downwards, as a share of the height"
    )
    tilt_x: Annotated[Number, OverTime(-80, 80)] = Field(
        0.0, description="degrees per frame about the horizontal axis"
    )
    tilt_y: Annotated[Number, OverTime(-80, 80)] = Field(
        0.0, description="degrees per frame about the vertical axis"
    )
    field_of_view: Annotated[Number, OverTime(5, 150)] = Field(
        60.0, description="of a tilt, in degrees"
    )
    centre_x: Annotated[Number, OverTime(-1, 2)] = Field(
        0.5, description="of zoom and turn, as a share of the width"
    )
    centre_y: Annotated[Number, OverTime(-1, 2)] = Field(0.5, description="the same, of the height")
    border: Literal["photo", "reflect", "wrap", "replicate"] = Field(
        "photo", description="what comes in from outside: the photo, moved along, or its edges"
    )

    fps: Positive = Field(24.0, le=240, description="frames a second")
    written_fps: Positive | None = Field(
        None, le=240, description="the rate that keys and values per frame are written for"
    )
    seconds: Positive = Field(10.0, le=86400, description="the film's length")
    frames: int | None = Field(
        None, ge=1, le=1_000_000, description="its length in frames, instead of `seconds`"
    )
    intro: NotNegative = Field(
        2.0, description="seconds in which motion and dream set in; none in a loop"
    )
    loop: bool = Field(False, description="the last frame leads into the first")
    cadence: int = Field(
        1, ge=1, le=24, description="every so many frames one is dreamt, the rest are between"
    )

    steps: int = Field(3, ge=1, le=1000, description="steps of ascent in each octave of a frame")
    motif: Motif = Field((0.22, 0.22), description="as a picture's, for each frame")
    strength: Annotated[Number, OverTime(0, 10_000)] = Field(
        80.0, description="mean colour change by the dream in a second (ΔE)"
    )
    size: Annotated[int, Field(ge=16, le=8192)] = Field(
        640, description="longest side of a frame, in pixels"
    )

    habituation: Annotated[Number, OverTime(0, 10)] = Field(
        1.0, description="how much less a channel weighs that has long been strong (exponent)"
    )
    memory: Annotated[Number, OverTime(0.01, 3600)] = Field(
        2.0, description="of habituation, in seconds"
    )
    colours: Literal["first", "average", "palette", "free"] = Field(
        "first", description="what a frame's colours are held to"
    )
    palette: Annotated[str | None, BeforeValidator(_joined), AfterValidator(_read_palette)] = Field(
        None, description="#rrggbb,#rrggbb to hold the colours to, or a schedule of such"
    )
    hold: Annotated[Number, OverTime(0, 1)] = Field(
        1.0, description="how firmly colours and contrast are held"
    )
    detail: Annotated[Number, OverTime(0, 1)] = Field(
        0.0, description="how firmly fine detail is held to the first frame's"
    )
    noise: Annotated[Number, OverTime(0, 1)] = Field(
        0.0, description="noise a second where a zoom brings no detail, in colours of 0 to 1"
    )
    source: Annotated[Number, OverTime(0, 1)] = Field(
        0.0, description="share of the photo that is mixed in a second, moved along"
    )

    flow: bool = Field(
        True, description="on a clip: the dream rides on its motion, or each frame is on its own"
    )
    carried: Literal["difference", "picture"] = Field(
        "difference",
        description="on a clip: what rides, the dream's difference from its frame or all of it",
    )
    blend_moving: Annotated[Number, OverTime(0, 1)] = Field(
        0.1,
        description="on a clip: how much of a 24th of a second's dream is new where things move",
    )
    blend_still: Annotated[Number, OverTime(0, 1)] = Field(
        0.1, description="on a clip: the same where nothing moves"
    )
    fade: Annotated[Number, OverTime(0.01, 3600)] = Field(
        4.0, description="on a clip: seconds in which what is carried loses half its strength"
    )

    def retimed(self, changes: Mapping[str, Any]) -> dict[str, Any]:
        """Changes of a preset's film: keys and values per frame keep the rate of their writing."""
        rate = {"written_fps": self.written_fps or self.fps} if "fps" in changes else {}
        return {**rate, **changes}

    @property
    def length(self) -> int:
        """Frames of the film."""
        return self.frames or max(1, round(self.seconds * self.fps))

    def ease(self, frame: float) -> float:
        """The share of motion and dream that has set in, 0 to 1."""
        if self.loop or not self.intro:
            return 1.0
        way = min(frame / (self.intro * self.fps), 1.0)
        return way * way * (3 - 2 * way)

    def unseen(self, texts: Sequence[str]) -> list[str]:
        """The values of some schedules that are over before the dream has half set in."""
        frames = range(0, self.length, max(1, self.length // MOMENTS))
        whole, seen = defaultdict[str, float](float), defaultdict[str, float](float)
        for schedule in map(parse_text, texts):
            for frame in frames if len(set(schedule.texts)) > 1 else ():
                for value, share in schedule.at(self.clock(frame)):
                    whole[value] += share
                    seen[value] += share * self.ease(frame)
        return [value for value in whole if seen[value] < whole[value] / 2]

    def clock(self, frame: float, seed: float = 0.0) -> Clock:
        """A frame's moment, counted at the rate that the schedules are written for."""
        ratio = (self.written_fps or self.fps) / self.fps
        return Clock(frame * ratio, self.length * ratio, self.fps * ratio, seed)
