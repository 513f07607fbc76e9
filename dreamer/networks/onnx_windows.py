"""ONNX operations that look at several places: convolutions, pools, resizing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from keras import layers

from dreamer.networks.googlenet import LocalResponseNormalization
from dreamer.networks.onnx_calls import (
    CHANNELS_LAST,
    Call,
    Operand,
    Unsupported,
    Value,
    like,
)


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


def make_conv(call: Call) -> Operand:
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


def make_conv_transpose(call: Call) -> Operand:
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
        maps = tf.nn.conv2d_transpose(x, like(turned, x), shape, strides, "VALID")
        maps = maps[:, pads[0] : whole[0] - pads[2], pads[1] : whole[1] - pads[3]]
        return maps if bias is None else maps + like(bias, maps)

    return call.step(run, maps)


def _pool_sides(call: Call) -> tuple[Sequence[int], Sequence[int], Any]:
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


class FilledPadding2D(layers.ZeroPadding2D):  # type: ignore[misc]
    """A padding by another number than zero, as one that no maximum takes."""

    def __init__(self, padding: Any, fill: float = LEAST, **kwargs: Any) -> None:
        super().__init__(padding, **kwargs)
        self.fill = fill

    def call(self, inputs: Any) -> Any:
        """Pad maps `(n, h, w, c)`."""
        widths = [(0, 0), *self.padding, (0, 0)]
        return tf.pad(inputs, widths, constant_values=tf.cast(self.fill, inputs.dtype))

    def get_config(self) -> dict[str, Any]:
        """Return the configuration that `from_config` reads."""
        return {**super().get_config(), "fill": self.fill}


def make_max_pool(call: Call) -> Operand:
    maps = call.maps()
    size, strides, padding = _pool_sides(call)
    sides = ((0, 0), (0, 0)) if isinstance(padding, str) else padding
    if call.get("ceil_mode", 0) and padding != "same":
        maps, padding = call.aid(_pad_whole(size, strides, sides, LEAST), maps), "valid"
    elif not isinstance(padding, str):
        maps, padding = call.aid(FilledPadding2D(padding), maps), "valid"
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


def make_average_pool(call: Call) -> Operand:
    if call.value().rank != 4:
        return _average_along(call)
    maps = call.maps()
    size, strides, padding = _pool_sides(call)
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
            # Count the padding, and not what rounding up adds.
            ones = tf.pad(ones, [[0, 0], *map(list, sides), [0, 0]], constant_values=1)
            ones = _pad_whole(size, strides, ((0, 0), (0, 0)), 0.0)(ones) if whole else ones
        else:
            ones = pad(ones)
        return total / tf.nn.avg_pool2d(ones, size, strides, "VALID")

    return call.step(run, maps)


def make_lrn(call: Call) -> Operand:
    size, alpha = call.get("size"), call.get("alpha", 1e-4)
    if not size % 2:
        raise Unsupported("LRN of an even number of channels")
    layer = LocalResponseNormalization(
        size // 2, call.get("bias", 1.0), alpha / size, call.get("beta", 0.75)
    )
    return Value(call.add(layer, call.maps().tensor), CHANNELS_LAST)


def make_resize(call: Call) -> Operand:
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


def make_depth_to_space(call: Call) -> Operand:
    maps, block, mode = call.maps(), call.get("blocksize"), call.get("mode", "DCR")
    if mode == "DCR":
        return call.step(lambda x: tf.nn.depth_to_space(x, block), maps)
    channels = maps.tensor.shape[-1] // block**2
    places = np.arange(channels * block**2).reshape(channels, block**2).T.ravel()
    return call.step(lambda x: tf.nn.depth_to_space(tf.gather(x, places, axis=-1), block), maps)
