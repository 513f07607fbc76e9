"""Pictures moved by a matrix or a field of positions, in one resampling."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache, partial
from typing import Any, NamedTuple

import cv2
import numpy as np
import scipy  # Its parts are imported where they are first used.
from numpy.typing import NDArray

from dreamer.arrays import Image, Size
from dreamer.motion import splines
from dreamer.motion.homographies import Matrix

STRIP = 32
"""Rows that are processed at a time, so that intermediate results stay in the cache."""

MOST_SHRINKING = 32.0
"""Factor beyond which a picture that shrinks may alias."""

FREE_SHRINKING = 1.05
"""Factor up to which a picture shrinks without a blur: the spline itself damps what would alias."""

_POOL = ThreadPoolExecutor(os.cpu_count(), "warp")

Positions = NDArray[Any]
"""Positions along one axis of the source, in pixels; the first pixel reaches from 0 to 1."""


class Border(NamedTuple):
    """A way in which a picture continues beyond its edge.

    Attributes:
        extend: OpenCV's constant for it.
        fold: takes positions and the size of the axis, and returns the equivalent ones inside.
    """

    extend: int
    fold: Callable[[Positions, int], Positions]


def _reflect(position: Positions, size: int) -> Positions:
    period = position % (2 * size)
    return np.asarray(np.minimum(period, 2 * size - period))


def _replicate(position: Positions, size: int) -> Positions:
    return position.clip(0.5, size - 0.5)


BORDERS: Mapping[str, Border] = {
    "reflect": Border(cv2.BORDER_REFLECT, _reflect),
    "wrap": Border(cv2.BORDER_WRAP, lambda position, size: position % size),
    "replicate": Border(cv2.BORDER_REPLICATE, _replicate),
    "photo": Border(cv2.BORDER_REPLICATE, _replicate),
}
"""Borders by name; with `photo`, another picture shows beyond the edge."""


class _Source(NamedTuple):
    """A picture that is ready to be resampled.

    Attributes:
        coefficients: of the splines, `(h, w, 4)` with a margin all around; the fourth channel is
            unused, but OpenCV is fastest with four.
        margin: its width in pixels.
        size: height and width without the margin.
        inverse: the matrix from the moved picture to this one.
        fold: that of the border.
    """

    coefficients: Image
    margin: int
    size: Size
    inverse: Matrix
    fold: Callable[[Positions, int], Positions]


_FindSources = Callable[[int, tuple[int, ...]], tuple[Positions, Positions]]
"""Takes a strip's first row, and its height and width; returns where its pixels come from."""

Behind = Callable[[NDArray[np.bool_]], Image]
"""Takes a mask of the pixels that are wanted, `(h, w)`; returns their colors, float32 `(n, 3)`."""


def move_mask(mask: NDArray[np.float32], matrix: Matrix, beyond: float) -> NDArray[np.float32]:
    """Move a mask `(h, w)`; what comes from beyond its edge has one value."""
    height, width = mask.shape
    # OpenCV's first pixel reaches from −0.5 to 0.5.
    half = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1]])
    way = np.linalg.inv(half) @ matrix @ half
    moved = cv2.warpPerspective(
        mask, way, (width, height), borderMode=cv2.BORDER_CONSTANT, borderValue=beyond
    )
    return np.asarray(moved, np.float32)


def warp(image: Image, matrix: Matrix, border: str, behind: Behind | None = None) -> Image:
    """Move a picture: what is at `p` goes to `matrix @ p`.

    The resampling is by splines, exact to 1/8000 pixel, and can be repeated hundreds of times.
    Edges may overshoot, so values can leave 0 to 1; callers clip them if they need to. A picture
    that shrinks is blurred first, so that it does not alias.

    Args:
        image: float32 `(h, w, 3)`.
        matrix: in the convention of `homographies`.
        border: a key of `BORDERS`.
        behind: what shows beyond the edge if `border` is `photo`; see `Still`.
    """
    size = (image.shape[0], image.shape[1])
    inverse = _invert(matrix)
    source = _prepare(image, inverse, border, _choose_blur(inverse, size))
    mixing = abs(inverse[[0, 1, 2, 2], [1, 0, 0, 1]]).max() * max(size) ** 2
    fill = (
        _make_separable_fill(source)
        if mixing < 1e-6
        else _make_gathering_fill(source, partial(_trace_strip, inverse))
    )
    moved = _fill_strips(fill, size)
    if border == "photo" and behind is not None:
        cover = _measure_cover(inverse, size)
        outside = cover < 1
        colors = behind(outside)
        moved[outside] = colors + cover[outside, None] * (moved[outside] - colors)
    return moved


