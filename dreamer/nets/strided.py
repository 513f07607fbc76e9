"""A strided convolution of few channels whose gradient is quick on a processor.

The gradient with respect to a network's input, of three channels, took a third of a step of
googlenet: oneDNN has no good code for it. Written as a convolution without stride, from which each
phase of the stride takes its own channels, it takes half the time or less.
"""

from typing import Any

import keras
import tensorflow as tf

FEW = 4
"""Channels of the input up to which this pays."""


class StridedConv2D(keras.layers.Conv2D):  # type: ignore[misc]
    """A convolution as any other; its kernel has no gradient."""

    def convolution_op(self, inputs: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
        """Convolve `(n, h, w, c)` by `(height, width, c, made)`."""
        return _convolved(self.strides, self.padding.upper(), inputs, tf.convert_to_tensor(kernel))


def pays(layer: Any) -> bool:
    """Whether a layer is a convolution for which this is meant."""
    return (
        type(layer) is keras.layers.Conv2D
        and layer.input.shape[-1] <= FEW
        and layer.groups == 1
        and layer.dilation_rate == (1, 1)
        and layer.data_format == "channels_last"
        and max(layer.strides) > 1
        and layer.strides[0] == layer.strides[1]
        and min(layer.kernel_size) >= max(layer.strides)
    )


def _convolved(
    strides: tuple[int, int], padding: str, inputs: tf.Tensor, kernel: tf.Tensor
) -> tf.Tensor:
    @tf.custom_gradient  # type: ignore[untyped-decorator]
    def convolve(inputs: tf.Tensor) -> tuple[tf.Tensor, Any]:
        size = tf.unstack(tf.shape(inputs)[1:3])

        def back(upstream: tf.Tensor) -> tf.Tensor:
            made = _back(upstream, kernel, strides[0], size, same=padding == "SAME")
            # A slice forgets how many channels there are, which a blur of the gradient asks for.
            made.set_shape(inputs.shape)
            return made

        return tf.nn.conv2d(inputs, kernel, strides, padding), back

    return convolve(inputs)


def _back(
    upstream: tf.Tensor, kernel: tf.Tensor, stride: int, size: list[tf.Tensor], *, same: bool
) -> tf.Tensor:
    """The gradient with respect to pictures of `size`.

    Pixel `stride * a + phase` of the padded picture has been read by tap `stride * m + phase` of
    the kernel at place `a - m`, for every `m`.
    """
    high, wide, channels, made = kernel.shape
    down, across = -(-high // stride), -(-wide // stride)
    whole = [[0, down * stride - high], [0, across * stride - wide], [0, 0], [0, 0]]
    taps = tf.reshape(tf.pad(kernel, whole), [down, stride, across, stride, channels, made])
    taps = tf.transpose(taps[::-1, :, ::-1], [0, 2, 5, 1, 3, 4])
    taps = tf.reshape(taps, [down, across, made, stride * stride * channels])
    # Without padding, the last few pixels may be read by no place; with it, all are.
    end = 0 if same else 1
    reach = [[0, 0], [down - 1, down - 1 + end], [across - 1, across - 1 + end], [0, 0]]
    padded = tf.nn.depth_to_space(tf.nn.conv2d(upstream, taps, 1, reach), stride)
    begin = [
        tf.maximum((places - 1) * stride + width - length, 0) // 2 if same else 0
        for length, places, width in zip(
            size, tf.unstack(tf.shape(upstream)[1:3]), (high, wide), strict=True
        )
    ]
    return tf.slice(padded, [0, *begin, 0], [-1, *size, -1])
