"""A picture moved by a matrix, in one resampling."""

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache, partial
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from dreamer.arrays import Image, Size
from dreamer.motion import splines
from dreamer.motion.matrices import Matrix

STRIP = 32
"""Rows that are worked on at a time, so that what is computed stays in the processor's cache."""

MOST_SHRINKING = 32.0
"""Beyond it a picture that shrinks may alias."""

FREE_SHRINKING = 1.05
"""Up to this factor a picture shrinks without a blur: the spline itself damps what would alias."""

_POOL = ThreadPoolExecutor(os.cpu_count(), "warp")

Positions = NDArray[Any]
"""In pixels of one axis of the source, whose first pixel reaches from 0 to 1."""


class Border(NamedTuple):
    """What lies beyond a picture's edge.

    Attributes:
        extend: how OpenCV continues the samples.
        fold: from a position and the axis' size to the position inside that stands for it.
    """

    extend: int
    fold: Callable[[Positions, int], Positions]


def _reflected(position: Positions, size: int) -> Positions:
    period = position % (2 * size)
    return np.asarray(np.minimum(period, 2 * size - period))


def _replicated(position: Positions, size: int) -> Positions:
    return position.clip(0.5, size - 0.5)


BORDERS: Mapping[str, Border] = {
    "reflect": Border(cv2.BORDER_REFLECT, _reflected),
    "wrap": Border(cv2.BORDER_WRAP, lambda position, size: position % size),
    "replicate": Border(cv2.BORDER_REPLICATE, _replicated),
    "photo": Border(cv2.BORDER_REPLICATE, _replicated),
}
"""By name; at `photo` another picture shows beyond the edge."""


class _Source(NamedTuple):
    """What a strip of the moved picture is made from.

    Attributes:
        coefficients: of the splines, `(h, w, 4)` with a margin all around; the last colour means
            nothing, but OpenCV is fastest with four.
        margin: its width in pixels.
        size: height and width without it.
        inverse: from the moved picture to this one.
        fold: the border's.
    """

    coefficients: Image
    margin: int
    size: Size
    inverse: Matrix
    fold: Callable[[Positions, int], Positions]


_Places = Callable[[int, tuple[int, ...]], tuple[Positions, Positions]]
"""From a strip's first row and its height and width to where each of its pixels comes from."""


Behind = Callable[[NDArray[np.bool_]], Image]
"""From the pixels that are wanted, `(h, w)`, to their colours, float32 `(n, 3)`."""


def warp(image: Image, matrix: Matrix, border: str, behind: Behind | None = None) -> Image:
    """Move a picture: what is at `p` comes to `matrix @ p`.

    The resampling is by splines, exact to 1/8000 pixel, and can be repeated hundreds of times.
    Edges may overshoot, so that values leave 0 to 1: to clip them is the caller's business.
    Where the picture shrinks it is blurred before, so that nothing aliases.

    Args:
        image: float32 `(h, w, 3)`.
        matrix: in the convention of `matrices`.
        border: a key of `BORDERS`.
        behind: what shows beyond the edge where `border` is `photo`; see `Still`.
    """
    size = (image.shape[0], image.shape[1])
    inverse = _inverse(matrix)
    source = _source(image, inverse, border, _blur(inverse, size))
    mixing = abs(inverse[[0, 1, 2, 2], [1, 0, 0, 1]]).max() * max(size) ** 2
    fill = _scaled(source) if mixing < 1e-6 else _gathered(source, partial(_sources, inverse))
    moved = _filled(fill, size)
    if border == "photo" and behind is not None:
        cover = _cover(inverse, size)
        outside = cover < 1
        colours = behind(outside)
        moved[outside] = colours + cover[outside, None] * (moved[outside] - colours)
    return moved


