"""From a recipe to pictures grown from noise, each of what one target wants to see."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property, partial
from itertools import chain, repeat, zip_longest

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from dreamer.arrays import Image, Size
from dreamer.ascent import normalizations
from dreamer.ascent.ascent import Climb, octave_seed
from dreamer.ascent.parametrizations import PARAMETRIZATIONS, PIXELS
from dreamer.ascent.random_starts import RANDOM_STARTS
from dreamer.errors import DreamerError
from dreamer.networks import memory, runtime
from dreamer.networks.network import Network
from dreamer.pipelines.image import NOTHING_OWN, Own
from dreamer.pipelines.layer_growth import Grown, LayerGrowth, show
from dreamer.pipelines.targets import Target, repeat_targets
from dreamer.recipe import Recipe

BATCH = 16
"""Pictures that grow at once in a lane, at most; more of them are no faster."""

WAY = 4
"""Between two targets: how many times the recipe's steps are taken in all."""


@dataclass(frozen=True)
class Growing:
    """Where the work stands after a chunk of steps.

    Attributes:
        done: share of all the work, 0 to 1.
        step, steps: steps taken by the pictures that grow now, and their number.
        labels: of those pictures.
        scores: theirs as of the last step, `(n,)`.
        grown: the finished pictures: after the last value all of them, in the targets' order.
    """

    done: float
    step: int
    steps: int
    labels: Sequence[str]
    scores: NDArray[np.float32]
    grown: Sequence[Grown]
    _now: Callable[[], NDArray[np.float32]]

    def pictures(self) -> NDArray[np.float32]:
        """Return those that grow now as they would be shown, `(n, h, w, 3)`."""
        return self._now()


