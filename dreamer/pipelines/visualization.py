"""From a recipe to pictures grown from noise, each of what one target wants to see."""

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
from dreamer.ascent import normalizations, objectives, steps, transforms
from dreamer.ascent.ascent import Ascent, Chunk, Climb, climb_in_chunks, octave_seed
from dreamer.ascent.objectives import Objective
from dreamer.ascent.parametrizations import PARAMETRIZATIONS, PIXELS, Parametrization
from dreamer.ascent.random_starts import RANDOM_STARTS
from dreamer.ascent.steps import Numbers
from dreamer.ascent.transforms import Transform
from dreamer.errors import DreamerError
from dreamer.imaging.develop import develop
from dreamer.networks import freezing, memory, receptive_fields, runtime
from dreamer.networks.freezing import Features
from dreamer.networks.network import Network
from dreamer.networks.receptive_fields import Field
from dreamer.pipelines.build_ascent import Setting, build_ascent
from dreamer.pipelines.goal import read_amounts, read_rate
from dreamer.pipelines.plan import choose_dtypes, resolve_precision
from dreamer.pipelines.targets import Target, find_targets, repeat_targets
from dreamer.recipe import Recipe

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
        plain: the same, not normalized; 0 to 1.
        score, first_score: the objective of the finished picture and of what it grew from, both
            without any transform, on the network as it is.
        step: the steps that led to it.
        stopped: whether its ascent stopped by itself.
        silent: whether nothing led upward: the picture is still what it grew from.
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
        """Return those that grow now as they would be shown, `(n, h, w, 3)`."""
        return self._now()


def build_transform(recipe: Recipe, stride: int = 1) -> Transform:
    """Return what a recipe does to pictures before the network sees them, at random.

    What is shifted is another unit's: a picture of one unit has no jitter, and a margin of whole
    strides.

    Args:
        recipe: of the pictures.
        stride: of the layer whose unit they are grown for.
    """
    own = recipe.visualization
    parts = [transforms.jitter(0 if own.unit else recipe.jitter)]
    if own.view:
        parts.append(transforms.crop(*own.view))
    if own.view_noise:
        parts.append(transforms.add_noise(own.view_noise))
    if own.turn or own.scale:
        parts.append(transforms.turn_and_scale(own.turn, own.scale))
    if own.pad:
        whole = stride * math.ceil(own.pad / stride) if own.unit else own.pad
        parts.insert(0, transforms.pad(whole))
    return transforms.chain(*parts)


def show(pictures: NDArray[np.float32], recipe: Recipe) -> NDArray[np.float32]:
    """Return pictures `(n, h, w, 3)` as a recipe has them shown, 0 to 1.

    Normalized as in "How convolutional neural networks see the world" (Chollet, 2016).
    """
    if recipe.visualization.shown == "photographic":
        pictures = np.stack([develop(each.clip(0, 1)) for each in pictures])
    if recipe.visualization.shown == "normalized":
        mean = pictures.mean((1, 2, 3), keepdims=True)
        spread = pictures.std((1, 2, 3), keepdims=True) + np.float32(1e-5)
        pictures = 0.5 + (pictures - mean) * (np.float32(recipe.visualization.spread) / spread)
    return np.asarray(pictures.clip(0, 1), np.float32)


