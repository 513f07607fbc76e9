"""Tools to define the fields of a recipe: their types, and their traits.

A field is described once, where it is defined: its default, range and meaning, its place in a
file, the option that sets it, where in the making of a picture it acts, and which products use it.
Files, options, help, redrawing and the reuse of graphs rely on that.
"""

from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Annotated, Any, Literal, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
)
from pydantic.fields import FieldInfo
from pydantic_core import core_schema

from dreamer.recipe import schedule
from dreamer.recipe.schedule import Number


class Acts(StrEnum):
    """The place in the making of a picture where a field acts."""

    NOWHERE = "nowhere"
    """The field only informs people."""
    GRAPH = "graph"
    """The field decides which graph is traced."""
    TENSOR = "tensor"
    """The field enters the graph as a tensor; the graph depends only on whether it is set."""
    START = "start"
    """The field decides what an octave starts from, or the length of its ascent."""
    PLAN = "plan"
    """The field decides the working sizes, or the dtypes that compute."""
    OCTAVE_END = "octave's end"
    """The field changes the dream at the end of each octave."""
    LAST_OCTAVE_END = "last octave's end"
    """The field changes the dream at the end of the last octave."""
    SHOWN = "shown"
    """The field changes only the picture that is shown."""


class Kind(StrEnum):
    """A kind of product that is made from a recipe."""

    PICTURE = "a picture"
    FILM = "a film"
    CLIP = "a clip"
    CHANNEL = "a channel's picture"
    CLASS = "a class's picture"


EVERYTHING = tuple(Kind)
"""All kinds of products."""

DREAMS = (Kind.PICTURE, Kind.FILM, Kind.CLIP)
"""The kinds that start from a photo or a clip."""

STILLS = (Kind.PICTURE, Kind.CHANNEL, Kind.CLASS)
"""The kinds that are single pictures."""

FILMS = (Kind.FILM, Kind.CLIP)
"""The kinds that have frames."""

GROWN = (Kind.CHANNEL, Kind.CLASS)
"""The kinds that are feature visualizations."""


@dataclass(frozen=True)
class Trait:
    """The properties of a field besides its type, default and description.

    Attributes:
        path: its place in a file, as `("ascent", "steps")`.
        acts: where in the making of a picture it acts.
        used_by: the kinds of products that use it.
        flag: the option that sets it; empty if only `--set` does.
        metavar: the placeholder of its value in the help; empty for that of the type.
        repeat: whether the option may be given more than once.
    """

    path: tuple[str, ...]
    acts: Acts
    used_by: tuple[Kind, ...] = EVERYTHING
    flag: str = ""
    metavar: str = ""
    repeat: bool = False

    def __call__(self, schema: dict[str, Any]) -> None:
        """Add `acts` to the JSON schema of the field; called by pydantic."""
        schema["acts"] = self.acts.value


def define(
    default: Any,
    description: str,
    path: str,
    acts: Acts,
    used_by: tuple[Kind, ...] = EVERYTHING,
    *,
    flag: str = "",
    metavar: str = "",
    repeat: bool = False,
    **limits: Any,
) -> Any:
    """Define a field of a recipe.

    Args:
        default: the default value.
        description: its meaning and unit; also the help of its option.
        path: its place in a file, with dots, as `ascent.steps`.
        acts, used_by, flag, metavar, repeat: see `Trait`.
        limits: constraints for pydantic's `Field`, such as `ge`, `le` or `pattern`.
    """
    trait = Trait(tuple(path.split(".")), acts, used_by, flag, metavar, repeat)
    return Field(default, description=description, json_schema_extra=trait, **limits)


def trait(info: FieldInfo) -> Trait | None:
    """Return the trait of a field, or None for a section, which has fields of its own."""
    found = info.json_schema_extra
    return found if isinstance(found, Trait) else None


Positive = Annotated[float, Field(gt=0, le=1e6, allow_inf_nan=False)]
"""A number above 0, up to a million."""

NotNegative = Annotated[float, Field(ge=0, le=1000, allow_inf_nan=False)]
"""A number from 0 to 1000."""

Finite = Annotated[float, Field(allow_inf_nan=False)]
"""A number that is neither infinite nor NaN."""


def _check_printable(text: str) -> str:
    if not all(each.isprintable() or each in "\n\t" for each in text):
        raise ValueError("control characters are not allowed")
    return text


Text = Annotated[str, AfterValidator(_check_printable)]
"""A text without control characters, since a stranger's text is shown on the user's terminal."""


