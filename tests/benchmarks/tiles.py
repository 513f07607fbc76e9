"""Measure how far the gradient of a picture in tiles is that of the whole picture.

    python tests/benchmarks/tiles.py PHOTO [--network NAME…]

Both are taken at the same place of the network's strides, for some layers of each network. The
whole picture is given twice: as a dream in tiles has it, continued by its mirror image, and as a
network gets it by itself, with zeros beyond its edges. `edges` are the outermost 64 pixels, and
`inside` is all that is farther in. Each figure is the cosine of the two gradients.
"""

import argparse
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import tensorflow as tf

from dreamer.arrays import Image
from dreamer.ascent.ascent import octave_seed
from dreamer.ascent.tiling import Tiles, compute_halo
from dreamer.files import photos
from dreamer.networks import loading, runtime
from dreamer.pipelines.goal import NO_GAINS
from dreamer.pipelines.image import ImagePipeline, build_pipeline
from dreamer.recipe import Recipe

SIZE = (640, 960)
CORE = 192
"""Pixels that a tile has beside its halo."""

EDGE = 64
LAYERS = {
    "dreamnet": ("mixed3b", "mixed4c", "mixed4e", "mixed4c:447"),
    "googlenet": ("mixed3b", "mixed4c", "mixed4e", "mixed5b", "mixed4c:447"),
    "inception_v3": ("mixed3", "mixed5", "mixed7", "mixed5:100"),
}


def slope(pipeline: ImagePipeline, image: tf.Tensor, tiles: Tiles | None) -> Image:
    """Return the gradient of a step, without jitter."""

    def still(shape: Any, seed: Any, *_: Any, dtype: Any = tf.int32) -> tf.Tensor:
        return tf.zeros(shape, dtype)

    ascent = pipeline._ascent("float32", tiles, NO_GAINS)
    gradient = tf.function(ascent.value_and_gradient)
    with mock.patch.object(tf.random, "stateless_uniform", still):
        found = gradient(image, octave_seed(0, 0, 0), pipeline.goal.numbers())
    return np.asarray(found[1][0])


def cosines(cut: Image, whole: Image) -> list[float]:
    """Return the cosines of two gradients: all of them, inside, and along the edges."""
    inside = np.zeros(cut.shape[:2], bool)
    inside[EDGE:-EDGE, EDGE:-EDGE] = True
    parts = (np.ones_like(inside), inside, ~inside)
    pairs = [(cut[part].ravel(), whole[part].ravel()) for part in parts]
    return [float(a @ b / (np.linalg.norm(a) * np.linalg.norm(b))) for a, b in pairs]


def main() -> None:
    """Print a line for each layer."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("photo", type=Path)
    parser.add_argument("--network", nargs="*", default=list(LAYERS))
    given = parser.parse_args()
    runtime.start()
    image = tf.constant(photos.resize(photos.read(given.photo), SIZE).image[None])
    print("network layer halo | mirrored: all inside edges | zeros: all inside edges")
    for name in given.network:
        net = loading.load_for_recipe(Recipe(network=name))
        for layer in LAYERS[name]:
            recipe = Recipe(network=name, layers=(layer,), precision="float32", jitter=0)
            pipeline = build_pipeline(recipe, net)
            reach = compute_halo(pipeline.goal.motif)
            cut = slope(pipeline, image, Tiles(CORE + 2 * reach, reach))
            wholes = [slope(pipeline, image, tiles) for tiles in (Tiles(None, reach), None)]
            told = [" ".join(f"{c:.3f}" for c in cosines(cut, whole)) for whole in wholes]
            print(name, layer, reach, "|", " | ".join(told), flush=True)


if __name__ == "__main__":
    main()
