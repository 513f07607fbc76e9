"""Where an octave stands, and numbers that change over its steps."""

from collections.abc import Callable
from typing import NamedTuple

import tensorflow as tf


class Step(NamedTuple):
    """As int32 scalars: the step that is being taken, from 0, and their number."""

    index: tf.Tensor
    count: tf.Tensor


Amount = Callable[[Step], tf.Tensor]
"""A number that may change over an octave's steps."""


def annealed(start: float, end: float | None = None) -> Amount:
    """From `start` at the first step to `end` at the last, along a line; constant without `end`."""

    def amount(step: Step) -> tf.Tensor:
        if end is None:
            return tf.constant(start, tf.float32)
        way = tf.cast(step.index, tf.float32) / tf.cast(tf.maximum(step.count - 1, 1), tf.float32)
        return start + (end - start) * way

    return amount
