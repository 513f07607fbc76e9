"""Feature visualisation: pictures grown from nothing, each for what one target wants to see."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property, partial
from itertools import chain, repeat, zip_longest

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from dreamer.arrays import Image, Size
from dreamer.ascent import objectives, transforms, updates
from dreamer.ascent.climb import Ascent, Chunk, Climb, climbs, octave_seed
from dreamer.ascent.inits import INITS
from dreamer.ascent.objectives import Objective
from dreamer.ascent.parametrisations import PARAMETRISATIONS, PIXELS, Parametrisation
from dreamer.ascent.steps import Numbers
from dreamer.ascent.transforms import Transform
from dreamer.assemble import (
    amount,
    amounts,
    cycle,
    dtypes,
    regulariser,
    resolve_precision,
    update,
)
from dreamer.errors import DreamerError
from dreamer.nets import memory, network, receptive, runtime
from dreamer.nets.network import Features, Network
from dreamer.recipe import Recipe
from dreamer.targets import Target, in_ways, targets

BATCH = 16
"""Pictures that grow at once in a lane, at most; more of them are no faster."""

CHUNK_SECONDS = 1.0
"""About how long a chunk of steps takes: lanes wait for one another between chunks."""

WAY = 4
"""Between two targets: how many times the recipe's steps are taken in all."""


@dataclass(frozen=True)
class Grown:
    """A finished picture.

    Attributes:
        label: its target's.
        picture: `(h, w, 3)`, as the recipe has it shown.
        plain: the same, not normalised; 0 to 1.
        score, first_score: the objective of the finished picture and of what it grew from, both
            without any transform, on the network as it is.
        step: the steps that led to it.
        stopped: whether its ascent stopped by itself.
        silent: whether nothing led upwards: the picture is still what it grew from.
    """

    label: str
    picture: Image
    plain: Image
    score: float
    first_score: float
    step: int
    stopped: bool
    silent: bool


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
        """Those that grow now as they would be shown, `(n, h, w, 3)`."""
        return self._now()


def robust(recipe: Recipe, stride: int = 1) -> Transform:
    """What a recipe does to pictures of features before the network sees them, at random.

    What is shifted is another unit's: a picture of one unit has no jitter, and a margin of whole
    strides.

    Args:
        recipe: of the pictures.
        stride: of the layer whose unit they are grown for.
    """
    feature = recipe.feature
    parts = [transforms.jitter(0 if feature.unit else recipe.jitter)]
    if feature.turn or feature.scale:
        parts.append(transforms.turn_and_scale(feature.turn, feature.scale))
    if feature.pad:
        whole = stride * math.ceil(feature.pad / stride) if feature.unit else feature.pad
        parts.insert(0, transforms.pad(whole))
    return transforms.chain(*parts)


def shown(pictures: NDArray[np.float32], recipe: Recipe) -> NDArray[np.float32]:
    """Pictures `(n, h, w, 3)` as a recipe has them shown, 0 to 1.

    Normalised as in "How convolutional neural networks see the world" (Chollet, 2016).
    """
    if recipe.feature.shown == "normalised":
        mean = pictures.mean((1, 2, 3), keepdims=True)
        spread = pictures.std((1, 2, 3), keepdims=True) + np.float32(1e-5)
        pictures = 0.5 + (pictures - mean) * (np.float32(recipe.feature.spread) / spread)
    return np.asarray(pictures.clip(0, 1), np.float32)


