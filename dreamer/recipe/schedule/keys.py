"""Keys: the notation of schedules, and the choice of the keys that determine a frame."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Generic, NamedTuple, TypeVar

from dreamer.recipe.schedule.easings import EASINGS
from dreamer.recipe.schedule.expressions import Clock, make_error
from dreamer.recipe.schedule.signals import UNITS as BEATS

Value = TypeVar("Value")
"""The type of the values of a schedule."""

LONGEST = 100_000
"""The most characters in a schedule."""


def _find_beat(beats: float) -> Callable[[float, Clock], float]:
    def find(position: float, clock: Clock) -> float:
        if clock.signals is None:
            # For a still picture, only the order counts.
            return position * beats * clock.fps
        return clock.signals.find_beat(position * beats) * clock.fps

    return find


UNITS: Mapping[str, Callable[[float, Clock], float]] = {
    **{name: _find_beat(beats) for name, beats in BEATS.items()},
    "": lambda position, clock: position,
    "s": lambda position, clock: position * clock.fps,
    # Relative to the length, not to the last frame, so that 0 % and 100 % of a loop coincide.
    "%": lambda position, clock: position / 100 * clock.frames,
}
"""Functions by the unit of a key, from its position to a frame."""

_KEY = re.compile(
    r"\s*((?P<counted>beat|bar)\s+)?(?P<position>\d{1,9}(\.\d{1,9})?)\s*(?P<unit>[s%]?)\s*:",
    re.ASCII,
)


class Key(NamedTuple, Generic[Value]):
    """A key of a schedule: a value and its position.

    Attributes:
        position: the position, in `unit`.
        unit: a key of `UNITS`.
        easing: the easing of the way to this key, a key of `EASINGS`; None if not written.
        value: the value at the position.
        varies: whether the value depends on the frame.
    """

    position: float
    unit: str
    easing: str | None
    value: Value
    varies: bool

    def frame(self, clock: Clock) -> float:
        """Return the frame of its position."""
        return UNITS[self.unit](self.position, clock)


def weigh_keys(keys: Sequence[Key[Value]], clock: Clock) -> list[tuple[Value, float, float]]:
    """Return the one or two values that determine a frame.

    Each comes with the frame to evaluate it at, and its weight. Weights sum to 1, and none is 0.
    """
    ordered = sorted(keys, key=lambda key: key.frame(clock))
    frames = [key.frame(clock) for key in ordered]
    passed = sum(frame <= clock.frame for frame in frames)
    if passed == 0:
        return [(ordered[0].value, frames[0], 1.0)]
    left = ordered[passed - 1]
    if passed == len(ordered):
        return [(left.value, clock.frame, 1.0)]
    right, begin, end = ordered[passed], frames[passed - 1], frames[passed]
    easing = right.easing or ("hold" if left.varies else "linear")
    weight = EASINGS[easing]((clock.frame - begin) / (end - begin))
    both = [(left.value, clock.frame, 1 - weight), (right.value, end, weight)]
    return [each for each in both if each[2]]


def is_schedule(text: str) -> bool:
    """Tell whether a text begins with a key: digits, then `s`, `%` or nothing, then a colon.

    Before the digits there may be `beat` or `bar`.
    """
    return _KEY.match(text) is not None


def read(
    text: str, value: Callable[[str, int, int], Value], varies: Callable[[Value], bool]
) -> tuple[Key[Value], ...]:
    """Parse the keys of a text, in the order of writing.

    Args:
        text: a schedule, or one value for the whole film.
        value: parses a value, given the text, and the start and end of the value in it.
        varies: tells whether a value depends on the frame.

    Raises ValueError that marks the place of the error in the text, or that says it is too long.
    """
    text = re.sub(r"\s", " ", text)
    if len(text) > LONGEST:
        raise ValueError(f"a schedule has at most {LONGEST} characters")
    if not is_schedule(text):
        only = value(text, *_trim(text, 0, len(text)))
        return (Key(0.0, "", None, only, varies(only)),)
    found = _find_keys(text)
    ends = [match.start() - 1 for match in found[1:]] + [len(text)]
    keys: list[Key[Value]] = []
    for match, end in zip(found, ends, strict=True):
        begin, end = _strip_brackets(text, *_trim(text, match.end(), end))
        easing, end = _split_easing(text, begin, end)
        position, unit = float(match["position"]), match["counted"] or match["unit"]
        _check_order(text, match.start("position"), position, unit, easing, keys)
        own = value(text, begin, end)
        keys.append(Key(position, unit, easing, own, varies(own)))
    return tuple(keys)


def write(key: Key[str]) -> str:
    """Return a key as text, in the form that `read` parses."""
    easing = f", {key.easing}" if key.easing else ""
    counted = f"{key.unit} " if key.unit in BEATS else ""
    unit = "" if counted else key.unit
    return f"{counted}{key.position:.15g}{unit}:({key.value}{easing})"


def _check_order(
    text: str, place: int, position: float, unit: str, easing: str | None, keys: list[Key[Value]]
) -> None:
    """Check that a key comes after previous ones of its unit, and that the first has no easing.

    Keys of different units can only be ordered once the clock is known.
    """
    if easing and not keys:
        raise make_error(
            text, place, "nothing leads to the first key: an easing stands at the second"
        )
    if any(key.unit == unit and key.position >= position for key in keys):
        raise make_error(text, place, "this key does not come after the ones before it")


def _find_keys(text: str) -> list[re.Match[str]]:
    """Find the keys: at the beginning of a text, and after commas outside of brackets."""
    found = [match for match in [_KEY.match(text)] if match]
    opened: list[int] = []
    for place, letter in enumerate(text):
        if letter == "(":
            opened.append(place)
        elif letter == ")" and not opened:
            raise make_error(text, place, "this bracket was never opened")
        elif letter == ")":
            opened.pop()
        elif letter == "," and not opened and (match := _KEY.match(text, place + 1)):
            found.append(match)
    if opened:
        raise make_error(text, opened[-1], "this bracket is never closed")
    return found


def _trim(text: str, begin: int, end: int) -> tuple[int, int]:
    """Return the start and end of a part without the spaces around it."""
    part = text[begin:end]
    begin += len(part) - len(part.lstrip())
    return begin, begin + len(part.strip())


def _strip_brackets(text: str, begin: int, end: int) -> tuple[int, int]:
    """Return the start and end of a part without brackets around all of it.

    `(1+t)*(2)` has no such brackets.
    """
    depth = 0
    for place in range(begin, end):
        depth += (text[place] == "(") - (text[place] == ")")
        if depth == 0:
            whole = place == end - 1 > begin
            return _trim(text, begin + 1, end - 1) if whole else (begin, end)
    return begin, end


def _split_easing(text: str, begin: int, end: int) -> tuple[str | None, int]:
    """Return the easing after the last comma, if any, and the end of the value before it."""
    comma = text.rfind(",", begin, end)
    name = text[comma + 1 : end].strip()
    if comma < 0 or name not in EASINGS:
        return None, end
    return name, _trim(text, begin, comma)[1]
