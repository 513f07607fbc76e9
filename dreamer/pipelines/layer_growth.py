"""How pictures grow for targets of one layer: traced once, for any number of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from dreamer.arrays import Image, Size
from dreamer.ascent import objectives, steps, transforms
from dreamer.ascent.ascent import Ascent, Chunk, Climb, climb_in_chunks, octave_seed
from dreamer.ascent.objectives import Objective
from dreamer.ascent.parametrizations import PARAMETRIZATIONS, Parametrization
from dreamer.ascent.steps import Numbers
from dreamer.ascent.transforms import Transform
from dreamer.errors import DreamerError
from dreamer.imaging import large_shapes
from dreamer.imaging.develop import develop
from dreamer.networks import freezing, receptive_fields
from dreamer.networks.freezing import Features
from dreamer.networks.network import Network
from dreamer.networks.receptive_fields import Field
from dreamer.pipelines.build_ascent import Setting, build_ascent
from dreamer.pipelines.goal import read_amounts, read_rate
from dreamer.pipelines.image import NOTHING_OWN, Own
from dreamer.pipelines.plan import choose_dtypes, resolve_precision
from dreamer.pipelines.targets import Target, find_targets
from dreamer.recipe import Recipe

CHUNK_SECONDS = 1.0
"""About how long a chunk of steps takes: lanes wait for one another between chunks."""


@dataclass(frozen=True)
class Grown:
    """A finished picture.

    Attributes:
        label: its target's.
        picture: `(h, w, 3)`, as the recipe has it shown.
        plain: the same, not normalized; 0 to 1.
        alpha: opacity `(h, w)`, where the recipe asks for it; see `find_opacity`.
        score, first_score: the objective of the finished picture and of what it grew from, both
            without any transform, on the network as it is.
        step: the steps that led to it.
        stopped: whether its ascent stopped by itself.
        silent: whether nothing led upward: the picture is still what it grew from.
    """

    label: str
    picture: Image
    plain: Image
    alpha: NDArray[np.float32] | None
    score: float
    first_score: float
    step: int
    stopped: bool
    silent: bool


def build_transform(recipe: Recipe, stride: int = 1) -> Transform:
    """Return what a recipe does to pictures before the network sees them, at random.

    What is shifted is another unit's: a picture of one unit has neither jitter nor squares, and a
    margin of whole strides.

    Args:
        recipe: of the pictures.
        stride: of the layer whose unit they are grown for.
    """
    own = recipe.visualization
    parts = [transforms.jitter(0 if own.unit else recipe.jitter)]
    if own.view and not own.unit:
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


VIEWS = 32
"""Random views of a finished picture from which its opacity is found."""

BLURRED = 0.03
"""Standard deviation of the blur of an opacity, as a share of the short side."""

OPAQUE = 80
"""Percentage of a picture that may be less than opaque."""


def find_opacity(importance: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return an opacity of 0 to 1 from how much each pixel matters, both `(h, w)`."""
    sigma = BLURRED * min(importance.shape)
    blurred = large_shapes.blur_and_enlarge(importance[..., None], importance.shape, sigma)
    whole = max(float(np.percentile(blurred, OPAQUE)), 1e-12)
    return np.asarray((blurred.reshape(importance.shape) / whole).clip(0, 1), np.float32)


