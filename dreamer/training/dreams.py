"""Dreams to train on, at the sharpness of every octave.

A student that has only seen photos goes wrong where dreams lead it. So part of each batch are
dreams, the teacher's and later the student's own, all labeled by the teacher.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, TypeAlias

import cv2
import keras
import numpy as np
from keras import ops

from dreamer.networks.googlenet import MEAN
from dreamer.training.gradients import input_gradient

Ascent: TypeAlias = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""Function from pictures `(n, h, w, 3)`, 0 to 255, and channel weights `(n, c)` to gradients."""

OCTAVES = (0.5, 0.71, 1.0)
"""Sides of the octaves, as shares of the pictures' side."""

STEPS = 8
"""Number of steps in each octave."""

BANDS = 4
"""Number of bands of the Laplacian pyramid that normalizes the gradient."""

COMBINED = 12
"""Number of channels in an objective of combined channels."""


def ascent(network: keras.Model, layer: str) -> Ascent:
    """Return the gradient function of the weighted sum of `layer`'s channel mean squares."""
    cut = keras.Model(network.input, network.get_layer(layer).output)

    def score(image: Any, weights: Any) -> Any:
        return ops.sum(weights * ops.mean(ops.square(cut(image)), axis=(1, 2)))

    gradient = input_gradient(score)

    def ascend(pictures: np.ndarray, weights: np.ndarray) -> np.ndarray:
        image = ops.convert_to_tensor(pictures - np.float32(MEAN))
        return np.asarray(ops.convert_to_numpy(gradient(image, ops.convert_to_tensor(weights))))

    return ascend


def ascents(
    networks: Sequence[keras.Model], layers: Collection[str]
) -> Sequence[tuple[Ascent, int]]:
    """Return an ascent for each layer of every network, with its number of channels."""
    return [
        (ascent(network, name), network.get_layer(name).output.shape[-1])
        for network in networks
        for name in layers
    ]


def _weigh_all(channels: int, rng: np.random.Generator) -> np.ndarray:
    return np.ones(channels)


def _weigh_one(channels: int, rng: np.random.Generator) -> np.ndarray:
    return np.asarray(np.eye(channels)[int(rng.integers(channels))])


def _weigh_some(channels: int, rng: np.random.Generator) -> np.ndarray:
    weights = np.zeros(channels)
    weights[rng.choice(channels, COMBINED, replace=False)] = rng.exponential(size=COMBINED)
    return weights


OBJECTIVES: Mapping[str, Callable[[int, np.random.Generator], np.ndarray]] = {
    "whole layer": _weigh_all,
    "single channel": _weigh_one,
    "channels combined": _weigh_some,
}
"""Functions that draw channel weights `(c,)`, from a number of channels."""


def laplacian_normalize(gradient: np.ndarray) -> np.ndarray:
    """Bring every band of a gradient's Laplacian pyramid to the same strength, `(h, w, 3)`."""
    total = np.zeros_like(gradient)
    for level in range(BANDS):
        height, width = gradient.shape[:2]
        lower = cv2.pyrDown(gradient) if level < BANDS - 1 else np.zeros_like(gradient)
        spread = cv2.resize(lower, (width, height), interpolation=cv2.INTER_LINEAR)
        band = gradient - spread
        shown = cv2.resize(band, total.shape[1::-1], interpolation=cv2.INTER_LINEAR)
        total += shown / (band.std() + 1e-12)
        gradient = lower
    return total


def dream(
    ascend: Ascent, pictures: np.ndarray, weights: np.ndarray, rng: np.random.Generator
) -> list[np.ndarray]:
    """Dream on `pictures` `(n, s, s, 3)`; return the states after each octave, enlarged to `s`."""
    size = pictures.shape[1]
    rate = np.float32(rng.uniform(1, 4))
    detail = np.zeros_like(pictures)
    states = []
    for octave in OCTAVES:
        side = round(size * octave)
        base, dreamt = _resize(pictures, side), _resize(pictures + detail, side)
        for _ in range(STEPS):
            shift = tuple(rng.integers(-8, 9, 2))
            gradient = ascend(np.roll(dreamt, shift, (1, 2)), weights)
            step = np.stack([laplacian_normalize(g) for g in gradient])
            back = np.roll(step, (-shift[0], -shift[1]), (1, 2))
            dreamt = np.clip(dreamt + rate * back, 0, 255)
        detail = _resize(dreamt - base, size)
        states.append(np.clip(_resize(dreamt, size), 0, 255))
    return states


def _resize(pictures: np.ndarray, side: int) -> np.ndarray:
    method = cv2.INTER_AREA if side < pictures.shape[1] else cv2.INTER_CUBIC
    return np.stack([cv2.resize(p, (side, side), interpolation=method) for p in pictures])


class Pool:
    """A ring of dreams that batches draw from, in which new ones replace the oldest.

    Attributes:
        pictures: the dreams, uint8 `(n, s, s, 3)`, at most `capacity` of them.
        made: number of dreams that were ever added.
    """

    def __init__(self, size: int, capacity: int = 1536) -> None:
        self.pictures = np.zeros((0, size, size, 3), "uint8")
        self.capacity = capacity
        self.made = 0

    def add(self, dreams: np.ndarray) -> None:
        """Add dreams `(n, s, s, 3)`, 0 to 255."""
        new = dreams.round().astype("uint8")
        room = self.capacity - len(self.pictures)
        self.pictures = np.concatenate([self.pictures, new[:room]])
        for place, picture in enumerate(new[room:], start=self.made + len(new[:room])):
            self.pictures[place % self.capacity] = picture
        self.made += len(new)

    def draw(self, rng: np.random.Generator) -> np.ndarray:
        """Draw one dream, float32 `(s, s, 3)`, mirrored half of the time."""
        picture = np.asarray(self.pictures[int(rng.integers(len(self.pictures)))], "float32")
        return picture[:, ::-1] if rng.random() < 0.5 else picture
