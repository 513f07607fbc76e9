"""ONNX operations as Keras layers and steps: a table, and those on single values and channels.

Each function takes a call and gives its outputs. Those that look at several places are in
`onnx_windows`, those that change shapes in `onnx_shapes`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from dreamer.networks import onnx_shapes, onnx_windows
from dreamer.networks.onnx_calls import (
    CHANNELS_LAST,
    Call,
    Make,
    Operand,
    Unsupported,
    Value,
    like,
    turn,
)


def _elementwise(run: Callable[..., Any], layer: Callable[[], Any] | None = None) -> Make:
    """Return what makes an operation on single values; of two tensors, `layer` may stand for it."""

    def make(call: Call) -> Operand:
        values = [each for each in call.inputs if isinstance(each, Value)]
        # Keep an order that has the pictures first, where there is one.
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
            turn(each, most.order) if isinstance(each, np.ndarray) else None for each in call.inputs
        ]

        def apply(*tensors: Any) -> Any:
            given = iter(tensors)
            return run(
                *(next(given) if each is None else like(each, tensors[0]) for each in constants)
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
    turned = turn(slope, value.order)
    return call.step(lambda x: tf.where(x >= 0, x, x * like(turned, x)), value)


def _softmax(call: Call) -> Operand:
    value = call.value()
    axis = value.place(call.get("axis", -1 if call.get("opset") >= 13 else 1))
    return Value(call.add(layers.Softmax(axis), value.tensor), value.order)


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
        lambda x: _normalize(x, (1, 2), epsilon) * like(scale, x) + like(shift, x), maps
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
        return normal * like(scale, x) + like(shift, x)

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
    factor = turn(scale, value.order)
    offset = turn(np.zeros_like(scale) if shift is None else shift, value.order)
    return call.step(
        lambda x: _normalize(x, axes, epsilon) * like(factor, x) + like(offset, x), value
    )


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
        return call.step(lambda x: tf.matmul(like(left, x), x), second)
    assert isinstance(right, np.ndarray)
    return call.step(lambda x: tf.matmul(x, like(right, x)), call.plain())


def _einsum(call: Call) -> Operand:
    values = [call.plain(number) for number in range(len(call.inputs))]
    equation = call.get("equation").replace(" ", "")
    rank = len(equation.partition("->")[2])
    return call.step(
        lambda *tensors: tf.einsum(equation, *tensors), *values, order=tuple(range(rank))
    )


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


OPERATIONS: Mapping[str, Make] = {
    "Abs": _elementwise(tf.abs),
    "Add": _elementwise(tf.add, layers.Add),
    "AveragePool": onnx_windows.make_average_pool,
    "BatchNormalization": _batch_norm,
    "Cast": _cast,
    "Ceil": _elementwise(tf.math.ceil),
    "Clip": _clip,
    "Concat": onnx_shapes.make_concat,
    "Conv": onnx_windows.make_conv,
    "ConvTranspose": onnx_windows.make_conv_transpose,
    "Cos": _elementwise(tf.cos),
    "DepthToSpace": onnx_windows.make_depth_to_space,
    "Div": _elementwise(lambda x, y: x // y if x.dtype.is_integer else x / y),
    "Dropout": _keep,
    "Einsum": _einsum,
    "Elu": _activation(lambda call: layers.ELU(call.get("alpha", 1.0))),
    "Erf": _elementwise(tf.math.erf),
    "Exp": _elementwise(tf.exp),
    "Expand": onnx_shapes.make_expand,
    "Flatten": onnx_shapes.make_flatten,
    "Floor": _elementwise(tf.floor),
    "Gather": onnx_shapes.make_gather,
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
    "LRN": onnx_windows.make_lrn,
    "LayerNormalization": _layer_norm,
    "LeakyRelu": _activation(lambda call: layers.LeakyReLU(call.get("alpha", 0.01))),
    "Log": _elementwise(tf.math.log),
    "LogSoftmax": lambda call: call.step(
        lambda x: tf.nn.log_softmax(x, call.value().place(call.get("axis", -1))), call.value()
    ),
    "MatMul": _matmul,
    "Max": _elementwise(_chain(tf.maximum), layers.Maximum),
    "MaxPool": onnx_windows.make_max_pool,
    "Mean": _elementwise(lambda *each: tf.add_n(each) / len(each), layers.Average),
    "Min": _elementwise(_chain(tf.minimum), layers.Minimum),
    "Mish": _activation(lambda call: layers.Activation("mish")),
    "Mul": _elementwise(tf.multiply, layers.Multiply),
    "Neg": _elementwise(tf.negative),
    "PRelu": _prelu,
    "Pad": onnx_shapes.make_pad,
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
    "Reshape": onnx_shapes.make_reshape,
    "Resize": onnx_windows.make_resize,
    "Selu": _activation(lambda call: layers.Activation("selu")),
    "Shape": onnx_shapes.make_shape,
    "Sigmoid": _activation(lambda call: layers.Activation("sigmoid")),
    "Sin": _elementwise(tf.sin),
    "Slice": onnx_shapes.make_slice,
    "Softmax": _softmax,
    "Softplus": _activation(lambda call: layers.Activation("softplus")),
    "SpaceToDepth": lambda call: call.step(
        lambda x: tf.nn.space_to_depth(x, call.get("blocksize")), call.maps()
    ),
    "Split": onnx_shapes.make_split,
    "Sqrt": _elementwise(tf.sqrt),
    "Squeeze": onnx_shapes.make_squeeze,
    "Sub": _elementwise(tf.subtract),
    "Sum": _elementwise(_chain(tf.add), layers.Add),
    "Swish": _swish,
    "Tanh": _activation(lambda call: layers.Activation("tanh")),
    "Tile": onnx_shapes.make_tile,
    "Transpose": onnx_shapes.make_transpose,
    "Unsqueeze": onnx_shapes.make_unsqueeze,
    "Upsample": onnx_windows.make_resize,
}
"""The makers of layers, by the names of ONNX's operations."""


def _gelu_by_tanh(x: Any) -> Any:
    return keras.ops.gelu(x, approximate=True)
