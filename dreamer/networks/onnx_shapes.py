"""ONNX operations that change shapes and the order of numbers, and not these."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from keras import layers

from dreamer.networks.onnx_calls import (
    CHANNELS_LAST,
    Call,
    Operand,
    Outputs,
    Unsupported,
    Value,
    like,
)
from dreamer.networks.onnx_windows import FilledPadding2D


def make_transpose(call: Call) -> Operand:
    value = call.value()
    perm = list(call.get("perm", range(value.rank)[::-1]))
    # Nothing moves: only what the axes mean does.
    return Value(value.tensor, tuple(perm.index(axis) for axis in value.order))


def make_concat(call: Call) -> Operand:
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
            part = next(given) if each is None else like(each, tensors[0])
            if each is not None and axis and part.shape.rank and part.shape[0] == 1:
                count = tf.shape(tensors[0])[:1]
                part = tf.broadcast_to(part, tf.concat([count, list(part.shape[1:])], 0))
            parts.append(part)
        return tf.concat(parts, axis)

    return call.step(run, *values)


def make_split(call: Call) -> Outputs:
    value = call.value()
    axis = value.place(call.get("axis", 0))
    sizes = call.option("split", 1)
    if sizes is None:
        length, count = value.tensor.shape[axis], call.get("num_outputs", call.get("outputs"))
        part = -(-length // count)
        sizes = [part] * (count - 1) + [length - part * (count - 1)]
    made = call.add(lambda x: tf.split(x, sizes, axis), value.tensor)
    return [Value(each, value.order) for each in made]


def make_slice(call: Call) -> Operand:
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


def make_gather(call: Call) -> Operand:
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


def make_reshape(call: Call) -> Operand:
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


def make_flatten(call: Call) -> Operand:
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


def make_squeeze(call: Call) -> Operand:
    value = call.value()
    axes = call.option("axes", 1)
    if axes is None:
        raise Unsupported("Squeeze of all axes")
    gone = {axis % value.rank for axis in axes}
    left = [each for each in value.order if each not in gone]
    places = [place for place, each in enumerate(value.order) if each in gone]
    order = tuple(sorted(left).index(each) for each in left)
    return call.step(lambda x: tf.squeeze(x, places), value, order=order)


def make_unsqueeze(call: Call) -> Operand:
    value = call.plain()
    axes = call.option("axes", 1)
    rank = value.rank + len(axes)
    places = sorted(axis % rank for axis in axes)

    def run(x: Any) -> Any:
        for place in places:
            x = tf.expand_dims(x, place)
        return x

    return call.step(run, value, order=tuple(range(rank)))


def make_expand(call: Call) -> Operand:
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


def make_tile(call: Call) -> Operand:
    value, times = call.value(), call.constant(1)
    assert times is not None
    turned = [int(times[axis]) for axis in value.order]
    return call.step(lambda x: tf.tile(x, turned), value)


def make_pad(call: Call) -> Operand:
    value, mode = call.value(), call.get("mode", "constant")
    pads = call.option("pads", 1)
    fill = call.option("value", 2, 0.0)
    if mode not in ("constant", "reflect") or call.constant(3) is not None:
        raise Unsupported(f"Pad by {mode}, or of chosen axes")
    if min(pads) < 0:
        raise Unsupported("Pad by less than nothing")
    widths = [[pads[axis], pads[axis + value.rank]] for axis in value.order]
    if mode == "constant" and value.order == CHANNELS_LAST and not any(widths[0] + widths[3]):
        # A layer, so that its receptive field is known; nobody dreams of it.
        layer = FilledPadding2D(tuple(map(tuple, widths[1:3])), float(fill or 0.0))
        return call.aid(layer, value)
    if mode == "reflect":
        return call.step(lambda x: tf.pad(x, widths, "REFLECT"), value)
    return call.step(
        lambda x: tf.pad(x, widths, constant_values=tf.cast(fill or 0.0, x.dtype)), value
    )


def make_shape(call: Call) -> Operand:
    value = call.value()
    places = [value.place(axis) for axis in range(value.rank)]
    known = np.array([value.tensor.shape[place] for place in places], object)
    made = call.add(lambda x: tf.gather(tf.shape(x), places), value.tensor)
    return Value(made, (0,), known)


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
"""Operations on lengths of which some are not known, by their names in ONNX."""
