"""Check that a user's network can have been trained on the input range that it gets here."""

from collections.abc import Iterator, Sequence
from typing import Any

import keras
import numpy as np
from keras import layers

from dreamer.errors import unknown
from dreamer.imaging import noise
from dreamer.networks.flattening import Step
from dreamer.networks.registry import TORCH_SCALE, NetSpec

WRONG = 4.0
"""Ratio to the strength in training from which, up or down, an input range cannot be right."""

_RANGES = ((0, 255), (0, 1), (-1, 1))
_PICTURE_SIZE = (96, 96)
_PREPROCESSING = (layers.Rescaling, layers.Normalization, Step)


def choose_picture(network: str, inputs: Sequence[str], wanted: str | None) -> str:
    """Return the input that takes the picture: the one that is wanted, or the first that can.

    Raises DreamerError with the nearest names where none that can is called so.
    """
    if wanted is None:
        return inputs[0]
    if wanted not in inputs:
        remedy = f"set input_name to one that takes a picture: {', '.join(inputs)}."
        raise unknown(f"input of {network}", wanted, inputs, remedy)
    return wanted


def check_input(name: str, model: Any, spec: NetSpec) -> Iterator[str]:
    """Yield what a person should know if a network gets 0 to 255 only by default.

    A model with a preprocessing layer of its own is trusted. Otherwise, the moving statistics of
    its first batch normalization are compared with what reaches it for an input of 0 to 255.
    """
    weighted = next((n for n, layer in enumerate(model.layers) if layer.weights), 0)
    if any(isinstance(layer, _PREPROCESSING) for layer in model.layers[: weighted + 1]):
        return
    ratio = _measure_ratio(model, _RANGES[0])
    remedy = "give --set input_range=[LOW,HIGH], and input_mean and input_order where it has them"
    if spec.scale == TORCH_SCALE:
        yield (
            f"{name} is read as PyTorch's networks are, with the mean and the deviation of "
            f"ImageNet's colors: if it was trained otherwise, {remedy}."
        )
    elif ratio is None:
        yield (
            f"{name} has no preprocessing of its own, and reads colors of 0 to 255 in the order "
            f"RGB: if it was trained otherwise, {remedy}."
        )
    elif not 1 / WRONG < ratio < WRONG:
        others = {ends: _measure_ratio(model, ends) for ends in _RANGES[1:]}
        ratios = {_RANGES[0]: ratio, **others}
        low, high = min(_RANGES, key=lambda ends: abs(np.log(ratios[ends] or 1e-9)))
        yield (
            f"{name} cannot have been trained on colors of 0 to 255: what reaches its first batch "
            f"normalization is {ratio:.2g} times as strong as in training. Try "
            f"--set input_range=[{low},{high}]."
        )


def _measure_ratio(model: Any, ends: tuple[int, int]) -> float | None:
    """Return how many times as strong as in training the first batch normalization's input is.

    The input range is `ends`. Returns None if the model has no batch normalization, or if its
    first one was never trained.
    """
    norm = next((x for x in model.layers if isinstance(x, layers.BatchNormalization)), None)
    if norm is None or np.allclose(norm.moving_variance, 1):
        return None
    low, high = ends
    picture = noise.draw_noise("fractal", _PICTURE_SIZE, 0)[None] * (high - low) + low
    values = np.asarray(keras.Model(model.inputs[0], norm.input)(picture))
    expected = np.asarray(norm.moving_variance) + np.square(norm.moving_mean)
    found = np.square(values).mean(tuple(range(values.ndim - 1)))
    return float(np.sqrt(np.median(found / np.maximum(expected, 1e-12))))
