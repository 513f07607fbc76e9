"""The original network, against TensorFlow's own kernels and against photos that it knows."""

import re
import zipfile
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image as PillowImage

from dreamer.networks import googlenet
from dreamer.networks.googlenet import LocalResponseNormalization

TINY = {
    "mixed3a": googlenet.Branches(6, 4, 8, 2, 4, 4),
    "mixed4a": googlenet.Branches(6, 4, 8, 2, 4, 4),
}


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> keras.Model:
    """The stem and two narrow blocks."""
    monkeypatch.setattr(googlenet, "BLOCKS", TINY)
    monkeypatch.setattr(googlenet, "CLASSES", 5)
    keras.utils.set_random_seed(1)
    return googlenet.build()


def constants_of(model: keras.Model) -> dict[str, np.ndarray]:
    """The weights under the graph's names."""
    return {
        f"{re.sub('_pre_(activation|relu)$', '', layer.name)}_{letter}": value
        for layer in model.layers
        if layer.weights
        for letter, value in zip("wb", layer.get_weights(), strict=True)
    }


def reference(constants: dict[str, np.ndarray], image: np.ndarray) -> np.ndarray:
    """The tiny network in TensorFlow's kernels, as the public graph strings them together."""

    def conv(x: tf.Tensor, name: str, stride: int = 1) -> tf.Tensor:
        y = tf.nn.conv2d(x, constants[f"{name}_w"], stride, "SAME") + constants[f"{name}_b"]
        return tf.nn.relu(y)

    def normalize(x: tf.Tensor) -> tf.Tensor:
        return tf.nn.local_response_normalization(x, 5, 2.0, 1e-4, 0.5)

    def pool(x: tf.Tensor, stride: int) -> tf.Tensor:
        return tf.nn.max_pool2d(x, 3, stride, "SAME")

    x = normalize(pool(conv(tf.constant(image), "conv2d0", 2), 2))
    x = normalize(conv(conv(x, "conv2d1"), "conv2d2"))
    for name in TINY:
        x = pool(x, 2)
        arms = [
            conv(x, f"{name}_1x1"),
            conv(conv(x, f"{name}_3x3_bottleneck"), f"{name}_3x3"),
            conv(conv(x, f"{name}_5x5_bottleneck"), f"{name}_5x5"),
            conv(pool(x, 1), f"{name}_pool_reduce"),
        ]
        x = tf.concat(arms, -1)
    logits = tf.reduce_mean(x, (1, 2)) @ constants["softmax2_w"] + constants["softmax2_b"]
    return np.asarray(tf.nn.softmax(logits))


@pytest.mark.parametrize("size", [(64, 64), (65, 90), (47, 33)])
def test_it_computes_what_the_public_graph_does(tiny: keras.Model, size: tuple[int, int]) -> None:
    image = np.random.default_rng(0).uniform(-117, 138, (2, *size, 3)).astype("float32")
    ours = np.asarray(tiny(image))
    np.testing.assert_allclose(ours, reference(constants_of(tiny), image), rtol=1e-4, atol=1e-6)


def test_normalization_is_tensorflows() -> None:
    x = np.random.default_rng(0).normal(0, 90, (1, 5, 4, 24)).astype("float32")
    theirs = tf.nn.local_response_normalization(x, 5, 2.0, 1e-4, 0.5)
    np.testing.assert_allclose(LocalResponseNormalization()(x), theirs, rtol=1e-5)


def test_normalization_runs_in_bfloat16() -> None:
    x = np.random.default_rng(0).normal(0, 90, (1, 5, 4, 24)).astype("float32")
    half = LocalResponseNormalization(dtype="bfloat16")(x)
    assert half.dtype == "bfloat16"
    np.testing.assert_allclose(tf.cast(half, "float32"), LocalResponseNormalization()(x), rtol=0.03)


def test_normalization_has_a_second_derivative() -> None:
    layer = LocalResponseNormalization()
    x = tf.random.stateless_normal([1, 2, 2, 16], [0, 0])
    with tf.GradientTape() as outer:
        outer.watch(x)
        with tf.GradientTape() as inner:
            inner.watch(x)
            value = tf.reduce_sum(layer(x) ** 2)
        slope = tf.reduce_sum(inner.gradient(value, x) ** 2)
    assert np.isfinite(outer.gradient(slope, x)).all()


