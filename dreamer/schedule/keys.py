"""Keys: how a schedule is written, and which keys decide a frame."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Generic, NamedTuple, TypeVar

from dreamer.schedule.easings import EASINGS
from dreamer.schedule.expressions import Clock, wrong

Value = TypeVar("Value")

LONGEST = 100_000
"""Characters in a schedule."""

UNITS: Mapping[str, Callable[[float, Clock], float]] = {
    "": lambda position, clock: position,
    "s": lambda position, clock: position * clock.fps,
    # Of the length and not of the last frame, so that 0 % and 100 % of a loop are one moment.
    "%": lambda position, clock: position / 100 * clock.frames,
}
"""By a key's unit: from its position to a frame."""

_KEY = re.compile(r"\s*(?P<position>\d{1,9}(\.\d{1,9})?)\s*(?P<unit>[s%]?)\s*:", re.ASCII)


class Key(NamedTuple, Generic[Value]):
    """A value and where it stands.

    Attributes:
        position: in `unit`, a key of `UNITS`.
        easing: how the way to it goes; None where that is not written.
        varies: whether the value goes on by itself until the next key.
    """

    position: float
    unit: str
    easing: str | None
    value: Value
    varies: bool

    def frame(self, clock: Clock) -> float:
        """The frame at which it stands."""
        return UNITS[self.unit](self.position, clock)


def weighted(keys: Sequence[Key[Value]], clock: Clock) -> list[tuple[Value, float, float]]:
    """The one or two values that decide a frame, each with the frame to take it at and its weight.

    The weights sum to 1, and none is 0.
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
    """Whether a text begins with a key: digits, then `s`, `%` or nothing, then a colon."""
    return _KEY.match(text) is not None


def read(
    text: str, value: Callable[[str, int, int], Value], varies: Callable[[Value], bool]
) -> tuple[Key[Value], ...]:
    """The keys of a text, in the order in which they are written.

    Args:
        text: a schedule, or one value for the whole film.
        value: makes a value of what stands in a text from one place to another.
        varies: whether a value goes on by itself.

    Raises ValueError that marks the place.
    """
    text = re.sub(r"\s", " ", text)
    if len(text) > LONGEST:
        raise ValueError(f"a schedule has at most {LONGEST} characters")
    if not is_schedule(text):
        only = value(text, *_trimmed(text, 0, len(text)))
        return (Key(0.0, "", None, only, varies(only)),)
    found = _found(text)
    ends = [match.start() - 1 for match in found[1:]] + [len(text)]
    keys: list[Key[Value]] = []
    for match, end in zip(found, ends, strict=True):
        begin, end = _unbracketed(text, *_trimmed(text, match.end(), end))
        easing, end = _easing(text, begin, end)
        position, unit = float(match["position"]), match["unit"]
        _check_order(text, match.start("position"), position, unit, easing, keys)
        own = value(text, begin, end)
        keys.append(Key(position, unit, easing, own, varies(own)))
    return tuple(keys)


def write(key: Key[str]) -> str:
    """A key as it is read."""
    easing = f", {key.easing}" if key.easing else ""
    return f"{key.position:.15g}{key.unit}:({key.value}{easing})"


def _check_order(
    text: str, place: int, position: float, unit: str, easing: str | None, keys: list[Key[Value]]
) -> None:
    """Keys of one unit rise; those of different units are put in order when the clock is known."""
    if easing and not keys:
        raise wrong(text, place, "nothing leads to the first key: an easing stands at the second")
    if any(key.unit == unit and key.position >= position for key in keys):
        raise wrong(text, place, "this key does not come after the ones before it")


def _found(text: str) -> list[re.Match[str]]:
    """The keys: one at the beginning, and one after each comma outside brackets that has one."""
    found = [match for match in [_KEY.match(text)] if match]
    opened: list[int] = []
    for place, letter in enumerate(text):
        if letter == "(":
            opened.append(place)
        elif letter == ")" and not opened:
            raise wrong(text, place, "this bracket was never opened")
        elif letter == ")":
            opened.pop()
        elif letter == "," and not opened and (match := _KEY.match(text, place + 1)):
            found.append(match)
    if opened:
        raise wrong(text, opened[-1], "this bracket is never closed")
    return found


def _trimmed(text: str, begin: int, end: int) -> tuple[int, int]:
    """The places between which a part stands without the spaces around it."""
    part = text[begin:end]
    begin += len(part) - len(part.lstrip())
    return begin, begin + len(part.strip())


def _unbracketed(text: str, begin: int, end: int) -> tuple[int, int]:
    """The same without the brackets around all of it: `(1+t)*(2)` has none."""
    depth = 0
    for place in range(begin, end):
        depth += (text[place] == "(") - (text[place] == ")")
        if depth == 0:
            whole = place == end - 1 > begin
            return _trimmed(text, begin + 1, end - 1) if whole else (begin, end)
    return begin, end


def _easing(text: str, begin: int, end: int) -> tuple[str | None, int]:
    """The easing after the last comma, if that is one, and where the value before it ends."""
    comma = text.rfind(",", begin, end)
    name = text[comma + 1 : end].strip()
    if comma < 0 or name not in EASINGS:
        return None, end
    return name, _trimmed(text, begin, comma)[1]
