"""The network in the package: its shape, its cost, its weights."""

from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from dreamer.networks import dreamnet, googlenet, weight_files


@pytest.fixture(scope="module")
def student() -> keras.Model:
    """With random weights."""
    keras.utils.set_random_seed(0)
    return dreamnet.build()


@pytest.fixture(scope="module")
def packaged() -> keras.Model:
    """With the package's own weights."""
    return dreamnet.build(weight_files.find_or_fetch("dreamnet"))


def multiply_adds(model: keras.Model, side: int = 224) -> float:
    """Of all convolutions, for a picture of `side`."""
    outputs = {
        layer.name: layer.output for layer in model.layers if isinstance(layer, keras.layers.Conv2D)
    }
    maps = keras.Model(model.input, outputs)(np.zeros((1, side, side, 3), "float32"))
    cells = {name: np.prod(value.shape[1:3]) for name, value in maps.items()}
    return float(sum(cells[name] * np.prod(model.get_layer(name).kernel.shape) for name in cells))


def test_blocks_have_the_teachers_channels(student: keras.Model) -> None:
    for name in ("mixed3a", "mixed3b", "mixed4a", "mixed4b", "mixed4c", "mixed4d", "mixed4e"):
        assert student.get_layer(name).output.shape[-1] == googlenet.BLOCKS[name].channels


def test_it_costs_at_most_three_quarters_of_the_teacher(student: keras.Model) -> None:
    whole = googlenet.build(head=False)
    teacher = keras.Model(whole.input, whole.get_layer("mixed4e").output)
    assert multiply_adds(student) <= 0.75 * multiply_adds(teacher)


def test_only_ordinary_layers(student: keras.Model) -> None:
    kinds = {type(layer).__name__ for layer in student.layers}
    assert kinds == {
        "InputLayer",
        "Conv2D",
        "MaxPooling2D",
        "ReLU",
        "LocalResponseNormalization",
        "Concatenate",
    }


@pytest.mark.parametrize("size", [(32, 32), (97, 61)])
def test_height_and_width_are_free(student: keras.Model, size: tuple[int, int]) -> None:
    out = student(np.zeros((1, *size, 3), "float32"))
    assert out.shape == (1, *(-(-side // 16) for side in size), 832)


def test_patches_are_orthogonal() -> None:
    rows = dreamnet.patches().reshape(12, 6).T
    gram = rows @ rows.T
    np.testing.assert_allclose(gram, dreamnet.PATCH_GAIN**2 * np.eye(6), atol=1e-4)


def test_weights_survive_being_saved(student: keras.Model, tmp_path: Path) -> None:
    values = {v.path: np.asarray(v) for v in student.trainable_variables}
    dreamnet.save(tmp_path / "net.npz", values)
    again = dreamnet.build(tmp_path / "net.npz")
    for variable in again.trainable_variables:
        np.testing.assert_allclose(variable, values[variable.path], rtol=1e-3, atol=1e-6)


def test_the_package_holds_small_finite_weights(packaged: keras.Model) -> None:
    assert weight_files.find_or_fetch("dreamnet").stat().st_size <= 6e6
    assert all(np.isfinite(v).all() for v in packaged.trainable_variables)


def test_a_blank_picture_has_a_gradient(packaged: keras.Model) -> None:
    noise = tf.random.stateless_normal([1, 96, 96, 3], [0, 0], stddev=2.0)
    for name in dreamnet.BLOCKS:
        cut = keras.Model(packaged.input, packaged.get_layer(name).output)
        with tf.GradientTape() as tape:
            tape.watch(noise)
            score = tf.reduce_mean(cut(noise) ** 2)
        gradient = np.asarray(tape.gradient(score, noise))
        assert np.isfinite(gradient).all()
        assert gradient.std() > 0


def test_gradients_have_no_checkerboard(packaged: keras.Model) -> None:
    """The four phases of a 2×2 grid carry alike shares of the gradient's energy."""
    image = tf.random.stateless_normal([4, 128, 128, 3], [0, 0], stddev=40.0)
    with tf.GradientTape() as tape:
        tape.watch(image)
        score = tf.reduce_mean(packaged(image) ** 2)
    energy = np.square(tape.gradient(score, image))[:, 16:-16, 16:-16]
    phases = [energy[:, y::2, x::2].mean() for y in (0, 1) for x in (0, 1)]
    assert max(phases) < 1.5 * min(phases)


def test_it_sees_what_the_teacher_sees(packaged: keras.Model, real_weights: Path) -> None:
    photos = sorted((real_weights.parent / "media").glob("*.png"))
    if not photos:
        pytest.skip("needs the photos beside the real weights")
    teacher = googlenet.build(real_weights / "tensorflow_inception_graph.pb", head=False)
    images = [
        keras.utils.img_to_array(keras.utils.load_img(path, target_size=(160, 224))) - 117
        for path in photos
    ]
    for name in ("mixed3b", "mixed4c", "mixed4e"):
        ours, theirs = (
            np.asarray(keras.Model(net.input, net.get_layer(name).output)(np.stack(images)))
            for net in (packaged, teacher)
        )
        assert np.corrcoef(ours.ravel(), theirs.ravel())[0, 1] > 0.7
