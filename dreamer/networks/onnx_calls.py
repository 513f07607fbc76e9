"""A node of an ONNX graph with what it reads: tensors and the order of their axes.

Maps are kept with their channels last; what an operation says of axes is turned, and data is moved
only where an operation needs it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

Axes = tuple[int, ...]
CHANNELS_LAST: Axes = (0, 2, 3, 1)
"""For each axis of a tensor as it is kept, the axis that ONNX means."""


class Value(NamedTuple):
    """A tensor of the graph.

    Attributes:
        tensor: of Keras.
        order: for each of its axes, the one that ONNX means.
        known: of lengths of axes, those that are known: integers, and None for the others.
    """

    tensor: Any
    order: Axes
    known: Any = None

    @property
    def rank(self) -> int:
        """Return the number of axes."""
        return len(self.order)

    def place(self, axis: int) -> int:
        """Return where an axis that ONNX means is kept."""
        return self.order.index(axis % self.rank)


Operand = Value | np.ndarray | None
"""An input: a tensor, a constant, or one that is left out."""


class Unsupported(Exception):
    """Raised for what an operation asks for and this importer does not do."""


@dataclass(frozen=True)
class Call:
    """A node of the graph with what it reads.

    Attributes:
        kind: the operation's name.
        inputs: tensors, constants, and None.
        attributes: of the node.
        add: takes a layer, tensors and whether the layer is only an aid; returns what it gives.
        batch: the number of pictures for which the graph was written; None for any.
        shape: of the first input, for which the graph was written; None where it does not say.
    """

    kind: str
    inputs: Sequence[Operand]
    attributes: Mapping[str, Any]
    add: Callable[..., Any]
    batch: int | None
    shape: Sequence[int] | None

    def get(self, name: str, usual: Any = None) -> Any:
        """Return an attribute."""
        return self.attributes.get(name, usual)

    def value(self, number: int = 0) -> Value:
        """Return an input that has to be a tensor of the graph."""
        given = self.inputs[number]
        if isinstance(given, Value):
            return given
        if given is None:
            raise Unsupported(f"{self.kind} without its input {number}")
        raise Unsupported(f"{self.kind} of a constant")

    def constant(self, number: int) -> np.ndarray | None:
        """Return an input that has to be a constant, or None where it is left out."""
        given = self.inputs[number] if number < len(self.inputs) else None
        if isinstance(given, Value):
            raise Unsupported(f"{self.kind} whose input {number} depends on the picture")
        return given

    def option(self, name: str, number: int, usual: Any = None) -> Any:
        """Return what is an attribute of old versions, and a constant input of new ones."""
        given = self.constant(number)
        return self.get(name, usual) if given is None else given.tolist()

    def step(self, run: Callable[..., Any], *values: Value, order: Axes | None = None) -> Value:
        """Add a step on tensors, which keeps their order unless another is given."""
        made = self.add(run, *(each.tensor for each in values))
        return Value(made, values[0].order if order is None else order)

    def aid(self, run: Any, value: Value, order: Axes | None = None) -> Value:
        """Add what is not the operation itself, but prepares a tensor for it."""
        made = self.add(run, value.tensor, is_aid=True)
        return Value(made, value.order if order is None else order)

    def reorder(self, value: Value, order: Axes) -> Value:
        """Bring a tensor to another order of axes."""
        if value.order == order:
            return value
        axes = [value.order.index(axis) for axis in order]
        return self.aid(lambda x: tf.transpose(x, axes), value, order)

    def plain(self, number: int = 0) -> Value:
        """Return an input with its axes as ONNX means them."""
        value = self.value(number)
        return self.reorder(value, tuple(range(value.rank)))

    def maps(self, number: int = 0) -> Value:
        """Return an input that has to be feature maps, channels last."""
        value = self.value(number)
        if value.rank != 4:
            raise Unsupported(f"{self.kind} in {value.rank - 2} dimensions")
        return self.reorder(value, CHANNELS_LAST)


Outputs = Sequence[Operand]
Make = Callable[[Call], "Operand | Outputs"]


def turn(constant: np.ndarray, order: Axes) -> np.ndarray:
    """Bring a constant to as many axes as a tensor has, and to their order."""
    whole = constant.reshape((1,) * (len(order) - constant.ndim) + constant.shape)
    return whole.transpose(order)


def like(constant: np.ndarray, tensor: Any) -> Any:
    """Return a constant in a tensor's type."""
    return tf.cast(tf.constant(constant), tensor.dtype)
