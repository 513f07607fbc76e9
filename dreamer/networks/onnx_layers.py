"""ONNX operations as Keras layers and steps.

Each function takes a call, with its inputs as `Value`s or constants, and gives its outputs. Maps
are kept with their channels last; what an operation says of axes is turned, and data is moved only
where an operation needs it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf
from keras import layers

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


def _turn(constant: np.ndarray, order: Axes) -> np.ndarray:
    """Bring a constant to as many axes as a tensor has, and to their order."""
    whole = constant.reshape((1,) * (len(order) - constant.ndim) + constant.shape)
    return whole.transpose(order)


def _like(constant: np.ndarray, tensor: Any) -> Any:
    """Return a constant in a tensor's type."""
    return tf.cast(tf.constant(constant), tensor.dtype)


def _elementwise(run: Callable[..., Any], layer: Callable[[], Any] | None = None) -> Make:
    """Return what makes an operation on single values; of two tensors, `layer` may stand for it."""

    def make(call: Call) -> Operand:
        values = [each for each in call.inputs if isinstance(each, Value)]
        # Of several orders, one that has the pictures first.
        most = max(values, key=lambda value: (value.rank, value.order[:1] == (0,)))
        if any(isinstance(each, np.ndarray) and each.ndim > most.rank for each in call.inputs):
            raise Unsupported(f"{call.kind} with a constant of more axes")
        if any(value.rank < most.rank for value in values):
            plain = [call.reorder(value, tuple(range(value.rank))) for value in values]
            most = plain[values.index(most)]
            values = plain
        else:
            values = [call.reorder(value, most.order) for value in values]
        if layer and len(values) == len(call.inputs) > 1 < most.rank:
            return Value(call.add(layer(), [value.tensor for value in values]), most.order)
        constants = [
            _turn(each, most.order) if isinstance(each, np.ndarray) else None
            for each in call.inputs
        ]

        def apply(*tensors: Any) -> Any:
            given = iter(tensors)
            return run(
                *(next(given) if each is None else _like(each, tensors[0]) for each in constants)
            )

        return call.step(apply, *values, order=most.order)

    return make


def _chain(run: Callable[[Any, Any], Any]) -> Callable[..., Any]:
    """Return an operation on any number of operands."""

    def apply(first: Any, *others: Any) -> Any:
        for other in others:
            first = run(first, other)
        return first

    return apply


def _activation(make_layer: Callable[[Call], Any]) -> Make:
    """Return what makes a Keras layer that changes single values."""

    def make(call: Call) -> Operand:
        value = call.value()
        return Value(call.add(make_layer(call), value.tensor), value.order)

    return make


def _clip(call: Call) -> Operand:
    low, high = (call.option(name, number) for name, number in (("min", 1), ("max", 2)))
    value = call.value()
    if low == 0:
        return Value(call.add(layers.ReLU(max_value=high), value.tensor), value.order)
    least, most = (
        end if end is not None else side for end, side in ((low, -np.inf), (high, np.inf))
    )
    return call.step(lambda x: tf.clip_by_value(x, least, most), value)


def _prelu(call: Call) -> Operand:
    value, slope = call.value(), call.constant(1)
    assert slope is not None
    # ONNX counts from the last axis, as PyTorch's exporter allows for with (c, 1, 1).
    turned = _turn(slope, value.order)
    return call.step(lambda x: tf.where(x >= 0, x, x * _like(turned, x)), value)


def _softmax(call: Call) -> Operand:
    value = call.value()
    axis = value.place(call.get("axis", -1 if call.get("opset") >= 13 else 1))
    return Value(call.add(layers.Softmax(axis), value.tensor), value.order)


# Convolutions and pools


def _pads(
    call: Call, kernel: Sequence[int], strides: Sequence[int], dilations: Sequence[int]
) -> Any:
    """Return `"same"`, `"valid"` or what is to be added at each side: `((top, bottom), …)`."""
    auto = call.get("auto_pad", "NOTSET")
    if auto == "SAME_UPPER":
        return "same"
    if auto == "SAME_LOWER":
        raise Unsupported("auto_pad SAME_LOWER")
    pads = call.get("pads", [0] * 4) if auto == "NOTSET" else [0] * 4
    sides = ((pads[0], pads[2]), (pads[1], pads[3]))
    if not any(pads):
        return "valid"
    wide = [(size - 1) * step for size, step in zip(kernel, dilations, strict=True)]
    if all(step == 1 for step in strides) and all(
        before == after == width / 2 for (before, after), width in zip(sides, wide, strict=True)
    ):
        return "same"
    return sides


