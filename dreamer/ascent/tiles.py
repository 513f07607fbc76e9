"""Tiles: the gradient of pictures too large for the network to see at once."""

import math
from collections.abc import Callable, Collection, Mapping
from typing import NamedTuple

import tensorflow as tf

from dreamer.ascent import edges
from dreamer.ascent.steps import Numbers

Slope = tuple[tf.Tensor, tf.Tensor, Mapping[str, tf.Tensor]]
"""Scores `(n,)`, their gradient, and the channels' strengths by layer."""

Gradient = Callable[[tf.Tensor, tf.Tensor, Numbers], Slope]
"""From pictures `(n, h, w, 3)`, a seed of two int32 and numbers."""

GRID = 32
"""The stride of the usual networks' deepest layers, in pixels.

Tiles begin at multiples of it from each other: begun elsewhere within its strides, a network
gives another gradient (cosine 0.13 to the one before).
"""


class Tiles(NamedTuple):
    """How the network gets pictures.

    Attributes:
        side: the most pixels along each side that it gets at once, halo included; None for all.
        halo: what it only sees on every side of a tile; a multiple of `GRID`.
        wrap: whether a picture goes on at its opposite side; it is mirrored otherwise.
        additive: whether the objective is a sum over a picture, and not a mean.
    """

    side: int | None
    halo: int
    wrap: bool = False
    additive: bool = False


def halo(motif: int) -> int:
    """The halo for layers of this motif size, in pixels.

    Tiles then agree with the whole picture continued by its mirror image: on a photo the cosine of
    the two gradients is 0.997 and more for whole layers, and 0.99 for one channel. Without tiles a
    network sees zeros beyond the picture's edges, and not its mirror image, so that near them the
    two differ (`tests/benchmarks/tiles.py` measures both, network by network).
    """
    return GRID * math.ceil(motif / GRID)


def tiled(gradient: Gradient, layers: Collection[str], tiles: Tiles) -> Gradient:
    """The same gradient, tile after tile, in little more memory than one tile needs.

    The network sees each tile with its halo, whose gradient is then dropped. Every seed cuts
    elsewhere: by up to the halo, or anywhere where a picture wraps around.
    """
    outputs = (tf.float32, tf.float32, dict.fromkeys(layers, tf.float32))
    reach, wrap = tiles.halo, tiles.wrap

    def run(images: tf.Tensor, seed: tf.Tensor, numbers: Numbers) -> Slope:
        size = tf.shape(images)[1:3]
        most = size if wrap else tf.fill([2], reach)
        offset = tf.random.stateless_uniform([2], seed, 0, 2**16, tf.int32) % most
        count, core = _cut(size if wrap else size + offset, tiles)
        seen = core + 2 * reach

        def one(number: tf.Tensor) -> Slope:
            place = tf.stack([number // count[1], number % count[1]])
            start = place * core - offset - reach
            part = edges.window(images, start, seen, wrap=wrap)
            scores, slope, strengths = gradient(part, seed, numbers)
            return scores, slope[:, reach:-reach, reach:-reach], strengths

        scores, slopes, strengths = tf.map_fn(
            one,
            tf.range(count[0] * count[1]),
            fn_output_signature=outputs,
            parallel_iterations=1,
        )
        whole = _stitched(slopes, count)
        if wrap:
            whole = tf.roll(whole[:, : size[0], : size[1]], -offset, (1, 2))
        else:
            whole = tf.slice(whole, [0, *tf.unstack(offset), 0], tf.shape(images))
        share = _area(seen) / _area(size)
        factor = 1.0 if tiles.additive else share
        strengths = {name: tf.reduce_mean(each, 0) for name, each in strengths.items()}
        return tf.reduce_mean(scores, 0) * factor / share, whole * factor, strengths

    return run


def _cut(size: tf.Tensor, tiles: Tiles) -> tuple[tf.Tensor, tf.Tensor]:
    """Rows and columns of tiles, and their height and width without halo."""
    if tiles.side is None:
        count = tf.ones_like(size)
    else:
        count = -(-size // ((tiles.side - 2 * tiles.halo) // GRID * GRID))
    return count, -(-size // (count * GRID)) * GRID


def _stitched(parts: tf.Tensor, count: tf.Tensor) -> tf.Tensor:
    """From tiles `(t, n, h, w, 3)`, row by row, to pictures `(n, rows * h, columns * w, 3)`."""
    _, pictures, height, width, _ = tf.unstack(tf.shape(parts))
    grid = tf.reshape(parts, [*tf.unstack(count), pictures, height, width, 3])
    joined = tf.transpose(grid, [2, 0, 3, 1, 4, 5])
    return tf.reshape(joined, [pictures, count[0] * height, count[1] * width, 3])


def _area(size: tf.Tensor) -> tf.Tensor:
    return tf.cast(size[0], tf.float32) * tf.cast(size[1], tf.float32)
