"""From a recipe to a film on a clip: the dream follows the clip's own motion."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from dreamer.arrays import Image, Size, Stored, from_stored, to_stored
from dreamer.imaging import finish
from dreamer.motion import flow
from dreamer.motion.flow import Flow
from dreamer.pipelines.finish_by_recipe import finish_colors, finish_picture
from dreamer.pipelines.frame_loop import Carried, Ending
from dreamer.pipelines.image import ImagePipeline, Moment
from dreamer.pipelines.plan import Plan
from dreamer.recipe import Recipe
from dreamer.recipe.film_fields import Film
from dreamer.recipe.migrations import OF_FRAMES
from dreamer.recipe.schedule import Clock

GAIN = np.float32(3)
"""How much stronger a new dream is laid on than its share: those of neighboring frames differ in
part, and their mean would be pale."""

MOST = np.float32(0.6)
"""The largest share of a new dream: a lone one is harsh, and would flash where no flow holds."""

SETTLING = 4
"""How often a frame is dreamt again before which nothing is carried: a first dream alone is harsher
than what many frames have agreed on, and the look would jump."""

APART = 1_000_000
"""Between the random numbers of such dreams; no film has more frames."""

MARGIN = 32
"""Pixels by which a frame is continued, where nothing else is asked for: a dream that is dreamt on
again and again grows toward the center else."""

BLEND_FPS = 24
"""The frame rate for which blends are given."""

Mask = NDArray[np.float32]


def frame_recipe(recipe: Recipe) -> Recipe:
    """Return the recipe of what is dreamt on each frame: a photo's, but for what only shows."""
    grain = {"detail": recipe.film.grain, "chroma_detail": recipe.film.chroma_grain}
    margin = {"margin": MARGIN if recipe.margin is None else recipe.margin}
    shown = {"palette": (), "saturation": 1, "colors": "dream", "opacity": 1}
    return recipe.changed({**OF_FRAMES, **grain, **margin, "strength": recipe.strength, **shown})


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
"""Reads the frames of a clip, but for so many at its beginning."""

Masks = Callable[[int], Iterator[Mask | None]]
"""Reads the masks of its frames, likewise."""


def read_pairs(frames: Frames, masks: Masks, first: int, *, follow: bool) -> Iterator[Pair]:
    """Read the frames of a clip from number `first` on, each with its flow where that is wanted."""
    start = max(first - 1, 0)
    before = None
    for number, (frame, mask) in enumerate(zip(frames(start), masks(start), strict=False), start):
        found = flow.compute_flow(before, frame) if follow and before is not None else None
        if number >= first:
            yield Pair(before, frame, None if found is None or found.cut else found, mask)
        before = frame


CARRIED: Mapping[str, Callable[[Image, Pair, Flow], Image]] = {
    "difference": lambda dream, pair, moved: flow.carry(dream - _known(pair.before), moved),
    "picture": lambda dream, pair, moved: flow.carry(dream, moved) - pair.frame,
}
"""From the dream before to what of it is laid over this frame."""


def _known(image: Image | None) -> Image:
    assert image is not None
    return image


class ClipMemory(NamedTuple):
    """What is remembered beside the picture.

    Attributes:
        dream: before what only shows; None where that is the picture itself.
        age: how many frames have dreamt on what is at each place, `(h, w)`; None without flow.
        cuts: the numbers of the frames at which the clip is cut.
    """

    dream: Image | None
    age: Mask | None
    cuts: tuple[int, ...] = ()

    def blend(self, other: Self, share: float) -> Self:
        """Return itself: a clip has its own end, and is no loop."""
        return self

    def to_plain(self) -> dict[str, Any]:
        """Return the arrays that are there by name, and the cuts."""
        arrays = {"dream": self.dream, "age": self.age}
        there = {name: array for name, array in arrays.items() if array is not None}
        return {**there, "cuts": list(self.cuts)}


