"""What a recipe raises on a network."""

import dataclasses
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from dreamer.arrays import Image
from dreamer.errors import DreamerError
from dreamer.networks import graph
from dreamer.networks.freezing import freeze
from dreamer.networks.loading import load
from dreamer.pipelines.image import build_pipeline
from dreamer.recipe import Recipe

# Keras itself, saving a model, meets NumPy 2's change of `__array__`.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


def test_units_take_the_motif_of_the_maps_before_them_and_no_guide(tiny: Any, photo: Image) -> None:
    pooled = keras.layers.GlobalAveragePooling2D(name="pool")(tiny.model.output)
    model = keras.Model(tiny.model.input, keras.layers.Dense(3, name="logits")(pooled))
    net = dataclasses.replace(tiny, get_model=lambda: model)
    assert graph.find_feature_maps(model, model.get_layer("logits")).name == "mixed"
    assert graph.find_pooled_relu(model, model.get_layer("logits")) is None
    recipe = Recipe().changed({"layers": ["logits"]})
    assert build_pipeline(recipe, net).goal.motif == tiny.spec.motifs["mixed"]
    with pytest.raises(DreamerError, match="A guide is matched place by place"):
        build_pipeline(recipe, net, photo)


def test_without_a_photo_nothing_is_chosen(tiny: Any) -> None:
    made = build_pipeline(Recipe().changed({"layers": ["mixed:weakest1"]}), tiny)
    with pytest.raises(DreamerError, match="mixed:weakest1 is chosen on a photo"):
        _ = made.goal.objective


FLAMINGO = 425  # of inception5h_synsets.txt


def test_a_class_mixed_with_a_layer_rises(real_weights: Path, photo: Image) -> None:
    net = load("googlenet", real_weights / "tensorflow_inception_graph.pb")
    recipe = Recipe().changed(
        {"network": "googlenet", "layers": ["mixed4c=0.001", f"softmax2:{FLAMINGO}"]}
    )
    pipeline = build_pipeline(recipe, net)
    assert pipeline.goal.motif == net.spec.motifs["mixed4c"]
    *_, last = pipeline.dream(photo, pipeline.plan(photo.shape[:2]))
    logits = freeze(net, ["softmax2_pre_activation"], "float32")
    before, after = (
        np.asarray(*logits(picture[None]).values())[0] for picture in (photo, last.picture())
    )
    assert after[FLAMINGO] > before[FLAMINGO] + 4