@dataclass(frozen=True)
class LayerGrowth:
    """How pictures grow for targets of one layer: traced once, for any number of them.

    Attributes:
        recipe: of a picture, without schedules.
        net: the network that it names.
        layer: of it.
        size: height and width of the pictures.
        own: what a caller of the library puts in place of the recipe's.
        raised: what is raised, where that is not the targets' mixes of the layer's channels.
    """

    recipe: Recipe
    net: Network
    layer: str
    size: Size
    own: Own = NOTHING_OWN
    raised: Objective | None = None

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
            self._transform,
            self.parametrization,
            keep_best=own.keep == "best",
            shifts=recipe.shifts,
        )
        numbers = self.numbers(find_targets(self.net, self.layer, [0]) * own.diverse)
        return build_ascent(recipe, self.net, objective, numbers, setting)

    @property
    def objective(self) -> Objective:
        """Return what is raised, by the mixes among the numbers."""
        if self.raised:
            return self.raised
        recipe = self.recipe
        # A mix is a direction, whose length does not count.
        reduction = "mean" if recipe.objective == "direction" else recipe.objective
        own = recipe.visualization
        unit = own.at if own.unit else None
        return objectives.mix_channels(self.layer, reduction, recipe.border, unit)

    @property
    def parametrization(self) -> Parametrization:
        """Return what the steps change."""
        named = PARAMETRIZATIONS[self.recipe.visualization.parametrization]
        return self.own.parametrization or named

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
        alphas = self._find_opacities(plain, numbers)
        flat = ~np.asarray(slope[1]).any((1, 2, 3)) & (scores[0] <= scores[1])
        return [
            Grown(
                target.label,
                picture[inside],
                original[inside].clip(0, 1),
                None if alpha is None else alpha[inside],
                float(score),
                float(first),
                int(step),
                not alive,
                bool(silent),
            )
            for target, picture, original, alpha, score, first, step, alive, silent in zip(
                batch,
                show(plain, self.recipe),
                plain,
                alphas,
                *scores,
                np.asarray(climb.taken),
                np.asarray(climb.alive),
                flat,
                strict=True,
            )
        ]

    def _find_opacities(
        self, pictures: NDArray[np.float32], numbers: Numbers
    ) -> Sequence[NDArray[np.float32] | None]:
        """Return the opacities of finished pictures, None each where nobody asks for them.

        What matters is what the score's gradient says of a picture, over random views of it.
        """
        if not self.recipe.visualization.alpha:
            return [None] * len(pictures)
        total = np.zeros(pictures.shape[:3], np.float32)
        for view in range(VIEWS):
            seed = octave_seed(self.recipe.seed, 0, 1 + view)
            total += np.asarray(self._slope(tf.constant(pictures), seed, numbers))
        return [find_opacity(each) for each in total]

    @property
    def _transform(self) -> Transform:
        usual = build_transform(self.recipe, self._stride)
        return transforms.chain(usual, self.own.transform) if self.own.transform else usual

    @cached_property
    def _slope(self) -> Callable[..., tf.Tensor]:
        transform = self._transform

        def run(pictures: tf.Tensor, seed: tf.Tensor, numbers: Numbers) -> tf.Tensor:
            with tf.GradientTape(watch_accessed_variables=False) as tape:
                tape.watch(pictures)
                scores = self.objective(self._features(transform(pictures, seed)), numbers)
            return tf.reduce_sum(tf.abs(tape.gradient(scores, pictures)), -1)

        traced: Callable[..., tf.Tensor] = tf.function(run, reduce_retracing=True, autograph=False)
        return traced

    @cached_property
    def _features(self) -> Features:
        return freezing.freeze(self.net, sorted(self.objective.layers), "float32")

    @property
    def _field(self) -> Field | None:
        if self.raised:
            return None
        return receptive_fields.fields(self.net.model, self.size).get(self.layer)

    @property
    def _stride(self) -> int:
        return math.ceil(max(span.stride for span in self._field)) if self._field else 1

    @property
    def _seen(self) -> tuple[slice, slice]:
        """Return the part of pictures that counts: all, or what a single unit can see."""
        field, own = self._field, self.recipe.visualization
        if not own.unit or field is None:
            return slice(None), slice(None)
        cells = field.rows.cells, field.columns.cells
        row, column = (
            min(int(share * count), count - 1)
            for share, count in zip(own.at[::-1], cells, strict=True)
        )
        return field.box(row, column, self.size)

    def check(self) -> None:
        """Raise DreamerError where a border leaves nothing of the layer's cells."""
        field, border = self._field, self.recipe.border
        least = min(field.rows.cells, field.columns.cells) if field else math.inf
        if not self.recipe.visualization.unit and least <= 2 * border:
            raise DreamerError(
                f"A border of {border} leaves nothing of the {least} cells along a side of "
                f"{self.layer}: give a smaller border or a larger --size."
            )
