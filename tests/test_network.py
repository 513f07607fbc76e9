"""Networks: cut, folded, frozen; where weights are found; the registry."""

import dataclasses
import hashlib
import io
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from dreamer.arrays import Image
from dreamer.errors import DreamerError
from dreamer.nets import motif, network, registry, runtime, weightfiles
from dreamer.nets.convolution import FrozenConv2D
from dreamer.phases import interleaved


def test_a_frozen_network_gives_the_models_activations(tiny: Any, photo: Image) -> None:
    maps = network.freeze(tiny, ["relu", "mixed"], "float32")(photo[None])
    inside = keras.Model(tiny.model.input, [tiny.model.get_layer(n).output for n in maps])
    for ours, theirs in zip(maps.values(), inside(photo[None] * 2 - 1), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-5)


def test_bfloat16_computes_in_bfloat16_and_answers_in_float32(tiny: Any, photo: Image) -> None:
    exact = network.freeze(tiny, ["mixed"], "float32")(photo[None])["mixed"]
    rough = network.freeze(tiny, ["mixed"], "bfloat16")(photo[None])["mixed"]
    assert rough.dtype == tf.float32
    error = np.abs(rough - exact).max()
    assert 1e-4 < error < 0.05 * np.abs(exact).max()


def test_a_network_is_cut_behind_the_deepest_layer(tiny: Any) -> None:
    features = network.freeze(tiny, ["relu"], "float32")
    graph = tf.function(features).get_concrete_function(tf.TensorSpec([1, 32, 32, 3])).graph
    convolutions = [op for op in graph.get_operations() if op.type == "Conv2D"]
    assert len(convolutions) == 1


def test_a_linear_convolution_stands_for_its_activation(tiny: Any) -> None:
    assert tiny.resolve("conv") == "relu"
    assert tiny.resolve("norm") == "relu"
    assert tiny.resolve("one") == "one"
    with pytest.raises(DreamerError, match="did you mean mixed"):
        tiny.resolve("mxied")


def test_a_motif_is_as_large_as_the_layer_sees() -> None:
    image = keras.Input((None, None, 3))
    conv = keras.layers.Conv2D(4, 9, padding="same", name="nine", kernel_initializer="ones")
    spec = registry.NetSpec("", "", (), None, 1, 0, ("nine",), 8, {})
    net = network.Network("nine", spec, keras.Model(image, conv(image)), "")
    assert motif.size(net, "nine") in (8, 12)


# The rest of `keras.applications` has tests of its own.
@pytest.mark.parametrize("name", ["dreamnet", "googlenet", "inception_v3"])
def test_every_network_can_be_built_and_has_its_default_layers(name: str) -> None:
    net = network.build(name, weightfiles.find(name) if name == "dreamnet" else None)
    for layer in (*net.spec.layers, *net.spec.motifs):
        assert net.resolve(layer) == layer
    side = net.spec.smallest
    features = network.freeze(net, [list(net.layers)[-1]], "float32")
    (deepest,) = features(tf.zeros([1, side, side, 3])).values()
    assert min(deepest.shape) > 0


def test_an_unknown_network_names_the_nearest() -> None:
    with pytest.raises(DreamerError, match="did you mean googlenet"):
        registry.spec("goglenet")