class Still:
    """A picture that is moved differently in every frame, and prepared only once.

    Args:
        image: float32 `(h, w, 3)`.
    """

    def __init__(self, image: Image) -> None:
        self._source = lru_cache(1)(partial(_prepare, image, np.eye(3), "reflect"))
        self._size = image.shape[:2]

    def moved(self, matrix: Matrix) -> Behind:
        """Return a function that gives colors of the moved picture, mirrored beyond its edge."""
        inverse = _invert(matrix)
        # Rounded, so that the prepared picture can be reused for many frames.
        blur = tuple(round(4 * variance) / 4 for variance in _choose_blur(inverse, self._size))
        source = self._source(blur)

        def colors(wanted: NDArray[np.bool_]) -> Image:
            down, right = np.nonzero(wanted)
            lines = -(-len(down) // _ROW_LENGTH)
            x, y = (
                np.resize(each, (lines, _ROW_LENGTH))
                for each in _trace(inverse, right + 0.5, down + 0.5)
            )
            places = partial(_slice_strip, x, y)
            found = _fill_strips(_make_gathering_fill(source, places), (lines, _ROW_LENGTH))
            return found.reshape(-1, 3)[: len(down)]

        return colors


_ROW_LENGTH = 256
"""Pixels per row when single ones are gathered, because OpenCV needs two-dimensional pictures."""


def sample(image: Image, x: Positions, y: Positions) -> Image:
    """Sample a picture at one position for each pixel, with the same splines as `warp`.

    Args:
        image: float32 `(h, w, 3)`.
        x, y: positions, float32 `(h, w)`, in pixels; beyond the edge, its color continues.
    """
    source = _prepare(image, np.eye(3), "replicate", (0, 0))
    return _fill_strips(_make_gathering_fill(source, partial(_slice_strip, x, y)), source.size)


def _slice_strip(
    x: Positions, y: Positions, top: int, shape: tuple[int, ...]
) -> tuple[Positions, Positions]:
    """Return a strip's part of two maps of positions."""
    return x[top : top + shape[0]], y[top : top + shape[0]]


def _fill_strips(fill: Callable[[Image, int], None], size: Size) -> Image:
    moved = np.empty((*size, 3), np.float32)
    strips = range(0, size[0], STRIP)
    list(_POOL.map(lambda top: fill(moved[top : top + STRIP], top), strips))
    return moved


def _prepare(image: Image, inverse: Matrix, border: str, blur: Sequence[float]) -> _Source:
    """Prepare a picture for resampling, blurred by a variance in x and one in y."""
    kernels = [splines.prefilter(variance) for variance in blur]
    margin = splines.REACH + 1 + max(len(kernel) for kernel in kernels) // 2
    four = cv2.cvtColor(image, cv2.COLOR_RGB2RGBA)
    extend, fold = BORDERS[border]
    wide = cv2.copyMakeBorder(four, margin, margin, margin, margin, extend)
    coefficients = np.asarray(cv2.sepFilter2D(wide, -1, kernels[0], kernels[1]))
    return _Source(coefficients, margin, (image.shape[0], image.shape[1]), inverse, fold)


def _invert(matrix: Matrix) -> Matrix:
    inverse = np.linalg.inv(matrix).astype(np.float64)
    return np.asarray(inverse / inverse[2, 2])


def _choose_blur(inverse: Matrix, size: tuple[int, ...]) -> list[float]:
    """Return the variances in x and y of the blur against aliasing, in squared pixels."""
    height, width = size
    places = [(0, 0, 1), (width, 0, 1), (0, height, 1), (width, height, 1)]
    x, y, depth = inverse @ np.array([*places, (width / 2, height / 2, 1)]).T
    depth = np.maximum(depth, 1e-3)
    # How many pixels of the source one pixel of the moved picture spans.
    steps = [
        np.hypot(*(inverse[axis, :2, None] - along / depth * inverse[2, :2, None])) / depth
        for axis, along in ((0, x), (1, y))
    ]
    shrinking = [min(float(step.max()), MOST_SHRINKING) / FREE_SHRINKING for step in steps]
    return [max(0.0, factor**2 - 1) / 4 for factor in shrinking]


def _make_separable_fill(source: _Source) -> Callable[[Image, int], None]:
    """Return a function that fills a strip by zoom and pan, with a sparse matrix for each axis."""
    rows, columns = (
        _build_interpolation(
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


def _build_interpolation(positions: Positions, count: int, margin: int) -> scipy.sparse.csr_array:
    """Return the matrix `(positions, count)` from coefficients along an axis to values."""
    taps = np.floor(positions - 0.5)[:, None] + np.arange(1 - splines.REACH, splines.REACH + 1)
    weights = splines.basis(positions[:, None] - 0.5 - taps).astype(np.float32)
    places = (taps + margin).astype(np.int32)
    starts = np.arange(len(positions) + 1, dtype=np.int32) * splines.TAPS
    shape = (len(positions), count)
    return scipy.sparse.csr_array((weights.ravel(), places.ravel(), starts), shape=shape)


def _make_gathering_fill(source: _Source, places: _FindSources) -> Callable[[Image, int], None]:
    """Return a function that fills a strip by any motion: each pixel gathers its taps in pairs.

    This needs OpenCV 5, because before it, linear interpolation snapped to 1/32 pixel.
    """

    def fill(target: Image, top: int) -> None:
        x, y = places(top, target.shape[:2])
        weights_x, places_x = _look_up_pairs(source.fold(x, source.size[1]), source.margin)
        weights_y, places_y = _look_up_pairs(source.fold(y, source.size[0]), source.margin)
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


def _trace_strip(inverse: Matrix, top: int, size: tuple[int, ...]) -> tuple[Positions, Positions]:
    """Return where the pixels of a strip come from, float32 `(h, w)` each."""
    return _trace(inverse, np.arange(size[1]) + 0.5, (np.arange(size[0]) + top + 0.5)[:, None])


def _trace(inverse: Matrix, right: Positions, down: Positions) -> tuple[Positions, Positions]:
    """Return where the pixels at given places of the moved picture come from."""
    x, y, depth = (
        (row[0] * right + (row[1] * down + row[2])).astype(np.float32) for row in inverse
    )
    if inverse[2, :2].any():
        # What lies behind the eye cannot be seen.
        depth = np.maximum(depth, np.float32(1e-3))
        return x / depth, y / depth
    return x, y


def _look_up_pairs(positions: Positions, margin: int) -> tuple[list[Positions], list[Positions]]:
    """Return the weight, as four equal columns, and place of each pair of taps along an axis."""
    centered = positions + np.float32(margin - 0.5)
    whole = np.floor(centered)
    fraction = ((centered - whole) * np.float32(splines.FRACTIONS)).astype(np.intp)
    weights, places = splines.build_pair_tables()
    return (
        [table.take(fraction, axis=0, mode="clip") for table in weights],
        [whole + table.take(fraction, mode="clip") for table in places],
    )


def _measure_cover(inverse: Matrix, size: tuple[int, int]) -> NDArray[np.float32]:
    """Return how much of each pixel lies within the source, 0 to 1; the edge is one pixel soft."""
    x, y = _trace_strip(inverse, 0, size)
    inside = np.minimum(np.minimum(x, size[1] - x), np.minimum(y, size[0] - y))
    return np.asarray((inside + np.float32(0.5)).clip(0, 1))
