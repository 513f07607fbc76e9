"""Frozen convolutions, against those of Keras."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from dreamer.networks.fast_convolution import FrozenConv2D


@pytest.mark.parametrize("channels", [1, 3, 8, 20])
@pytest.mark.parametrize("padding", ["same", "valid"])
@pytest.mark.parametrize(
    ("kernel", "stride"), [(1, 1), ((5, 4), 1), (7, 2), (3, 2), ((5, 4), 3), (4, 4)]
)
def test_a_frozen_convolution_has_kerass_gradient(
    kernel: int | tuple[int, int], stride: int, padding: str, channels: int
) -> None:
    usual = keras.layers.Conv2D(5, kernel, stride, padding)
    for size in ((16, 17), (23, 30), (37, 41)):
        picture = tf.random.stateless_normal([2, *size, channels], [1, 2])
        usual(picture)
        weights = usual.get_weights()
        quick, plain = (
            FrozenConv2D(usual, *weights, None, "float32", own_gradient=own)
            for own in (True, False)
        )
        gradients = []
        for layer in (usual, quick, plain):
            with tf.GradientTape() as tape:
                tape.watch(picture)
                score = tf.reduce_sum(tf.sin(layer(picture)))
            gradients.append(tape.gradient(score, picture))
        for gradient in gradients[1:]:
            np.testing.assert_allclose(gradient, gradients[0], atol=1e-5)


@pytest.mark.parametrize("stride", [1, 2])
def test_the_gradient_of_a_frozen_convolution_keeps_its_known_channels(stride: int) -> None:
    usual = keras.layers.Conv2D(5, 7, stride, "same")
    usual.build((None, None, None, 3))
    layer = FrozenConv2D(usual, *usual.get_weights(), None, "float32")

    def gradient(picture: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            tape.watch(picture)
            score = tf.reduce_sum(layer(picture))
        return tape.gradient(score, picture)

    free = tf.TensorSpec([1, None, None, 3])
    made = tf.function(gradient).get_concrete_function(free)
    assert made.output_shapes == free.shape
