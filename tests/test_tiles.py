"""Tiles and seamless pictures: nothing shows how a picture is cut, or where it ends."""

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers
from test_ascent import make

from dreamer.arrays import Image
from dreamer.ascent import edges, objectives, octaves
from dreamer.ascent.climb import octave_seed
from dreamer.ascent.tiles import GRID, Tiles, halo
from dreamer.assemble import assemble, load
from dreamer.errors import DreamerError
from dreamer.files import photos
from dreamer.nets import memory
from dreamer.nets.network import Network
from dreamer.nets.registry import NetSpec
from dreamer.recipe import Recipe

SEED = octave_seed(1, 0, 0)


def slope(net: Any, image: Image, tiles: Tiles | None, reduction: str) -> Any:
    """Score, gradient and strengths of one picture, as a step takes them."""
    ascent = make(net, objective=objectives.layer("mixed", reduction=reduction), tiles=tiles)
    found = tf.function(ascent._value_and_gradient)(tf.constant(image[None]), SEED, {})  # type: ignore[attr-defined]
    return float(found[0][0]), found[1].numpy()[0], found[2]["mixed"].numpy()[0]


def cosine(a: Image, b: Image) -> float:
    return float((a * b).sum() / np.sqrt((a**2).sum() * (b**2).sum()))


@pytest.fixture(scope="module")
def large() -> Image:
    """A picture of 290 by 384 pixels that does not repeat."""
    return photos.noise("fractal", (290, 384), 0).image


@pytest.fixture(scope="module")
def dreamnet() -> Network:
    return load(Recipe())


@pytest.mark.parametrize("wrap", [False, True])
@pytest.mark.parametrize("reduction", ["mean-square", "sum"])
def test_tiles_give_the_whole_gradient(reduction: str, wrap: bool, tiny: Any, large: Image) -> None:
    cut, whole = (
        slope(tiny, large, Tiles(side, GRID, wrap, reduction == "sum"), reduction)
        for side in (160, None)
    )
    assert cosine(cut[1], whole[1]) > 0.999
    assert np.linalg.norm(cut[1]) == pytest.approx(np.linalg.norm(whole[1]), rel=0.01)
    assert cut[0] == pytest.approx(whole[0], rel=0.05)
    assert np.corrcoef(cut[2], whole[2])[0, 1] > 0.99


def test_a_picture_in_tiles_is_dreamt_up_to_its_last_row(tiny: Any, large: Image) -> None:
    plain = slope(tiny, large, None, "mean-square")
    cut = slope(tiny, large, Tiles(160, GRID), "mean-square")
    assert cut[1].shape == plain[1].shape
    assert cut[0] == pytest.approx(plain[0], rel=0.05)
    inner = np.abs(cut[1][32:-32, 32:-32]).mean()
    for border in (cut[1][:8], cut[1][-8:], cut[1][:, :8], cut[1][:, -8:]):
        assert np.abs(border).mean() == pytest.approx(inner, rel=0.3)


def test_tiles_of_dreamnet_agree_with_the_whole(dreamnet: Network) -> None:
    assembly = assemble(Recipe(layers=("mixed3b",), precision="float32"), dreamnet)
    image = tf.constant(photos.noise("fractal", (352, 416), 0).image[None])
    slopes = [
        tf.function(assembly._ascent("float32", tiles)._value_and_gradient)(  # type: ignore[attr-defined]
            image, SEED, assembly.numbers()
        )[1].numpy()
        for tiles in (Tiles(256, halo(assembly.motif)), Tiles(None, halo(assembly.motif)))
    ]
    assert cosine(*slopes) > 0.99


def test_one_recipe_on_another_machine_cuts_alike(
    dreamnet: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "MOST", 1e8)
    assembly = assemble(Recipe(octaves=2, octave_scale=1.5), dreamnet)
    plan = assembly.plan((600, 800))
    assert plan.tile
    assert [assembly._tiles(size, plan.tile) is None for size in plan.sizes] == [False, False]
    recipe = assembly.made("", plan, 1).recipe
    assert recipe.tile == plan.tile
    monkeypatch.undo()
    again = assemble(recipe, dreamnet)
    assert again.plan((600, 800)) == plan
    assert assembly.plan((200, 300)).tile is None


