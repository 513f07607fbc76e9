"""Kinds of a recipe's fields."""

from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, get_args

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

from dreamer import schedule
from dreamer.schedule import Number

Positive = Annotated[float, Field(gt=0, le=1e6, allow_inf_nan=False)]
NotNegative = Annotated[float, Field(ge=0, le=1000, allow_inf_nan=False)]
Finite = Annotated[float, Field(allow_inf_nan=False)]


def _plain(text: str) -> str:
    if not all(each.isprintable() or each in "\n\t" for each in text):
        raise ValueError("control characters are not allowed")
    return text


Text = Annotated[str, AfterValidator(_plain)]
"""Nothing that commands the terminal on which a stranger's words are shown."""


def _motif(value: object) -> object:
    if not isinstance(value, str | float | int):
        return value
    largest, _, smallest = str(value).partition("-")
    try:
        return float(largest), float(smallest or largest)
    except ValueError:
        raise ValueError("write LARGEST-SMALLEST, as 0.6-0.15") from None


_MotifShare = Annotated[float, Field(ge=0.01, le=10, allow_inf_nan=False)]
Motif = Annotated[tuple[_MotifShare, _MotifShare], BeforeValidator(_motif)]
"""The largest and the smallest; also as it is typed, `0.6-0.15`, or `0.6` for both."""


class Data(BaseModel):
    """Plain data that never changes and has no other fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


@dataclass(frozen=True)
class OverTime:
    """Lets numbers from `low` to `high` pass, and schedules of such."""

    low: float
    high: float

    def check(self, value: Number) -> Number:
        """The number, or the schedule. Raises ValueError where one of its values is outside."""
        read = schedule.parse(value)
        for number in read.constants:
            if not self.low <= number <= self.high:
                raise ValueError(f"{number:g} is not from {self.low:g} to {self.high:g}")
        if isinstance(value, str) and (read.varies or not read.constants):
            return value
        return read.constants[0]

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
    """The fields that may change over a film."""
    fields = data.model_fields.items()
    return tuple(
        name for name, field in fields if any(isinstance(mark, OverTime) for mark in _marks(field))
    )


def _marks(field: FieldInfo) -> tuple[object, ...]:
    # One that may be None holds its marks inside the union.
    inner = (mark for part in get_args(field.annotation) for mark in get_args(part)[1:])
    return *field.metadata, *inner


def at(value: Number, clock: schedule.Clock) -> float:
    """A field's number at a moment of a film."""
    return schedule.parse(value).at(clock) if isinstance(value, str) else value
