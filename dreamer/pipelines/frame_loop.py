"""The frame loop: each frame is moved, held and dreamt again, and fed back.

Only some frames need be dreamt: the keys. Between two of them both are carried along the known
motion and mixed. This module knows neither networks nor files: what it is made of comes as
functions, and frames come as they are stored, since what is stored is what is fed back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Generic, NamedTuple, Protocol, Self, TypeVar

import numpy as np

from dreamer.arrays import Image, Size, Stored, from_stored, to_stored
from dreamer.recipe.film_fields import Film


class Ending(NamedTuple):
    """What a person should know of a finished film, in sentences; figures are for who asks."""

    notes: Sequence[str] = ()
    figures: Sequence[str] = ()


class Memory(Protocol):
    """What is remembered beside the picture; each kind of film has one of its own."""

    def blend(self, other: Self, share: float) -> Self:
        """Return what lies a share of the way to another memory, 0 to 1."""

    def to_plain(self) -> dict[str, Any]:
        """Return arrays, and what JSON holds, by name; what a store keeps."""


M = TypeVar("M", bound=Memory)


class Carried(NamedTuple, Generic[M]):
    """What goes from one key to the next.

    Attributes:
        frame: as it is stored.
        memory: what is remembered beside it.
        anchor: in a loop, what was remembered before its first key.
    """

    frame: Stored
    memory: M
    anchor: M | None = None


_MEMORY, _ANCHOR = "memory.", "anchor."


def pack(carried: Carried[M]) -> dict[str, Any]:
    """Return all that is carried beside the frame, by name, as a store keeps it."""
    own = {_MEMORY + name: value for name, value in carried.memory.to_plain().items()}
    if carried.anchor is None:
        return own
    return {**own, **{_ANCHOR + key: value for key, value in carried.anchor.to_plain().items()}}


def unpack(
    frame: Stored, packed: Mapping[str, Any], recall: Callable[[Mapping[str, Any]], M]
) -> Carried[M]:
    """Return what a store has kept; the inverse of `pack`."""
    own, anchor = (
        {name.removeprefix(kind): value for name, value in packed.items() if name.startswith(kind)}
        for kind in (_MEMORY, _ANCHOR)
    )
    return Carried(frame, recall(own), recall(anchor) if anchor else None)


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


class FilmPipeline(Protocol[M]):
    """A film that is ready to be made: fed back from a photo, or dreamt on a clip."""

    @property
    def film(self) -> Film:
        """Return the film's part of the recipe."""

    @property
    def size(self) -> Size:
        """Return the height and width of the frames."""

    @property
    def keys(self) -> int:
        """Return how many frames are dreamt, those of a loop's warm-up not counted."""

    @property
    def loop(self) -> Loop | None:
        """Return how the film closes, where it does."""

    @property
    def motion(self) -> str:
        """Return how the film moves, in words."""

    @property
    def needs_length(self) -> bool:
        """Tell whether a film of another length would have other frames from the beginning."""

    def check(self) -> None:
        """Read every schedule at every key, so that a slip shows before the long run."""

    def begin(self) -> Carried[M]:
        """Return the first key, and what is remembered of it."""

    def step(self, carried: Carried[M], number: int) -> Carried[M]:
        """Make a key from the one before."""

    def frames(self, keys: Iterator[Stored]) -> Iterator[Stored]:
        """Return the frames of the film, those between the keys included."""

    def recall(self, plain: Mapping[str, Any]) -> M:
        """Return the memory that a store has kept; the inverse of `Memory.to_plain`."""

    def list_chapters(self, memory: M) -> Sequence[tuple[float, str]]:
        """Return what the film has shown so far: from which second on, and in a word."""

    def describe_ending(self, around: Sequence[Image], memory: M) -> Ending:
        """Describe what a person should know of the finished film.

        Args:
            around: as many last frames as first ones, in order of time.
            memory: what is remembered of the last key.
        """


Step = Callable[[Carried[M], int], Carried[M]]
"""From what is carried, and the number of the key to be made, to what is carried on."""

Move = Callable[[Image, float, float], Image]
"""A picture of one moment, in frames, moved to another."""


class Store(Protocol[M]):
    """Where keys are kept while a film is made, those of a loop's warm-up included."""

    @property
    def count(self) -> int:
        """Return how many keys are kept; they can be gone on from."""

    def append(self, carried: Carried[M]) -> None:
        """Keep the next key."""

    def read(self, number: int) -> Stored:
        """Return the frame of a key by its number, from 0."""

    def last(self) -> Carried[M]:
        """Return the last key with its memory."""