@dataclass(frozen=True)
class Visualizer:
    """A recipe on a loaded network, for any number of targets of any layers.

    Attributes:
        recipe: of a picture, without schedules; its `layers` do not count, the targets do.
        net: the network that it names.
        start: the photo that pictures grow from where `visualization.init` is "photo".
        own: what a caller of the library puts in place of the recipe's.
    """

    recipe: Recipe
    net: Network
    start: Image | None = None
    own: Own = NOTHING_OWN
    _grown: dict[Hashable, LayerGrowth] = field(default_factory=dict)

    def __post_init__(self) -> None:
        own = self.recipe.visualization
        if own.init == "photo" and self.start is None:
            raise DreamerError("These pictures grow from a photo: give it by --init.")
        if self.recipe.optimizer == "lbfgs":
            raise DreamerError(
                "lbfgs searches one picture: set optimizer to another where many grow at once."
            )
        if self.recipe.small_contribution and PARAMETRIZATIONS[own.parametrization] is not PIXELS:
            raise DreamerError(
                "small_contribution weighs pixels by their gradient: set parametrization to pixels."
            )
        smallest = max(self.net.spec.smallest, normalizations.SMALLEST_SIDE)
        if min(self.size) < smallest:
            raise DreamerError(
                f"Pictures of {self.size[1]}×{self.size[0]} pixels are too small for "
                f"{self.net.name}, which needs {smallest} along each side: give a larger --size."
            )

    @cached_property
    def size(self) -> Size:
        """Return the height and width of the pictures: those of the photo, or a square."""
        if self.recipe.visualization.init == "photo" and self.start is not None:
            return self.start.shape[:2]
        side = self.recipe.size
        if side == "full":
            raise DreamerError("Without a photo there is no full size: give --size in pixels.")
        width, _, height = str(side).partition("x")
        return int(height or width), int(width)

    def growth(self, target: Target) -> LayerGrowth:
        """Return how pictures grow for a target, and for others of its kind."""
        key = target.layer, target.objective
        if key not in self._grown:
            self._grown[key] = LayerGrowth(
                self.recipe, self.net, target.layer, self.size, self.own, target.objective
            )
        return self._grown[key]

    def batch(self, target: Target) -> int:
        """Return how many pictures grow at once; those of one target do, if they should differ."""
        own, layers = self.recipe.visualization, [*self.growth(target).objective.layers]
        pixels = math.prod(side + 2 * own.pad for side in self.size)
        fitting = min(BATCH * runtime.lanes(), memory.count_pictures(self.net, layers, pixels))
        return max(1, fitting // own.diverse) * own.diverse

    def check(self, targets: Sequence[Target]) -> None:
        """Raise DreamerError where a border leaves nothing of a layer's cells."""
        for growth in {id(found): found for found in map(self.growth, targets)}.values():
            growth.check()

    def grow(
        self,
        targets: Sequence[Target],
        seeds: Sequence[int] | None = None,
        every: int | None = None,
    ) -> Iterator[Growing]:
        """Grow a picture for each target, or `visualization.diverse` of them, batch after batch.

        Args:
            targets: of any layers.
            seeds: of the noise, one for each target; without, the recipe's for all.
            every: how many steps there are at most from one value to the next.
        """
        self.check(targets)
        seeds = [self.recipe.seed] * len(targets) if seeds is None else seeds
        diverse = self.recipe.visualization.diverse
        own = [(seed, way) for seed in seeds for way in range(diverse)]
        targets = repeat_targets(targets, diverse)
        finished: dict[int, Grown] = {}
        for places in self._batches(targets):
            growth = self.growth(targets[places[0]])
            parts = list(self._lanes(places))
            lanes = [[targets[place] for place in part] for part in parts]
            starts = [self._start([own[place] for place in part]) for part in parts]
            begun = zip(lanes, starts, strict=True)
            for states in _run_side_by_side([growth.climb(*lane, every) for lane in begun]):
                now, step = [climb for climb, _ in states], min(step for _, step in states)
                ends = step == self.recipe.steps
                if ends:
                    ended = chain(*map(growth.finish, lanes, starts, now))
                    finished |= dict(zip(places, ended, strict=True))
                share = len(places) * step / self.recipe.steps * (not ends)
                yield Growing(
                    (len(finished) + share) / len(targets),
                    step,
                    self.recipe.steps,
                    [targets[place].label for place in places],
                    np.concatenate([climb.scores for climb in now]),
                    [finished[place] for place in sorted(finished)],
                    partial(_show_now, growth, now),
                )

    def _batches(self, targets: Sequence[Target]) -> list[list[int]]:
        by_kind: dict[Hashable, list[int]] = {}
        for place, target in enumerate(targets):
            by_kind.setdefault((target.layer, target.objective), []).append(place)
        sizes = [self.batch(targets[places[0]]) for places in by_kind.values()]
        return [
            places[first : first + size]
            for places, size in zip(by_kind.values(), sizes, strict=True)
            for first in range(0, len(places), size)
        ]

    def _lanes(self, places: Sequence[int]) -> Iterator[Sequence[int]]:
        """Cut a batch into parts that grow side by side; one target's pictures stay together."""
        diverse = self.recipe.visualization.diverse
        size = math.ceil(len(places) / diverse / runtime.lanes()) * diverse
        return (places[first : first + size] for first in range(0, len(places), size))

    def _start(self, seeds: Sequence[tuple[int, int]]) -> tf.Tensor:
        """Draw the pictures to start from, `(n, h, w, 3)`."""
        own = self.recipe.visualization
        base = self.start if own.init == "photo" and self.start is not None else 0.5
        noise = RANDOM_STARTS[own.init]
        made = {
            seed: base + own.init_spread * noise(np.random.default_rng(seed), self.size)
            for seed in set(seeds)
        }
        return tf.constant(np.stack([made[seed] for seed in seeds]), tf.float32)

    def between(
        self, first: Target, last: Target, count: int
    ) -> Iterator[tuple[float, Grown | None]]:
        """Grow pictures on the way from one target to another, each from the one before it.

        What the two targets are mixed by is their own pictures' scores, so that neither hides the
        other; each of the `count` pictures takes its part of `WAY` times the recipe's steps.

        Args:
            first, last: of one layer.
            count: of the pictures, the first one's and the last one's included; at least 2.

        Yields:
            The share that is done, and each picture as soon as it is finished.
        """
        if self.recipe.visualization.diverse > 1:
            raise DreamerError("Between two channels is one way: set diverse to 1.")
        if self.recipe.visualization.unit:
            raise DreamerError("The way between two channels is one of whole pictures, of no unit.")
        each = math.ceil(WAY * self.recipe.steps / count)
        for state in self.grow([first, last]):
            yield state.done / (1 + WAY / 2), None
        ends, growth = state.grown, self.growth(first)
        yield 1 / (1 + WAY / 2), ends[0]
        seed, start = octave_seed(self.recipe.seed, 0, 0), tf.constant(ends[0].plain[None])
        climb = growth.ascent.begin(growth.parametrization.encode(start))
        sizes = [max(abs(end.score), 1e-6) for end in ends]
        for place in range(1, count):
            share = place / (count - 1)
            other = share * sizes[0] / sizes[1]
            mix = np.asarray((1 - share) * first.mix + other * last.mix, np.float32)
            label = last.label if place == count - 1 else f"{share:.0%}"
            target = Target(label, first.layer, mix)
            begun = self.recipe.steps + (place - 1) * each
            stop, numbers = begun + each, growth.numbers([target])
            climb = growth.ascent.run(climb, seed, begun, stop, stop, numbers)
            # A score of another mix says nothing of which picture is best.
            (grown,) = growth.finish([target], start, climb._replace(kept=climb.images))
            yield (1 + WAY / 2 * share) / (1 + WAY / 2), grown


def _show_now(growth: LayerGrowth, climbs: Sequence[Climb]) -> NDArray[np.float32]:
    return show(np.concatenate([growth.keep(climb) for climb in climbs]), growth.recipe)


def _run_side_by_side(
    runs: Sequence[Iterator[tuple[Climb, int]]],
) -> Iterator[Sequence[tuple[Climb, int]]]:
    """Yield where climbs stand that go on side by side, until all have ended."""
    states: Sequence[tuple[Climb, int]] = []
    with ThreadPoolExecutor(len(runs)) as pool:
        while any(after := list(pool.map(next, runs, repeat(None)))):
            states = [new or old for new, old in zip_longest(after, states)]
            yield states
