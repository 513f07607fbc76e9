"""From a recipe to a film that rides on a clip's own motion: the callables of the frame loop."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dreamer.arrays import Image, Size, Stored, from_stored, to_stored
from dreamer.ascent import look
from dreamer.assemble import Assembly, Plan, colouring, finishing
from dreamer.filmfields import Film
from dreamer.frames import Carried
from dreamer.motion import flow
from dreamer.motion.flow import Flow
from dreamer.recipe import Recipe
from dreamer.schedule import Clock

_DREAM = "dream"
"""The dream before its looks, where it has any: that is what is carried on."""

_CUTS = "cuts"
"""The numbers of the frames at which the clip is cut."""

_AGE = "age"
"""How many frames have dreamt on what is at each place, `(h, w)`."""

GAIN = np.float32(3)
"""How much stronger a new dream is laid on than its share: those of neighbouring frames differ in
part, and their mean would be pale."""

MOST = np.float32(0.6)
"""The largest share of a new dream: a lone one is harsh, and would flash where no flow holds."""

SETTLING = 4
"""How often a frame is dreamt again before which nothing is carried: a first dream alone is harsher
than what many frames have agreed on, and the look would jump."""

APART = 1_000_000
"""Between the random numbers of such dreams; no film has more frames."""

BLEND_FPS = 24
"""The frame rate for which blends are given."""

Mask = NDArray[np.float32]


def frame_recipe(recipe: Recipe) -> Recipe:
    """What is dreamt on each frame: as on a photo, without the looks, which are not carried."""
    return recipe.changed({"palette": (), "saturation": 1, "colours": "dream", "opacity": 1})


class Pair(NamedTuple):
    """A frame of the clip, and what led to it.

    Attributes:
        before: the frame before it; None of the first.
        frame: float32 `(h, w, 3)`.
        flow: from the one to the other; None where they have nothing to do with one another.
        mask: `(h, w)`, where there is one.
    """

    before: Image | None
    frame: Image
    flow: Flow | None
    mask: Mask | None


Frames = Callable[[int], Iterator[Image]]
"""The frames of a clip, but for so many at its beginning."""

Masks = Callable[[int], Iterator[Mask | None]]
"""The masks of its frames, likewise."""


def pairs(frames: Frames, masks: Masks, first: int, *, follow: bool) -> Iterator[Pair]:
    """A clip's frames from number `first` on, each with its flow where that is wanted."""
    start = max(first - 1, 0)
    before = None
    for number, (frame, mask) in enumerate(zip(frames(start), masks(start), strict=False), start):
        found = flow.between(before, frame) if follow and before is not None else None
        if number >= first:
            yield Pair(before, frame, None if found is None or found.cut else found, mask)
        before = frame


CARRIED: Mapping[str, Callable[[Image, Pair, Flow], Image]] = {
    "difference": lambda dream, pair, moved: flow.carried(dream - _known(pair.before), moved),
    "picture": lambda dream, pair, moved: flow.carried(dream, moved) - pair.frame,
}
"""From the dream before to what of it is laid over this frame."""


def _known(image: Image | None) -> Image:
    assert image is not None
    return image


