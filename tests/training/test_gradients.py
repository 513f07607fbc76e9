"""Gradients with respect to pictures."""

import keras
import numpy as np

from dreamer.training import gradients


def test_the_input_gradient_of_a_square() -> None:
    image = keras.ops.convert_to_tensor(np.arange(12, dtype="float32").reshape(1, 2, 2, 3))
    factor = keras.ops.convert_to_tensor(np.float32(3))
    gradient = gradients.input_gradient(lambda x, k: keras.ops.sum(k * x * x))(image, factor)
    np.testing.assert_allclose(gradient, 6 * np.asarray(image))
