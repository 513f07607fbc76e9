"""Objectives: values that add, subtract and scale. An objective is maximised.

The algebra follows lucid's objectives (https://github.com/tensorflow/lucid).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from dreamer.arrays import Activations
from dreamer.ascent.steps import NO_NUMBERS, Numbers

Reduction = Callable[[tf.Tensor, tf.Tensor], tf.Tensor]


@dataclass(frozen=True)
class Objective:
    """What is raised.

    Attributes:
        layers: the layers that `score` reads; they tell the network where to cut.
        score: from their activations, `(n, h, w, c)` or `(n, c)`, and numbers that may change from
            frame to frame, to one number a picture, `(n,)`.
    """

    layers: frozenset[str]
    score: Callable[[Activations, Numbers], tf.Tensor]

    def __call__(self, maps: Activations, numbers: Numbers = NO_NUMBERS) -> tf.Tensor:
        return self.score(maps, numbers)

    def __add__(self, other: Objective) -> Objective:
        return Objective(
            self.layers | other.layers,
            lambda maps, numbers: self(maps, numbers) + other(maps, numbers),
        )

    def __mul__(self, factor: float | tf.Tensor | Callable[[Numbers], tf.Tensor]) -> Objective:
        def scaled(maps: Activations, numbers: Numbers) -> tf.Tensor:
            return self(maps, numbers) * (factor(numbers) if callable(factor) else factor)

        return Objective(self.layers, scaled)

    def __sub__(self, other: Objective) -> Objective:
        return self + -other

    def __truediv__(self, divisor: float | tf.Tensor) -> Objective:
        return self * (1 / divisor)

    def __neg__(self) -> Objective:
        return self * -1.0

    __rmul__ = __mul__


REDUCTIONS: Mapping[str, Reduction] = {
    "mean-square": lambda maps, size: _sums(tf.square(maps)) / size,
    "mean": lambda maps, size: _sums(maps) / size,
    "sum": lambda maps, size: _sums(maps),
    "sum-square": lambda maps, size: _sums(tf.square(maps)),
}
"""From feature maps `(n, h, w, c)` and the size of one, float32, to one number a channel, `(n, c)`,
which add up to the picture's."""


def _sums(maps: tf.Tensor) -> tf.Tensor:
    return tf.reduce_sum(maps, (1, 2))


def layer(
    name: str,
    channels: Collection[int] | None = None,
    reduction: str = "mean-square",
    border: int = 0,
    weights: Collection[float] | None = None,
) -> Objective:
    """The activations of a layer, or of some of its channels.

    Args:
        name: of the layer.
        channels: their numbers; None for all.
        reduction: a key of `REDUCTIONS`.
        border: cells left out along each edge; a mean is still over the uncropped size, as in
            the Keras example "deep_dream".
        weights: one a channel; None for 1 each.
    """
    reduce = REDUCTIONS[reduction]

    def score(maps: Activations, numbers: Numbers) -> tf.Tensor:
        chosen = maps[name]
        if channels is not None:
            chosen = tf.gather(chosen, list(channels), axis=-1)
        size = tf.cast(tf.reduce_prod(tf.shape(chosen)[1:]), tf.float32)
        if border:
            chosen = chosen[:, border:-border, border:-border]
        scores = reduce(chosen, size)
        return tf.reduce_sum(scores if weights is None else scores * list(weights), -1)

    return Objective(frozenset({name}), score)


def direction(
    name: str, channels: Sequence[int], weights: Sequence[float] | None = None, border: int = 0
) -> Objective:
    """How far activations reach in a direction of channel space, on average over all places.

    The mean of each place's product with the vector of length 1 whose entries are the channels'
    weights (lucid's `direction`); unlike a square it tells falling from rising.

    Args:
        name: of the layer.
        channels: of the vector, which is 0 in all others.
        weights: one a channel, not all 0; None for 1 each.
        border: cells left out along each edge.
    """
    vector = np.ones(len(channels)) if weights is None else np.array(weights)
    vector = vector / np.linalg.norm(vector)
    # A mean is over the channels too, and a product is not.
    return layer(name, channels, "mean", border, (vector * len(channels)).tolist())


def units(
    name: str,
    chosen: Collection[int] | None = None,
    weights: Collection[float] | None = None,
) -> Objective:
    """The mean of a layer's units `(n, c)`, as of the logits of classes; never squared.

    Args:
        name: of the layer.
        chosen: the units' numbers; None for all.
        weights: one a unit; None for 1 each.
    """

    def score(maps: Activations, numbers: Numbers) -> tf.Tensor:
        values = maps[name]
        if chosen is not None:
            values = tf.gather(values, list(chosen), axis=-1)
        return tf.reduce_mean(values if weights is None else values * list(weights), -1)

    return Objective(frozenset({name}), score)


MIX = "mix"
"""The name of the pictures' mixes among the numbers, `(n, c)`."""