def test_what_cannot_be_cut_is_named(dreamnet: Network) -> None:
    recipe = Recipe(layers=("mixed3b",), octaves=1, tile=256)
    assert assemble(recipe, dreamnet).plan((400, 500)).tile == 256
    with pytest.raises(DreamerError, match="set tile to 384"):
        assemble(recipe.changed({"layers": ["mixed4c"]}), dreamnet).plan((400, 500))


@pytest.mark.parametrize("layer", ["excited", "logits"])
def test_what_sees_all_of_a_picture_is_dreamt_whole_or_refused(
    layer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe, size = Recipe(layers=(layer,), octaves=1), (600, 800)
    net = squeezing()
    with pytest.raises(DreamerError, match=f"before {layer} .* tiles.*--set tile=none"):
        assemble(recipe.changed({"tile": 512}), net).plan(size)
    assembly = assemble(recipe, net)
    monkeypatch.setattr(memory, "MOST", 1e6)
    assert assembly.plan(size).tile is None
    monkeypatch.setattr(memory, "of_machine", lambda: 1e6)
    with pytest.raises(DreamerError, match=f"before {layer} .* tiles.*a smaller --size"):
        assembly.plan(size)


def squeezing() -> Network:
    """A classifier in which every place knows of all others, as in EfficientNet."""
    image = keras.Input((None, None, 3))
    maps = layers.Conv2D(4, 3, 2, "same", activation="relu")(image)
    pooled = layers.GlobalAveragePooling2D(keepdims=True)(maps)
    excited = layers.Multiply(name="excited")([maps, pooled])
    logits = layers.Dense(3, name="logits")(layers.GlobalAveragePooling2D()(excited))
    spec = NetSpec("", "", (), None, 2, -1, ("excited",), 8, {"excited": 8})
    return Network("squeezing", spec, keras.Model(image, logits), "")


def test_a_wrapped_picture_is_scaled_alike_wherever_it_begins(large: Image) -> None:
    picture = tf.constant(large[None])
    for size in ((435, 576), (145, 192)):
        straight = octaves.resize(picture, size, "wrapped")
        rolled = octaves.resize(tf.roll(picture, (58, 128), (1, 2)), size, "wrapped")
        shift = (58 * size[0] // 290, 128 * size[1] // 384)
        np.testing.assert_allclose(rolled, tf.roll(straight, shift, (1, 2)), atol=1e-4)
        inner = octaves.resize(picture, size, "lanczos3")[:, 9:-9, 9:-9]
        np.testing.assert_allclose(straight[:, 9:-9, 9:-9], inner, atol=1e-4)


def seams(image: Image) -> list[float]:
    """How much the first row and column differ from the last, in usual differences."""
    jumps = []
    for axis in (0, 1):
        across = np.abs(np.diff(image, axis=axis, append=np.take(image, [0], axis)))
        rows = across.mean((1 - axis, 2))
        jumps.append(float(rows[-1] / np.median(rows)))
    return jumps


def test_a_photos_edges_are_made_to_meet(photo: Image) -> None:
    ramp = np.linspace(0.5, 1, 58, dtype=np.float32)[:, None, None]
    cropped = photo[5:-9, 7:-12] * ramp
    joined = edges.periodic(cropped)
    assert min(seams(cropped)) > 2
    assert max(seams(joined)) < 1.5
    assert joined.mean() == pytest.approx(cropped.mean(), abs=0.01)
    fine = [np.diff(each[20:30, 20:40], axis=0) for each in (joined, cropped)]
    np.testing.assert_allclose(*fine, atol=0.03)
    np.testing.assert_array_equal(edges.periodic(joined), joined)


@pytest.mark.parametrize("changes", [{}, {"tile": 256, "cascade": 0.5, "total_variation": 0.01}])
def test_a_seamless_dream_has_no_seam(changes: dict[str, Any], tiny: Any, photo: Image) -> None:
    recipe = Recipe(layers=("mixed",), octaves=2, seamless=True, size="full", **changes)
    picture = np.kron(photo[3:-8, 4:-6], np.ones((5, 5, 1), np.float32))
    assembly = assemble(recipe, tiny)
    plan = assembly.plan(picture.shape[:2])
    assert plan.tile == changes.get("tile")
    *_, last = assembly.dream(picture, plan)
    dream = last.picture()
    assert np.abs(dream - edges.periodic(picture)).mean() > 0.02
    assert all(0.7 < seam < 1.3 for seam in seams(dream))
