"""Where an octave stands, and numbers that change over its steps or from frame to frame."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple

import tensorflow as tf

Numbers = Mapping[str, tf.Tensor]
"""What enters the graph as tensors by name, so that another value traces nothing anew."""

NO_NUMBERS: Numbers = MappingProxyType({})


class Step(NamedTuple):
    """As int32 scalars: the step that is being taken, from 0, and their number; and numbers."""

    index: tf.Tensor
    count: tf.Tensor
    numbers: Numbers = NO_NUMBERS


Amount = Callable[[Step], tf.Tensor]
"""A number that may change over an octave's steps."""


def number(name: str) -> Amount:
    """The one of that name among the step's numbers."""
    return lambda step: step.numbers[name]


def annealed(start: float | Amount, end: float | Amount | None = None) -> Amount:
    """From `start` at the first step to `end` at the last, along a line; constant without `end`."""

    def amount(step: Step) -> tf.Tensor:
        first = _at(start, step)
        if end is None:
            return first
        way = tf.cast(step.index, tf.float32) / tf.cast(tf.maximum(step.count - 1, 1), tf.float32)
        return first + (_at(end, step) - first) * way

    return amount


def _at(amount: float | Amount, step: Step) -> tf.Tensor:
    return amount(step) if callable(amount) else tf.constant(amount, tf.float32)
