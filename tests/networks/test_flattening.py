"""Models as people have them, laid flat: the same numbers, and every layer by its path."""

from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from dreamer.errors import DreamerError
from dreamer.networks import flattening, freezing
from dreamer.networks.loading import load_network

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
PICTURE = np.random.default_rng(5).random((2, 31, 27, 3), np.float32)
ANY = (None, None, 3)


@pytest.fixture(autouse=True)
def seeded() -> None:
    keras.utils.set_random_seed(4)


def see(model: Any, names: Sequence[str], dtype: str = "float32") -> dict[str, Any]:
    """What layers give of the picture, in colors of 0 to 1."""
    net = load_network(model, input_range=(0, 1))
    return {
        name: np.asarray(each) for name, each in freezing.freeze(net, names, dtype)(PICTURE).items()
    }


def same(given: Any, wanted: Any, tolerance: float = 1e-5) -> None:
    np.testing.assert_allclose(given, np.asarray(wanted), rtol=tolerance, atol=tolerance)


def nested() -> Any:
    """A model for transfer learning as tutorials build it: augmented, scaled by arithmetic."""
    deep = keras.Sequential([keras.Input(ANY), layers.Conv2D(4, 3, name="deep")], name="deepest")
    inner = keras.Input(ANY)
    maps = layers.Conv2D(3, 3, activation="relu", name="conv")(inner)
    base = keras.Model(inner, deep(layers.BatchNormalization(name="norm")(maps)), name="base")
    changed = keras.Sequential([layers.RandomFlip(), layers.RandomRotation(0.2)], name="augment")
    image = keras.Input(ANY)
    x = base(changed(image) / 0.5 - 1.0, training=False)
    x = layers.Dense(2, name="classes")(layers.GlobalAveragePooling2D(name="pool")(x))
    return keras.Model(image, x)


def test_models_within_models_are_named_by_path_and_give_the_same() -> None:
    model = nested()
    net = load_network(model)
    assert [name for name in net.layers if "/" in name] == [
        *("base/conv_pre_relu", "base/conv", "base/norm", "base/deepest/deep")
    ]
    assert list(net.units) == ["pool", "classes"]
    assert not net.notes
    same(see(model, ["classes"])["classes"], model(PICTURE, training=False))
    maps = see(model, ["base/conv_pre_relu", "base/conv"], "bfloat16")
    assert maps["base/conv_pre_relu"].min() < 0
    same(maps["base/conv"], np.maximum(maps["base/conv_pre_relu"], 0))


def test_a_gray_network_reads_the_mean_of_the_colors() -> None:
    image = keras.Input((28, 28, 1))
    maps = layers.Conv2D(4, 3, name="maps")(image)
    model = keras.Model(image, layers.Dense(2, name="classes")(layers.Flatten()(maps)))
    net = load_network(model)
    assert list(net.layers) == ["maps"]
    assert net.spec.fixed == ("classes",)
    gray = keras.ops.convert_to_tensor(PICTURE.mean(-1, keepdims=True))
    same(see(model, ["maps"])["maps"], layers.Conv2D.call(model.get_layer("maps"), gray))
    whole = load_network(model, input_range=(0, 1)).entire()
    picture = np.random.default_rng(1).random((1, 28, 28, 3), np.float32)
    given = freezing.freeze(whole, ["classes"], "float32")(picture)["classes"]
    same(given, model(picture.mean(-1, keepdims=True)))


class Wave(layers.Layer):  # type: ignore[misc]
    """A layer of a class of one's own, which Keras cannot copy."""

    def __init__(self, change: Callable[[Any], Any]) -> None:
        super().__init__(name="wave")
        self._change = change

    def build(self, shape: tuple[Any, ...]) -> None:
        self.factor = self.add_weight(shape=shape[-1:], initializer="random_normal")

    def call(self, x: Any) -> Any:
        return self._change(x * self.factor)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_a_layer_of_ones_own_is_run_as_it_is(dtype: str) -> None:
    image = keras.Input(ANY)
    maps = layers.Conv2D(3, 3, name="maps")(Wave(keras.ops.sin)(image))
    model = keras.Model(image, maps)
    given = see(model, ["wave", "maps"], dtype)
    same(given["wave"], model.get_layer("wave")(PICTURE), 1e-2 if dtype == "bfloat16" else 1e-5)
    same(given["maps"], model(PICTURE), 1e-2 if dtype == "bfloat16" else 1e-5)
    # The model itself is as it was.
    assert len(model.get_layer("wave")._inbound_nodes) == 1


def test_what_reads_another_input_is_left_out() -> None:
    image, words = keras.Input(ANY, name="image"), keras.Input((5,), name="words")
    maps = layers.Conv2D(4, 3, name="maps")(image)
    pooled = layers.GlobalMaxPooling2D(name="pool")(maps)
    both = layers.Concatenate(name="both")([pooled, layers.Dense(3, name="read")(words)])
    model = keras.Model([words, image], [layers.Dense(2, name="answer")(both), pooled])
    net = load_network(model)
    assert list(net.layers) == ["maps"]
    assert list(net.units) == ["pool"]
    assert list(net.ends) == ["pool"]


