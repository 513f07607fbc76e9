"""Octaves: the working sizes at which a dream grows, and the passage from one to the next."""

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from dreamer.arrays import Size
from dreamer.ascent import boundary

NEARLY = 0.87
"""A working size of at least this share of the picture makes one at full size redundant."""


def plan_by_motif(
    size: Size, motif: float, shares: tuple[float, float], scale: float, enlarged: int = 0
) -> list[Size]:
    """Return working sizes at which the network's motifs fill given shares of the picture.

    Args:
        size: height and width of the picture.
        motif: size of the network's motifs, in pixels of the working size.
        shares: the largest and the smallest motif, as shares of the picture's short side.
        scale: approximate ratio of neighboring sizes; both ends are met exactly.
        enlarged: short side, in pixels, up to which a small picture is enlarged, at most to twice
            its size.

    Returns:
        Sizes from small to large. They depend only on the picture's proportions, so that a recipe
        looks the same on a small and a large copy. Sizes larger than the picture, or than it may be
        enlarged to, are replaced by the picture's own, unless one of the others is nearly as large
        (see `NEARLY`).
    """
    first, last = (motif / share for share in shares)
    count = 1 + round(math.log(last / first) / math.log(scale))
    shorts = [first * (last / first) ** (i / max(count - 1, 1)) for i in range(count)]
    short = min(size)
    limit = max(short, min(enlarged, 2 * short))
    fitting = [s / short for s in shorts if s <= limit]
    if not fitting or (len(fitting) < count and fitting[-1] < NEARLY):
        fitting.append(1.0)
    return [(round(size[0] * share), round(size[1] * share)) for share in fitting]


def plan_further(size: Size, last: Size, motif: float, smallest: float, scale: float) -> list[Size]:
    """Return working sizes beyond the last of a plan, up to the picture's own.

    Args:
        size: height and width of the picture.
        last: the last working size so far.
        motif: size of the network's motifs, in pixels of the working size.
        smallest: the least share of the picture's short side that motifs may fill.
        scale: approximate ratio of neighboring sizes; both ends are met exactly.
    """
    begin, end = min(last) / min(size), min(1.0, motif / smallest / min(size))
    end = 1.0 if end >= NEARLY else end
    if begin >= NEARLY * end:
        return []
    count = max(1, round(math.log(end / begin) / math.log(scale)))
    shares = [begin * (end / begin) ** (i / count) for i in range(1, count + 1)]
    return [(round(size[0] * share), round(size[1] * share)) for share in shares]


def plan_by_count(size: Size, count: int, scale: float, method: str = "lanczos3") -> list[Size]:
    """Return `count` sizes, small to large, each `scale` times the previous; the last is `size`."""
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


def _resize_corner_aligned(images: tf.Tensor, size: Size) -> tf.Tensor:
    return tf.raw_ops.ResizeBilinear(
        images=images, size=size, align_corners=True, half_pixel_centers=False
    )


def _resize_wrapped(images: tf.Tensor, size: Size) -> tf.Tensor:
    """Resize pictures that wrap around by a Lanczos filter."""
    before = images.shape[1:3]
    # The filter's radius is three pixels of the smaller of the two sizes.
    margin = [3 * math.ceil(max(old / new, 1)) for old, new in zip(before, size, strict=True)]
    around = [old + 2 * each for old, each in zip(before, margin, strict=True)]
    scale = np.divide(size, before).astype(np.float32)
    return tf.raw_ops.ScaleAndTranslate(
        images=boundary.cut_window(images, [-each for each in margin], around, wrap=True),
        size=size,
        scale=scale,
        translation=-scale * margin,
        kernel_type="lanczos3",
        antialias=True,
    )


RESIZES: Mapping[str, Callable[[tf.Tensor, Size], tf.Tensor]] = {
    "lanczos3": partial(tf.image.resize, method="lanczos3", antialias=True),
    # The default of `tf.image.resize`.
    "bilinear": partial(tf.image.resize, method="bilinear", antialias=False),
    # Equal to `scipy.ndimage.zoom` of order 1.
    "zoom": _resize_corner_aligned,
    "wrapped": _resize_wrapped,
}
"""Functions that resize pictures `(n, h, w, c)` to a size, by name."""

CHAINED = ("zoom",)
"""The keys of `RESIZES` with which the photo of each octave is resized from that of the next
larger octave, as in Google's notebook of 2015; with the others, from the photo itself."""


def resize(images: tf.Tensor, size: Size, method: str) -> tf.Tensor:
    """Resize pictures `(n, h, w, c)` by the method of this name in `RESIZES`."""
    return RESIZES[method](images, size)


def resize_to_octave(photo: tf.Tensor, sizes: Sequence[Size], place: int, method: str) -> tf.Tensor:
    """Resize a photo `(1, h, w, c)` to the working size at index `place` of `sizes`.

    Args:
        photo: the whole photo.
        sizes: all working sizes, from small to large.
        place: index of the wanted size.
        method: a key of `RESIZES`.
    """
    for size in reversed(sizes[place + 1 :]) if method in CHAINED else ():
        photo = resize(photo, size, method)
    return resize(photo, sizes[place], method)


class Carry(NamedTuple):
    """The functions applied to a dream at the beginning and the end of an octave.

    Both take the dream, the photo at the size of the previous octave enlarged to this one, and the
    photo at this one.

    Attributes:
        enter: makes the images that the octave starts from.
        leave: makes the dream from the images that the octave ends with.
        looks_back: whether `leave` reads the photo at the previous size.
    """

    enter: Callable[[tf.Tensor, tf.Tensor, tf.Tensor], tf.Tensor]
    leave: Callable[[tf.Tensor, tf.Tensor | None, tf.Tensor], tf.Tensor]
    looks_back: bool


def _keep_dream(dream: tf.Tensor, blurred: tf.Tensor | None, photo: tf.Tensor) -> tf.Tensor:
    return dream


def _add_lost_detail(dream: tf.Tensor, blurred: tf.Tensor | None, photo: tf.Tensor) -> tf.Tensor:
    return dream + (photo - blurred)


CARRIES: Mapping[str, Carry] = {
    # Google 2015: photo + enlarged (dream − photo), rewritten in terms of `blurred`.
    "detail": Carry(_add_lost_detail, _keep_dream, looks_back=False),
    # The Keras example "deep_dream": detail lost in resizing is put back after the ascent.
    "lost-detail": Carry(_keep_dream, _add_lost_detail, looks_back=True),
    # The TensorFlow tutorial "deepdream".
    "plain": Carry(_keep_dream, _keep_dream, looks_back=False),
}
"""The ways to carry a dream from octave to octave, by name."""


def filter_sizes(sizes: Sequence[Size], smallest: int) -> list[Size]:
    """Return the sizes whose short side has at least `smallest` pixels."""
    return [size for size in sizes if min(size) >= smallest]
