"""Palettes: a picture in the colors of a few `#rrggbb`, or with the color statistics of a photo."""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache

import numpy as np
import scipy  # Its parts are imported where they are first used.
from numpy.typing import NDArray

from dreamer.arrays import Image
from dreamer.imaging import harmony, oklab
from dreamer.imaging.finish import Finish, match_palette

RESIDUAL = 0.5
"""Spread of the hues around a palette's own, as a share of the spread among its colors."""

ENDS = (2, 98)
"""Percentiles of a picture's lightness that become the palette's darkest and lightest color."""

TEMPERATURE = 0.02
"""Squared distance at which a poster's colors begin to mix; 0 would leave jagged edges."""

NODES = 17
"""Nodes along each axis of the table that brings colors into a palette's hull."""

ROUNDS = 200
"""Rounds in which the nearest point of the hull is found."""

_Colors = NDArray[np.float32]


def parse(codes: Sequence[str]) -> _Colors:
    """Convert `#rrggbb` colors to Oklab, `(n, 3)`, the darkest first."""
    rgb = [[int(code[i : i + 2], 16) / 255 for i in (1, 3, 5)] for code in codes]
    colors = oklab.from_rgb(np.array([rgb], np.float32))[0]
    return np.asarray(colors[colors[:, 0].argsort(kind="stable")], np.float32)


def map_colors(codes: Sequence[str]) -> Finish:
    """Color a picture by its lightness, along the palette, and keep some of its hues.

    All colors end within the hull of the palette's.
    """
    colors = parse(codes)
    hull = _build_hull_table(tuple(codes))

    def run(dream: Image, photo: Image) -> Image:
        lab = oklab.from_rgb(dream)
        light = _spread_lightness(lab[..., 0], colors)
        along = _follow(colors, light)
        around = lab[..., 1:] - _mean_by_lightness(lab)
        wide = colors[:, 1:].std(0).max() / max(float(around.std(axis=(0, 1)).max()), 1e-6)
        along[..., 1:] += np.float32(min(RESIDUAL * wide, 1)) * around
        return oklab.to_rgb(hull(along))

    return run


def print_poster(codes: Sequence[str]) -> Finish:
    """Give each pixel one of a palette's colors, as a screen print does; edges stay soft."""
    colors = parse(codes)

    def run(dream: Image, photo: Image) -> Image:
        lab = oklab.from_rgb(dream)
        lab[..., 0] = _spread_lightness(lab[..., 0], colors)
        distance = ((lab[..., None, :] - colors) ** 2).sum(-1)
        share = np.exp((distance.min(-1, keepdims=True) - distance) / TEMPERATURE)
        return oklab.to_rgb((share / share.sum(-1, keepdims=True)) @ colors)

    return run


def match_covariance(codes: Sequence[str]) -> Finish:
    """Give a and b the mean and covariance of the palette's colors; lightness stays."""
    colors = parse(codes)[None, :, 1:]

    def run(dream: Image, photo: Image) -> Image:
        lab = oklab.from_rgb(dream)
        lab[..., 1:] = harmony.match(lab[..., 1:], colors)
        return oklab.to_rgb(lab)

    return run


STYLES: Mapping[str, Callable[[Sequence[str]], Finish]] = {
    "map": map_colors,
    "poster": print_poster,
    "covariance": match_covariance,
    "statistics": match_palette,
}
"""Functions by name from a palette to a finish."""


def describe_photo(image: Image) -> list[str]:
    """Return five colors, as `#rrggbb`, with the mean and covariance of a picture's a and b."""
    lab = oklab.from_rgb(image)
    flat = lab[..., 1:].reshape(-1, 2)
    values, vectors = np.linalg.eigh(np.cov(flat.T, bias=True))
    # Of five points, two lie along each axis.
    axes = (vectors * np.sqrt(2.5 * values)).T
    points = flat.mean(0) + np.concatenate([np.zeros((1, 2)), axes, -axes])
    light = np.full((5, 1), lab[..., 0].mean())
    rgb = oklab.to_rgb(np.concatenate([light, points], 1)[None].astype(np.float32))[0]
    return ["#{:02x}{:02x}{:02x}".format(*(color * 255).round().astype(int)) for color in rgb]