@dataclass(frozen=True)
class Visualiser:
    """A recipe on a loaded network, for any number of targets; each layer is traced once.

    Attributes:
        recipe: of a picture, without schedules; its `layers` do not count, the targets do.
        net: the network that it names.
        start: the photo that pictures grow from where `feature.init` is "photo".
    """

    recipe: Recipe
    net: Network
    start: Image | None = None
    _ascents: dict[str, Ascent] = field(default_factory=dict)
    _features: dict[str, Features] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.recipe.feature.init == "photo" and self.start is None:
            raise DreamerError("These pictures grow from a photo: give it by --init.")
        if self.recipe.optimiser == "lbfgs":
            raise DreamerError(
                "lbfgs searches one picture: set optimiser to another where many grow at once."
            )
        if self.recipe.small_contribution and self.parametrisation is not PIXELS:
            raise DreamerError(
                "small_contribution weighs pixels by their gradient: set feature.parametrisation "
                "to pixels."
            )
        smallest = max(self.net.spec.smallest, updates.SMALLEST)
        if min(self.size) < smallest:
            raise DreamerError(
                f"Pictures of {self.size[1]}×{self.size[0]} pixels are too small for "
                f"{self.net.name}, which needs {smallest} along each side: give a larger --size."
            )

    @cached_property
    def size(self) -> Size:
        """Height and width of the pictures: those of the photo, or a square."""
        if self.recipe.feature.init == "photo" and self.start is not None:
            return self.start.shape[:2]
        side = self.recipe.size
        if isinstance(side, str):
            raise DreamerError("Without a photo there is no full size: give --size in pixels.")
        return side, side

    @property
    def parametrisation(self) -> Parametrisation:
        """What the steps change."""
        return PARAMETRISATIONS[self.recipe.feature.parametrisation]

    def batch(self, layer: str) -> int:
        """How many pictures grow at once; those of one target do, where they should differ."""
        feature = self.recipe.feature
        pixels = math.prod(side + 2 * feature.pad for side in self.size)
        fitting = min(BATCH * runtime.lanes(), memory.pictures(self.net, [layer], pixels))
        return max(1, fitting // feature.diverse) * feature.diverse

    def check(self, targets: Sequence[Target]) -> None:
        """Raise DreamerError where a border leaves nothing of a layer's cells."""
        fields = receptive.fields(self.net.model, self.size)
        for layer in {target.layer for target in targets}:
            field = fields.get(layer)
            least = min(field.rows.cells, field.columns.cells) if field else math.inf
            if not self.recipe.feature.unit and least <= 2 * self.recipe.border:
                raise DreamerError(
                    f"A border of {self.recipe.border} leaves nothing of the {least} cells along a "
                    f"side of {layer}: give a smaller border or a larger --size."
                )

    def grow(
        self,
        targets: Sequence[Target],
        seeds: Sequence[int] | None = None,
        every: int | None = None,
    ) -> Iterator[Growing]:
        """Grow a picture for each target, or `feature.diverse` of them, batch after batch.

        Args:
            targets: of any layers.
            seeds: of the noise, one a target; without, the recipe's for all.
            every: how many steps there are at most from one value to the next.
        """
        self.check(targets)
        seeds = [self.recipe.seed] * len(targets) if seeds is None else seeds
        ways = self.recipe.feature.diverse
        own = [(seed, way) for seed in seeds for way in range(ways)]
        targets = in_ways(targets, ways)
        finished: dict[int, Grown] = {}
        for places in self._batches(targets):
            parts = list(self._lanes(places))
            lanes = [[targets[place] for place in part] for part in parts]
            starts = [self._start([own[place] for place in part]) for part in parts]
            begun = zip(lanes, starts, strict=True)
            for states in _abreast([self._climbs(*lane, every) for lane in begun]):
                now, step = [climb for climb, _ in states], min(step for _, step in states)
                ends = step == self.recipe.steps
                if ends:
                    ended = chain(*map(self._finished, lanes, starts, now))
                    finished |= dict(zip(places, ended, strict=True))
                share = len(places) * step / self.recipe.steps * (not ends)
                yield Growing(
                    (len(finished) + share) / len(targets),
                    step,
                    self.recipe.steps,
                    [targets[place].label for place in places],
                    np.concatenate([climb.scores for climb in now]),
                    [finished[place] for place in sorted(finished)],
                    partial(self._shown, now),
                )

    def _batches(self, targets: Sequence[Target]) -> list[list[int]]:
        by_layer: dict[str, list[int]] = {}
        for place, target in enumerate(targets):
            by_layer.setdefault(target.layer, []).append(place)
        return [
            places[first : first + self.batch(layer)]
            for layer, places in by_layer.items()
            for first in range(0, len(places), self.batch(layer))
        ]

    def _lanes(self, places: Sequence[int]) -> Iterator[Sequence[int]]:
        """A batch in parts that grow side by side; the pictures of one target stay together."""
        ways = self.recipe.feature.diverse
        size = math.ceil(len(places) / ways / runtime.lanes()) * ways
        return (places[first : first + size] for first in range(0, len(places), size))

    def between(
        self, first: Target, last: Target, count: int
    ) -> Iterator[tuple[float, Grown | None]]:
        """Pictures on the way from one target to another, each grown from the one before it.

        What the two targets are mixed by is their own pictures' scores, so that neither hides the
        other; each of the `count` pictures takes its part of `WAY` times the recipe's steps.

        Args:
            first, last: of one layer.
            count: of the pictures, the first one's and the last one's included; at least 2.

        Returns:
            The share that is done, and each picture as soon as it is finished.
        """
        if self.recipe.feature.diverse > 1:
            raise DreamerError("Between two channels is one way: set feature.diverse to 1.")
        if self.recipe.feature.unit:
            raise DreamerError("The way between two channels is one of whole pictures, of no unit.")
        steps = math.ceil(WAY * self.recipe.steps / count)
        for state in self.grow([first, last]):
            yield state.done / (1 + WAY / 2), None
        ends = state.grown
        yield 1 / (1 + WAY / 2), ends[0]
        ascent, seed = self._ascent(first.layer), octave_seed(self.recipe.seed, 0, 0)
        start = tf.constant(ends[0].plain[None])
        climb = ascent.begin(self.parametrisation.encode(start))
        sizes = [max(abs(end.score), 1e-6) for end in ends]
        for place in range(1, count):
            share = place / (count - 1)
            other = share * sizes[0] / sizes[1]
            mix = np.asarray((1 - share) * first.mix + other * last.mix, np.float32)
            label = last.label if place == count - 1 else f"{share:.0%}"
            target = Target(label, first.layer, mix)
            begun = self.recipe.steps + (place - 1) * steps
            stop, numbers = begun + steps, self._numbers([target])
            climb = ascent.run(climb, seed, begun, stop, stop, numbers)
            # A score of another mix says nothing of which picture is best.
            (grown,) = self._finished([target], start, climb._replace(kept=climb.images))
            yield (1 + WAY / 2 * share) / (1 + WAY / 2), grown

    def _start(self, seeds: Sequence[tuple[int, int]]) -> tf.Tensor:
        """Pictures to begin with, `(n, h, w, 3)`."""
        feature = self.recipe.feature
        base = self.start if feature.init == "photo" and self.start is not None else 0.5
        noise = INITS[feature.init]
        made = {
            own: base + feature.init_spread * noise(np.random.default_rng(own), self.size)
            for own in set(seeds)
        }
        return tf.constant(np.stack([made[seed] for seed in seeds]), tf.float32)

    def _climbs(
        self, batch: Sequence[Target], start: tf.Tensor, every: int | None
    ) -> Iterator[tuple[Climb, int]]:
        recipe, ascent = self.recipe, self._ascent(batch[0].layer)
        seed, numbers = octave_seed(recipe.seed, 0, 0), self._numbers(batch)
        coded, chunk = self.parametrisation.encode(start), Chunk(every, CHUNK_SECONDS)
        return climbs(ascent, coded, seed, recipe.steps, chunk, numbers)

    def _shown(self, climbs: Sequence[Climb]) -> NDArray[np.float32]:
        return shown(np.concatenate([self._kept(climb) for climb in climbs]), self.recipe)

    def _kept(self, climb: Climb) -> NDArray[np.float32]:
        kept = climb.kept if self.recipe.feature.keep == "best" else climb.images
        return np.asarray(self.parametrisation.decode(kept))

    def _finished(self, batch: Sequence[Target], start: tf.Tensor, climb: Climb) -> list[Grown]:
        plain, layer = self._kept(climb), batch[0].layer
        # The ascent's network may leak, or compute in bfloat16.
        raised, as_it_is = self._raised(layer), self._as_it_is(layer)
        numbers, inside = self._numbers(batch), self._seen(layer)
        scores = [np.asarray(raised(as_it_is(each), numbers)) for each in (plain, start)]
        slope = self._ascent(layer).value_and_gradient(climb.images, octave_seed(0, 0, 0), numbers)
        flat = ~np.asarray(slope[1]).any((1, 2, 3)) & (scores[0] <= scores[1])
        return [
            Grown(
                target.label,
                picture[inside],
                original[inside].clip(0, 1),
                float(score),
                float(first),
                int(step),
                not alive,
                bool(silent),
            )
            for target, picture, original, score, first, step, alive, silent in zip(
                batch,
                shown(plain, self.recipe),
                plain,
                *scores,
                np.asarray(climb.taken),
                np.asarray(climb.alive),
                flat,
                strict=True,
            )
        ]

    def _as_it_is(self, layer: str) -> Features:
        if layer not in self._features:
            self._features[layer] = network.freeze(self.net, [layer], "float32")
        return self._features[layer]

    def _numbers(self, batch: Sequence[Target]) -> Numbers:
        numbers: dict[str, object] = {**amounts(self.recipe)}
        numbers[objectives.MIX] = np.stack([target.mix for target in batch])
        if (ways := self.recipe.feature.diverse) > 1:
            same = np.kron(np.eye(len(batch) // ways), np.ones((ways, ways)))
            numbers[objectives.OTHERS] = (same - np.eye(len(batch))) / (ways - 1)
        return {name: tf.constant(value, tf.float32) for name, value in numbers.items()}

    def _stride(self, layer: str) -> int:
        field = receptive.fields(self.net.model, self.size).get(layer)
        return math.ceil(max(span.stride for span in field)) if field else 1

    def _seen(self, layer: str) -> tuple[slice, slice]:
        """The part of the pictures that counts: all, or what the unit in the middle can see."""
        field = receptive.fields(self.net.model, self.size).get(layer)
        if not self.recipe.feature.unit or field is None:
            return slice(None), slice(None)
        return field.box(field.rows.cells // 2, field.columns.cells // 2, self.size)

    def _raised(self, layer: str) -> Objective:
        recipe = self.recipe
        # A mix is a direction, whose length does not count.
        reduction = "mean" if recipe.objective == "direction" else recipe.objective
        return objectives.each(layer, reduction, recipe.border, unit=recipe.feature.unit)

    def _ascent(self, layer: str) -> Ascent:
        if layer not in self._ascents:
            recipe, objective = self.recipe, self._raised(layer)
            if recipe.feature.diverse > 1:
                objective = objectives.diverse(objective, layer, recipe.feature.diversity)
            (dtype,) = dtypes(resolve_precision(recipe.precision), 1)
            self._ascents[layer] = Ascent(
                features=network.freeze(self.net, [layer], dtype, recipe.feature.leaky),
                objective=objective,
                transform=robust(recipe, self._stride(layer)),
                update=update(recipe),
                optimiser=updates.OPTIMISERS[recipe.optimiser],
                regularise=regulariser(recipe, self.parametrisation),
                rate=amount(recipe, "rate"),
                limit=float("inf") if recipe.max_objective is None else recipe.max_objective,
                patience=recipe.patience,
                cycle=cycle(recipe),
                numbers=self._numbers(targets(self.net, layer, [0]) * recipe.feature.diverse),
                decode=self.parametrisation.decode,
                keep_best=recipe.feature.keep == "best",
            )
        return self._ascents[layer]


def _abreast(
    runs: Sequence[Iterator[tuple[Climb, int]]],
) -> Iterator[Sequence[tuple[Climb, int]]]:
    """Where climbs stand that go on side by side, until all have ended."""
    states: Sequence[tuple[Climb, int]] = []
    with ThreadPoolExecutor(len(runs)) as pool:
        while any(after := list(pool.map(next, runs, repeat(None)))):
            states = [new or old for new, old in zip_longest(after, states)]
            yield states
