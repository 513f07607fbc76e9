"""The presets that reproduce other tools' loops do so, pixel by pixel."""

from collections.abc import Callable
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from benchmarks import peers
from helpers import MEDIA, shipped

from dreamer.arrays import Image
from dreamer.ascent.ascent import octave_seed
from dreamer.files import photos
from dreamer.networks import loading, registry
from dreamer.networks.network import Network
from dreamer.pipelines.image import build_pipeline
from dreamer.recipe import Recipe

PER_STEP = 1e-5
"""How far a pixel of 0 to 1 may be off for every step that was taken."""


def ours(recipe: Recipe, net: Network, photo: Image) -> Image:
    pipeline = build_pipeline(recipe, net)
    *_, last = pipeline.dream(photo, pipeline.plan(photo.shape[:2]))
    return last.picture()


_MADE: dict[Any, Any] = {}


def once(loop: str, recipe: Recipe, net: Network, make: Callable[[], Any]) -> Any:
    """Make what a loop traces, once for each network and its layers."""
    key = loop, recipe.layers, id(net)
    if key not in _MADE:
        # The network is kept, too, so that no other one comes to have its identity.
        _MADE[key] = make(), net
    return _MADE[key][0]


def keras_example(recipe: Recipe, net: Network, photo: Image) -> Image:
    weights = {term.layer: term.weight for term in recipe.terms}
    step = once("keras", recipe, net, lambda: peers.keras_example(net.model, weights))
    assert recipe.max_objective is not None
    picture = peers.keras_octaves(
        step,
        tf.constant(photo[None] * 2 - 1),
        octaves=recipe.octaves or 1,
        steps=recipe.steps,
        most=recipe.max_objective,
    )
    return (picture.numpy()[0] + 1) / 2


def tf_tutorial(recipe: Recipe, net: Network, photo: Image) -> Image:
    layers = [term.layer for term in recipe.terms]
    run = once("tutorial", recipe, net, lambda: peers.tf_tutorial(net.model, layers))
    picture = run(tf.constant(photo[None] * 2 - 1), tf.constant(recipe.steps))
    return (picture.numpy()[0] + 1) / 2


def gradient_of(recipe: Recipe, net: Network) -> Callable[[tf.Tensor], tf.Tensor]:
    (layer,) = recipe.layers
    maps = keras.Model(net.model.input, net.model.get_layer(layer).output)

    @tf.function(reduce_retracing=True)
    def gradient(picture: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            tape.watch(picture)
            score = tf.reduce_sum(maps(picture / 255 * net.spec.scale + net.spec.offset) ** 2) / 2
        return tape.gradient(score, picture)

    return gradient


def google_2015(recipe: Recipe, net: Network, photo: Image) -> Image:
    gradient = once("google", recipe, net, lambda: gradient_of(recipe, net))

    def shift(octave: int, step: int) -> tuple[int, int]:
        seed = tf.random.experimental.stateless_fold_in(octave_seed(recipe.seed, 0, octave), step)
        most = recipe.jitter
        drawn = tf.random.stateless_uniform([2], seed, -most, most + 1, tf.int32)
        return tuple(drawn.numpy().tolist())

    picture = peers.google_2015(
        lambda x: gradient(tf.constant(x[None])).numpy()[0],
        255 * photo,
        shift,
        octaves=recipe.octaves or 1,
        steps=recipe.steps,
    )
    return picture / np.float32(255)


LOOPS: dict[str, Any] = {
    "google-2015": google_2015,
    "keras-example": keras_example,
    "tf-tutorial": tf_tutorial,
}


@pytest.mark.parametrize("name", LOOPS)
def test_a_compatibility_preset_equals_the_loop_on_a_small_network(
    name: str, tiny: Network, photo: Image
) -> None:
    preset = shipped(name)
    recipe = preset.changed({"layers": ["mixed", "relu=1.5"] if name[0] == "k" else ["mixed"]})
    theirs = LOOPS[name](recipe, tiny, photo)
    assert np.abs(theirs - photo).max() > 0.05
    np.testing.assert_allclose(
        ours(recipe, tiny, photo), theirs, atol=PER_STEP * recipe.steps * (recipe.octaves or 1)
    )


def test_ascent_stops_where_the_keras_example_does(tiny: Network, photo: Image) -> None:
    layers = ["mixed", "relu=1.5"]
    recipe = shipped("keras-example").changed({"layers": layers})
    free = ours(recipe.changed({"max_objective": 1e9}), tiny, photo)
    low = recipe.changed({"max_objective": 1.2})
    theirs = keras_example(low, tiny, photo)
    assert np.abs(free - theirs).max() > 0.02
    np.testing.assert_allclose(ours(low, tiny, photo), theirs, atol=PER_STEP * 60)


@cache
def load(name: str, folder: Path) -> Network:
    """Load a network with its published weights, once for all loops."""
    patterns = registry.get_spec(name).files
    weights = next(path for pattern in patterns for path in folder.glob(pattern))
    return loading.load(name, weights)


@pytest.mark.parametrize("name", LOOPS)
def test_each_step_on_its_network_equals_the_loops_own(name: str, real_weights: Path) -> None:
    """Step by step along the other loop's path.

    Over many steps no two float32 programs stay together on a deep network: where a pool or a ReLU
    is at a tie, the last bit decides, and the loop itself diverges from a start 6e-8 away. For
    the same reason a few pixels may jump within one step, and where the gradient is divided by its
    spread, they change that by a little for all others.
    """
    recipe = shipped(name).changed({"steps": 1, "octaves": 1})
    net = load(recipe.network, real_weights)
    photo = photos.read(MEDIA / "sample.jpg").image[300:428, 400:560]
    path = [photo]
    for _ in range(8):
        path.append(LOOPS[name](recipe, net, path[-1]))
    assert np.abs(path[-1] - photo).max() > 0.02
    pipeline = build_pipeline(recipe, net)
    plan = pipeline.plan(photo.shape[:2])
    off = []
    for before, after in pairwise(path):
        *_, last = pipeline.dream(before, plan)
        off.append(np.abs(last.picture() - after))
    most = np.sort([np.quantile(each, 0.98) for each in off])
    assert most[len(most) // 2] < PER_STEP
    assert most[-1] < 10 * PER_STEP
    assert min(each.max() for each in off) < PER_STEP
