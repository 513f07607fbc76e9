"""Networks: cut, folded, frozen; the registry."""

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from dreamer.arrays import Image
from dreamer.errors import DreamerError
from dreamer.networks import freezing, loading, registry, weight_files


def test_a_frozen_network_gives_the_models_activations(tiny: Any, photo: Image) -> None:
    maps = freezing.freeze(tiny, ["relu", "mixed"], "float32")(photo[None])
    inside = keras.Model(tiny.model.input, [tiny.model.get_layer(n).output for n in maps])
    for ours, theirs in zip(maps.values(), inside(photo[None] * 2 - 1), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-5)


def test_bfloat16_computes_in_bfloat16_and_answers_in_float32(tiny: Any, photo: Image) -> None:
    exact = freezing.freeze(tiny, ["mixed"], "float32")(photo[None])["mixed"]
    rough = freezing.freeze(tiny, ["mixed"], "bfloat16")(photo[None])["mixed"]
    assert rough.dtype == tf.float32
    error = np.abs(rough - exact).max()
    assert 1e-4 < error < 0.05 * np.abs(exact).max()


def test_a_network_is_cut_behind_the_deepest_layer(tiny: Any) -> None:
    features = freezing.freeze(tiny, ["relu"], "float32")
    graph = tf.function(features).get_concrete_function(tf.TensorSpec([1, 32, 32, 3])).graph
    convolutions = [op for op in graph.get_operations() if op.type == "Conv2D"]
    assert len(convolutions) == 1


def test_a_linear_convolution_stands_for_its_activation(tiny: Any) -> None:
    assert tiny.resolve("conv") == "relu"
    assert tiny.resolve("norm") == "relu"
    assert tiny.resolve("one") == "one"
    with pytest.raises(DreamerError, match="did you mean mixed"):
        tiny.resolve("mxied")


# The rest of `keras.applications` has tests of its own.
@pytest.mark.parametrize("name", ["dreamnet", "googlenet", "inception_v3"])
def test_every_network_can_be_built_and_has_its_default_layers(name: str) -> None:
    net = loading.build(name, weight_files.find(name) if name == "dreamnet" else None)
    for layer in (*net.spec.layers, *net.spec.motifs):
        assert net.resolve(layer) == layer
    side = net.spec.smallest
    features = freezing.freeze(net, [list(net.layers)[-1]], "float32")
    (deepest,) = features(tf.zeros([1, side, side, 3])).values()
    assert min(deepest.shape) > 0


def test_an_unknown_network_names_the_nearest() -> None:
    with pytest.raises(DreamerError, match="did you mean googlenet"):
        registry.get_spec("goglenet")
