"""Gradients by tiles, for pictures too large for the network to see at once."""

import math
from collections.abc import Callable, Collection, Mapping
from typing import NamedTuple

import tensorflow as tf

from dreamer.ascent import boundary
from dreamer.ascent.steps import Numbers

Slope = tuple[tf.Tensor, tf.Tensor, Mapping[str, tf.Tensor]]
"""Scores `(n,)`, their gradient `(n, h, w, 3)`, and the strengths of channels by layer."""

Gradient = Callable[[tf.Tensor, tf.Tensor, Numbers], Slope]
"""A function from pictures `(n, h, w, 3)`, a seed `(2,)`, int32, and numbers to a `Slope`."""

GRID = 32
"""The stride of the deepest layers of the usual networks, in pixels.

Tiles are multiples of it apart: at other offsets to its strides, a network gives a different
gradient (of cosine 0.13 to the first).
"""


class Tiles(NamedTuple):
    """The division of pictures into tiles that the network sees one at a time.

    Attributes:
        side: largest side of a tile, halo included, in pixels; None for a single tile.
        halo: margin in pixels that the network sees around a tile, but that gets no gradient; a
            multiple of `GRID`.
        wrap: whether pictures wrap around; they are mirrored otherwise.
        additive: whether the objective is a sum over a picture rather than a mean.
    """

    side: int | None
    halo: int
    wrap: bool = False
    additive: bool = False


def compute_halo(motif: int) -> int:
    """Return the halo for layers of this motif size, both in pixels.

    With this halo, tiles agree with the whole picture continued by its mirror image: on a photo,
    the cosine of the two gradients is at least 0.997 for whole layers, and 0.99 for one channel.
    Without tiles, a network sees zeros beyond the edges instead of the mirror image, so the
    gradients differ there (`tests/benchmarks/tiles.py` measures both for each network).
    """
    return GRID * math.ceil(motif / GRID)


def tile_gradient(gradient: Gradient, layers: Collection[str], tiles: Tiles) -> Gradient:
    """Return the gradient computed tile by tile, in little more memory than one tile needs.

    The network sees each tile with its halo, whose gradient is dropped. The seed shifts the cuts at
    random, by up to the halo, or by any distance if pictures wrap around.

    Args:
        gradient: computes the gradient of a single tile.
        layers: the layers whose strengths `gradient` returns.
        tiles: the division into tiles.
    """
    outputs = (tf.float32, tf.float32, dict.fromkeys(layers, tf.float32))
    reach, wrap = tiles.halo, tiles.wrap

    def run(images: tf.Tensor, seed: tf.Tensor, numbers: Numbers) -> Slope:
        size = tf.shape(images)[1:3]
        limit = size if wrap else tf.fill([2], reach)
        offset = tf.random.stateless_uniform([2], seed, 0, 2**16, tf.int32) % limit
        count, core = _compute_grid(size if wrap else size + offset, tiles)
        seen = core + 2 * reach

        def compute_tile(number: tf.Tensor) -> Slope:
            place = tf.stack([number // count[1], number % count[1]])
            start = place * core - offset - reach
            part = boundary.cut_window(images, start, seen, wrap=wrap)
            scores, slope, strengths = gradient(part, seed, numbers)
            return scores, slope[:, reach:-reach, reach:-reach], strengths

        scores, slopes, strengths = tf.map_fn(
            compute_tile,
            tf.range(count[0] * count[1]),
            fn_output_signature=outputs,
            parallel_iterations=1,
        )
        whole = _stitch(slopes, count)
        if wrap:
            whole = tf.roll(whole[:, : size[0], : size[1]], -offset, (1, 2))
        else:
            whole = tf.slice(whole, [0, *tf.unstack(offset), 0], tf.shape(images))
        share = _area(seen) / _area(size)
        factor = 1.0 if tiles.additive else share
        strengths = {name: tf.reduce_mean(each, 0) for name, each in strengths.items()}
        return tf.reduce_mean(scores, 0) * factor / share, whole * factor, strengths

    return run


def _compute_grid(size: tf.Tensor, tiles: Tiles) -> tuple[tf.Tensor, tf.Tensor]:
    """Return the number of rows and columns of tiles, and their height and width without halo."""
    if tiles.side is None:
        count = tf.ones_like(size)
    else:
        count = -(-size // ((tiles.side - 2 * tiles.halo) // GRID * GRID))
    return count, -(-size // (count * GRID)) * GRID


def _stitch(parts: tf.Tensor, count: tf.Tensor) -> tf.Tensor:
    """Stitch tiles `(t, n, h, w, 3)`, row by row, to pictures `(n, rows * h, columns * w, 3)`."""
    _, pictures, height, width, _ = tf.unstack(tf.shape(parts))
    grid = tf.reshape(parts, [*tf.unstack(count), pictures, height, width, 3])
    joined = tf.transpose(grid, [2, 0, 3, 1, 4, 5])
    return tf.reshape(joined, [pictures, count[0] * height, count[1] * width, 3])


def _area(size: tf.Tensor) -> tf.Tensor:
    return tf.cast(size[0], tf.float32) * tf.cast(size[1], tf.float32)
