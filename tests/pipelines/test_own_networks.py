"""Dreams on a network of the user's own."""

from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers
from keras.initializers import Constant as constant

from dreamer.arrays import Image
from dreamer.errors import DreamerError
from dreamer.networks import freezing
from dreamer.networks.loading import load_for_recipe
from dreamer.pipelines.image import build_pipeline
from dreamer.recipe import Recipe

# Keras itself, saving a model, meets NumPy 2's change of `__array__`.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

MINE = Recipe().changed(
    {"network": "mine.keras", "input_mean": (104, 117, 123), "input_order": "BGR", "steps": 2}
)


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    keras.utils.set_random_seed(1)
    model = keras.Sequential(
        [
            keras.Input((64, 64, 3)),
            layers.Conv2D(4, 3, 2, activation="relu", name="low"),
            layers.Conv2D(6, 3, 2, activation="relu", name="high"),
            layers.Flatten(),
            layers.Dense(5, name="dense"),
        ]
    )
    model.compile("adam", "mse")
    path = tmp_path / "mine.keras"
    model.save(path)
    return path


def test_a_users_own_network_dreams_at_any_size(mine: Path, photo: Image) -> None:
    net = load_for_recipe(MINE, mine)
    assert list(net.layers) == ["low_pre_relu", "low", "high_pre_relu", "high"]
    assert list(net.landmarks) == ["low", "high"]
    pipeline = build_pipeline(MINE.changed({"layers": ["high:0-3"], "octaves": 2}), net)
    *_, last = pipeline.dream(photo, pipeline.plan(photo.shape[:2]))
    assert np.abs(last.picture() - photo).max() > 0.005


def test_a_head_that_needs_one_size_is_refused(mine: Path) -> None:
    net = load_for_recipe(MINE, mine)
    assert not net.units
    with pytest.raises(DreamerError, match="needs pictures of one size"):
        build_pipeline(MINE.changed({"layers": ["dense:3"]}), net)


@pytest.fixture(params=["softmax in it", "softmax behind it", "rectified maps"])
def classifier(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A model for pictures of one size whose class scores are a mean over all places.

    With `rectified maps` they are those of SqueezeNet: here zero for every picture.
    """
    keras.utils.set_random_seed(2)
    image = keras.Input((64, 64, 3))
    x = layers.Conv2D(6, 5, 2, activation="relu", name="low")(image)
    if request.param == "rectified maps":
        x = layers.Conv2D(4, 1, activation="relu", bias_initializer=constant(-1e4))(x)
        x = layers.GlobalAveragePooling2D(name="scores")(x)
    else:
        inside = request.param == "softmax in it"
        x = layers.GlobalAveragePooling2D()(x)
        x = layers.Dense(4, activation="softmax" if inside else None, name="scores")(x)
        x = x if inside else layers.Softmax(name="softmax")(x)
    path = tmp_path / "classifier.keras"
    keras.Model(image, x).save(path)
    return path


def test_a_classs_score_rises_at_any_size(classifier: Path, photo: Image) -> None:
    recipe = MINE.changed(
        {"layers": ["low=0.001", "scores:2"], "octaves": 1, "network": "classifier.keras"}
    )
    net = load_for_recipe(recipe, classifier)
    pipeline = build_pipeline(recipe, net)
    *_, last = pipeline.dream(photo, pipeline.plan(photo.shape[:2]))
    # As the dream sees it: where maps are rectified, a score may be 0 both before and after.
    scores = freezing.freeze(net, ["scores"], "float32", leak=0)
    before, after = (scores(x[None])["scores"][0, 2] for x in (photo, last.picture()))
    assert after > before
