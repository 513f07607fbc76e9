"""Optimizers, against those of Keras."""

from functools import partial
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from dreamer.ascent import optimizers


@pytest.mark.parametrize(
    ("name", "reference"),
    [
        ("ascent", keras.optimizers.SGD),
        ("momentum", partial(keras.optimizers.SGD, momentum=0.9)),
        ("nesterov", partial(keras.optimizers.SGD, momentum=0.9, nesterov=True)),
        ("rmsprop", keras.optimizers.RMSprop),
        ("adam", keras.optimizers.Adam),
    ],
)
def test_an_optimizer_does_what_keras_does(name: str, reference: Any) -> None:
    init, apply = optimizers.OPTIMIZERS[name]
    image = tf.Variable(tf.random.stateless_uniform([1, 4, 5, 3], [1, 1]))
    ours, memory = tf.identity(image), init(image)
    optimizer = reference(0.05)
    for i in range(5):
        gradient = tf.random.stateless_normal(image.shape, [2, i])
        optimizer.apply([-gradient], [image])
        ahead, memory = apply(gradient, memory, 0.05)
        ours += ahead
    np.testing.assert_allclose(ours, image, atol=2e-6)
