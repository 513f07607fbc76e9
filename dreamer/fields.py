"""Kinds of a recipe's fields."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from dreamer import schedule
from dreamer.schedule import Number

Positive = Annotated[float, Field(gt=0, le=1e6, allow_inf_nan=False)]
NotNegative = Annotated[float, Field(ge=0, le=1000, allow_inf_nan=False)]
Finite = Annotated[float, Field(allow_inf_nan=False)]
MotifShare = Annotated[float, Field(ge=0.01, le=10, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, lt=1, allow_inf_nan=False)]
Every = Annotated[int, Field(ge=1, description="steps from one to the next")]


class Data(BaseModel):
    """Plain data that never changes and has no other fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def over_time(low: float, high: float) -> AfterValidator:
    """Lets numbers from `low` to `high` pass, and schedules of such."""

    def check(value: Number) -> Number:
        read = schedule.parse(value)
        for number in read.constants:
            if not low <= number <= high:
                raise ValueError(f"{number:g} is not from {low:g} to {high:g}")
        if isinstance(value, str) and (read.varies or not read.constants):
            return value
        return read.constants[0]

    return AfterValidator(check)


def at(value: Number, clock: schedule.Clock) -> float:
    """A field's number at a moment of a film."""
    return schedule.parse(value).at(clock) if isinstance(value, str) else value
