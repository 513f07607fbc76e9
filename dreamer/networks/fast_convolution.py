"""A frozen convolution whose gradient is a convolution too, which is faster on a CPU.

TensorFlow's own gradient takes about 0.1 ms longer in each layer of a network. oneDNN has no fast
code for a strided first layer with few channels: it took a third of googlenet's whole step. Written
as a convolution whose channels hold neighboring pixels, that gradient takes half to two thirds of
the time.
"""

from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from dreamer.ascent.interleave import interleave_phases

FEW = 4
"""Largest number of input channels for which this pays in a strided convolution."""

LANES = 16
"""Numbers that a CPU multiplies at once. A gradient with fewer channels would leave lanes idle, so
neighboring columns are computed together."""


def is_plain(layer: Any) -> bool:
    """Tell whether a layer is a convolution that `FrozenConv2D` can stand for."""
    return (
        type(layer) is keras.layers.Conv2D
        and layer.groups == 1
        and layer.dilation_rate == (1, 1)
        and layer.data_format == "channels_last"
    )


def has_faster_gradient(layer: Any) -> bool:
    """Tell whether a layer is a convolution whose gradient is written faster here."""
    return is_plain(layer) and (layer.strides == (1, 1) or _is_strided_with_few_channels(layer))


def _is_strided_with_few_channels(layer: Any) -> bool:
    down, across = layer.strides
    few: bool = layer.input.shape[-1] <= FEW
    return few and down == across <= min(layer.kernel_size)


class FrozenConv2D(keras.layers.Layer):  # type: ignore[misc]
    """A convolution with fixed weights, which are plain tensors, and no gradient for them.

    Args:
        layer: the Keras layer that it stands for, of which `is_plain` is true.
        kernel: `(height, width, c, filters)`.
        bias: `(filters,)`; None for none.
        activation: the function at its end; None for the layer's own.
        dtype: the type of the weights and of the computation.
        own_gradient: whether the gradient is the one written here, for layers of which
            `has_faster_gradient` is true, or TensorFlow's.
    """

    def __init__(
        self,
        layer: Any,
        kernel: np.ndarray,
        bias: np.ndarray | None,
        activation: Callable[[tf.Tensor], tf.Tensor] | None,
        dtype: str,
        *,
        own_gradient: bool = True,
    ) -> None:
        super().__init__(name=layer.name, dtype=dtype, trainable=False)
        # Not the layer itself, whose weights would become this layer's.
        self._find_shape = layer.compute_output_shape
        self._padding, self._strides = layer.padding.upper(), layer.strides
        self._stride, _ = layer.strides
        self._activation = activation or layer.activation
        self.own_gradient = own_gradient
        # Outside any graph, which would otherwise hold them.
        with tf.init_scope():
            self._kernel = tf.cast(kernel, dtype)
            self._bias = None if bias is None else tf.cast(bias[None, None, None], dtype)
            if own_gradient:
                taps = _flip_kernel(kernel, self._stride)
                self._taps = tf.cast(_widen_kernel(taps) if self._stride == 1 else taps, dtype)

    def compute_output_shape(self, input_shape: tuple[Any, ...]) -> tuple[Any, ...]:
        """Return the shape of the maps."""
        shape: tuple[Any, ...] = self._find_shape(input_shape)
        return shape

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """Convolve inputs `(n, h, w, c)`; return `(n, h', w', filters)`."""
        convolve = self._convolve_with_own_gradient if self.own_gradient else self._convolve
        return self._activation(convolve(inputs))

    def _convolve(self, inputs: tf.Tensor) -> tf.Tensor:
        maps = tf.nn.conv2d(inputs, self._kernel, self._strides, self._padding)
        return maps if self._bias is None else maps + self._bias

    def _convolve_with_own_gradient(self, inputs: tf.Tensor) -> tf.Tensor:
        same, (*kernel_size, channels, _) = self._padding == "SAME", self._kernel.shape

        @tf.custom_gradient  # type: ignore[untyped-decorator]
        def convolve(inputs: tf.Tensor) -> tuple[tf.Tensor, Any]:
            def grad(upstream: tf.Tensor) -> tf.Tensor:
                if self._stride == 1:
                    gradient = _compute_gradient(
                        upstream, self._taps, kernel_size, channels, same=same
                    )
                else:
                    size = tf.shape(inputs)[1:3]
                    gradient = _compute_strided_gradient(
                        upstream, self._taps, self._stride, kernel_size, size, same=same
                    )
                # `tf.slice` forgets the number of channels, which `gaussian` needs.
                gradient.set_shape(inputs.shape)
                return gradient

            return self._convolve(inputs), grad

        return convolve(inputs)


