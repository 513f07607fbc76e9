"""`dreamnet`: a small network, distilled from `googlenet`, with the teacher's own channels.

Channels of its layers `mixed3a` to `mixed4e` have the same numbers and meanings as in the original
DeepDream network, so a recipe for one runs on the other. The model's input is RGB, 0 to 255, minus
`MEAN`. `weights/MODEL_CARD.md` describes how it was made; `dreamer.training.train` makes it again.

Where the teacher's kernels are wide, the student's are factored: a convolution reads fewer
channels (`…_narrow`, a linear 1×1 convolution before it), or writes fewer (`…_basis`, the
convolution itself without activation, followed by a 1×1), or both.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import layers

from dreamer.files import atomic
from dreamer.networks import googlenet
from dreamer.networks.googlenet import LocalResponseNormalization, inception, max_pool

MEAN = googlenet.MEAN


class Factors(NamedTuple):
    """The ranks of a factored convolution: how many channels it reads and writes (None: all)."""

    narrow: int | None = None
    basis: int | None = None


FACTORS: Mapping[str, Factors] = {
    "conv2d0_pre_relu": Factors(basis=24),
    "conv2d2_pre_relu": Factors(narrow=32, basis=64),
    "mixed3a_3x3": Factors(narrow=32),
    "mixed3b_3x3": Factors(narrow=48, basis=96),
    "mixed3b_5x5": Factors(narrow=16),
    "mixed4a_3x3": Factors(basis=64),
    "mixed4b_3x3": Factors(basis=64),
    "mixed4c_3x3": Factors(basis=80),
    "mixed4d_3x3": Factors(basis=80),
    "mixed4e_3x3": Factors(basis=80),
}
PATCH_GAIN = 8
"""Factor of the patches that brings the next layer's weights to the scale of all others."""

BLOCKS = {name: width for name, width in googlenet.BLOCKS.items() if name < "mixed5"}


def patches() -> np.ndarray:
    """Return the fixed first kernel, `(2, 2, 3, 6)`: full luma, chroma at half the resolution.

    It turns each 2×2 patch into the four Haar coefficients of its brightness and the means of its
    two opponent colors. That is nearly all that the teacher's first layer sees: 0.2 % of the
    variance of its responses is lost.
    """
    haar = np.array([[1, 1, 1, 1], [1, 1, -1, -1], [1, -1, 1, -1], [1, -1, -1, 1]]) / 2
    luma, red, blue = np.array([[1, 1, 1], [1, 0, -1], [1, -2, 1]]) / np.sqrt([[3], [2], [6]])
    kernel = np.einsum("fp,fc->pcf", haar[[0, 1, 2, 3, 0, 0]], [luma] * 4 + [red, blue])
    return np.asarray(PATCH_GAIN * kernel.reshape(2, 2, 3, 6), "float32")


def _convolve_patches(x: Any) -> Any:
    kernel = patches()
    layer = layers.Conv2D(6, 2, 2, "same", use_bias=False, trainable=False, name="patches")
    y = layer(x)
    layer.kernel.assign(kernel)
    return y


def _conv(
    x: Any, filters: int, size: int, name: str, activation: str | None = "relu", *, initial: str
) -> Any:
    layer = layers.Conv2D(
        *(filters, size, 1, "same"), activation=activation, kernel_initializer=initial, name=name
    )
    return layer(x)


def _factored(
    x: Any, filters: int, size: int, name: str, activation: str | None = "relu", *, initial: str
) -> Any:
    narrow, basis = FACTORS.get(name, Factors())
    if narrow:
        x = _conv(x, narrow, 1, f"{name}_narrow", None, initial=initial)
    if basis:
        x, size = _conv(x, basis, size, f"{name}_basis", None, initial=initial), 1
    return _conv(x, filters, size, name, activation, initial=initial)


def _stem(x: Any, conv: Any) -> Any:
    # A ReLU after a max pool gives the same as one before it, at a quarter of the cost.
    x = conv(_convolve_patches(x), 64, 4, "conv2d0_pre_relu", None)
    x = max_pool(x, 2, "maxpool0_pre_relu")
    x = LocalResponseNormalization(name="localresponsenorm0")(layers.ReLU(name="maxpool0")(x))
    x = conv(conv(x, 64, 1, "conv2d1"), 192, 3, "conv2d2_pre_relu", None)
    x = layers.ReLU(name="conv2d2_pool")(max_pool(x, 2, "conv2d2_pool_pre_relu"))
    # Normalization after the pool gives nearly the same: half the teacher's alpha compensates for
    # the larger values that a maximum leaves (1.1 % of the mean square differs).
    return LocalResponseNormalization(alpha=5e-5, name="maxpool1")(x)


def build(weights: Path | None = None) -> keras.Model:
    """Build the network up to `mixed4e`, with random weights or those of an `.npz` (see `save`).

    Returns:
        A functional model for any height and width, `(n, h, w, 3)` to `(n, h/16, w/16, 832)`.
    """
    image = keras.Input((None, None, 3), name="input")
    # Random weights would only be replaced by those of the file.
    conv = partial(_factored, initial="zeros" if weights else "glorot_uniform")
    x = _stem(image, conv)
    for name, width in BLOCKS.items():
        if name == "mixed4a":
            x = max_pool(x, 2, googlenet.POOLS[name])
        x = inception(x, width, name, conv)
    model = keras.Model(image, x, name="dreamnet")
    if weights is not None:
        with np.load(weights) as archive:
            assign(model, archive)
    return model


def assign(model: keras.Model, values: Mapping[str, np.ndarray]) -> None:
    """Set each trainable variable of the model to the value stored under its path."""
    for variable in model.trainable_variables:
        variable.assign(values[variable.path].astype("float32"))


def save(path: Path, values: Mapping[str, np.ndarray]) -> None:
    """Write values by variable path to an `.npz` as float16, which halves the file."""
    halves: dict[str, Any] = {name: value.astype("float16") for name, value in values.items()}
    with atomic.open_replacing(path) as file:
        np.savez(file, **halves)
