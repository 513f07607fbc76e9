"""How far the gradient of a picture in tiles is that of the whole picture, by network and layer.

    python tests/benchmarks/tiles.py PHOTO [--network NAME …]

Both are taken at the same place of the network's strides. The whole picture is given twice: as a
dream in tiles has it, continued by its mirror image, and as a network gets it by itself, with zeros
beyond its edges. `edges` are the outermost 64 pixels, `inside` all that is farther than that.
"""

import argparse
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import tensorflow as tf

from dreamer.arrays import Image
from dreamer.ascent.climb import octave_seed
from dreamer.ascent.tiles import Tiles, halo
from dreamer.assemble import Assembly, assemble, load
from dreamer.files import photos
from dreamer.nets import runtime
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


def slope(assembly: Assembly, image: tf.Tensor, tiles: Tiles | None) -> Image:
    """The gradient of a step, without jitter."""

    def still(shape: Any, seed: Any, *_: Any, dtype: Any = tf.int32) -> tf.Tensor:
        return tf.zeros(shape, dtype)

    gradient = tf.function(assembly._ascent("float32", tiles).value_and_gradient)
    with mock.patch.object(tf.random, "stateless_uniform", still):
        found = gradient(image, octave_seed(0, 0, 0), assembly.numbers())
    return np.asarray(found[1][0])


def cosines(cut: Image, whole: Image) -> list[float]:
    """Of two gradients: all of them, inside, and along the edges."""
    inside = np.zeros(cut.shape[:2], bool)
    inside[EDGE:-EDGE, EDGE:-EDGE] = True
    parts = (np.ones_like(inside), inside, ~inside)
    pairs = [(cut[part].ravel(), whole[part].ravel()) for part in parts]
    return [float(a @ b / (np.linalg.norm(a) * np.linalg.norm(b))) for a, b in pairs]


def main() -> None:
    """Print a line a layer."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("photo", type=Path)
    parser.add_argument("--network", nargs="*", default=list(LAYERS))
    given = parser.parse_args()
    runtime.start()
    image = tf.constant(photos.resize(photos.read(given.photo), SIZE).image[None])
    print("network layer halo | mirrored: all inside edges | zeros: all inside edges")
    for name in given.network:
        net = load(Recipe(network=name))
        for layer in LAYERS[name]:
            recipe = Recipe(network=name, layers=(layer,), precision="float32", jitter=0)
            assembly = assemble(recipe, net)
            reach = halo(assembly.motif)
            cut = slope(assembly, image, Tiles(CORE + 2 * reach, reach))
            wholes = [slope(assembly, image, tiles) for tiles in (Tiles(None, reach), None)]
            told = [" ".join(f"{c:.3f}" for c in cosines(cut, whole)) for whole in wholes]
            print(name, layer, reach, "|", " | ".join(told), flush=True)


if __name__ == "__main__":
    main()