def test_a_layer_that_is_shared_has_a_name_for_each_call() -> None:
    image = keras.Input(ANY)
    conv = layers.Conv2D(3, 3, padding="same", name="conv")
    model = keras.Model(image, layers.Add(name="sum")([image, conv(conv(image))]))
    assert list(load_network(model).layers) == ["conv", "conv_1", "sum"]
    same(see(model, ["sum"])["sum"], model(PICTURE))


def test_attention_transposed_convolutions_and_groups_give_the_same() -> None:
    image = keras.Input(ANY)
    x = layers.Conv2D(8, 3, 2, groups=1, activation="relu6", name="conv")(image)
    x = layers.GroupNormalization(2)(x)
    x = layers.Conv2DTranspose(4, 3, 2, activation="relu", name="up")(x)
    x = layers.MaxPooling2D(4)(x)
    x = layers.MultiHeadAttention(2, 4, attention_axes=(1, 2), name="attend")(query=x, value=x)
    model = keras.Model(image, keras.ops.silu(x))
    last = list(load_network(model).layers)[-1]
    given = see(model, ["up_pre_relu", "up", "attend", last])
    same(given[last], model(PICTURE))
    same(given["up"], np.maximum(given["up_pre_relu"], 0))


def test_statistics_and_types_are_kept() -> None:
    norm = layers.Normalization(name="norm")
    norm.adapt(PICTURE * 3)
    image = keras.Input(ANY)
    half = layers.Conv2D(4, 3, dtype="mixed_float16", name="half")(norm(image))
    model = keras.Model(image, half)
    given = see(model, ["norm", "half"])
    same(given["norm"], norm(PICTURE))
    same(given["half"], model(PICTURE), 1e-2)
    assert given["half"].dtype == np.float32


def test_layers_for_pictures_of_one_size_are_left_out_with_those_behind_them() -> None:
    image = keras.Input((64, 64, 3))
    down = layers.Conv2D(4, 3, 2, "same", name="down")(image)
    other = layers.Conv2D(4, 2, 2, "valid", name="other")(image)
    both = layers.Add(name="both")([down, other])
    square = layers.Reshape((8, 8, 64), name="square")(down)
    model = keras.Model(image, [layers.ReLU(name="behind")(both), square])
    net = load_network(model)
    assert list(net.layers) == ["down", "other"]
    assert {*net.spec.fixed} == {"both", "behind", "square"}
    with pytest.raises(DreamerError, match=r"both of .* needs pictures of one size"):
        net.resolve("both")
    assert "square" in net.entire().layers


def test_of_several_pictures_one_is_chosen_and_said() -> None:
    left, right = keras.Input(ANY, name="left"), keras.Input(ANY, name="right")
    maps = [layers.Conv2D(4, 3, name=f"{each.name}_maps")(each) for each in (left, right)]
    model = keras.Model([left, right], layers.Add(name="both")(maps), name="twins")
    first, second = load_network(model), load_network(model, input_name="right")
    assert list(first.layers) == ["left_maps"]
    assert list(second.layers) == ["right_maps"]
    assert any("is what left gets" in note and "input_name=right" in note for note in first.notes)
    assert not any("left" in note for note in second.notes)
    with pytest.raises(DreamerError, match=r"no input of twins 'rigth': did you mean right"):
        load_network(model, input_name="rigth")


def test_what_has_no_graph_or_no_picture_is_one_sentence() -> None:
    class Mine(keras.Model):  # type: ignore[misc]
        def call(self, x: Any) -> Any:
            return x

    with pytest.raises(DreamerError, match=r"is a class of its own.*keras\.Model\(inputs"):
        load_network(Mine(name="mine"))
    words = keras.Input((5,))
    with pytest.raises(DreamerError, match=r"reads \(5,\), and no picture"):
        load_network(keras.Model(words, layers.Dense(2)(words)))
    first = keras.Input((3, 32, 32))
    with pytest.raises(DreamerError, match="which come last"):
        load_network(keras.Model(first, layers.Permute((2, 3, 1))(first)))


FAMILIES = (
    *("ConvNeXtTiny", "DenseNet121", "EfficientNetB0", "EfficientNetV2B0", "InceptionResNetV2"),
    *("InceptionV3", "MobileNet", "MobileNetV2", "MobileNetV3Small", "NASNetMobile", "ResNet50"),
    *("ResNet50V2", "VGG16", "Xception"),
)
OTHERS = sorted(
    name
    for name, each in vars(keras.applications).items()
    if callable(each) and name not in FAMILIES
)


@pytest.mark.parametrize(
    "name", [*FAMILIES, *(pytest.param(name, marks=pytest.mark.slow) for name in OTHERS)]
)
def test_networks_of_keras_give_the_same(name: str) -> None:
    make = getattr(keras.applications, name)
    own = {"NASNetMobile": (224, 224, 3), "NASNetLarge": (331, 331, 3)}
    shape = own.get(name, (None, None, 3))
    model = make(weights=None, include_top=False, pooling="avg", input_shape=shape)
    size = shape if shape[0] else (107, 96, 3)
    picture = np.random.default_rng(3).random((1, *size), np.float32) * 255
    flat, fixed = flattening.flatten(model, model.inputs[0], size[:2] if shape[0] else (None, None))
    assert not fixed
    same(flat(picture), model(picture, training=False), 1e-4)
