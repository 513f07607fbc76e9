"""The inputs of a step of ascent besides the pictures: its index in the octave, and numbers.

Numbers enter a graph as tensors, so that other values, channels or words need no retracing.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import tensorflow as tf
from numpy.typing import ArrayLike


class Ramp(NamedTuple):
    """A number that changes linearly over the steps of an octave; both ends are float32 scalars."""

    first: tf.Tensor
    last: tf.Tensor


class Term(NamedTuple):
    """The numbers of one term of an objective: the channels of a layer, and weights.

    Attributes:
        weight: weight of the whole term, a float32 scalar.
        channels: channel numbers, int32 `(k,)`; empty for a whole layer.
        channel_weights: weights of the channels, float32 `(k,)`.
    """

    weight: tf.Tensor
    channels: tf.Tensor
    channel_weights: tf.Tensor


class Numbers(NamedTuple):
    """All numbers of a run; those that an ascent does not read are empty.

    Attributes:
        rate: the step size.
        regularizers: the amount of each regularizer, by name.
        terms: the terms of the objective, in order.
        gains: factors on the activations of channels, `(c,)` by layer.
        mixes: weights of a layer's channels for each picture of a batch, `(n, c)`.
        others: weights of the similarity of each picture to each other one, `(n, n)`.
    """

    rate: Ramp
    regularizers: Mapping[str, Ramp]
    terms: tuple[Term, ...]
    gains: Mapping[str, tf.Tensor]
    mixes: tf.Tensor
    others: tf.Tensor


def ramp(first: float, last: float | None = None) -> Ramp:
    """Return a ramp from `first` to `last`; constant without `last`."""
    return Ramp(_floats(first), _floats(first if last is None else last))


def term(
    weight: float, channels: Sequence[int] | None = None, weights: Sequence[float] | None = None
) -> Term:
    """Return a term for a layer, or for some of its channels, with weights of 1 by default."""
    chosen = list(channels or ())
    each = np.ones(len(chosen)) if weights is None else weights
    return Term(_floats(weight), tf.constant(chosen, tf.int32), _floats(each))


def numbers(
    rate: Ramp | float = 0.0,
    regularizers: Mapping[str, Ramp] | None = None,
    terms: Sequence[Term] = (),
    gains: Mapping[str, ArrayLike] | None = None,
    mixes: ArrayLike | None = None,
    others: ArrayLike | None = None,
) -> Numbers:
    """Return the numbers of a run as tensors; see `Numbers` for the arguments."""
    empty = np.zeros((0, 0))
    return Numbers(
        rate if isinstance(rate, Ramp) else ramp(rate),
        dict(regularizers or {}),
        tuple(terms),
        {layer: _floats(gain) for layer, gain in (gains or {}).items()},
        _floats(empty if mixes is None else mixes),
        _floats(empty if others is None else others),
    )


def specify(given: Numbers) -> Numbers:
    """Return the tensor specs of numbers, with batch size and number of channels left open."""
    vector = tf.TensorSpec([None], tf.float32)
    terms = tuple(
        Term(tf.TensorSpec([], tf.float32), tf.TensorSpec([None], tf.int32), vector)
        for _ in given.terms
    )
    fixed = tf.nest.map_structure(
        lambda tensor: tf.TensorSpec(tensor.shape, tensor.dtype),
        (given.rate, given.regularizers, given.gains),
    )
    matrix = tf.TensorSpec([None, None], tf.float32)
    rate, regularizers, gains = fixed
    return Numbers(rate, regularizers, terms, gains, matrix, matrix)


def _floats(values: ArrayLike) -> tf.Tensor:
    return tf.constant(values, tf.float32)


def scale_rate(given: Numbers, factor: float) -> Numbers:
    """Return the numbers of a run whose step size is `factor` times as large."""
    first, last = given.rate
    return given._replace(rate=Ramp(first * factor, last * factor))


class Step(NamedTuple):
    """The position of a step in its octave, and the numbers of the run.

    Attributes:
        index: index of the step, from 0, an int32 scalar.
        count: number of steps in the octave, an int32 scalar.
        numbers: the numbers of the run.
    """

    index: tf.Tensor
    count: tf.Tensor
    numbers: Numbers


Amount = Callable[[Step], tf.Tensor]
"""A function from a step to a number, which may change over the steps of an octave."""


def read_ramp(along: Ramp, step: Step) -> tf.Tensor:
    """Return the value of a ramp at a step."""
    share = tf.cast(step.index, tf.float32) / tf.cast(tf.maximum(step.count - 1, 1), tf.float32)
    return along.first + (along.last - along.first) * share


def amount(name: str) -> Amount:
    """Return a function that reads the amount of a regularizer at a step."""
    return lambda step: read_ramp(step.numbers.regularizers[name], step)