def test_normalization_survives_being_saved(tmp_path: Path) -> None:
    image = keras.Input((None, None, 12))
    model = keras.Model(image, LocalResponseNormalization(radius=3, alpha=0.5)(image))
    model.save(tmp_path / "net.keras")
    again = keras.models.load_model(tmp_path / "net.keras")
    x = np.ones((1, 2, 2, 12), "float32")
    np.testing.assert_array_equal(again(x), model(x))


def test_layers_have_the_public_names_and_widths() -> None:
    model = googlenet.build()
    widths = {name: model.get_layer(name).output.shape[-1] for name in googlenet.BLOCKS}
    assert widths == {
        "mixed3a": 256,
        "mixed3b": 480,
        "mixed4a": 508,
        "mixed4b": 512,
        "mixed4c": 512,
        "mixed4d": 528,
        "mixed4e": 832,
        "mixed5a": 832,
        "mixed5b": 1024,
    }
    assert widths == {name: block.channels for name, block in googlenet.BLOCKS.items()}
    assert model.get_layer("softmax2_pre_activation").output.shape == (None, 1008)
    branches = ("1x1", "3x3_bottleneck", "3x3", "5x5_bottleneck", "5x5", "pool_reduce")
    named = {
        f"mixed4d_{branch}": model.get_layer(f"mixed4d_{branch}").output for branch in branches
    }
    maps = keras.Model(model.input, named)(np.full((1, 32, 32, 3), 50, "float32"))
    assert all(np.min(value) == 0 for value in maps.values())


def test_without_a_head_it_ends_in_the_last_block() -> None:
    assert googlenet.build(head=False).output_names == ["mixed5b"]


def write_graph(path: Path, constants: dict[str, np.ndarray]) -> None:
    """A GraphDef with the constants and things between them, as the public one has."""
    graph = tf.Graph()
    with graph.as_default():
        for name, value in constants.items():
            tf.constant(value, name=name)
        tf.compat.v1.placeholder("float32", name="input_w")
        tf.constant([1, 2], name="avgpool0/reshape/shape")
    path.write_bytes(graph.as_graph_def().SerializeToString())


def test_constants_are_read_from_graph_zip_and_export(tmp_path: Path, tiny: keras.Model) -> None:
    constants = constants_of(tiny)
    graph, archive, export = (tmp_path / f"net{end}" for end in (".pb", ".zip", ".npz"))
    write_graph(graph, constants)
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("LICENSE", "Apache")
        file.write(graph, "tensorflow_inception_graph.pb")
    np.savez(export, **googlenet.read_graph(graph))
    for path in (graph, archive, export):
        read = googlenet.read_graph(path)
        assert read.keys() == constants.keys()
        for name, value in constants.items():
            np.testing.assert_array_equal(read[name], value)
    built = googlenet.build(export)
    image = np.ones((1, 40, 40, 3), "float32")
    np.testing.assert_array_equal(built(image), tiny(image))


KNOWN = {"chelsea.png": "cat", "coffee.png": "espresso", "elephant.jpg": "elephant"}


def test_it_knows_what_is_in_photos(real_weights: Path) -> None:
    names_file = real_weights / "inception5h_synsets.txt"
    media = real_weights.parent / "media"
    if not (names_file.is_file() and media.is_dir()):
        pytest.skip("needs the class names and the photos beside the real weights")
    names = names_file.read_text(encoding="utf-8").splitlines()
    model = googlenet.build(real_weights / "tensorflow_inception_graph.pb")
    for file, expected in KNOWN.items():
        with PillowImage.open(media / file) as photo:
            scale = 224 / min(photo.size)
            small = photo.convert("RGB").resize([round(side * scale) for side in photo.size])
        image = np.asarray(small, "float32")[None] - googlenet.MEAN
        best = int(np.argmax(model(image)))
        assert expected in names[best], f"{file} is taken for {names[best]}"