def test_weights_are_looked_for_where_the_variable_points(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(weightfiles.FOLDER_VARIABLE, str(tmp_path))
    file = tmp_path / "inception_v3_any.h5"
    file.write_bytes(b"x")
    assert weightfiles.find("inception_v3") == file
    with pytest.raises(DreamerError, match=r"nowhere\.h5"):
        weightfiles.find("inception_v3", tmp_path / "nowhere.h5")


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A store for fetched weights of the test's own."""
    monkeypatch.delenv(weightfiles.FOLDER_VARIABLE, raising=False)
    monkeypatch.setattr(weightfiles, "store", lambda: tmp_path / "store")
    return tmp_path / "store"


@pytest.mark.parametrize(
    ("name", "file", "stored"),
    [
        ("googlenet", "exported.npz", "inception5h.npz"),
        (
            "mobilenet_v2",
            "mine.weights.h5",
            "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224.weights.h5",
        ),
        ("vgg16", "a.h5", "vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5"),
    ],
)
def test_a_fetched_file_is_found(
    name: str, file: str, stored: str, tmp_path: Path, store: Path
) -> None:
    source = tmp_path / file
    with pytest.raises(DreamerError, match="Cannot copy"):
        weightfiles.fetch(name, source)
    source.write_bytes(b"x")
    assert weightfiles.fetch(name, source).read_bytes() == b"x"
    assert weightfiles.find(name) == store / stored


@pytest.mark.parametrize("source", [None, "inception5h.zip"])
def test_what_is_not_the_published_file_is_not_kept(
    source: str | None, tmp_path: Path, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        weightfiles.urllib.request, "urlopen", lambda *_, **__: io.BytesIO(b"something else")
    )
    given = tmp_path / source if source else None
    if given:
        given.write_bytes(b"something else")
    with pytest.raises(DreamerError, match=r"is not the published inception5h\.zip"):
        weightfiles.fetch("googlenet", given)
    assert not list(store.iterdir())


def test_the_published_file_is_kept(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = b"published"
    digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
    spec = dataclasses.replace(registry.SPECS["googlenet"], digest=digest)
    monkeypatch.setattr(registry, "SPECS", {"googlenet": spec})
    monkeypatch.setattr(weightfiles.urllib.request, "urlopen", lambda *_, **__: io.BytesIO(data))
    assert weightfiles.fetch("googlenet").read_bytes() == data


def test_without_weights_and_network_one_sentence_says_both_ways_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreachable(*_: object, **__: object) -> None:
        raise OSError("unreachable")

    monkeypatch.delenv(weightfiles.FOLDER_VARIABLE, raising=False)
    monkeypatch.setattr(weightfiles, "store", lambda: tmp_path)
    monkeypatch.setattr(weightfiles.urllib.request, "urlopen", unreachable)
    with pytest.raises(DreamerError, match=r"--from inception5h\.zip.*dreamnet"):
        weightfiles.need("googlenet")
    assert not list(tmp_path.iterdir())


def test_a_file_that_holds_no_weights_is_named(tmp_path: Path) -> None:
    for name, suffix in (("googlenet", ".pb"), ("googlenet", ".zip"), ("inception_v3", ".h5")):
        file = tmp_path / f"broken{suffix}"
        file.write_bytes(b"this is no network")
        with pytest.raises(DreamerError, match=f"broken{suffix} does not hold the weights"):
            network.load(name, file)


def test_threads_are_fixed_once() -> None:
    tf.zeros([1])
    assert runtime.start() == runtime.start(1)


def test_another_backend_of_keras_is_refused_before_it_is_imported(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("KERAS_BACKEND", "nowhere")
    with pytest.raises(DreamerError, match="'nowhere': unset KERAS_BACKEND"):
        runtime.start()


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
        quick = FrozenConv2D.from_config(usual.get_config())
        quick(picture)
        quick.set_weights(usual.get_weights())
        gradients = []
        for layer in (usual, quick):
            with tf.GradientTape() as tape:
                tape.watch(picture)
                score = tf.reduce_sum(tf.sin(layer(picture)))
            gradients.append(tape.gradient(score, picture))
        np.testing.assert_allclose(*gradients, atol=1e-5)


@pytest.mark.parametrize("stride", [1, 2])
def test_the_gradient_of_a_frozen_convolution_keeps_its_known_channels(stride: int) -> None:
    layer = FrozenConv2D(5, 7, stride, "same")
    layer.build((None, None, None, 3))

    def gradient(picture: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            tape.watch(picture)
            score = tf.reduce_sum(layer(picture))
        return tape.gradient(score, picture)

    free = tf.TensorSpec([1, None, None, 3])
    made = tf.function(gradient).get_concrete_function(free)
    assert made.output_shapes == free.shape


@pytest.mark.parametrize("stride", [2, 3])
def test_interleaved_phases_are_pixels(stride: int) -> None:
    phases = tf.random.stateless_normal([2, 5, 7, 3 * stride**2], [1, 2])
    pixels = tf.nn.depth_to_space(phases, stride)
    np.testing.assert_array_equal(interleaved(phases, stride), pixels)