class MemoryStore(Generic[M]):
    """Keys in memory: the last one, and those that a loop passes into at its end."""

    def __init__(self, loop: Loop | None) -> None:
        self._most = loop.warm_up + 1 if loop else 0
        self._first: list[Stored] = []
        self._last: Carried[M] | None = None
        self.count = 0

    def append(self, carried: Carried[M]) -> None:
        """Keep the next key."""
        if len(self._first) < self._most:
            self._first.append(carried.frame)
        self._last, self.count = carried, self.count + 1

    def read(self, number: int) -> Stored:
        """Return the frame of a key by its number, from 0."""
        return self.last().frame if number == self.count - 1 else self._first[number]

    def last(self) -> Carried[M]:
        """Return the last key with its memory."""
        assert self._last is not None
        return self._last


def play(
    film: FilmPipeline[M],
    store: Store[M],
    made: Callable[[], None] = lambda: None,
    stopped: Callable[[], bool] = lambda: False,
) -> Iterator[Stored]:
    """Make the frames of a film; keys that a store keeps already are not made again.

    Args:
        film: what is made.
        store: keeps its keys.
        made: called behind each key that was dreamt.
        stopped: whether to end behind the key that is being made.
    """
    return film.frames(_close(_play_keys(film, store, made, stopped), film, stopped))


def _close(
    keys: Iterator[Stored], film: FilmPipeline[M], stopped: Callable[[], bool]
) -> Iterator[Stored]:
    """Yield the keys; in a loop the first one again, which the last ones pass into."""
    first = None
    for key in keys:
        first = key if first is None else first
        yield key
    if film.loop and first is not None and not stopped():
        yield first


def _play_keys(
    film: FilmPipeline[M],
    store: Store[M],
    made: Callable[[], None],
    stopped: Callable[[], bool],
) -> Iterator[Stored]:
    warm_up = film.loop.warm_up if film.loop else 0
    if not store.count:
        store.append(film.begin())
    step: Step[M] = film.step
    if film.loop:
        step = close_loop(step, film.loop, lambda number: store.read(number + warm_up))
    for number in range(warm_up, min(store.count, warm_up + film.keys)):
        yield store.read(number)
    for carried in make_keys(step, store.last(), store.count - warm_up, film.keys):
        store.append(carried)
        made()
        if store.count > warm_up:
            yield carried.frame
        if stopped():
            return


def make_keys(step: Step[M], begin: Carried[M], first: int, stop: int) -> Iterator[Carried[M]]:
    """Make the keys from `first` up to, not including, `stop`, each from the one before."""
    carried = begin
    for number in range(first, stop):
        carried = step(carried, number)
        yield carried


def fill_between(keys: Iterable[Stored], cadence: int, count: int, move: Move) -> Iterator[Stored]:
    """Yield the frames of a film: the keys, and those between them.

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


def close_loop(step: Step[M], loop: Loop, recall: Callable[[int], Stored]) -> Step[M]:
    """Return a step that closes a loop.

    What the last keys are made from passes into what the keys before the beginning were made
    from, a period earlier. Pictures are blended before they are dreamt and never after, so the
    film stays sharp; the very last key has the same origin as the one that led into the first.

    Args:
        step: of a film whose motion and schedules have the same period.
        loop: its lengths.
        recall: the frame of a key that was made before; keys of the warm-up are negative.
    """

    def run(carried: Carried[M], number: int) -> Carried[M]:
        way = (number - (loop.period - 1 - loop.blend)) / loop.blend
        if way > 0:
            carried = _blend(carried, recall(number - 1 - loop.period), ease(way))
        made = step(carried, number % loop.period)
        return made._replace(anchor=made.memory if number == -1 else carried.anchor)

    return run


def _blend(carried: Carried[M], twin: Stored, share: float) -> Carried[M]:
    own = from_stored(carried.frame)
    frame = to_stored(own + np.float32(share) * (from_stored(twin) - own))
    memory = carried.memory
    if carried.anchor is not None:
        memory = memory.blend(carried.anchor, share)
    return carried._replace(frame=frame, memory=memory)


def ease(way: float) -> float:
    """Return the share of a way that is gone, slowly at both ends; of none before, all behind."""
    way = min(max(way, 0.0), 1.0)
    return way * way * (3 - 2 * way)


def measure_closure(around: Sequence[Image], period: int, move: Move) -> tuple[float, float]:
    """Measure how far the last frame of a loop is from its first, in median steps around them.

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