def _flip_kernel(kernel: np.ndarray, stride: int) -> np.ndarray:
    """Return the gradient's kernel, `(down, across, filters, stride² · channels)`.

    Pixel `stride * a + phase` of the padded picture is read by tap `stride * m + phase` of the
    kernel at place `a - m`, for every `m`.
    """
    height, width, channels, filters = kernel.shape
    down, across = -(-height // stride), -(-width // stride)
    padded = np.pad(
        kernel, [(0, down * stride - height), (0, across * stride - width), (0, 0), (0, 0)]
    )
    taps = padded.reshape(down, stride, across, stride, channels, filters)
    taps = taps[::-1, :, ::-1].transpose(0, 2, 5, 1, 3, 4)
    return taps.reshape(down, across, filters, stride * stride * channels)


def _count_columns(channels: int) -> int:
    """Return how many columns are computed together: a power of two, which divides most widths."""
    return 1 << max(0, (LANES // channels).bit_length() - 1)


def _widen_kernel(taps: np.ndarray) -> np.ndarray:
    """Return a kernel that computes neighboring columns together, side by side in its channels."""
    height, width, filters, channels = taps.shape
    columns = _count_columns(channels)
    wide = np.zeros((height, width + columns - 1, filters, columns, channels), taps.dtype)
    for place in range(columns):
        wide[:, place : place + width, :, place] = taps
    return wide.reshape(height, width + columns - 1, filters, columns * channels)


def _compute_gradient(
    upstream: tf.Tensor, taps: tf.Tensor, kernel_size: Sequence[int], channels: int, *, same: bool
) -> tf.Tensor:
    """Return the gradient with respect to the input of a convolution with stride 1."""
    columns = _count_columns(channels)
    down, across = [
        # With an even kernel, `SAME` pads one less before than after; its gradient, one more.
        [length // 2, (length - 1) // 2] if same else [length - 1, length - 1]
        for length in kernel_size
    ]
    padding = [[0, 0], down, [across[0], across[1] + columns - 1], [0, 0]]
    gradient = tf.nn.conv2d(upstream, taps, [1, columns], padding)
    if columns == 1:
        return gradient
    count, height, _, _ = tf.unstack(tf.shape(gradient))
    width = tf.shape(upstream)[2] + sum(across) - kernel_size[1] + 1
    gradient = tf.reshape(gradient, [count, height, -1, channels])
    return tf.slice(gradient, [0, 0, 0, 0], [-1, -1, width, -1])


def _compute_strided_gradient(
    upstream: tf.Tensor,
    taps: tf.Tensor,
    stride: int,
    kernel_size: Sequence[int],
    size: tf.Tensor,
    *,
    same: bool,
) -> tf.Tensor:
    """Return the gradient with respect to the input, of `size`, of a strided convolution."""
    # Without padding, the last few pixels may be read by no place; with padding, all are read.
    end = 0 if same else 1
    padding = [[length - 1, length - 1 + end] for length in taps.shape[:2]]
    phases = tf.nn.conv2d(upstream, taps, 1, [[0, 0], *padding, [0, 0]])
    places = tf.shape(upstream)[1:3]
    padded = tf.maximum((places - 1) * stride + kernel_size - size, 0)
    before = padded // 2 if same else tf.zeros_like(padded)
    begin, length = tf.pad(before, [[1, 1]]), tf.pad(size, [[1, 1]], constant_values=-1)
    return tf.slice(interleave_phases(phases, stride), begin, length)
