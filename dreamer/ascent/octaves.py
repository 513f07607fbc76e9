"""Octaves: at which working sizes a dream grows, and how it gets from one to the next."""

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from dreamer.arrays import Size
from dreamer.ascent import edges

NEARLY = 0.87
"""A size of this share of the next is too close to it for an octave of its own."""


def by_motif(size: Size, motif: float, shares: tuple[float, float], scale: float) -> list[Size]:
    """Working sizes at which a motif of `motif` pixels fills the wanted shares of the picture.

    Args:
        size: the picture's height and width.
        motif: the size that the network gives a motif, in pixels of the working size.
        shares: the largest and the smallest motif, as shares of the picture's short side.
        scale: about the ratio of neighbouring sizes; both ends are met exactly.

    Returns:
        Sizes from small to large. They depend on the picture's proportions alone, so that one
        recipe looks the same on a small and on a large copy; where the picture is too small for
        the last ones, its own size stands for them, unless the one before is nearly that.
    """
    first, last = (motif / share for share in shares)
    count = 1 + round(math.log(last / first) / math.log(scale))
    shorts = [first * (last / first) ** (i / max(count - 1, 1)) for i in range(count)]
    short = min(size)
    fitting = [s / short for s in shorts if s <= short]
    if not fitting or (len(fitting) < count and fitting[-1] < NEARLY):
        fitting.append(1.0)
    return [(round(size[0] * share), round(size[1] * share)) for share in fitting]


def by_count(size: Size, count: int, scale: float, method: str = "lanczos3") -> list[Size]:
    """`count` sizes from small to large, each `scale` times the one before; the last is `size`."""
    if method in CHAINED:
        sizes = [size]
        while len(sizes) < count:
            height, width = sizes[0]
            sizes.insert(0, (round(height * (1 / scale)), round(width * (1 / scale))))
        return sizes
    return [
        (int(size[0] / scale**power), int(size[1] / scale**power))
        for power in reversed(range(count))
    ]


def _corner_on_corner(images: tf.Tensor, size: Size) -> tf.Tensor:
    return tf.raw_ops.ResizeBilinear(
        images=images, size=size, align_corners=True, half_pixel_centers=False
    )


def _wrapped(images: tf.Tensor, size: Size) -> tf.Tensor:
    """Lanczos for pictures that go on at their opposite side."""
    before = images.shape[1:3]
    # The filter reaches three pixels of the smaller of the two pictures.
    margin = [3 * math.ceil(max(old / new, 1)) for old, new in zip(before, size, strict=True)]
    around = [old + 2 * each for old, each in zip(before, margin, strict=True)]
    scale = np.divide(size, before).astype(np.float32)
    return tf.raw_ops.ScaleAndTranslate(
        images=edges.window(images, [-each for each in margin], around, wrap=True),
        size=size,
        scale=scale,
        translation=-scale * margin,
        kernel_type="lanczos3",
        antialias=True,
    )


RESIZES: Mapping[str, Callable[[tf.Tensor, Size], tf.Tensor]] = {
    "lanczos3": partial(tf.image.resize, method="lanczos3", antialias=True),
    # TensorFlow's plain one.
    "bilinear": partial(tf.image.resize, method="bilinear", antialias=False),
    # `scipy.ndimage.zoom` of order 1.
    "zoom": _corner_on_corner,
    "wrapped": _wrapped,
}
CHAINED = ("zoom",)
"""The methods by which each octave's photo is made from the one above it, as in Google's notebook
of 2015; by the others it is made from the photo itself."""


def resize(images: tf.Tensor, size: Size, method: str) -> tf.Tensor:
    """Scale pictures `(n, h, w, c)` by a key of `RESIZES`."""
    return RESIZES[method](images, size)


def scaled(photo: tf.Tensor, sizes: Sequence[Size], place: int, method: str) -> tf.Tensor:
    """A photo `(1, h, w, c)` at one of the working sizes, which run from small to large."""
    for size in reversed(sizes[place + 1 :]) if method in CHAINED else ():
        photo = resize(photo, size, method)
    return resize(photo, sizes[place], method)


class Carry(NamedTuple):
    """How a dream passes through an octave.

    Both functions take what is dreamt, the photo at the size before enlarged to this one, and
    the photo at this one. `looks_back` says whether `leave` reads the one before.
    """

    enter: Callable[[tf.Tensor, tf.Tensor, tf.Tensor], tf.Tensor]
    leave: Callable[[tf.Tensor, tf.Tensor | None, tf.Tensor], tf.Tensor]
    looks_back: bool


def _unchanged(dream: tf.Tensor, blurred: tf.Tensor | None, photo: tf.Tensor) -> tf.Tensor:
    return dream


def _restored(dream: tf.Tensor, blurred: tf.Tensor | None, photo: tf.Tensor) -> tf.Tensor:
    return dream + (photo - blurred)


CARRIES: Mapping[str, Carry] = {
    # Google 2015: photo + enlarged (dream − photo), written so that one enlargement serves all.
    "detail": Carry(_restored, _unchanged, looks_back=False),
    # The Keras example "deep_dream": what enlarging lost is put back after the ascent.
    "lost-detail": Carry(_unchanged, _restored, looks_back=True),
    # The TensorFlow tutorial "deepdream".
    "plain": Carry(_unchanged, _unchanged, looks_back=False),
}


def usable(sizes: Sequence[Size], smallest: int) -> list[Size]:
    """The sizes whose short side passes through a network that needs `smallest` pixels."""
    return [size for size in sizes if min(size) >= smallest]
