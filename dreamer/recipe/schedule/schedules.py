"""Numbers and texts that change over the frames of a film."""

import math
from dataclasses import dataclass, field
from functools import lru_cache

from dreamer.errors import DreamerError
from dreamer.recipe.schedule import expressions, keys
from dreamer.recipe.schedule.expressions import Clock, Expression
from dreamer.recipe.schedule.keys import Key
from dreamer.recipe.schedule.signals import UNITS as BEATS

Number = float | str
"""A number, or the text of a schedule; `parse` accepts both."""


@dataclass(frozen=True)
class Schedule:
    """A number that changes over the frames of a film, as returned by `parse`.

    Attributes:
        text: the text that was parsed.
        keys: the keys, in the order of writing.
    """

    text: str
    keys: tuple[Key[Expression], ...] = field(compare=False, repr=False)

    def at(self, clock: Clock) -> float:
        """Return the number at a moment of a film.

        Raises DreamerError that names frame and schedule if the number is not finite.
        """
        try:
            value = sum(
                weight * expression.at(clock._replace(frame=frame))
                for expression, frame, weight in keys.weigh_keys(self.keys, clock)
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
        """Return the values of keys without variables, which can be checked in advance."""
        values = (key.value.constant for key in self.keys)
        return tuple(value for value in values if value is not None)

    @property
    def varies(self) -> bool:
        """Tell whether the number may change from frame to frame."""
        return len(self.keys) > 1 or self.keys[0].varies

    @property
    def uses_length(self) -> bool:
        """Tell whether it depends on the film's length: by `n`, `max_f` or a key in %."""
        return _has_percent(self.keys) or not self._names.isdisjoint({"n", "max_f"})

    @property
    def uses_max_f(self) -> bool:
        """Tell whether it uses `max_f`, which is one frame short of a loop's period `n`."""
        return "max_f" in self._names

    @property
    def needs_music(self) -> set[str]:
        """Return what it reads of music: signals, and `beat` if any key is counted by it."""
        signals = {name for key in self.keys for name in key.value.signals}
        return signals | _count_by_beat(self.keys)

    @property
    def _names(self) -> set[str]:
        return {name for key in self.keys for name in key.value.names}


@dataclass(frozen=True)
class TextSchedule:
    """A text that changes over the frames of a film, as returned by `parse_text`.

    Attributes:
        text: the text that was parsed.
        keys: the keys, in the order of writing.
    """

    text: str
    keys: tuple[Key[str], ...] = field(compare=False, repr=False)

    def at(self, clock: Clock) -> list[tuple[str, float]]:
        """Return the one or two texts that determine a frame, with weights that sum to 1."""
        weights: dict[str, float] = {}
        for text, _, weight in keys.weigh_keys(self.keys, clock):
            weights[text] = weights.get(text, 0.0) + weight
        return list(weights.items())

    @property
    def texts(self) -> tuple[str, ...]:
        """Return all texts of the schedule, without duplicates."""
        return tuple(dict.fromkeys(key.value for key in self.keys))

    @property
    def needs_music(self) -> set[str]:
        """Return `beat` if any key is counted by it."""
        return _count_by_beat(self.keys)

    @property
    def uses_length(self) -> bool:
        """Tell whether it depends on the film's length, by a key in %."""
        return _has_percent(self.keys)


def _count_by_beat(found: tuple[Key[Expression], ...] | tuple[Key[str], ...]) -> set[str]:
    return {"beat"} if any(key.unit in BEATS for key in found) else set()


def _has_percent(found: tuple[Key[Expression], ...] | tuple[Key[str], ...]) -> bool:
    return any(key.unit == "%" for key in found)


@lru_cache(maxsize=1024)
def parse(number: Number) -> Schedule:
    """Parse a number, an expression, or a schedule of these.

    Raises ValueError that marks the place of the error.
    """
    text = str(number)
    return Schedule(text, keys.read(text, expressions.read, lambda value: value.varies))


@lru_cache(maxsize=1024)
def parse_text(text: str) -> TextSchedule:
    """Parse a text, or a schedule of texts such as `0:birds, 120:(fish, ease-in)`.

    A text that does not begin with a key is a single value, such as `mixed4d:139`. A comma
    separates values only if a key follows, so `0:mixed4c:1,5-9=0.5, 60:mixed3b` has two.

    Raises ValueError that marks the place of the error.
    """
    return TextSchedule(text, keys.read(text, _parse_value, lambda value: False))


def _parse_value(text: str, begin: int, end: int) -> str:
    if begin == end:
        raise expressions.make_error(text, begin, "a text is missing")
    return text[begin:end]
