"""The frame loop: each frame is moved, held and dreamt again, and fed back.

Only some frames need be dreamt: the keys. Between two of them both are carried along the known
motion and mixed. This module knows neither networks nor files: what it is made of comes as
functions, and frames come as they are stored, since what is stored is what is fed back.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dreamer.arrays import Image, Stored, from_stored, to_stored

Memory = Mapping[str, NDArray[np.float32]]
"""What is remembered beside the picture, by name."""

_ANCHOR = "anchor "
"""Prefix of what was remembered when a loop began."""


class Carried(NamedTuple):
    """What goes from one key to the next."""

    frame: Stored
    memory: Memory


Step = Callable[[Carried, int], Carried]
"""From what is carried, and the number of the key to be made, to what is carried on."""

Move = Callable[[Image, float, float], Image]
"""A picture of one moment, in frames, moved to another."""


def keys(step: Step, begin: Carried, first: int, stop: int) -> Iterator[Carried]:
    """Make the keys from `first` up to, not including, `stop`, each from the one before."""
    carried = begin
    for number in range(first, stop):
        carried = step(carried, number)
        yield carried


def between(keys: Iterable[Stored], cadence: int, count: int, move: Move) -> Iterator[Stored]:
    """A film's frames: the keys, and those between them.

    Args:
        keys: the dreamt frames; the last one stands behind the film's end where it is a loop.
        cadence: frames from one key to the next.
        count: frames of the film.
        move: the film's motion.
    """
    before: Image | None = None
    number = 0
    for key in keys:
        after = from_stored(key)
        if before is not None:
            start = number
            for part in range(1, cadence):
                if number + 1 < count:
                    number += 1
                    share = np.float32(part / cadence)
                    ahead = move(before, start, start + part)
                    back = move(after, start + cadence, start + part)
                    yield to_stored(ahead + share * (back - ahead))
            number += 1
        before = after
        if number < count:
            yield key
    for part in range(1, cadence):
        # Behind the last key there is no other one to mix with.
        if before is not None and number + part < count:
            yield to_stored(move(before, number, number + part))


class Loop(NamedTuple):
    """A film that leads into its own beginning.

    Attributes:
        period: keys in it.
        blend: keys at its end whose origins pass into those from before the beginning.
        warm_up: keys before the beginning, which are not shown; at least `blend`.
    """

    period: int
    blend: int
    warm_up: int


def looped(step: Step, loop: Loop, recall: Callable[[int], Stored]) -> Step:
    """A step that closes a loop.

    What the last keys are made from passes into what the keys before the beginning were made
    from, a period earlier. Pictures are blended before they are dreamt and never after, so the
    film stays sharp; the very last key has the same origin as the one that led into the first.

    Args:
        step: of a film whose motion and schedules have the same period.
        loop: its lengths.
        recall: the frame of a key that was made before; keys of the warm-up are negative.
    """

    def run(carried: Carried, number: int) -> Carried:
        way = (number - (loop.period - 1 - loop.blend)) / loop.blend
        if way > 0:
            carried = _blended(carried, recall(number - 1 - loop.period), _smooth(way))
        anchor = {name: kept for name, kept in carried.memory.items() if name.startswith(_ANCHOR)}
        own = {name: kept for name, kept in carried.memory.items() if name not in anchor}
        made = step(Carried(carried.frame, own), number % loop.period)
        if number == -1:
            anchor = {_ANCHOR + name: kept for name, kept in made.memory.items()}
        return Carried(made.frame, {**made.memory, **anchor})

    return run


def played(step: Step, begin: Carried, count: int, loop: Loop | None = None) -> Iterator[Stored]:
    """A film's keys, made in memory; of a loop the first one again at the end, for `between`.

    Args:
        step: as for `keys`.
        begin: the photo, and what is remembered of it.
        count: keys of the film.
        loop: how it closes, where it does.
    """
    if loop is None:
        yield begin.frame
        yield from (carried.frame for carried in keys(step, begin, 1, count))
        return
    first = -loop.warm_up
    # The keys up to the first one shown: what the end passes into.
    kept = [begin.frame]
    step = looped(step, loop, lambda number: kept[number - first])
    for number, carried in enumerate(keys(step, begin, first + 1, count), first + 1):
        if number <= 0:
            kept.append(carried.frame)
        if number >= 0:
            yield carried.frame
    yield kept[-1]


def _blended(carried: Carried, twin: Stored, share: float) -> Carried:
    own = from_stored(carried.frame)
    frame = to_stored(own + np.float32(share) * (from_stored(twin) - own))
    memory = {
        name: kept + np.float32(share) * (carried.memory.get(_ANCHOR + name, kept) - kept)
        for name, kept in carried.memory.items()
    }
    return Carried(frame, memory)


def _smooth(way: float) -> float:
    way = min(max(way, 0.0), 1.0)
    return way * way * (3 - 2 * way)


def closure(around: Sequence[Image], period: int, move: Move) -> tuple[float, float]:
    """How far a loop's last frame is from its first, in median steps between those around them.

    Args:
        around: as many last frames as first ones, in order of time.
        period: frames of the loop.
        move: the film's motion.

    Returns:
        The ratio of mean absolute differences, as they are and with the motion taken out.
    """
    half = len(around) // 2
    numbers = [(index - half) % period for index in range(len(around))]
    plain, moved = [], []
    for number, before, after in zip(numbers[:-1], around[:-1], around[1:], strict=True):
        plain.append(float(np.abs(after - before).mean()))
        moved.append(float(np.abs(after - move(before, number, number + 1)).mean()))

    def ratio(steps: list[float]) -> float:
        seam = steps.pop(half - 1)
        return seam / max(float(np.median(steps)), 1e-9)

    return ratio(plain), ratio(moved)
