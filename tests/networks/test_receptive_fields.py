"""Receptive fields, against where gradients reach and against published figures."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from dreamer.arrays import Size
from dreamer.networks import receptive_fields
from dreamer.networks.loading import build
from dreamer.networks.receptive_fields import Span

SIZES = [(64, 64), (61, 74)]


@pytest.fixture(scope="module")
def model() -> keras.Model:
    """Every kind of layer that shapes a field, in branches of unlike reach."""
    keras.utils.set_random_seed(3)
    image = keras.Input((None, None, 3))
    x = layers.Conv2D(6, 5, 2, "same", name="stem")(image)
    x = layers.MaxPooling2D(3, 2, "valid", name="pooled")(layers.ELU()(x))
    wide = layers.DepthwiseConv2D(3, dilation_rate=2, padding="same", name="dilated")(x)
    padded = layers.ZeroPadding2D(((2, 0), (0, 0)), name="padded")(x)
    tall = layers.Conv2D(6, (3, 1), name="tall")(padded)
    x = layers.Concatenate(name="joined")([wide, tall, x])
    x = layers.LayerNormalization()(layers.SeparableConv2D(6, 2, 1, "same", name="even")(x))
    down = layers.AveragePooling2D(2, 2, "same", name="down")(x)
    up = layers.UpSampling2D(2, interpolation="bilinear", name="up")(down)
    copied = layers.UpSampling2D(2, name="copied")(down)
    cut = layers.Cropping2D(((1, 0), (0, 2)), name="cut")(x)
    pooled = layers.GlobalAveragePooling2D(keepdims=True, name="everything")(x)
    gated = layers.Multiply(name="gated")([x, pooled])
    return keras.Model(image, [up, copied, cut, gated, layers.Flatten(name="flat")(x)])


def reached(
    model: keras.Model, name: str, size: Size, cell: Size, count: int = 32
) -> tuple[slice, slice]:
    """The rows and columns of `count` pictures that move a cell."""
    pictures = tf.random.stateless_normal((count, *size, 3), (1, 2))
    cut = keras.Model(model.inputs, model.get_layer(name).output)
    with tf.GradientTape() as tape:
        tape.watch(pictures)
        values = cut(pictures)[:, cell[0], cell[1]]
        score = tf.reduce_sum(values * tf.random.stateless_normal(values.shape, (3, 4)))
    moved = np.asarray(tape.gradient(score, pictures)).any((0, 3))
    ends = [np.flatnonzero(moved.any(axis))[[0, -1]] for axis in (1, 0)]
    rows, columns = (slice(int(first), int(last) + 1) for first, last in ends)
    return rows, columns


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(
    "name", ["stem", "pooled", "dilated", "tall", "joined", "even", "down", "cut"]
)
def test_a_field_is_where_the_gradient_reaches(model: keras.Model, name: str, size: Size) -> None:
    field = receptive_fields.fields(model, size)[name]
    assert field is not None
    last = field.rows.cells - 1, field.columns.cells - 1
    for cell in ((0, 0), (last[0] // 2, last[1] // 2), last):
        assert field.box(*cell, size) == reached(model, name, size, cell)


@pytest.mark.parametrize(
    ("network", "layer"), [("inception_v3", "mixed0"), ("xception", "block3_sepconv2")]
)
def test_the_fields_of_real_networks_end_where_the_gradient_does(network: str, layer: str) -> None:
    model, size = build(network, None).model, (107, 98)
    field = receptive_fields.fields(model, size)[layer]
    assert field is not None
    last = field.rows.cells - 1, field.columns.cells - 1
    for cell in ((0, 0), (last[0] // 2, last[1] // 2), last):
        assert field.box(*cell, size) == reached(model, layer, size, cell, 4)


@pytest.mark.parametrize("name", ["up", "copied"])
def test_an_enlarged_layers_field_holds_the_gradient(model: keras.Model, name: str) -> None:
    size = SIZES[0]
    field = receptive_fields.fields(model, size)[name]
    assert field is not None
    slack = receptive_fields.fields(model, size)["down"].rows.stride  # type: ignore[union-attr]
    for cell in ((4, 4), (5, 4), (4, 5), (5, 5)):
        for held, found in zip(
            field.box(*cell, size), reached(model, name, size, cell), strict=True
        ):
            assert held.start <= found.start < held.start + slack
            assert held.stop - slack < found.stop <= held.stop


def test_behind_a_pool_over_all_places_everything_is_seen(model: keras.Model) -> None:
    found = receptive_fields.fields(model)
    assert [found[name] for name in ("everything", "gated", "flat")] == [None] * 3


def test_a_model_within_a_model_is_looked_through() -> None:
    inner = keras.Sequential(
        [
            keras.Input((None, None, 3)),
            layers.Conv2D(4, 3, 2, "same"),
            layers.MaxPooling2D(2),
        ],
        name="inner",
    )
    image = keras.Input((None, None, 3))
    behind = layers.Conv2D(4, 3, name="behind")(inner(layers.Rescaling(2)(image)))
    found = receptive_fields.fields(keras.Model(image, behind))
    for name, nominal in (("inner", (5, 4, 0, 128)), ("behind", (13, 4, 0, 126))):
        assert [span[:4] for span in found[name] or ()] == [nominal] * 2


def test_grids_have_as_many_cells_as_the_network_makes(model: keras.Model) -> None:
    for size in SIZES:
        for name, field in receptive_fields.fields(model, size).items():
            if field:
                cut = keras.Model(model.inputs, model.get_layer(name).output)
                shape = cut.compute_output_shape((1, *size, 3))
                assert (field.rows.cells, field.columns.cells) == shape[1:3]


@pytest.mark.parametrize(
    ("network", "layer", "size", "stride"),
    # Araujo et al. (2019), table 1, for the two of Keras.
    [
        ("vgg16", "block5_pool", 212, 32),
        ("inception_v3", "mixed10", 1311, 32),
        ("googlenet", "mixed4d", 363, 16),
    ],
)
def test_published_fields(network: str, layer: str, size: int, stride: int) -> None:
    field = receptive_fields.fields(build(network, None).model)[layer]
    assert field is not None
    assert (field.rows.size, field.rows.stride) == (size, stride)


def test_a_first_cells_center() -> None:
    assert Span(size=7, stride=2, start=-2, cells=112).center == 1
