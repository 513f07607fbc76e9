"""Objectives, which gradient ascent maximizes; they can be added, subtracted and scaled.

The algebra follows lucid's objectives (https://github.com/tensorflow/lucid).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from dreamer.arrays import Activations
from dreamer.ascent import steps
from dreamer.ascent.steps import Numbers

Reduction = Callable[[tf.Tensor, tf.Tensor], tf.Tensor]
"""A function from feature maps and a second tensor to scores; see `REDUCTIONS` and `MATCHES`."""


@dataclass(frozen=True)
class Objective:
    """A differentiable score of pictures, computed from the activations of a network.

    Attributes:
        layers: the layers that `score` reads; the network is built up to these.
        score: function from their activations, `(n, h, w, c)` or `(n, c)`, and numbers that may
            change from frame to frame, to the score of each picture, `(n,)`.
    """

    layers: frozenset[str]
    score: Callable[[Activations, Numbers], tf.Tensor]

    def __call__(self, maps: Activations, numbers: Numbers | None = None) -> tf.Tensor:
        return self.score(maps, numbers or steps.numbers())

    def __add__(self, other: Objective) -> Objective:
        return Objective(
            self.layers | other.layers,
            lambda maps, numbers: self(maps, numbers) + other(maps, numbers),
        )

    def __mul__(self, factor: float | tf.Tensor) -> Objective:
        return Objective(self.layers, lambda maps, numbers: self(maps, numbers) * factor)

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
"""Functions from feature maps `(n, h, w, c)` and the size to divide a mean by, float32, to one
score per channel, `(n, c)`; these add up to the score of the picture."""


def _sums(maps: tf.Tensor) -> tf.Tensor:
    return tf.reduce_sum(maps, (1, 2))


def layer(
    name: str,
    channels: Collection[int] | None = None,
    reduction: str = "mean-square",
    border: int = 0,
    weights: Collection[float] | None = None,
) -> Objective:
    """Return an objective that raises the activations of a layer, or of some of its channels.

    Args:
        name: name of the layer.
        channels: channel numbers; None for all.
        reduction: a key of `REDUCTIONS`.
        border: cells to leave out along each edge; a mean still divides by the uncropped size, as
            in the Keras example "deep_dream".
        weights: one weight per channel; None for 1 each.
    """

    def score(maps: Activations, numbers: Numbers) -> tf.Tensor:
        chosen = None if channels is None else list(channels)
        each = None if weights is None else list(weights)
        return _sum_channels(maps[name], chosen, each, reduction, border)

    return Objective(frozenset({name}), score)


def term(
    place: int, name: str, reduction: str = "mean-square", border: int = 0, *, chosen: bool
) -> Objective:
    """Return the objective of a term whose channels and weights come from the numbers of a run.

    Args:
        place: index of the term in `Numbers.terms`.
        name: name of its layer, which has feature maps.
        reduction, border: as in `layer`.
        chosen: whether the term is for chosen channels, not for the whole layer.
    """

    def score(maps: Activations, numbers: Numbers) -> tf.Tensor:
        own = numbers.terms[place]
        channels, weights = (own.channels, own.channel_weights) if chosen else (None, None)
        return _sum_channels(maps[name], channels, weights, reduction, border) * own.weight

    return Objective(frozenset({name}), score)


def _sum_channels(
    maps: tf.Tensor,
    channels: tf.Tensor | list[int] | None,
    weights: tf.Tensor | list[float] | None,
    reduction: str,
    border: int,
) -> tf.Tensor:
    """Reduce feature maps `(n, h, w, c)` to one score per picture, over some channels or all."""
    if channels is not None:
        maps = tf.gather(maps, channels, axis=-1)
    size = tf.cast(tf.reduce_prod(tf.shape(maps)[1:]), tf.float32)
    if border:
        maps = maps[:, border:-border, border:-border]
    scores = REDUCTIONS[reduction](maps, size)
    return tf.reduce_sum(scores if weights is None else scores * weights, -1)


def channel(name: str, number: int, reduction: str = "mean-square", border: int = 0) -> Objective:
    """Return an objective that raises one channel of a layer; see `layer` for the arguments."""
    return layer(name, [number], reduction, border)


def direction(
    name: str, channels: Sequence[int], weights: Sequence[float] | None = None, border: int = 0
) -> Objective:
    """Return an objective that raises activations along a direction in channel space.

    The score is the mean over positions of the dot product with the unit vector along the channels'
    weights (lucid's `direction`); unlike a square it tells positive from negative.

    Args:
        name: name of the layer.
        channels: channel numbers; the vector is 0 in all others.
        weights: one weight per channel, not all 0; None for 1 each.
        border: cells to leave out along each edge.
    """
    return layer(name, channels, "mean", border, scale_direction(len(channels), weights))


def scale_direction(count: int, weights: Sequence[float] | None) -> list[float]:
    """Return the weights with which a mean over `count` channels equals a unit vector's product."""
    vector = np.ones(count) if weights is None else np.array(weights)
    vector = vector / np.linalg.norm(vector)
    # The mean divides by the number of channels, and the dot product does not.
    return [float(each) for each in vector * count]


def units(
    name: str,
    chosen: Collection[int] | None = None,
    weights: Collection[float] | None = None,
) -> Objective:
    """Return an objective that raises the mean of a layer's units `(n, c)`, such as class logits.

    Args:
        name: name of the layer.
        chosen: unit numbers; None for all.
        weights: one weight per unit; None for 1 each.
    """

    def score(maps: Activations, numbers: Numbers) -> tf.Tensor:
        some = None if chosen is None else list(chosen)
        each = None if weights is None else list(weights)
        return _mean_units(maps[name], some, each)

    return Objective(frozenset({name}), score)


def class_score(name: str, number: int) -> Objective:
    """Return an objective that raises the logit of one class, in a layer `(n, classes)`."""
    return units(name, [number])


def unit_term(place: int, name: str, *, chosen: bool) -> Objective:
    """Return the objective of a term for a layer of units `(n, c)`; see `term`."""

    def score(maps: Activations, numbers: Numbers) -> tf.Tensor:
        own = numbers.terms[place]
        some, each = (own.channels, own.channel_weights) if chosen else (None, None)
        return _mean_units(maps[name], some, each) * own.weight

    return Objective(frozenset({name}), score)


def _mean_units(
    values: tf.Tensor,
    chosen: tf.Tensor | list[int] | None,
    weights: tf.Tensor | list[float] | None,
) -> tf.Tensor:
    if chosen is not None:
        values = tf.gather(values, chosen, axis=-1)
    return tf.reduce_mean(values if weights is None else values * weights, -1)


def weigh(place: int, objective: Objective) -> Objective:
    """Scale an objective by the weight of the term at index `place` of `Numbers.terms`."""
    return Objective(
        objective.layers,
        lambda maps, numbers: objective(maps, numbers) * numbers.terms[place].weight,
    )


def mix_channels(
    name: str,
    reduction: str = "mean",
    border: int = 0,
    unit: tuple[float, float] | None = None,
) -> Objective:
    """Return an objective that raises different channels in each picture of a batch.

    Each picture weighs the channels by its row of `Numbers.mixes`.

    Args:
        name: name of the layer, which has feature maps, or units, which are not reduced.
        reduction: a key of `REDUCTIONS`, over the positions of a channel.
        border: cells to leave out along each edge; unlike in `layer`, a mean is over the rest.
        unit: the place of the only cell that counts, in shares of width and height; None for all.
    """
    reduce = REDUCTIONS[reduction]

    def score(maps: Activations, numbers: Numbers) -> tf.Tensor:
        values = maps[name]
        if values.shape.rank == 4:
            inside = _crop_cell(values, unit) if unit else values[:, border : -border or None]
            inside = inside if unit else inside[:, :, border : -border or None]
            size = tf.cast(tf.reduce_prod(tf.shape(inside)[1:3]), tf.float32)
            values = reduce(inside, size)
        return tf.reduce_sum(values * numbers.mixes, -1)

    return Objective(frozenset({name}), score)


def penalize_similarity(objective: Objective, name: str, weight: float) -> Objective:
    """Return the objective minus a penalty on pictures of a batch that resemble each other.

    The similarity of two pictures is the cosine of their Gram matrices in a layer (Olah et al.,
    "Feature Visualization", 2017, section "Diversity"). Each picture loses `weight` times the sum
    of its similarities, weighted by `Numbers.others`, as a share of its score.

    Args:
        objective: the objective of the pictures.
        name: name of the layer, which has feature maps or units.
        weight: the share of its score that a picture loses if all are alike and its row of
            `Numbers.others` sums to 1.
    """

    def score(maps: Activations, numbers: Numbers) -> tf.Tensor:
        values, scores = maps[name], objective(maps, numbers)
        places = tf.reshape(values, [tf.shape(values)[0], -1, values.shape[-1]])
        grams = tf.matmul(places, places, transpose_a=True)
        flat = tf.math.l2_normalize(tf.reshape(grams, [tf.shape(grams)[0], -1]), -1)
        likeness = tf.reduce_sum(tf.matmul(flat, flat, transpose_b=True) * numbers.others, -1)
        return scores - tf.stop_gradient(tf.abs(scores)) * weight * likeness

    return Objective(objective.layers | {name}, score)


def _crop_cell(maps: tf.Tensor, place: tuple[float, float]) -> tf.Tensor:
    """Return the cell of feature maps at a place in shares of width and height."""
    row, column = (
        tf.minimum(tf.cast(share * tf.cast(count, tf.float32), tf.int32), count - 1)
        for share, count in zip(place[::-1], tf.unstack(tf.shape(maps)[1:3]), strict=True)
    )
    return maps[:, row : row + 1, column : column + 1]


def unit(name: str, channel: int, place: tuple[float, float] = (0.5, 0.5)) -> Objective:
    """Return an objective that raises a single unit of a layer's feature maps.

    Args:
        name: name of the layer.
        channel: channel number.
        place: of the unit, in shares of width and height.
    """

    def score(maps: Activations, numbers: Numbers) -> tf.Tensor:
        return _crop_cell(maps[name], place)[:, 0, 0, channel]

    return Objective(frozenset({name}), score)


def caricature(name: str, activations: Any, power: float = 1.0) -> Objective:
    """Return an objective that exaggerates what a layer sees in a photo, place by place.

    The score is the mean over places of the dot product with the photo's activations, times their
    cosine to a power (lucid's `dot_compare`), so that it must be alike and not only strong.

    Args:
        name: name of the layer.
        activations: of the photo, `(h, w, c)`; pictures must give feature maps of that size.
        power: of the cosine.
    """
    wanted = tf.constant(activations, tf.float32)

    def score(maps: Activations, numbers: Numbers) -> tf.Tensor:
        own = maps[name]
        dot = tf.reduce_sum(own * wanted, -1)
        lengths = tf.norm(own, axis=-1) * tf.norm(wanted, axis=-1)
        cosine = tf.maximum(0.1, dot / tf.maximum(lengths, _TINY))
        return tf.reduce_mean(dot * cosine**power, (1, 2))

    return Objective(frozenset({name}), score)


def _match_best(maps: tf.Tensor, guide: tf.Tensor) -> tf.Tensor:
    """Return the mean product of positions with their best matches in the guide (Google 2015)."""
    count, channels = tf.shape(maps)[0], guide.shape[-1]
    places = tf.reshape(maps, [count, -1, channels])
    return tf.reduce_mean(tf.reduce_max(tf.matmul(places, guide, transpose_b=True), -1), -1)


def _match_means(maps: tf.Tensor, guide: tf.Tensor) -> tf.Tensor:
    """Return the dot product of the two mean activations."""
    return tf.linalg.matvec(tf.reduce_mean(maps, (1, 2)), tf.reduce_mean(guide, 0))


MATCHES: Mapping[str, Reduction] = {"best": _match_best, "mean": _match_means}
"""Functions from feature maps `(n, h, w, c)` and a guide's positions `(m, c)` to scores `(n,)`."""


def match_guide(name: str, guide: tf.Tensor, match: str = "best") -> Objective:
    """Return an objective that makes the activations of a layer resemble a guide picture's.

    Args:
        name: name of the layer.
        guide: the guide's activations in the layer, `(h, w, c)`.
        match: a key of `MATCHES`.
    """
    places = tf.reshape(guide, [-1, guide.shape[-1]])
    # Dividing by the mean norm of the guide keeps the weights of different layers comparable.
    places = places / tf.maximum(tf.reduce_mean(tf.norm(places, axis=-1)), 1e-6)
    compare = MATCHES[match]
    return Objective(frozenset({name}), lambda maps, numbers: compare(maps[name], places))


_TINY = 1e-6


def compute_statistics(maps: tf.Tensor) -> tf.Tensor:
    """Return each channel's mean and standard deviation: `(n, h, w, c)` to `(n, 2, c)`."""
    mean, variance = tf.nn.moments(maps, (1, 2))
    # The square root has no finite gradient at 0.
    return tf.stack([mean, tf.sqrt(variance + _TINY)], 1)


def match_statistics(name: str, goal: tf.Tensor) -> Objective:
    """Return an objective that draws each channel's mean and standard deviation toward a goal.

    The score is minus the mean squared distance, divided by the mean square of the goal; at best 0
    (Li et al., "Demystifying Neural Style Transfer", 2017, https://arxiv.org/abs/1701.01036).

    Args:
        name: name of the layer.
        goal: `(2, c)`, the statistics of a photo (see `compute_statistics`), or their mean over
            several.
    """
    size = tf.maximum(tf.reduce_mean(tf.square(goal)), _TINY)
    return Objective(
        frozenset({name}),
        lambda maps, numbers: (
            -tf.reduce_mean(tf.square(compute_statistics(maps[name]) - goal), (1, 2)) / size
        ),
    )


def apply_gains(objective: Objective) -> Objective:
    """Return the objective with each channel's activations multiplied by `Numbers.gains`."""

    def score(maps: Activations, numbers: Numbers) -> tf.Tensor:
        return objective(
            {name: maps[name] * numbers.gains[name] for name in objective.layers}, numbers
        )

    return Objective(objective.layers, score)
