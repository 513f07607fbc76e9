"""A number and a text over a film's frames."""

import math
from dataclasses import dataclass, field
from functools import lru_cache

from dreamer.errors import DreamerError
from dreamer.schedule import expressions, keys
from dreamer.schedule.expressions import Clock, Expression
from dreamer.schedule.keys import Key

Number = float | str
"""A number, or the text of one over time; `parse` reads both."""


@dataclass(frozen=True)
class Schedule:
    """A number over a film's frames; `parse` makes it.

    Attributes:
        text: as it was written.
    """

    text: str
    keys: tuple[Key[Expression], ...] = field(compare=False, repr=False)

    def at(self, clock: Clock) -> float:
        """The number at a frame.

        Raises DreamerError that names frame and schedule where it is not finite.
        """
        try:
            value = sum(
                weight * expression.at(clock._replace(frame=frame))
                for expression, frame, weight in keys.weighted(self.keys, clock)
            )
        except ZeroDivisionError:
            raise self._error(clock, "divides by zero: change it") from None
        except (ArithmeticError, ValueError):
            value = math.nan
        if not math.isfinite(value):
            raise self._error(clock, "has no finite value: change it")
        return value

    def _error(self, clock: Clock, what: str) -> DreamerError:
        text = self.text if len(self.text) <= 80 else f"{self.text[:79]}…"
        return DreamerError(f"At frame {clock.frame:g} the schedule {text} {what}.")

    @property
    def constants(self) -> tuple[float, ...]:
        """The keys' values that no variable is in, to be checked before a film begins."""
        values = (key.value.constant for key in self.keys)
        return tuple(value for value in values if value is not None)

    @property
    def varies(self) -> bool:
        """Whether it may differ from frame to frame."""
        return len(self.keys) > 1 or self.keys[0].varies

    @property
    def uses_length(self) -> bool:
        """Whether a longer film changes it: by `n`, by `max_f` or by a key in %."""
        return _in_percent(self.keys) or not self._names.isdisjoint({"n", "max_f"})

    @property
    def uses_max_f(self) -> bool:
        """Whether it names `max_f`, where a loop's period is `n`."""
        return "max_f" in self._names

    @property
    def _names(self) -> set[str]:
        return {name for key in self.keys for name in key.value.names}


@dataclass(frozen=True)
class TextSchedule:
    """A text over a film's frames; `parse_text` makes it.

    Attributes:
        text: as it was written.
    """

    text: str
    keys: tuple[Key[str], ...] = field(compare=False, repr=False)

    def at(self, clock: Clock) -> list[tuple[str, float]]:
        """The one or two texts that decide a frame, with weights that sum to 1."""
        weights: dict[str, float] = {}
        for text, _, weight in keys.weighted(self.keys, clock):
            weights[text] = weights.get(text, 0.0) + weight
        return list(weights.items())

    @property
    def texts(self) -> tuple[str, ...]:
        """Every text that comes, once."""
        return tuple(dict.fromkeys(key.value for key in self.keys))

    @property
    def uses_length(self) -> bool:
        """Whether a longer film changes it: by a key in %."""
        return _in_percent(self.keys)


def _in_percent(found: tuple[Key[Expression], ...] | tuple[Key[str], ...]) -> bool:
    return any(key.unit == "%" for key in found)


@lru_cache(maxsize=1024)
def parse(number: Number) -> Schedule:
    """Read a number, an expression, or a schedule of them.

    Raises ValueError that marks the place.
    """
    text = str(number)
    return Schedule(text, keys.read(text, expressions.read, lambda value: value.varies))


@lru_cache(maxsize=1024)
def parse_text(text: str) -> TextSchedule:
    """Read a text, or a schedule of texts such as `0:birds, 120:(fish, ease-in)`.

    A text that does not begin with a key is no schedule: `mixed4d:139` is one text. A comma parts
    two values only where a key follows it, so `0:mixed4c:1,5-9=0.5, 60:mixed3b` has two.

    Raises ValueError that marks the place.
    """
    return TextSchedule(text, keys.read(text, _text, lambda value: False))


def _text(text: str, begin: int, end: int) -> str:
    if begin == end:
        raise expressions.wrong(text, begin, "a text is missing")
    return text[begin:end]