def _parse_motif(value: object) -> object:
    if not isinstance(value, str | float | int):
        return value
    largest, _, smallest = str(value).partition("-")
    try:
        return float(largest), float(smallest or largest)
    except ValueError:
        raise ValueError("write LARGEST-SMALLEST, as 0.6-0.15") from None


_MotifShare = Annotated[float, Field(ge=0.01, le=10, allow_inf_nan=False)]
Motif = Annotated[tuple[_MotifShare, _MotifShare], BeforeValidator(_parse_motif)]
"""The largest and the smallest motif; also accepts the text `0.6-0.15`, or `0.6` for both."""


def _write_alike(value: object) -> object:
    return value.strip().lower().replace("×", "x") if isinstance(value, str) else value


Exact = Annotated[str, Field(pattern=r"^[1-9][0-9]{0,4}x[1-9][0-9]{0,4}$", examples=["96x64"])]
"""Width and height in pixels, as `1920x480`."""

PictureSize = Annotated[
    Annotated[int, Field(ge=1)] | Literal["full"] | Exact, BeforeValidator(_write_alike)
]
"""The longest side of a picture in pixels, `full`, or exactly its width and height."""

FrameSize = Annotated[Annotated[int, Field(ge=16, le=8192)] | Exact, BeforeValidator(_write_alike)]
"""The longest side of a film's frames in pixels, or exactly their width and height."""

_SIDE = r"[1-9][0-9]{0,4}(\.[0-9]{1,4})?"
Aspect = Annotated[str, Field(pattern=rf"^{_SIDE}:{_SIDE}$", examples=["16:9"])]
"""Proportions, width first, as `16:9`."""

Crop = Annotated[
    str,
    Field(
        pattern=r"^([0-9]{1,6},[0-9]{1,6},[1-9][0-9]{0,5},[1-9][0-9]{0,5}|center|entropy)$",
        examples=["center"],
    ),
]
"""The part of a photo: its left and upper edge, width and height in pixels; or how to find it."""


def _name_none(value: object) -> object:
    return "free" if value is None or value == "none" else value


Strength = Annotated[
    Annotated[float, Field(gt=0, le=100, allow_inf_nan=False)] | Literal["free"],
    BeforeValidator(_name_none),
]
"""A mean change of color (ΔE), or `free` for whatever the ascent comes to."""


def split_commas(value: object) -> object:
    """Accept values separated by commas as well as a list."""
    return [each.strip() for each in value.split(",")] if isinstance(value, str) else value


def split_pair(value: object) -> object:
    """Accept two values with a comma between them as well as a list.

    Raises ValueError for a text that is not two.
    """
    parts = split_commas(value)
    if isinstance(value, str) and isinstance(parts, list) and len(parts) != 2:
        raise ValueError("write two numbers, as 0.2,0.5")
    return parts


class Data(BaseModel):
    """The base class of the parts of a recipe: immutable, without unknown fields."""

    # Validators are built when they are needed, so that help shows at once.
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


@dataclass(frozen=True)
class OverTime:
    """A pydantic annotation that accepts numbers from `low` to `high`, and schedules of these."""

    low: float
    high: float

    def check(self, value: Number) -> Number:
        """Return the number, or the schedule as it is.

        Raises ValueError if a constant in it is out of range.
        """
        parsed = schedule.parse(value)
        for number in parsed.constants:
            if not self.low <= number <= self.high:
                raise ValueError(f"{number:g} is not from {self.low:g} to {self.high:g}")
        if isinstance(value, str) and (parsed.varies or not parsed.constants):
            return value
        return parsed.constants[0]

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        return core_schema.no_info_after_validator_function(self.check, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        example = f"0:({self.low:g}), 24:({self.high:g})"
        return {
            "anyOf": [
                {"type": "number", "minimum": self.low, "maximum": self.high},
                {"type": "string", "examples": [example]},
            ]
        }


@cache
def over_time(data: type[Data]) -> tuple[str, ...]:
    """Return the fields that may be schedules."""
    fields = data.model_fields.items()
    return tuple(
        name
        for name, field in fields
        if any(isinstance(mark, OverTime) for mark in _list_marks(field))
    )


def _list_marks(field: FieldInfo) -> tuple[object, ...]:
    # An optional field has its marks inside the union.
    inner = (mark for part in get_args(field.annotation) for mark in get_args(part)[1:])
    return *field.metadata, *inner


def evaluate(value: Number, clock: schedule.Clock) -> float:
    """Return the value of a number or schedule at a moment of a film."""
    return schedule.parse(value).at(clock) if isinstance(value, str) else value