def _spread_lightness(light: NDArray[np.float32], colors: _Colors) -> NDArray[np.float32]:
    """Stretch a picture's lightness from the palette's darkest color to its lightest."""
    low, high = np.percentile(light, ENDS)
    first, last = colors[0, 0], colors[-1, 0]
    place = (light - low) / max(float(high - low), 1e-3)
    return np.asarray(first + place.clip(0, 1) * (last - first), np.float32)


def _follow(colors: _Colors, light: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the color of each lightness on the way from a palette's color to the next."""
    columns = [np.interp(light, colors[:, 0], colors[:, axis]) for axis in range(3)]
    return np.stack(columns, -1).astype(np.float32)


def _mean_by_lightness(lab: NDArray[np.float32], bins: int = 16) -> NDArray[np.float32]:
    """Return for each pixel the mean a and b of those about as light as it."""
    edges = np.percentile(lab[..., 0], np.linspace(0, 100, bins + 1))
    number = np.digitize(lab[..., 0].ravel(), edges[1:-1])
    count = np.maximum(np.bincount(number, minlength=bins), 1)
    middle = (edges[1:] + edges[:-1]) / 2
    columns = []
    for channel in (1, 2):
        total = np.bincount(number, lab[..., channel].ravel(), bins)
        columns.append(np.interp(lab[..., 0], middle, total / count))
    return np.stack(columns, -1).astype(np.float32)


@lru_cache(maxsize=4)
def _build_hull_table(
    codes: tuple[str, ...],
) -> Callable[[NDArray[np.float32]], NDArray[np.float32]]:
    """Return a function that brings colors to the nearest point of the hull of a palette's.

    What lies in between the nodes of a table, in which it is computed, is found linearly. It takes
    longer to build than a frame of a clip to color, and is kept.
    """
    colors = parse(codes)
    low, high = colors.min(0) - 0.15, colors.max(0) + 0.15
    axes = [np.linspace(low[axis], high[axis], NODES) for axis in range(3)]
    nodes = np.stack(np.meshgrid(*axes, indexing="ij"), -1).reshape(-1, 3)
    table = _find_nearest(nodes, colors).reshape(NODES, NODES, NODES, 3).astype(np.float32)

    def run(lab: NDArray[np.float32]) -> NDArray[np.float32]:
        places = ((lab - low) / (high - low) * (NODES - 1)).reshape(-1, 3).T
        found = [
            scipy.ndimage.map_coordinates(table[..., axis], places, order=1, mode="nearest")
            for axis in range(3)
        ]
        return np.stack(found, -1).reshape(lab.shape).astype(np.float32)

    return run


def _find_nearest(points: NDArray[np.float64], colors: _Colors) -> NDArray[np.float64]:
    """Return the nearest points of the hull of colors, by accelerated descent on their weights."""
    gram = colors.astype(np.float64) @ colors.T
    step = 1 / max(np.linalg.eigvalsh(gram)[-1], 1e-9)
    wanted = points @ colors.T
    weights = ahead = np.full((len(points), len(colors)), 1 / len(colors))
    pace = 1.0
    for _ in range(ROUNDS):
        new = _project_to_shares(ahead - step * (ahead @ gram - wanted))
        quicker = (1 + (1 + 4 * pace**2) ** 0.5) / 2
        ahead, weights, pace = new + (pace - 1) / quicker * (new - weights), new, quicker
    return np.asarray(weights @ colors)


def _project_to_shares(weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the nearest weights that are not negative and add up to 1 (Held et al. 1974)."""
    falling = -np.sort(-weights, axis=1)
    excess = (falling.cumsum(1) - 1) / np.arange(1, weights.shape[1] + 1)
    count = (falling > excess).sum(1)
    return np.maximum(weights - np.take_along_axis(excess, count[:, None] - 1, 1), 0)