@dataclass(frozen=True)
class ClipFilm:
    """A film's recipe on a loaded network, for one clip; see `frame_loop.FilmPipeline`.

    Attributes:
        pipeline: of `frame_recipe`.
        recipe: with what only shows; its rate and length are the clip's.
        size: height and width of the frames.
        read: the clip's frames.
        masks: theirs.
    """

    pipeline: ImagePipeline
    recipe: Recipe
    size: Size
    read: Frames
    masks: Masks

    @cached_property
    def _feed(self) -> _Feed:
        return _Feed(partial(read_pairs, self.read, self.masks, follow=self.recipe.film.flow))

    @property
    def film(self) -> Film:
        """Return the film's part of the recipe."""
        return self.recipe.film

    @property
    def keys(self) -> int:
        """Return how many frames are dreamt: all."""
        return self.film.length

    @property
    def motion(self) -> str:
        """Return how the film moves, in words."""
        return "following its motion" if self.film.flow else "each frame alone"

    @property
    def loop(self) -> None:
        """Return None: a clip has its own end."""
        return None

    @property
    def needs_length(self) -> bool:
        """Tell whether a film of another length would have other frames from the beginning."""
        return self.recipe.uses_length

    @cached_property
    def plan(self) -> Plan:
        """Return the octaves of each frame."""
        return self.pipeline.plan(self.size)

    def check(self) -> None:
        """Read every schedule at every frame, so that a slip shows before the long run."""
        for number in range(self.keys):
            self.recipe.at(self.film.clock(number))

    def frames(self, keys: Iterator[Stored]) -> Iterator[Stored]:
        """Return the frames of the film: all are keys."""
        return keys

    def recall(self, plain: Mapping[str, Any]) -> ClipMemory:
        """Return the memory that a store has kept."""
        return ClipMemory(plain.get("dream"), plain.get("age"), tuple(plain["cuts"]))

    def list_chapters(self, memory: ClipMemory) -> list[tuple[float, str]]:
        """Return none: a clip's dream has no themes."""
        return []

    def describe_ending(self, around: Sequence[Image], memory: ClipMemory) -> Ending:
        """Describe where the clip was cut."""
        if not memory.cuts:
            return Ending()
        numbers = ", ".join(map(str, memory.cuts))
        return Ending([f"The clip is cut at frame {numbers}, where the dream started afresh."])

    def begin(self) -> Carried[ClipMemory]:
        """Return the dream of the first frame."""
        return self._make(self._feed.take(0), None, 0, ())

    def step(self, carried: Carried[ClipMemory], number: int) -> Carried[ClipMemory]:
        """Make a frame from the one before."""
        pair, cuts = self._feed.take(number), carried.memory.cuts
        if self.film.flow and pair.flow is None:
            cuts = (*cuts, number)
        return self._make(pair, carried, number, cuts)

    def _make(
        self, pair: Pair, before: Carried[ClipMemory] | None, number: int, cuts: tuple[int, ...]
    ) -> Carried[ClipMemory]:
        """Dream on a frame: the new dream blended with what is carried."""
        clock = self.film.clock(number)
        recipe = self.recipe.at(clock)
        age: Mask | None = None
        if not self.film.flow:
            dream = self._dream(pair.frame, number, clock)
        elif before is None or pair.flow is None:
            dream = self._start(pair.frame, number, clock)
            age = np.full(self.size, 1 + SETTLING, np.float32)
        else:
            dream, age = self._continue(pair, pair.flow, before, recipe.film, (number, clock))
        shown = finish.chain(finish_colors(recipe), finish_picture(recipe, pair.mask))(
            dream, pair.frame
        )
        kept = None if shown is dream else dream
        return Carried(to_stored(shown), ClipMemory(kept, age, cuts))

    def _continue(
        self,
        pair: Pair,
        moved: Flow,
        before: Carried[ClipMemory],
        film: Film,
        when: tuple[int, Clock],
    ) -> tuple[Image, Mask]:
        """Dream on a frame that goes on from the one before; return how old each place is, too."""
        memory = before.memory
        last = from_stored(before.frame) if memory.dream is None else memory.dream
        over = CARRIED[film.carried](last, pair, moved)
        assert memory.age is not None
        age = flow.carry_age(memory.age, moved)
        usual = share_carried(moved, film)
        # As where a dream begins, what is new in the picture settles before it is only kept.
        kept = np.minimum(moved.visible * usual, age / (age + 1))[..., None]
        carried = pair.frame + np.float32(fade(film)) * kept * over
        new = share_new(kept, usual[..., None])
        return self._lay(carried, new, *when), age + 1

    def _start(self, frame: Image, number: int, clock: Clock) -> Image:
        """Dream on a frame to which nothing is carried."""
        dream = self._dream(frame, number, clock)
        for time in range(1, SETTLING + 1):
            # As if the clip stood still: each of the dreams so far counts alike.
            kept = np.float32(time / (time + 1))
            carried = frame + kept * (dream - frame)
            dream = self._lay(carried, share_new(kept, 1), number + time * APART, clock)
        return dream

    def _lay(self, carried: Image, new: Mask | np.float32, number: int, clock: Clock) -> Image:
        """Lay a share of a new dream over what is carried."""
        begun = carried.clip(0, 1)
        return np.asarray(begun + new * (self._dream(begun, number, clock) - begun))

    def _dream(self, frame: Image, number: int, clock: Clock) -> Image:
        *_, last = self.pipeline.dream(frame, self.plan, moment=Moment(number, clock))
        return last.picture()


def share_carried(moved: Flow, film: Film) -> Mask:
    """Return how much of a frame's dream is carried, `(h, w)`, where it was seen before."""
    still, moving = (
        (1 - float(blend)) ** (BLEND_FPS / film.fps)
        for blend in (film.blend_still, film.blend_moving)
    )
    return np.asarray(still + moved.moving * np.float32(moving - still))


def share_new(kept: Mask | np.float32, usual: Mask | float) -> Mask:
    """Return how much of a new dream is laid on where `kept`, not `usual`, is carried."""
    most = np.maximum(GAIN * (1 - usual), MOST)
    return np.asarray(np.minimum(GAIN * (1 - kept), most).clip(0, 1), np.float32)


def fade(film: Film) -> float:
    """Return the share of its strength that what is carried keeps from one frame to the next."""
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
        """Return the pair of this number; quick for the one behind that of the last call."""
        if number != self._next or self._ahead is None:
            self._pairs = self._read(number)
            self._ahead = self._pool.submit(next, self._pairs, None)
        pair = self._ahead.result()
        assert pair is not None
        self._ahead = self._pool.submit(next, self._pairs, None)
        self._next = number + 1
        return pair