def each(name: str, reduction: str = "mean", border: int = 0, *, unit: bool = False) -> Objective:
    """Of each picture of a batch, what its row of the mixes weighs: a channel, or several.

    Args:
        name: of a layer with feature maps, or of units, which are taken as they are.
        reduction: a key of `REDUCTIONS`, over the places of a channel.
        border: cells left out along each edge, of the sum as of the mean.
        unit: the cell in the middle alone.
    """
    reduce = REDUCTIONS[reduction]

    def score(maps: Activations, numbers: Numbers) -> tf.Tensor:
        values = maps[name]
        if values.shape.rank == 4:
            inside = _middle(values) if unit else values[:, border : -border or None]
            inside = inside if unit else inside[:, :, border : -border or None]
            size = tf.cast(tf.reduce_prod(tf.shape(inside)[1:3]), tf.float32)
            values = reduce(inside, size)
        return tf.reduce_sum(values * numbers[MIX], -1)

    return Objective(frozenset({name}), score)


OTHERS = "others"
"""The name of what each picture should be unlike, among the numbers: weights, `(n, n)`."""


def diverse(objective: Objective, name: str, weight: float) -> Objective:
    """An objective that falls where pictures resemble those that they should be unlike.

    The likeness of two pictures is the cosine of their Gram matrices in a layer (Olah et al.,
    "Feature Visualization", 2017, section "Diversity"), and costs them as large a share of their
    scores.

    Args:
        objective: of the pictures.
        name: of the layer with feature maps, or units.
        weight: the share that pictures lose which are all alike.
    """

    def score(maps: Activations, numbers: Numbers) -> tf.Tensor:
        values, scores = maps[name], objective(maps, numbers)
        places = tf.reshape(values, [tf.shape(values)[0], -1, values.shape[-1]])
        grams = tf.matmul(places, places, transpose_a=True)
        flat = tf.math.l2_normalize(tf.reshape(grams, [tf.shape(grams)[0], -1]), -1)
        likeness = tf.reduce_sum(tf.matmul(flat, flat, transpose_b=True) * numbers[OTHERS], -1)
        return scores - tf.stop_gradient(tf.abs(scores)) * weight * likeness

    return Objective(objective.layers | {name}, score)


def _middle(maps: tf.Tensor) -> tf.Tensor:
    row, column = tf.shape(maps)[1] // 2, tf.shape(maps)[2] // 2
    return maps[:, row : row + 1, column : column + 1]


def _best(maps: tf.Tensor, guide: tf.Tensor) -> tf.Tensor:
    """Each place's product with the place of the guide that it resembles most (Google 2015)."""
    count, channels = tf.shape(maps)[0], guide.shape[-1]
    places = tf.reshape(maps, [count, -1, channels])
    return tf.reduce_mean(tf.reduce_max(tf.matmul(places, guide, transpose_b=True), -1), -1)


def _average(maps: tf.Tensor, guide: tf.Tensor) -> tf.Tensor:
    """The product of the two mean activations."""
    return tf.linalg.matvec(tf.reduce_mean(maps, (1, 2)), tf.reduce_mean(guide, 0))


MATCHES: Mapping[str, Reduction] = {"best": _best, "mean": _average}
"""From feature maps `(n, h, w, c)` and a guide's places `(m, c)` to `(n,)`."""


def guided(name: str, guide: tf.Tensor, match: str = "best") -> Objective:
    """The likeness of a layer's activations to a guide picture's.

    Args:
        name: of the layer.
        guide: the guide's activations there, `(h, w, c)`.
        match: a key of `MATCHES`.
    """
    places = tf.reshape(guide, [-1, guide.shape[-1]])
    # Dividing by the guide's strength keeps two layers' weights comparable.
    places = places / tf.maximum(tf.reduce_mean(tf.norm(places, axis=-1)), 1e-6)
    compare = MATCHES[match]
    return Objective(frozenset({name}), lambda maps, numbers: compare(maps[name], places))


_TINY = 1e-6


def told(maps: tf.Tensor) -> tf.Tensor:
    """Mean and standard deviation of each channel over places: `(n, h, w, c)` to `(n, 2, c)`."""
    mean, variance = tf.nn.moments(maps, (1, 2))
    # The root of 0 has no gradient.
    return tf.stack([mean, tf.sqrt(variance + _TINY)], 1)


def statistics(name: str, goal: tf.Tensor) -> Objective:
    """How near each channel's mean and standard deviation are to those of photos; at best 0.

    Minus the mean squared distance, as a share of the goal's own size; as in Li et al.,
    "Demystifying Neural Style Transfer" (2017), https://arxiv.org/abs/1701.01036.

    Args:
        name: of the layer.
        goal: `(2, c)`, of one photo (see `told`) or the mean of many.
    """
    size = tf.maximum(tf.reduce_mean(tf.square(goal)), _TINY)
    return Objective(
        frozenset({name}),
        lambda maps, numbers: -tf.reduce_mean(tf.square(told(maps[name]) - goal), (1, 2)) / size,
    )


def gained(objective: Objective) -> Objective:
    """The same with each channel's activations multiplied by a gain of its own.

    The gains of a layer, `(c,)`, are the number `gain(layer)`.
    """

    def score(maps: Activations, numbers: Numbers) -> tf.Tensor:
        return objective(
            {name: maps[name] * numbers[gain(name)] for name in objective.layers}, numbers
        )

    return Objective(objective.layers, score)


def gain(layer: str) -> str:
    """The name of a layer's gains among the numbers."""
    return f"gain {layer}"
