"""Whether a network of the user's own can have been trained on the input that it gets here."""

from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
from keras import layers

from dreamer.files import photos
from dreamer.nets.registry import NetSpec

WRONG = 4.0
"""How many times what a batch normalisation has seen in training cannot be right."""

_RANGES = ((0, 255), (0, 1), (-1, 1))
_LOOKED_AT = (96, 96)
_PREPROCESSING = (layers.Rescaling, layers.Normalization)


def notes(name: str, model: Any, spec: NetSpec) -> Iterator[str]:
    """What speaks against an input of 0 to 255 that nobody has asked for.

    A model with a preprocessing layer of its own is believed. Otherwise, the first batch
    normalisation tells what reached it in training.
    """
    weighted = next((n for n, layer in enumerate(model.layers) if layer.weights), 0)
    if any(isinstance(layer, _PREPROCESSING) for layer in model.layers[: weighted + 1]):
        return
    off = _off(model, _RANGES[0], spec)
    remedy = "give --set input_range=[LOW,HIGH], and input_mean and input_order where it has them"
    if off is None:
        yield (
            f"{name} has no preprocessing of its own, and reads colours of 0 to 255 in the order "
            f"RGB: if it was trained otherwise, {remedy}."
        )
    elif not 1 / WRONG < off < WRONG:
        low, high = min(_RANGES, key=lambda each: abs(np.log(_off(model, each, spec) or 1e-9)))
        yield (
            f"{name} cannot have been trained on colours of 0 to 255: what reaches its first batch "
            f"normalisation is {off:.2g} times as strong as in training. Try "
            f"--set input_range=[{low},{high}]."
        )


def _off(model: Any, ends: tuple[int, int], spec: NetSpec) -> float | None:
    """How many times as strong as in training is what reaches the first batch normalisation.

    None where there is none before the first activation, or where it was never trained.
    """
    norm = next((x for x in model.layers if isinstance(x, layers.BatchNormalization)), None)
    if norm is None or np.allclose(norm.moving_variance, 1):
        return None
    low, high = ends
    picture = photos.noise("fractal", _LOOKED_AT, 0).image[None] * (high - low) + low
    values = np.asarray(keras.Model(model.inputs[0], norm.input)(picture))
    expected = np.asarray(norm.moving_variance) + np.square(norm.moving_mean)
    found = np.square(values).mean((0, 1, 2))
    return float(np.sqrt(np.median(found / np.maximum(expected, 1e-12))))
