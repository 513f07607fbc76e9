"""The networks of `keras.applications`, with random weights: theirs are not to be had here."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import h5py
import keras
import numpy as np
import pytest
import tensorflow as tf
from keras.src.legacy.saving import legacy_h5_format

from dreamer.arrays import Image
from dreamer.errors import DreamerError
from dreamer.networks import freezing, loading, network, registry
from dreamer.networks.network import Network

# Keras itself, saving a model, meets NumPy 2's change of `__array__`.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


class Known(NamedTuple):
    """What a network has: its Keras module, and a linear convolution with its activation."""

    module: str
    linear: str
    activation: str


KNOWN = {
    "vgg16": Known("vgg16", "block4_conv3", "block4_conv3"),
    "vgg19": Known("vgg19", "block4_conv4", "block4_conv4"),
    "resnet50v2": Known("resnet_v2", "conv4_block3_1_conv", "conv4_block3_1_relu"),
    "xception": Known("xception", "block7_sepconv1", "block7_sepconv2_act"),
    "densenet121": Known("densenet", "conv4_block12_1_conv", "conv4_block12_1_relu"),
    "mobilenet_v2": Known("mobilenet_v2", "block_10_depthwise", "block_10_depthwise_relu"),
}


def test_every_application_is_tested() -> None:
    applications = {n for n, s in registry.SPECS.items() if "applications" in s.build}
    assert applications - {"inception_v3"} == KNOWN.keys()


@pytest.fixture(scope="module", params=KNOWN)
def net(request: pytest.FixtureRequest) -> Iterator[Network]:
    """A network whose batch normalizations do something, unlike fresh ones."""
    keras.utils.set_random_seed(1)
    built = loading.build(request.param, None)
    random = np.random.default_rng(1)
    for layer in built.model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.set_weights([random.uniform(0.6, 1.4, w.shape) for w in layer.get_weights()])
    yield built
    keras.backend.clear_session()


def test_a_relu_within_a_convolution_has_a_layer_of_its_own() -> None:
    net = loading.build("vgg16", None)
    first, second = list(net.layers)[:2]
    assert (first, second) == ("block1_conv1_pre_relu", "block1_conv1")
    assert net.resolve(first) == first
    # What was named before is named as before.
    assert not net.is_own(first)
    assert "block4_conv3_pre_relu" not in net.landmarks


def test_frozen_it_gives_the_models_activations_and_a_gradient(net: Network, photo: Image) -> None:
    side = net.spec.smallest
    crop = tf.constant(np.tile(photo, (2, 1, 1))[None, :side, :side])
    (default,), deepest = net.spec.layers[-1:], list(net.layers)[-1]
    features = freezing.freeze(net, {default, deepest}, "float32")
    with tf.GradientTape() as tape:
        tape.watch(crop)
        maps = features(crop)
        score = tf.reduce_mean(tf.square(maps[default]))
    assert np.abs(tape.gradient(score, crop)).max() > 0
    module = getattr(keras.applications, KNOWN[net.name].module)
    ranged = module.preprocess_input(255 * crop.numpy())
    inside = keras.Model(net.model.input, [net.model.get_layer(name).output for name in maps])
    for name, theirs in zip(maps, inside(ranged), strict=True):
        strength = np.abs(theirs).max()
        assert strength > 0
        np.testing.assert_allclose(maps[name] / strength, theirs / strength, atol=1e-4)


def test_a_linear_convolution_stands_for_its_activation(net: Network) -> None:
    known = KNOWN[net.name]
    assert net.resolve(known.linear) == known.activation
    for layer in net.spec.layers:
        assert net.resolve(layer) == layer


def test_a_convolution_without_an_activation_stands_for_itself() -> None:
    built = loading.build("mobilenet_v2", None)
    assert built.resolve("block_1_project") == "block_1_project"
    assert built.resolve("block_2_project_BN") == "block_2_project_BN"


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """MobileNet v2 with its classifier, in a file as Keras publishes it."""
    model = keras.applications.MobileNetV2(weights=None, classes=7)
    path = tmp_path_factory.mktemp("weights") / "mobilenet_v2_published.h5"
    with h5py.File(path, "w") as file:
        legacy_h5_format.save_weights_to_hdf5_group(file, model)
    return path


def test_a_published_classifier_gives_its_logits_at_any_size(published: Path, photo: Image) -> None:
    net = loading.load("mobilenet_v2", published)
    assert net.units["predictions"] == 7
    theirs = keras.applications.MobileNetV2(
        weights=None, classes=7, classifier_activation=None, input_shape=(64, 64, 3)
    )
    theirs.load_weights(published)
    features = freezing.freeze(net, ["predictions"], "float32")
    crop = photo[None, :64, :64]
    np.testing.assert_allclose(features(crop)["predictions"], theirs(crop * 2 - 1), atol=1e-4)
    assert features(photo[None])["predictions"].shape == (1, 7)


def test_weights_without_a_classifier_give_none(tmp_path: Path) -> None:
    built = loading.build("mobilenet_v2", None)
    path = tmp_path / "mobilenet_v2_notop.weights.h5"
    built.model.save_weights(path)
    again = loading.load("mobilenet_v2", path)
    assert not again.units
    for ours, theirs in zip(again.model.weights, built.model.weights, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_a_fully_connected_head_is_refused() -> None:
    with pytest.raises(DreamerError, match="fc1 of vgg16 needs pictures of one size"):
        loading.build("vgg16", None).resolve("fc1")


def test_an_overview_is_short_and_true(tiny: Any) -> None:
    assert list(tiny.landmarks) == ["relu", "mixed"]
    names = loading.build("mobilenet_v2", None).landmarks
    assert 8 < len(names) <= network.OVERVIEW
    assert len(set(names)) == len(names)