@dataclass(frozen=True)
class LayerGrowth:
    """How pictures grow for targets of one layer: traced once, for any number of them.

    Attributes:
        recipe: of a picture, without schedules.
        net: the network that it names.
        layer: of it.
        size: height and width of the pictures.
    """

    recipe: Recipe
    net: Network
    layer: str
    size: Size

    @cached_property
    def ascent(self) -> Ascent:
        """Return what a step does."""
        recipe, own, objective = self.recipe, self.recipe.visualization, self.objective
        if own.diverse > 1:
            objective = objectives.penalize_similarity(objective, self.layer, own.diversity)
        (dtype,) = choose_dtypes(resolve_precision(recipe.precision), 1)
        setting = Setting(
            dtype,
            own.leaky,
            build_transform(recipe, self._stride),
            self.parametrization,
            keep_best=own.keep == "best",
            shifts=recipe.shifts,
        )
        numbers = self.numbers(find_targets(self.net, self.layer, [0]) * own.diverse)
        return build_ascent(recipe, self.net, objective, numbers, setting)

    @property
    def objective(self) -> Objective:
        """Return what is raised, by the mixes among the numbers."""
        recipe = self.recipe
        # A mix is a direction, whose length does not count.
        reduction = "mean" if recipe.objective == "direction" else recipe.objective
        unit = recipe.visualization.unit
        return objectives.mix_channels(self.layer, reduction, recipe.border, unit=unit)

    @property
    def parametrization(self) -> Parametrization:
        """Return what the steps change."""
        return PARAMETRIZATIONS[self.recipe.visualization.parametrization]

    def numbers(self, batch: Sequence[Target]) -> Numbers:
        """Return the numbers of a run for a batch of targets."""
        others = None
        if (diverse := self.recipe.visualization.diverse) > 1:
            same = np.kron(np.eye(len(batch) // diverse), np.ones((diverse, diverse)))
            others = (same - np.eye(len(batch))) / (diverse - 1)
        return steps.numbers(
            read_rate(self.recipe),
            read_amounts(self.recipe),
            mixes=np.stack([target.mix for target in batch]),
            others=others,
        )

    def climb(
        self, batch: Sequence[Target], start: tf.Tensor, every: int | None
    ) -> Iterator[tuple[Climb, int]]:
        """Climb from pictures `(n, h, w, 3)`; yield where the ascent stands and the steps taken."""
        recipe, seed = self.recipe, octave_seed(self.recipe.seed, 0, 0)
        coded, chunk = self.parametrization.encode(start), Chunk(every, CHUNK_SECONDS)
        numbers = self.numbers(batch)
        return climb_in_chunks(self.ascent, coded, seed, recipe.steps, chunk, numbers)

    def keep(self, climb: Climb) -> NDArray[np.float32]:
        """Return the pictures of an ascent that count: the last, or those of the best scores."""
        kept = climb.kept if self.recipe.visualization.keep == "best" else climb.images
        return np.asarray(self.parametrization.decode(kept))

    def finish(self, batch: Sequence[Target], start: tf.Tensor, climb: Climb) -> list[Grown]:
        """Return the finished pictures of an ascent, scored by the network as it is."""
        plain, numbers, inside = self.keep(climb), self.numbers(batch), self._seen
        # The ascent's network may leak, or compute in bfloat16.
        scores = [
            np.asarray(self.objective(self._features(each), numbers)) for each in (plain, start)
        ]
        slope = self.ascent.value_and_gradient(climb.images, octave_seed(0, 0, 0), numbers)
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
                show(plain, self.recipe),
                plain,
                *scores,
                np.asarray(climb.taken),
                np.asarray(climb.alive),
                flat,
                strict=True,
            )
        ]

    @cached_property
    def _features(self) -> Features:
        return freezing.freeze(self.net, [self.layer], "float32")

    @property
    def _field(self) -> Field | None:
        return receptive_fields.fields(self.net.model, self.size).get(self.layer)

    @property
    def _stride(self) -> int:
        return math.ceil(max(span.stride for span in self._field)) if self._field else 1

    @property
    def _seen(self) -> tuple[slice, slice]:
        """Return the part of pictures that counts: all, or what the unit in the middle can see."""
        field = self._field
        if not self.recipe.visualization.unit or field is None:
            return slice(None), slice(None)
        return field.box(field.rows.cells // 2, field.columns.cells // 2, self.size)

    def check(self) -> None:
        """Raise DreamerError where a border leaves nothing of the layer's cells."""
        field, border = self._field, self.recipe.border
        least = min(field.rows.cells, field.columns.cells) if field else math.inf
        if not self.recipe.visualization.unit and least <= 2 * border:
            raise DreamerError(
                f"A border of {border} leaves nothing of the {least} cells along a side of "
                f"{self.layer}: give a smaller border or a larger --size."
            )


@dataclass(frozen=True)
class Visualizer:
    """A recipe on a loaded network, for any number of targets of any layers.

    Attributes:
        recipe: of a picture, without schedules; its `layers` do not count, the targets do.
        net: the network that it names.
        start: the photo that pictures grow from where `visualization.init` is "photo".
    """

    recipe: Recipe
    net: Network
    start: Image | None = None
    _layers: dict[str, LayerGrowth] = field(default_factory=dict)

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

    def layer(self, name: str) -> LayerGrowth:
        """Return how pictures grow for targets of a layer."""
        if name not in self._layers:
            self._layers[name] = LayerGrowth(self.recipe, self.net, name, self.size)
        return self._layers[name]

    def batch(self, layer: str) -> int:
        """Return how many pictures grow at once; those of one target do, if they should differ."""
        own = self.recipe.visualization
        pixels = math.prod(side + 2 * own.pad for side in self.size)
        fitting = min(BATCH * runtime.lanes(), memory.count_pictures(self.net, [layer], pixels))
        return max(1, fitting // own.diverse) * own.diverse

    def check(self, targets: Sequence[Target]) -> None:
        """Raise DreamerError where a border leaves nothing of a layer's cells."""
        for layer in {target.layer for target in targets}:
            self.layer(layer).check()

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
            growth = self.layer(targets[places[0]].layer)
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
        by_layer: dict[str, list[int]] = {}
        for place, target in enumerate(targets):
            by_layer.setdefault(target.layer, []).append(place)
        return [
            places[first : first + self.batch(layer)]
            for layer, places in by_layer.items()
            for first in range(0, len(places), self.batch(layer))
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
        ends, growth = state.grown, self.layer(first.layer)
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