@dataclass(frozen=True)
class Riding:
    """A film's recipe on a loaded network, for one clip.

    Attributes:
        assembly: of `frame_recipe`.
        recipe: with its looks; its rate and length are the clip's.
        size: height and width of the frames.
        read: the clip's frames.
        masks: theirs.
    """

    assembly: Assembly
    recipe: Recipe
    size: Size
    read: Frames
    masks: Masks
    _feed: "_Feed" = field(init=False)

    def __post_init__(self) -> None:
        read = partial(pairs, self.read, self.masks, follow=self.recipe.film.flow)
        object.__setattr__(self, "_feed", _Feed(read))

    @property
    def film(self) -> Film:
        """The film's part of the recipe."""
        return self.recipe.film

    @cached_property
    def plan(self) -> Plan:
        """The octaves of each frame."""
        return self.assembly.plan(self.size)

    @property
    def keys(self) -> int:
        """How many frames are dreamt: all."""
        return self.film.length

    @cached_property
    def begin(self) -> Carried:
        """The first frame's dream."""
        return self._made(self._feed.take(0), None, 0)

    @property
    def motion(self) -> str:
        """How the film moves, in words."""
        return "riding on its motion" if self.film.flow else "each frame on its own"

    @property
    def loop(self) -> None:
        """A clip has its own end."""
        return None

    @property
    def needs_length(self) -> bool:
        """Whether a film of another length would have other frames from the beginning."""
        return self.recipe.uses_length

    def check(self) -> None:
        """Read every schedule at every frame, so that a slip shows before the long run."""
        for number in range(self.keys):
            self.recipe.at(self.film.clock(number))

    def frames(self, keys: Iterator[Stored]) -> Iterator[Stored]:
        """The film's frames: all are keys."""
        return keys

    def closing(self, around: Sequence[Image], memory: Mapping[str, Any]) -> list[str]:
        """What there is to say of a finished film: where are its cuts?"""
        cuts = [f"{cut:.0f}" for cut in memory.get(_CUTS, ())]
        return [f"Cuts, at which the dream began afresh: frame {', '.join(cuts)}"] if cuts else []

    def step(self, carried: Carried, number: int) -> Carried:
        """Make a frame from the one before; see `frames.Step`."""
        pair = self._feed.take(number)
        made = self._made(pair, carried, number)
        cuts = carried.memory.get(_CUTS, np.zeros(0, np.float32))
        if self.film.flow and pair.flow is None:
            cuts = np.append(cuts, np.float32(number))
        return made._replace(memory={**made.memory, _CUTS: cuts})

    def _made(self, pair: Pair, before: Carried | None, number: int) -> Carried:
        """The dream on a frame: the new one blended with what is carried."""
        clock = self.film.clock(number)
        recipe = self.recipe.at(clock)
        if not self.film.flow:
            dream, memory = self._dreamt(pair.frame, number, clock), {}
        elif before is None or pair.flow is None:
            dream = self._begun(pair.frame, number, clock)
            memory = {_AGE: np.full(self.size, 1 + SETTLING, np.float32)}
        else:
            own = before.memory.get(_DREAM)
            last = from_stored(before.frame) if own is None else own
            over = CARRIED[self.film.carried](last, pair, pair.flow)
            age = flow.aged(before.memory[_AGE], pair.flow)
            usual = share(pair.flow, recipe.film)
            # As where a dream begins, what is new in the picture settles before it is only kept.
            kept = np.minimum(pair.flow.visible * usual, age / (age + 1))[..., None]
            carried = pair.frame + np.float32(fading(recipe.film)) * kept * over
            new = laid(kept, usual[..., None])
            dream, memory = self._laid(carried, new, number, clock), {_AGE: age + 1}
        shown = look.chain(colouring(recipe), finishing(recipe, pair.mask))(dream, pair.frame)
        return Carried(to_stored(shown), memory if shown is dream else {**memory, _DREAM: dream})

    def _begun(self, frame: Image, number: int, clock: Clock) -> Image:
        """The dream on a frame to which nothing is carried."""
        dream = self._dreamt(frame, number, clock)
        for time in range(1, SETTLING + 1):
            # As if the clip stood still: each of the dreams so far counts alike.
            kept = np.float32(time / (time + 1))
            carried = frame + kept * (dream - frame)
            dream = self._laid(carried, laid(kept, 1), number + time * APART, clock)
        return dream

    def _laid(self, carried: Image, new: Mask | np.float32, number: int, clock: Clock) -> Image:
        """A share of a new dream laid over what is carried."""
        begun = carried.clip(0, 1)
        return np.asarray(begun + new * (self._dreamt(begun, number, clock) - begun))

    def _dreamt(self, frame: Image, number: int, clock: Clock) -> Image:
        *_, last = self.assembly.dream(frame, self.plan, frame=number, clock=clock)
        return last.picture()


def share(moved: Flow, film: Film) -> Mask:
    """How much of a frame's dream is carried, `(h, w)`, where it was seen before."""
    still, moving = (
        (1 - float(blend)) ** (BLEND_FPS / film.fps)
        for blend in (film.blend_still, film.blend_moving)
    )
    return np.asarray(still + moved.moving * np.float32(moving - still))


def laid(kept: Mask | np.float32, usual: Mask | float) -> Mask:
    """How much of a new dream is laid on where `kept` is carried, instead of the `usual` share."""
    most = np.maximum(GAIN * (1 - usual), MOST)
    return np.asarray(np.minimum(GAIN * (1 - kept), most).clip(0, 1), np.float32)


def fading(film: Film) -> float:
    """The share of its strength that what is carried keeps from one frame to the next."""
    return float(0.5 ** (1 / (film.fps * float(film.fade))))


class _Feed:
    """Reads a clip ahead: the next pair is made ready while this frame is dreamt."""

    def __init__(self, read: Callable[[int], Iterator[Pair]]) -> None:
        self._read = read
        self._pool = ThreadPoolExecutor(1, "flow")
        self._next = -1
        self._pairs: Iterator[Pair] = iter(())
        self._ahead: Future[Pair | None] | None = None

    def take(self, number: int) -> Pair:
        """The pair of this number; quick for the one behind that of the last call."""
        if number != self._next or self._ahead is None:
            self._pairs = self._read(number)
            self._ahead = self._pool.submit(next, self._pairs, None)
        pair = self._ahead.result()
        assert pair is not None
        self._ahead = self._pool.submit(next, self._pairs, None)
        self._next = number + 1
        return pair
