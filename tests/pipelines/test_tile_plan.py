"""Whether and how pictures are cut."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from dreamer.arrays import Image
from dreamer.ascent.ascent import octave_seed
from dreamer.ascent.tiling import Tiles, compute_halo
from dreamer.errors import DreamerError
from dreamer.imaging import noise
from dreamer.networks import memory
from dreamer.networks.network import Network
from dreamer.networks.registry import NetSpec
from dreamer.pipelines.image import build_pipeline, describe_run
from dreamer.recipe import Recipe

SEED = octave_seed(1, 0, 0)


def cosine(a: Image, b: Image) -> float:
    return float((a * b).sum() / np.sqrt((a**2).sum() * (b**2).sum()))


def test_tiles_of_dreamnet_agree_with_the_whole(dreamnet: Network) -> None:
    pipeline = build_pipeline(Recipe(layers=("mixed3b",), precision="float32"), dreamnet)
    image = tf.constant(noise.draw_noise("fractal", (352, 416), 0)[None])
    slopes = [
        tf.function(pipeline._ascent("float32", tiles, {}).value_and_gradient)(
            image, SEED, pipeline.goal.numbers()
        )[1].numpy()
        for tiles in (
            Tiles(256, compute_halo(pipeline.goal.motif)),
            Tiles(None, compute_halo(pipeline.goal.motif)),
        )
    ]
    assert cosine(*slopes) > 0.99


def test_one_recipe_on_another_machine_cuts_alike(
    dreamnet: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "MOST", 1e8)
    pipeline = build_pipeline(Recipe(octaves=2, octave_scale=1.5), dreamnet)
    plan = pipeline.plan((600, 800))
    assert plan.tile
    assert [pipeline._tiles(size, plan.tile) is None for size in plan.sizes] == [False, False]
    recipe = describe_run(pipeline, plan, "", 1).recipe
    assert recipe.tile == plan.tile
    monkeypatch.undo()
    again = build_pipeline(recipe, dreamnet)
    assert again.plan((600, 800)) == plan
    assert pipeline.plan((200, 300)).tile is None


def test_what_cannot_be_cut_is_named(dreamnet: Network) -> None:
    recipe = Recipe(layers=("mixed3b",), octaves=1, tile=256)
    assert build_pipeline(recipe, dreamnet).plan((400, 500)).tile == 256
    with pytest.raises(DreamerError, match="set tile to 384"):
        build_pipeline(recipe.changed({"layers": ["mixed4c"]}), dreamnet).plan((400, 500))


@pytest.mark.parametrize("layer", ["excited", "logits"])
def test_what_sees_all_of_a_picture_is_dreamt_whole_or_refused(
    layer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe, size = Recipe(layers=(layer,), octaves=1), (600, 800)
    net = squeezing()
    with pytest.raises(DreamerError, match=f"before {layer} .* tiles.*--set tile=none"):
        build_pipeline(recipe.changed({"tile": 512}), net).plan(size)
    pipeline = build_pipeline(recipe, net)
    monkeypatch.setattr(memory, "MOST", 1e6)
    assert pipeline.plan(size).tile is None
    monkeypatch.setattr(memory, "measure_limit", lambda: 1e6)
    with pytest.raises(DreamerError, match=f"before {layer} .* tiles.*a smaller --size"):
        pipeline.plan(size)


def squeezing() -> Network:
    """A classifier in which every place knows of all others, as in EfficientNet."""
    image = keras.Input((None, None, 3))
    maps = layers.Conv2D(4, 3, 2, "same", activation="relu")(image)
    pooled = layers.GlobalAveragePooling2D(keepdims=True)(maps)
    excited = layers.Multiply(name="excited")([maps, pooled])
    logits = layers.Dense(3, name="logits")(layers.GlobalAveragePooling2D()(excited))
    spec = NetSpec("", "", (), None, 2, -1, ("excited",), 8, {"excited": 8})
    return Network("squeezing", spec, lambda: keras.Model(image, logits), "")
