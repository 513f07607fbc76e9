"""Networks whose ReLUs leak."""

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from dreamer.networks import freezing
from dreamer.networks.network import Network
from dreamer.networks.registry import NetSpec

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


@pytest.mark.parametrize(
    ("rectifier", "expected"),
    [
        (keras.layers.ReLU(), [-0.4, 0.5, 9]),
        (keras.layers.ReLU(6), [-0.4, 0.5, 6]),
        (keras.layers.Activation("relu6"), [-0.4, 0.5, 6]),
        (keras.layers.ReLU(negative_slope=0.3), [-1.2, 0.5, 9]),
        (keras.layers.ReLU(threshold=1), [-0.5, -0.05, 9]),
        (keras.layers.LeakyReLU(negative_slope=0.3), [-1.2, 0.5, 9]),
    ],
)
def test_what_leaks_keeps_its_limit_and_its_own_slope(
    rectifier: Any, expected: list[float]
) -> None:
    image = keras.Input((None, None, 3))
    made = type(rectifier).from_config({**rectifier.get_config(), "name": "made"})(image)
    spec = NetSpec("", "", (), None, 1, 0, (), 1, {})
    net = Network("own", spec, lambda: keras.Model(image, made), "")
    values = tf.constant([[[[-4, 0.5, 9]]]])
    leaking = freezing.freeze(net, ["made"], "float32", leak=0.1)(values)["made"]
    np.testing.assert_allclose(leaking[0, 0, 0], expected, rtol=1e-5)
    plain = freezing.freeze(net, ["made"], "float32")(values)["made"]
    np.testing.assert_allclose(plain, net.model(values), rtol=1e-5)