class Still:
    """A picture that lies otherwise in every frame: what does not depend on that is made once.

    Args:
        image: float32 `(h, w, 3)`.
    """

    def __init__(self, image: Image) -> None:
        self._source = lru_cache(1)(partial(_source, image, np.eye(3), "reflect"))
        self._size = image.shape[:2]

    def moved(self, matrix: Matrix) -> Behind:
        """The picture moved as by `warp`, mirrored beyond its edge."""
        inverse = _inverse(matrix)
        # In steps, so that what is made once is good for many frames.
        blur = tuple(round(4 * variance) / 4 for variance in _blur(inverse, self._size))
        source = self._source(blur)

        def colours(wanted: NDArray[np.bool_]) -> Image:
            down, right = np.nonzero(wanted)
            lines = -(-len(down) // _LINE)
            x, y = (
                np.resize(each, (lines, _LINE)) for each in _from(inverse, right + 0.5, down + 0.5)
            )
            places = partial(_rows, x, y)
            found = _filled(_gathered(source, places), (lines, _LINE))
            return found.reshape(-1, 3)[: len(down)]

        return colours


_LINE = 256
"""Pixels in a row, where single ones are gathered: OpenCV's pictures have two sides."""


def gathered(image: Image, x: Positions, y: Positions) -> Image:
    """A picture whose every pixel comes from a place of its own, by the same splines as `warp`.

    Args:
        image: float32 `(h, w, 3)`.
        x, y: float32 `(h, w)`, in pixels; beyond the edge lies the edge's own colour.
    """
    source = _source(image, np.eye(3), "replicate", (0, 0))
    return _filled(_gathered(source, partial(_rows, x, y)), source.size)


def _rows(
    x: Positions, y: Positions, top: int, shape: tuple[int, ...]
) -> tuple[Positions, Positions]:
    """A strip's part of two maps of positions."""
    return x[top : top + shape[0]], y[top : top + shape[0]]


def _filled(fill: Callable[[Image, int], None], size: Size) -> Image:
    moved = np.empty((*size, 3), np.float32)
    strips = range(0, size[0], STRIP)
    list(_POOL.map(lambda top: fill(moved[top : top + STRIP], top), strips))
    return moved


def _source(image: Image, inverse: Matrix, border: str, blur: Sequence[float]) -> _Source:
    """A picture made ready, blurred by a variance in x and in y."""
    kernels = [splines.prefilter(variance) for variance in blur]
    margin = splines.REACH + 1 + max(len(kernel) for kernel in kernels) // 2
    four = cv2.cvtColor(image, cv2.COLOR_RGB2RGBA)
    extend, fold = BORDERS[border]
    wide = cv2.copyMakeBorder(four, margin, margin, margin, margin, extend)
    coefficients = np.asarray(cv2.sepFilter2D(wide, -1, kernels[0], kernels[1]))
    return _Source(coefficients, margin, (image.shape[0], image.shape[1]), inverse, fold)


def _inverse(matrix: Matrix) -> Matrix:
    inverse = np.linalg.inv(matrix).astype(np.float64)
    return np.asarray(inverse / inverse[2, 2])


def _blur(inverse: Matrix, size: tuple[int, ...]) -> list[float]:
    """The variance in x and y, in squared pixels, that keeps a shrinking picture from aliasing."""
    height, width = size
    places = [(0, 0, 1), (width, 0, 1), (0, height, 1), (width, height, 1)]
    x, y, depth = inverse @ np.array([*places, (width / 2, height / 2, 1)]).T
    depth = np.maximum(depth, 1e-3)
    # How far in the source one comes with one pixel of the moved picture.
    steps = [
        np.hypot(*(inverse[axis, :2, None] - along / depth * inverse[2, :2, None])) / depth
        for axis, along in ((0, x), (1, y))
    ]
    shrinking = [min(float(step.max()), MOST_SHRINKING) / FREE_SHRINKING for step in steps]
    return [max(0.0, factor**2 - 1) / 4 for factor in shrinking]


def _scaled(source: _Source) -> Callable[[Image, int], None]:
    """Zoom and pan: a sparse matrix for each axis."""
    rows, columns = (
        _interpolation(
            source.fold(source.inverse[i, i] * (np.arange(n) + 0.5) + source.inverse[i, 2], n),
            source.coefficients.shape[1 - i],
            source.margin,
        )
        for n, i in zip(source.size, (1, 0), strict=True)
    )
    lines = source.coefficients.reshape(len(source.coefficients), -1)

    def fill(target: Image, top: int) -> None:
        height, width = target.shape[:2]
        down = (rows[top : top + height] @ lines).reshape(height, -1, 4)
        across = columns @ cv2.transpose(down).reshape(-1, height * 4)
        turned = cv2.transpose(across.reshape(width, height, 4))
        cv2.cvtColor(turned, cv2.COLOR_RGBA2RGB, dst=target)

    return fill


def _interpolation(positions: Positions, count: int, margin: int) -> sparse.csr_array:
    """`(positions, count)`: from coefficients along an axis to values at positions."""
    taps = np.floor(positions - 0.5)[:, None] + np.arange(1 - splines.REACH, splines.REACH + 1)
    weights = splines.basis(positions[:, None] - 0.5 - taps).astype(np.float32)
    places = (taps + margin).astype(np.int32)
    starts = np.arange(len(positions) + 1, dtype=np.int32) * splines.TAPS
    shape = (len(positions), count)
    return sparse.csr_array((weights.ravel(), places.ravel(), starts), shape=shape)


def _gathered(source: _Source, places: _Places) -> Callable[[Image, int], None]:
    """Any motion: each pixel gathers its taps, two by two.

    Before OpenCV 5 its linear interpolation snapped to 1/32 pixel.
    """

    def fill(target: Image, top: int) -> None:
        x, y = places(top, target.shape[:2])
        weights_x, places_x = _pairs(source.fold(x, source.size[1]), source.margin)
        weights_y, places_y = _pairs(source.fold(y, source.size[0]), source.margin)
        total = np.zeros((*x.shape, 4), np.float32)
        line, pair = np.empty_like(total), np.empty_like(total)
        for weight_y, place_y in zip(weights_y, places_y, strict=True):
            line.fill(0)
            for weight_x, place_x in zip(weights_x, places_x, strict=True):
                cv2.remap(source.coefficients, place_x, place_y, cv2.INTER_LINEAR, dst=pair)
                pair *= weight_x
                line += pair
            line *= weight_y
            total += line
        cv2.cvtColor(total, cv2.COLOR_RGBA2RGB, dst=target)

    return fill


def _sources(inverse: Matrix, top: int, size: tuple[int, ...]) -> tuple[Positions, Positions]:
    """Where each pixel of a strip comes from, float32 `(h, w)` each."""
    return _from(inverse, np.arange(size[1]) + 0.5, (np.arange(size[0]) + top + 0.5)[:, None])


def _from(inverse: Matrix, right: Positions, down: Positions) -> tuple[Positions, Positions]:
    """Where the pixels at some places of the moved picture come from."""
    x, y, depth = (
        (row[0] * right + (row[1] * down + row[2])).astype(np.float32) for row in inverse
    )
    if inverse[2, :2].any():
        # What lies behind the eye cannot be seen.
        depth = np.maximum(depth, np.float32(1e-3))
        return x / depth, y / depth
    return x, y


def _pairs(positions: Positions, margin: int) -> tuple[list[Positions], list[Positions]]:
    """Of each pair of taps along an axis: its weight, four columns alike, and its place."""
    centred = positions + np.float32(margin - 0.5)
    whole = np.floor(centred)
    fraction = ((centred - whole) * np.float32(splines.FRACTIONS)).astype(np.intp)
    weights, places = splines.paired()
    return (
        [table.take(fraction, axis=0, mode="clip") for table in weights],
        [whole + table.take(fraction, mode="clip") for table in places],
    )


def _cover(inverse: Matrix, size: tuple[int, int]) -> NDArray[np.float32]:
    """How far each pixel lies within the source, 0 to 1, with an edge one pixel soft."""
    x, y = _sources(inverse, 0, size)
    inside = np.minimum(np.minimum(x, size[1] - x), np.minimum(y, size[0] - y))
    return np.asarray((inside + np.float32(0.5)).clip(0, 1))
