"""The original DeepDream network: GoogLeNet as trained for TensorFlow's `inception5h`.

Szegedy et al., "Going Deeper with Convolutions" (2014), https://arxiv.org/abs/1409.4842, with the
channel counts, the layer names and the constants of the public `tensorflow_inception_graph.pb`
(Apache-2.0). The model's input is RGB, 0 to 255, minus `MEAN`.
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import keras
import numpy as np
from keras import layers, ops

from dreamer.networks.graph import PRE_RELU

MEAN = 117.0
"""Value that is subtracted from each color of the input, 0 to 255."""

CLASSES = 1008

Convolution: TypeAlias = Callable[[Any, int, int, str], Any]
"""Function from `(input, filters, kernel size, name)` to a convolution with its activation."""


class Branches(NamedTuple):
    """The widths of one inception block, its arms in the order of their concatenation."""

    one: int
    three_bottleneck: int
    three: int
    five_bottleneck: int
    five: int
    pool_reduce: int

    @property
    def channels(self) -> int:
        """Return the width of the concatenated block."""
        return self.one + self.three + self.five + self.pool_reduce


BLOCKS: Mapping[str, Branches] = {
    "mixed3a": Branches(64, 96, 128, 16, 32, 32),
    "mixed3b": Branches(128, 128, 192, 32, 96, 64),
    "mixed4a": Branches(192, 96, 204, 16, 48, 64),
    "mixed4b": Branches(160, 112, 224, 24, 64, 64),
    "mixed4c": Branches(128, 128, 256, 24, 64, 64),
    "mixed4d": Branches(112, 144, 288, 32, 64, 64),
    "mixed4e": Branches(256, 160, 320, 32, 128, 128),
    "mixed5a": Branches(256, 160, 320, 48, 128, 128),
    "mixed5b": Branches(384, 192, 384, 48, 128, 128),
}
POOLS: Mapping[str, str] = {"mixed3a": "maxpool1", "mixed4a": "maxpool4", "mixed5a": "maxpool10"}
"""Names of the max pools of stride 2, by the block that reads them."""


@keras.saving.register_keras_serializable(package="dreamer")
class LocalResponseNormalization(layers.Layer):  # type: ignore[misc]
    """Local response normalization: `x / (bias + alpha * sum of x² over nearby channels) ** beta`.

    Krizhevsky et al. (2012), section 3.3, with the defaults of `inception5h`. The sum is a
    1×1 convolution with a 0/1 band matrix, because TensorFlow's own kernel has no bfloat16 on a
    CPU and no second derivative.

    Args:
        radius: number of channels to either side that are summed with a channel's own.
        bias: the constant under the root.
        alpha: the weight of the sum.
        beta: the exponent.
    """

    def __init__(
        self,
        radius: int = 5,
        bias: float = 2.0,
        alpha: float = 1e-4,
        beta: float = 0.5,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.radius = radius
        self.bias = bias
        self.alpha = alpha
        self.beta = beta

    def build(self, input_shape: tuple[Any, ...]) -> None:
        """Make the band matrix for the number of channels, the input's last axis."""
        channel = np.arange(input_shape[-1])
        near = np.abs(channel[:, None] - channel) <= self.radius
        self.band = near[None, None].astype("float32")

    def call(self, x: Any) -> Any:
        """Normalize `x`, `(n, h, w, c)`."""
        band = ops.convert_to_tensor(self.band, dtype=x.dtype)
        energy = ops.conv(ops.square(x), band, data_format="channels_last")
        divisor = self.bias + self.alpha * energy
        # A root is several times as fast as a power.
        return x * (ops.rsqrt(divisor) if self.beta == 0.5 else ops.power(divisor, -self.beta))

    def compute_output_shape(self, input_shape: tuple[Any, ...]) -> tuple[Any, ...]:
        """Return the input's shape, which is kept."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """Return the configuration that `from_config` reads."""
        own = {"radius": self.radius, "bias": self.bias, "alpha": self.alpha, "beta": self.beta}
        return {**super().get_config(), **own}


def _conv(x: Any, filters: int, size: int, name: str, stride: int = 1) -> Any:
    x = layers.Conv2D(filters, size, stride, "same", name=f"{name}{PRE_RELU}")(x)
    return layers.ReLU(name=name)(x)


def max_pool(x: Any, stride: int, name: str) -> Any:
    """Return the maximum over 3×3 places, `SAME`-padded."""
    return layers.MaxPooling2D(3, stride, "same", name=name)(x)


def _stem(x: Any) -> Any:
    x = _conv(x, 64, 7, "conv2d0", stride=2)
    x = LocalResponseNormalization(name="localresponsenorm0")(max_pool(x, 2, "maxpool0"))
    x = _conv(_conv(x, 64, 1, "conv2d1"), 192, 3, "conv2d2")
    return LocalResponseNormalization(name="localresponsenorm1")(x)


def inception(x: Any, width: Branches, name: str, conv: Convolution = _conv) -> Any:
    """Add a block of four arms made by `conv`, `(n, h, w, c)` to `(n, h, w, width.channels)`."""
    three = conv(x, width.three_bottleneck, 1, f"{name}_3x3_bottleneck")
    five = conv(x, width.five_bottleneck, 1, f"{name}_5x5_bottleneck")
    pool = max_pool(x, 1, f"{name}_pool")
    arms = [
        conv(x, width.one, 1, f"{name}_1x1"),
        conv(three, width.three, 3, f"{name}_3x3"),
        conv(five, width.five, 5, f"{name}_5x5"),
        conv(pool, width.pool_reduce, 1, f"{name}_pool_reduce"),
    ]
    return layers.Concatenate(name=name)(arms)


def build(weights: Path | None = None, *, head: bool = True) -> keras.Model:
    """Build the network, with random weights or those of a file (see `read_graph`).

    Args:
        weights: the public graph, its zip, or an exported `.npz`; None for random weights.
        head: whether `softmax2_pre_activation` (the logits) and `softmax2`, both `(n, 1008)`,
            follow `mixed5b`.

    Returns:
        A functional model for any height and width; its input is `(n, h, w, 3)`.
    """
    image = keras.Input((None, None, 3), name="input")
    x = _stem(image)
    for name, width in BLOCKS.items():
        if name in POOLS:
            x = max_pool(x, 2, POOLS[name])
        x = inception(x, width, name)
    if head:
        x = layers.GlobalAveragePooling2D(name="avgpool0")(x)
        x = layers.Dense(CLASSES, name="softmax2_pre_activation")(x)
        x = layers.Softmax(name="softmax2")(x)
    model = keras.Model(image, x, name="googlenet")
    if weights is not None:
        assign(model, read_graph(weights))
    return model


def assign(model: keras.Model, constants: Mapping[str, np.ndarray]) -> None:
    """Set the weights of every layer to the constants of the same name in the graph."""
    for layer in model.layers:
        if layer.weights:
            stem = layer.name.removesuffix("_pre_activation").removesuffix(PRE_RELU)
            layer.set_weights([constants[f"{stem}_w"], constants[f"{stem}_b"]])


def read_graph(path: Path) -> dict[str, np.ndarray]:
    """Read the network's constants by original name (`conv2d0_w`, …; kernels HWIO, float32).

    Args:
        path: `tensorflow_inception_graph.pb`, the public `inception5h.zip` that holds it, or an
            `.npz` written by `numpy.savez(path, **read_graph(...))`, which needs no TensorFlow.
    """
    if path.suffix == ".npz":
        with np.load(path) as archive:
            return dict(archive)
    if path.suffix == ".zip":
        with zipfile.ZipFile(path) as archive:
            member = next(name for name in archive.namelist() if name.endswith(".pb"))
            return _read_constants(archive.read(member))
    return _read_constants(path.read_bytes())


def _read_constants(graph: bytes) -> dict[str, np.ndarray]:
    from google.protobuf.message import DecodeError
    from tensorflow import make_ndarray
    from tensorflow.core.framework import graph_pb2

    try:
        nodes = graph_pb2.GraphDef.FromString(graph).node
    except DecodeError:
        raise ValueError("it is no TensorFlow graph") from None
    return {
        node.name: make_ndarray(node.attr["value"].tensor)
        for node in nodes
        if node.op == "Const" and node.name.endswith(("_w", "_b"))
    }
