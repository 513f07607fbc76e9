"""Attribution: what in a photo a score comes from."""

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from dreamer import DreamerError, attribute
from dreamer.analysis import attribution
from dreamer.arrays import Image
from dreamer.networks.loading import load_network
from dreamer.networks.network import Network

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


@pytest.fixture(scope="module")
def red() -> Network:
    """A classifier of two classes, the first of which is how much red there is."""
    image = keras.Input((None, None, 3))
    scaled = layers.Rescaling(1 / 255)(image)
    conv = layers.Conv2D(2, 3, padding="same", activation="relu", name="maps")
    pooled = layers.GlobalAveragePooling2D()(conv(scaled))
    end = layers.Dense(2, name="classes")
    model = keras.Model(image, end(pooled))
    kernel = np.zeros((3, 3, 3, 2), np.float32)
    kernel[1, 1] = [(1, 0), (-0.5, 0), (-0.5, 1)]
    conv.set_weights([kernel, np.zeros(2)])
    end.set_weights([np.eye(2) * 30, np.zeros(2)])
    return load_network(model)


@pytest.fixture(scope="module")
def spot() -> Image:
    """Gray with a red spot."""
    picture = np.full((48, 64, 3), 0.5, np.float32)
    picture[12:24, 40:52] = (1, 0.2, 0.2)
    return picture


@pytest.mark.parametrize("method", attribution.METHODS)
@pytest.mark.parametrize("what", ["classes:0", "maps:0"])
def test_what_speaks_for_red_is_red(red: Network, spot: Image, method: str, what: str) -> None:
    found = attribute(spot, what, method=method, network=red)
    assert found.shape == (48, 64)
    assert (found.min(), found.max()) == (0, 1)
    assert found[12:24, 40:52].mean() > 10 * found[:, :32].mean() + 1e-6
    # Of a channel, the strongest cell alone counts.
    if what == "classes:0":
        assert found[14:22, 42:50].min() > 0.3


def test_integrated_gradients_are_the_whole_difference(tiny: Any, photo: Image) -> None:
    score = lambda image: float(attribution._score(see(image), 3)[0])  # noqa: E731
    maps = keras.Model(tiny.model.inputs, tiny.model.get_layer("mixed").output)

    def see(image: Any) -> Any:
        return maps(tf.constant(image[None]) * tiny.spec.scale + tiny.spec.offset)

    small = np.ascontiguousarray(photo[:48, :48])
    pixels = attribution.integrate_gradients(tiny, "mixed", 3, tf.constant(small[None]))
    difference = score(small) - score(np.full_like(small, attribution.GRAY))
    assert float(tf.reduce_sum(pixels)) == pytest.approx(difference, rel=0.1)


def test_grad_cam_weighs_maps_by_their_mean_gradients(red: Network, spot: Image) -> None:
    found = attribution._weigh_maps(red, "classes", 0, tf.constant(spot[None]))
    maps = np.maximum(spot[..., 0] - spot[..., 1] / 2 - spot[..., 2] / 2, 0)
    np.testing.assert_allclose(found, maps * 30 / maps.size, rtol=1e-4, atol=1e-7)


def test_a_wrong_method_or_several_channels_are_one_sentence(red: Network, spot: Image) -> None:
    with pytest.raises(DreamerError, match=r"no attribution by 'magic'.*gradcam"):
        attribute(spot, "maps:0", method="magic", network=red)
    with pytest.raises(DreamerError, match="more than one channel"):
        attribute(spot, "maps:0-1", network=red)