def _conv(call: Call) -> Operand:
    maps, kernel, bias = call.maps(), call.constant(1), call.constant(2)
    assert kernel is not None
    filters, depth, *size = kernel.shape
    groups, strides = call.get("group", 1), tuple(call.get("strides", (1, 1)))
    dilations = tuple(call.get("dilations", (1, 1)))
    padding = _pads(call, size, strides, dilations)
    if not isinstance(padding, str):
        maps, padding = call.aid(layers.ZeroPadding2D(padding), maps), "valid"
    common: dict[str, Any] = {
        **{"kernel_size": size, "padding": padding, "use_bias": bias is not None},
        "dilation_rate": dilations,
    }
    biases = [] if bias is None else [bias]
    turned = kernel.transpose(2, 3, 1, 0)
    if groups == maps.tensor.shape[-1] > 1 and depth == 1 and len({*strides}) == 1:
        # (h, w, 1, groups · multiplier), a group's filters side by side.
        deep = turned.reshape(*size, groups, filters // groups)
        layer = layers.DepthwiseConv2D(
            depth_multiplier=filters // groups, strides=strides, **common
        )
        return Value(call.add(layer, maps.tensor, weights=[deep, *biases]), CHANNELS_LAST)
    layer = layers.Conv2D(filters, strides=strides, groups=groups, **common)
    return Value(call.add(layer, maps.tensor, weights=[turned, *biases]), CHANNELS_LAST)


def _conv_transpose(call: Call) -> Operand:
    maps, kernel, bias = call.maps(), call.constant(1), call.constant(2)
    assert kernel is not None
    strides = tuple(call.get("strides", (1, 1)))
    pads, extra = call.get("pads", [0] * 4), call.get("output_padding", [0, 0])
    plain = call.get("group", 1) == 1 and tuple(call.get("dilations", (1, 1))) == (1, 1)
    if not plain or call.get("auto_pad", "NOTSET") != "NOTSET" or call.get("output_shape"):
        raise Unsupported("ConvTranspose with groups, dilations or a given shape")
    size = kernel.shape[2:]
    turned = kernel.transpose(2, 3, 1, 0)

    def run(x: Any) -> Any:
        count, height, width, _ = tf.unstack(tf.shape(x))
        whole = [
            (length - 1) * step + reach + more
            for length, step, reach, more in zip((height, width), strides, size, extra, strict=True)
        ]
        shape = tf.stack([count, *whole, turned.shape[2]])
        maps = tf.nn.conv2d_transpose(x, _like(turned, x), shape, strides, "VALID")
        maps = maps[:, pads[0] : whole[0] - pads[2], pads[1] : whole[1] - pads[3]]
        return maps if bias is None else maps + _like(bias, maps)

    return call.step(run, maps)


def _pool_sides(call: Call, maps: Value) -> tuple[Sequence[int], Sequence[int], Any]:
    size = call.get("kernel_shape")
    strides = call.get("strides", (1, 1))
    if any(step != 1 for step in call.get("dilations", ())):
        raise Unsupported(f"{call.kind} with dilations")
    return size, strides, _pads(call, size, strides, (1, 1))


def _pad_whole(
    size: Sequence[int], strides: Sequence[int], sides: Any, fill: float
) -> Callable[[Any], Any]:
    """Return what pads maps so that a pool rounds its number of places up."""

    def run(x: Any) -> Any:
        lengths = tf.unstack(tf.shape(x))[1:3]
        widths: list[Any] = [[0, 0]]
        for length, reach, step, (before, after) in zip(lengths, size, strides, sides, strict=True):
            whole = length + before + after
            places = -((reach - whole) // step) + 1
            # The last place has to begin in the picture, or in front of it.
            places -= tf.cast((places - 1) * step >= length + before, tf.int32)
            widths.append([before, after + tf.maximum((places - 1) * step + reach - whole, 0)])
        return tf.pad(x, [*widths, [0, 0]], constant_values=tf.cast(fill, x.dtype))

    return run


LEAST = -3e38
"""Stands for the least number of all, of which gradients are no trouble."""


class LeastPadding2D(layers.ZeroPadding2D):  # type: ignore[misc]
    """A padding that no maximum takes."""

    def call(self, inputs: Any) -> Any:
        """Pad maps `(n, h, w, c)`."""
        widths = [(0, 0), *self.padding, (0, 0)]
        return tf.pad(inputs, widths, constant_values=tf.cast(LEAST, inputs.dtype))


def _max_pool(call: Call) -> Operand:
    maps = call.maps()
    size, strides, padding = _pool_sides(call, maps)
    sides = ((0, 0), (0, 0)) if isinstance(padding, str) else padding
    if call.get("ceil_mode", 0) and padding != "same":
        maps, padding = call.aid(_pad_whole(size, strides, sides, LEAST), maps), "valid"
    elif not isinstance(padding, str):
        maps, padding = call.aid(LeastPadding2D(padding), maps), "valid"
    layer = layers.MaxPooling2D(size, strides, padding)
    return Value(call.add(layer, maps.tensor), CHANNELS_LAST)


def _average_along(call: Call) -> Operand:
    """Average along any axes, as PyTorch writes a local response normalization."""
    value, sizes = call.value(), call.get("kernel_shape")
    if any(call.get("pads", ())) or call.get("ceil_mode", 0):
        raise Unsupported("AveragePool with padding in other than two dimensions")
    strides = call.get("strides", [1] * len(sizes))
    places = [value.place(axis) for axis in range(2, value.rank)]

    def run(x: Any) -> Any:
        for place, size, step in zip(places, sizes, strides, strict=True):
            if size == step == 1:
                continue
            last = (tf.shape(x)[place] - size) // step * step
            before = [slice(None)] * place
            parts = [x[(*before, slice(at, at + last + 1, step))] for at in range(size)]
            x = tf.add_n(parts) / size
        return x

    return call.step(run, value)


def _average_pool(call: Call) -> Operand:
    if call.value().rank != 4:
        return _average_along(call)
    maps = call.maps()
    size, strides, padding = _pool_sides(call, maps)
    counts = bool(call.get("count_include_pad", 0))
    whole = bool(call.get("ceil_mode", 0))
    if (padding == "valid" and not whole) or (padding == "same" and not counts):
        layer = layers.AveragePooling2D(size, strides, padding)
        return Value(call.add(layer, maps.tensor), CHANNELS_LAST)
    if padding == "same":
        sides: Any = tuple((reach // 2, reach // 2) for reach in size)
    else:
        sides = ((0, 0), (0, 0)) if padding == "valid" else padding
    if whole:
        pad = _pad_whole(size, strides, sides, 0.0)
    else:
        widths = [[0, 0], *map(list, sides), [0, 0]]

        def pad(x: Any) -> Any:
            return tf.pad(x, widths)

    def run(x: Any) -> Any:
        total = tf.nn.avg_pool2d(pad(x), size, strides, "VALID")
        ones = tf.ones_like(x[:1, :, :, :1])
        if counts:
            # What is rounded up counts for nothing, the padding itself does.
            ones = tf.pad(ones, [[0, 0], *map(list, sides), [0, 0]], constant_values=1)
            ones = _pad_whole(size, strides, ((0, 0), (0, 0)), 0.0)(ones) if whole else ones
        else:
            ones = pad(ones)
        return total / tf.nn.avg_pool2d(ones, size, strides, "VALID")

    return call.step(run, maps)


def _lrn(call: Call) -> Operand:
    maps, size = call.maps(), call.get("size")
    alpha, beta, bias = call.get("alpha", 1e-4), call.get("beta", 0.75), call.get("bias", 1.0)
    channel = np.arange(maps.tensor.shape[-1])
    ahead = channel[:, None] - channel
    band = ((ahead >= -((size - 1) // 2)) & (ahead <= size // 2)).astype(np.float32)[None, None]

    def run(x: Any) -> Any:
        energy = tf.nn.conv2d(tf.square(x), _like(band, x), 1, "VALID")
        return x * tf.pow(bias + alpha / size * energy, -beta)

    return call.step(run, maps)


# Normalizations


def _batch_norm(call: Call) -> Operand:
    value = call.value()
    maps = call.maps() if value.rank == 4 else value
    weights = [call.constant(number) for number in range(1, 5)]
    layer = layers.BatchNormalization(epsilon=call.get("epsilon", 1e-5))
    return Value(call.add(layer, maps.tensor, weights=weights), maps.order)


def _normalize(x: Any, axes: Sequence[int], epsilon: float) -> Any:
    mean, variance = tf.nn.moments(x, list(axes), keepdims=True)
    return (x - mean) * tf.math.rsqrt(variance + epsilon)


def _instance_norm(call: Call) -> Operand:
    maps, epsilon = call.maps(), call.get("epsilon", 1e-5)
    scale, shift = call.constant(1), call.constant(2)
    assert scale is not None
    assert shift is not None
    return call.step(
        lambda x: _normalize(x, (1, 2), epsilon) * _like(scale, x) + _like(shift, x), maps
    )


def _group_norm(call: Call) -> Operand:
    maps, epsilon, groups = call.maps(), call.get("epsilon", 1e-5), call.get("num_groups")
    scale, shift = call.constant(1), call.constant(2)
    assert scale is not None
    assert shift is not None
    channels = maps.tensor.shape[-1]
    if len(scale) == groups != channels:
        # Before version 21 there was one for each group.
        scale, shift = (np.repeat(each, channels // groups) for each in (scale, shift))

    def run(x: Any) -> Any:
        shape = tf.shape(x)
        grouped = tf.reshape(x, tf.concat([shape[:3], [groups, channels // groups]], 0))
        normal = tf.reshape(_normalize(grouped, (1, 2, 4), epsilon), shape)
        return normal * _like(scale, x) + _like(shift, x)

    return call.step(run, maps)


def _layer_norm(call: Call) -> Operand:
    value, epsilon = call.value(), call.get("epsilon", 1e-5)
    scale, shift = call.constant(1), call.constant(2)
    assert scale is not None
    first = call.get("axis", -1) % value.rank
    axes = [value.place(axis) for axis in range(first, value.rank)]
    if axes == [value.rank - 1] and shift is not None:
        layer = layers.LayerNormalization(epsilon=epsilon)
        return Value(call.add(layer, value.tensor, weights=[scale, shift]), value.order)
    factor = _turn(scale, value.order)
    offset = _turn(np.zeros_like(scale) if shift is None else shift, value.order)
    return call.step(
        lambda x: _normalize(x, axes, epsilon) * _like(factor, x) + _like(offset, x), value
    )


# Products


def _gemm(call: Call) -> Operand:
    kernel, bias = call.constant(1), call.constant(2)
    assert kernel is not None
    if call.get("transA", 0):
        raise Unsupported("Gemm with transA")
    kernel = (kernel.T if call.get("transB", 0) else kernel) * call.get("alpha", 1.0)
    units = kernel.shape[-1]
    weights = [kernel]
    if bias is not None:
        weights.append(np.broadcast_to(bias.reshape(-1), units) * call.get("beta", 1.0))
    value = call.plain()
    return Value(
        call.add(layers.Dense(units, use_bias=bias is not None), value.tensor, weights=weights),
        (0, 1),
    )


def _matmul(call: Call) -> Operand:
    left, right = call.inputs
    if isinstance(right, np.ndarray) and right.ndim == 2 and isinstance(left, Value):
        last = left.rank - 1
        value = left if left.order[last] == last else call.plain()
        layer = layers.Dense(right.shape[1], use_bias=False)
        return Value(call.add(layer, value.tensor, weights=[right]), value.order)
    if isinstance(left, Value) and isinstance(right, Value):
        first, second = call.plain(0), call.plain(1)
        most = max(first, second, key=lambda value: value.rank)
        return call.step(tf.matmul, first, second, order=tuple(range(most.rank)))
    if isinstance(left, np.ndarray):
        second = call.plain(1)
        return call.step(lambda x: tf.matmul(_like(left, x), x), second)
    assert isinstance(right, np.ndarray)
    return call.step(lambda x: tf.matmul(x, _like(right, x)), call.plain())


def _einsum(call: Call) -> Operand:
    values = [call.plain(number) for number in range(len(call.inputs))]
    equation = call.get("equation").replace(" ", "")
    rank = len(equation.partition("->")[2])
    return call.step(
        lambda *tensors: tf.einsum(equation, *tensors), *values, order=tuple(range(rank))
    )


# Shapes


def _transpose(call: Call) -> Operand:
    value = call.value()
    perm = list(call.get("perm", range(value.rank)[::-1]))
    # Nothing moves: only what the axes mean does.
    return Value(value.tensor, tuple(perm.index(axis) for axis in value.order))


def _concat(call: Call) -> Operand:
    values = [each for each in call.inputs if isinstance(each, Value)]
    first = next(iter(values))
    if len(values) < len(call.inputs):
        return _concat_constants(call, first)
    values = [call.reorder(value, first.order) for value in values]
    layer = layers.Concatenate(axis=first.place(call.get("axis")))
    return Value(call.add(layer, [value.tensor for value in values]), first.order)


def _concat_constants(call: Call, first: Value) -> Operand:
    """Join tensors and constants; where these have one picture, they are repeated for all."""
    axis = call.get("axis") % first.rank
    values = [
        call.reorder(each, tuple(range(each.rank)))
        for each in call.inputs
        if isinstance(each, Value)
    ]
    constants = [each if isinstance(each, np.ndarray) else None for each in call.inputs]

    def run(*tensors: Any) -> Any:
        given = iter(tensors)
        parts = []
        for each in constants:
            part = next(given) if each is None else _like(each, tensors[0])
            if each is not None and axis and part.shape.rank and part.shape[0] == 1:
                count = tf.shape(tensors[0])[:1]
                part = tf.broadcast_to(part, tf.concat([count, list(part.shape[1:])], 0))
            parts.append(part)
        return tf.concat(parts, axis)

    return call.step(run, *values)


def _split(call: Call) -> Outputs:
    value = call.value()
    axis = value.place(call.get("axis", 0))
    sizes = call.option("split", 1)
    if sizes is None:
        length, count = value.tensor.shape[axis], call.get("num_outputs", call.get("outputs"))
        part = -(-length // count)
        sizes = [part] * (count - 1) + [length - part * (count - 1)]
    made = call.add(lambda x: tf.split(x, sizes, axis), value.tensor)
    return [Value(each, value.order) for each in made]


def _slice(call: Call) -> Operand:
    value = call.value()
    starts, ends = call.option("starts", 1), call.option("ends", 2)
    axes = call.option("axes", 3, range(len(starts)))
    steps = call.option("steps", 4, [1] * len(starts))
    cuts = [slice(None)] * value.rank
    for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
        if step < 0:
            raise Unsupported("Slice backward")
        far = abs(end) >= np.iinfo(np.int32).max
        cuts[value.place(axis)] = slice(start, None if far else end, step)
    return call.step(lambda x: x[tuple(cuts)], value)


def _gather(call: Call) -> Operand:
    axis = call.get("axis", 0)
    if not isinstance(call.inputs[0], Value):
        raise Unsupported("Gather from a constant")
    value, indices = call.value(), call.constant(1)
    assert indices is not None
    if indices.ndim > 1:
        value = call.plain()
        whole = tuple(range(value.rank - 1 + indices.ndim))
        return call.step(lambda x: tf.gather(x, indices, axis=axis), value, order=whole)
    place = value.place(axis)
    if indices.ndim == 1:
        return call.step(lambda x: tf.gather(x, indices, axis=place), value)
    left = [each for each in value.order if each != axis % value.rank]
    order = tuple(sorted(left).index(each) for each in left)
    index = int(indices)
    cut = (*[slice(None)] * place, index)
    return call.step(lambda x: x[cut], value, order=order)


def _find_kept(shape: Sequence[int] | None, target: Sequence[int]) -> Mapping[int, int]:
    """Find the axes that a new shape has from the old one, which are of any length elsewhere.

    They are the first and the last ones that both have in common, without those of length 1 that
    are added or taken away.

    Args:
        shape: the old shape; None where it is not known.
        target: the new one; -1 stands for what is left.
    """
    if shape is None or 0 in target:
        return {}
    rest = math.prod(shape) // abs(math.prod(target))
    target = [rest if each == -1 else each for each in target]
    if math.prod(shape) != math.prod(target):
        return {}
    old, new = (
        [axis for axis in range(1, len(each)) if each[axis] != 1] for each in (shape, target)
    )
    kept = {}
    while old and new and shape[old[-1]] == target[new[-1]]:
        kept[new.pop()] = old.pop()
    while old and new and shape[old[0]] == target[new[0]]:
        kept[new.pop(0)] = old.pop(0)
    return kept


def _reshape(call: Call) -> Operand:
    shape = call.inputs[1]
    value = call.plain()
    if isinstance(shape, Value):
        rank = shape.tensor.shape[0]
        lengths = [None] * rank if shape.known is None else shape.known.tolist()
        lengths = [None if each is None or each < 1 else int(each) for each in lengths]

        def fit(x: Any, wanted: Any) -> Any:
            # A length of 0 is that of the same axis before.
            own = tf.concat([tf.shape(x), tf.zeros_like(wanted)], 0)[:rank]
            return tf.ensure_shape(tf.reshape(x, tf.where(wanted == 0, own, wanted)), lengths)

        made = call.add(fit, value.tensor, shape.tensor)
        return Value(made, tuple(range(rank)))
    target = [int(each) for each in call.option("shape", 1)]
    kept = {axis: axis for axis, each in enumerate(target) if each == 0}
    if target[0] == call.batch == 1 and value.tensor.shape[0] is None:
        # It was written for one picture, and there may be several.
        kept |= {0: 0, **_find_kept(call.shape, target)}
        gone = {*range(value.rank)} - {*kept.values()}
        made = [axis for axis in range(len(target)) if axis not in kept]
        if (
            len(made) == 1
            and -1 not in target
            and any(value.tensor.shape[axis] is None for axis in gone)
        ):
            target[made[0]] = -1

    def run(x: Any) -> Any:
        lengths = tf.shape(x)
        wanted = [lengths[kept[axis]] if axis in kept else each for axis, each in enumerate(target)]
        return tf.reshape(x, tf.stack(wanted))

    return call.step(run, value, order=tuple(range(len(target))))


def _flatten(call: Call) -> Operand:
    value, axis = call.value(), call.get("axis", 1)
    if axis == 1 and value.rank == 4 and value.tensor.shape[1:3] == (1, 1):
        return Value(call.add(layers.Flatten(), value.tensor), (0, 1))
    plain = call.plain()
    if axis == 1:
        return Value(call.add(layers.Flatten(), plain.tensor), (0, 1))

    def run(x: Any) -> Any:
        shape = tf.shape(x)
        return tf.reshape(x, [tf.reduce_prod(shape[:axis]), tf.reduce_prod(shape[axis:])])

    return call.step(run, plain, order=(0, 1))


def _squeeze(call: Call) -> Operand:
    value = call.value()
    axes = call.option("axes", 1)
    if axes is None:
        raise Unsupported("Squeeze of all axes")
    gone = {axis % value.rank for axis in axes}
    left = [each for each in value.order if each not in gone]
    places = [place for place, each in enumerate(value.order) if each in gone]
    order = tuple(sorted(left).index(each) for each in left)
    return call.step(lambda x: tf.squeeze(x, places), value, order=order)


def _unsqueeze(call: Call) -> Operand:
    value = call.plain()
    axes = call.option("axes", 1)
    rank = value.rank + len(axes)
    places = sorted(axis % rank for axis in axes)

    def run(x: Any) -> Any:
        for place in places:
            x = tf.expand_dims(x, place)
        return x

    return call.step(run, value, order=tuple(range(rank)))


def _expand(call: Call) -> Operand:
    value, shape = call.plain(), call.inputs[1]
    if isinstance(shape, Value):
        rank = max(value.rank, shape.tensor.shape[0])
        made = call.add(
            lambda x, s: tf.broadcast_to(x, tf.broadcast_dynamic_shape(tf.shape(x), s)),
            *(value.tensor, shape.tensor),
        )
        return Value(made, tuple(range(rank)))
    target = call.option("shape", 1)
    rank = max(value.rank, len(target))

    def run(x: Any) -> Any:
        return tf.broadcast_to(
            x, tf.broadcast_dynamic_shape(tf.shape(x), tf.constant(target, tf.int32))
        )

    return call.step(run, value, order=tuple(range(rank)))


def _tile(call: Call) -> Operand:
    value, times = call.value(), call.constant(1)
    assert times is not None
    turned = [int(times[axis]) for axis in value.order]
    return call.step(lambda x: tf.tile(x, turned), value)


def _pad(call: Call) -> Operand:
    value, mode = call.value(), call.get("mode", "constant")
    pads = call.option("pads", 1)
    fill = call.option("value", 2, 0.0)
    if mode not in ("constant", "reflect") or call.constant(3) is not None:
        raise Unsupported(f"Pad by {mode}, or of chosen axes")
    if min(pads) < 0:
        raise Unsupported("Pad by less than nothing")
    widths = [[pads[axis], pads[axis + value.rank]] for axis in value.order]
    if mode == "reflect":
        return call.step(lambda x: tf.pad(x, widths, "REFLECT"), value)
    return call.step(
        lambda x: tf.pad(x, widths, constant_values=tf.cast(fill or 0.0, x.dtype)), value
    )


def _resize(call: Call) -> Operand:
    maps = call.maps()
    old = call.kind == "Upsample"
    number = 1 if old else 2
    scales, sizes = call.constant(number), None if old else call.constant(3)
    mode, place = (
        call.get("mode", "nearest"),
        call.get("coordinate_transformation_mode", "half_pixel"),
    )
    factors = (
        None if scales is None or not len(scales) else [float(scales[axis]) for axis in (2, 3)]
    )
    if factors is None and sizes is None:
        raise Unsupported("Resize to a size that depends on the picture")
    if mode == "nearest" and factors and all(each == int(each) for each in factors):
        layer = layers.UpSampling2D([int(each) for each in factors], interpolation="nearest")
        return Value(call.add(layer, maps.tensor), CHANNELS_LAST)
    usual = {"half_pixel", "pytorch_half_pixel"}
    if mode == "linear" and place == "align_corners":
        kernel = "corners"
    elif mode == "linear" and place in usual:
        kernel = "half"
    else:
        raise Unsupported(f"Resize by {mode} and {place}")

    def run(x: Any) -> Any:
        if factors is None:
            assert sizes is not None
            size = tf.constant([int(sizes[2]), int(sizes[3])])
        else:
            size = tf.cast(tf.floor(tf.cast(tf.shape(x)[1:3], tf.float32) * factors), tf.int32)
        if kernel == "corners":
            made = tf.compat.v1.image.resize_bilinear(
                tf.cast(x, tf.float32), size, align_corners=True
            )
        else:
            made = tf.image.resize(x, size, "bilinear")
        return tf.cast(made, x.dtype)

    return call.step(run, maps)


def _depth_to_space(call: Call) -> Operand:
    maps, block, mode = call.maps(), call.get("blocksize"), call.get("mode", "DCR")
    if mode == "DCR":
        return call.step(lambda x: tf.nn.depth_to_space(x, block), maps)
    channels = maps.tensor.shape[-1] // block**2
    places = np.arange(channels * block**2).reshape(channels, block**2).T.ravel()
    return call.step(lambda x: tf.nn.depth_to_space(tf.gather(x, places, axis=-1), block), maps)


def _global_pool(layer: Any) -> Make:
    return lambda call: Value(call.add(layer(keepdims=True), call.maps().tensor), CHANNELS_LAST)


def _reduce(run: Callable[..., Any], mean: bool = False) -> Make:
    """Return what makes a reduction over axes; the mean over all places is Keras's own pool."""

    def make(call: Call) -> Operand:
        value = call.value()
        given = call.option("axes", 1)
        axes = sorted(axis % value.rank for axis in (range(value.rank) if given is None else given))
        keeps = bool(call.get("keepdims", 1))
        if mean and axes == [2, 3] and value.rank == 4:
            pooled = call.add(layers.GlobalAveragePooling2D(keepdims=keeps), call.maps().tensor)
            return Value(pooled, CHANNELS_LAST if keeps else (0, 1))
        places = [value.place(axis) for axis in axes]
        left = [each for each in value.order if each not in axes]
        order = value.order if keeps else tuple(sorted(left).index(each) for each in left)
        return call.step(lambda x: run(x, places, keepdims=keeps), value, order=order)

    return make


def _shape(call: Call) -> Operand:
    value = call.value()
    places = [value.place(axis) for axis in range(value.rank)]
    known = np.array([value.tensor.shape[place] for place in places], object)
    made = call.add(lambda x: tf.gather(tf.shape(x), places), value.tensor)
    return Value(made, (0,), known)


def _cast(call: Call) -> Operand:
    value, kind = call.value(), _KINDS.get(call.get("to"))
    if kind is None:
        raise Unsupported("Cast to what is neither a float nor an integer")
    own = keras.backend.standardize_dtype(value.tensor.dtype)
    if own.rstrip("0123456789") == kind.rstrip("0123456789"):
        return value
    return call.step(lambda x: tf.cast(x, kind), value)


_KINDS: Mapping[int, str] = {
    **dict.fromkeys((1, 10, 11, 16), "float32"),
    **dict.fromkeys((6, 7), "int32"),
}
"""The types that this importer computes in, by ONNX's numbers of the types."""


def _keep(call: Call) -> Operand:
    return call.value()


def _swish(call: Call) -> Operand:
    alpha = call.get("alpha", 1.0)
    return call.step(lambda x: x * tf.sigmoid(alpha * x), call.value())


def _compute_known(run: Callable[[Any, Any], Any]) -> Callable[..., Any]:
    """Return an operation on lengths of which some are not known."""
    whole = np.frompyfunc(
        lambda one, other: None if one is None or other is None else run(one, other), 2, 1
    )
    return lambda call, one, other: np.asarray(whole(one, other), object)


KNOWN: Mapping[str, Callable[..., Any]] = {
    "Add": _compute_known(lambda one, other: one + other),
    "Cast": lambda call, lengths: lengths,
    "Concat": lambda call, *parts: np.concatenate(parts),
    "Div": _compute_known(lambda one, other: one // other),
    "Gather": lambda call, lengths, places: np.asarray(lengths[places.astype(int)], object),
    "Identity": lambda call, lengths: lengths,
    "Mul": _compute_known(lambda one, other: one * other),
    "Slice": lambda call, lengths, start, end, *_: lengths[int(start[0]) : int(end[0])],
    "Squeeze": lambda call, lengths, *_: lengths.reshape(()),
    "Sub": _compute_known(lambda one, other: one - other),
    "Unsqueeze": lambda call, length, *_: np.asarray(length, object).reshape(1),
}
"""What operations make of lengths, which are known in part, by their names."""


OPERATIONS: Mapping[str, Make] = {
    "Abs": _elementwise(tf.abs),
    "Add": _elementwise(tf.add, layers.Add),
    "AveragePool": _average_pool,
    "BatchNormalization": _batch_norm,
    "Cast": _cast,
    "Ceil": _elementwise(tf.math.ceil),
    "Clip": _clip,
    "Concat": _concat,
    "Conv": _conv,
    "ConvTranspose": _conv_transpose,
    "Cos": _elementwise(tf.cos),
    "DepthToSpace": _depth_to_space,
    "Div": _elementwise(lambda x, y: x // y if x.dtype.is_integer else x / y),
    "Dropout": _keep,
    "Einsum": _einsum,
    "Elu": _activation(lambda call: layers.ELU(call.get("alpha", 1.0))),
    "Erf": _elementwise(tf.math.erf),
    "Exp": _elementwise(tf.exp),
    "Expand": _expand,
    "Flatten": _flatten,
    "Floor": _elementwise(tf.floor),
    "Gather": _gather,
    "Gelu": _activation(
        lambda call: layers.Activation(
            keras.activations.gelu if call.get("approximate", "none") == "none" else _gelu_by_tanh
        )
    ),
    "Gemm": _gemm,
    "GlobalAveragePool": _global_pool(layers.GlobalAveragePooling2D),
    "GlobalMaxPool": _global_pool(layers.GlobalMaxPooling2D),
    "GroupNormalization": _group_norm,
    "HardSigmoid": lambda call: call.step(
        lambda x: tf.clip_by_value(call.get("alpha", 0.2) * x + call.get("beta", 0.5), 0, 1),
        call.value(),
    ),
    "HardSwish": _activation(lambda call: layers.Activation("hard_silu")),
    "Identity": _keep,
    "InstanceNormalization": _instance_norm,
    "LRN": _lrn,
    "LayerNormalization": _layer_norm,
    "LeakyRelu": _activation(lambda call: layers.LeakyReLU(call.get("alpha", 0.01))),
    "Log": _elementwise(tf.math.log),
    "LogSoftmax": lambda call: call.step(
        lambda x: tf.nn.log_softmax(x, call.value().place(call.get("axis", -1))), call.value()
    ),
    "MatMul": _matmul,
    "Max": _elementwise(_chain(tf.maximum), layers.Maximum),
    "MaxPool": _max_pool,
    "Mean": _elementwise(lambda *each: tf.add_n(each) / len(each), layers.Average),
    "Min": _elementwise(_chain(tf.minimum), layers.Minimum),
    "Mish": _activation(lambda call: layers.Activation("mish")),
    "Mul": _elementwise(tf.multiply, layers.Multiply),
    "Neg": _elementwise(tf.negative),
    "PRelu": _prelu,
    "Pad": _pad,
    "Pow": _elementwise(tf.pow),
    "Reciprocal": _elementwise(tf.math.reciprocal),
    "ReduceL2": _reduce(
        lambda x, axes, keepdims: tf.sqrt(tf.reduce_sum(tf.square(x), axes, keepdims))
    ),
    "ReduceMax": _reduce(tf.reduce_max),
    "ReduceMean": _reduce(tf.reduce_mean, mean=True),
    "ReduceMin": _reduce(tf.reduce_min),
    "ReduceSum": _reduce(tf.reduce_sum),
    "Relu": _activation(lambda call: layers.ReLU()),
    "Reshape": _reshape,
    "Resize": _resize,
    "Selu": _activation(lambda call: layers.Activation("selu")),
    "Shape": _shape,
    "Sigmoid": _activation(lambda call: layers.Activation("sigmoid")),
    "Sin": _elementwise(tf.sin),
    "Slice": _slice,
    "Softmax": _softmax,
    "Softplus": _activation(lambda call: layers.Activation("softplus")),
    "SpaceToDepth": lambda call: call.step(
        lambda x: tf.nn.space_to_depth(x, call.get("blocksize")), call.maps()
    ),
    "Split": _split,
    "Sqrt": _elementwise(tf.sqrt),
    "Squeeze": _squeeze,
    "Sub": _elementwise(tf.subtract),
    "Sum": _elementwise(_chain(tf.add), layers.Add),
    "Swish": _swish,
    "Tanh": _activation(lambda call: layers.Activation("tanh")),
    "Tile": _tile,
    "Transpose": _transpose,
    "Unsqueeze": _unsqueeze,
    "Upsample": _resize,
}
"""What makes each operation, by its name in ONNX."""


def _gelu_by_tanh(x: Any) -> Any:
    return keras.ops.gelu(x, approximate=True)
