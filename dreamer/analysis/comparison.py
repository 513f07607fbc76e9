"""Comparison of a network's activations for two pictures, layer by layer.

The idea closes Fabien Tencé's "Visualizing Deep Neural Networks Classes and Features" (2016):
compare the activations of a photo with those of the picture that was made for its class.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dreamer.arrays import Image
from dreamer.networks import channels, freezing
from dreamer.networks.network import Network

Array = NDArray[np.float32]


class Compared(NamedTuple):
    """A layer's activations for two pictures.

    Attributes:
        layer: the layer's name.
        maps: the activations for each picture, `(h, w, c)`, or `(1, 1, c)` for a layer of units.
        profiles: each channel's strength in either picture, `(2, c)`: the root of its mean square
            over places, or a unit's value.
    """

    layer: str
    maps: tuple[Array, Array]
    profiles: Array

    @property
    def correlation(self) -> float:
        """Return the profiles' correlation, -1 to 1; 0 if one is the same for all channels."""
        centered = self.profiles - self.profiles.mean(1, keepdims=True)
        lengths = np.linalg.norm(centered, axis=1).prod()
        return float(centered[0] @ centered[1] / lengths) if lengths else 0.0

    def strongest(self, picture: int, count: int) -> list[int]:
        """Return the `count` channels that picture 0 or 1 excites most, strongest first."""
        return _rank(self.profiles[picture], count)

    def apart(self, picture: int, count: int) -> list[int]:
        """Return the `count` channels that picture 0 or 1 excites most beyond the other picture."""
        return _rank(self.profiles[picture] - self.profiles[1 - picture], count)

    def lights(self, channel: int | None = None) -> tuple[Array, Array]:
        """Return each place's response in either picture, `(h, w)`, 1 for the strongest of both.

        Args:
            channel: the channel; None for the root of the mean square over all channels.
        """
        one, other = (
            np.sqrt(np.square(maps).mean(-1)) if channel is None else maps[..., channel]
            for maps in self.maps
        )
        most = max(float(one.max()), float(other.max()), _TINY)
        return one / most, other / most


_TINY = 1e-12


def _rank(values: Array, count: int) -> list[int]:
    return [int(channel) for channel in (-values).argsort(kind="stable")[:count]]


def compare(net: Network, layers: Sequence[str], pictures: tuple[Image, Image]) -> list[Compared]:
    """Compare a network's activations for two pictures of any sizes.

    Args:
        net: the network.
        layers: names of its layers with feature maps or units.
        pictures: float32 `(h, w, 3)`, 0 to 1.

    Raises DreamerError if a picture is too small for the network.
    """
    features = freezing.freeze(net, layers, "float32")
    activations = [features(channels.check_size(net, picture)[None]) for picture in pictures]
    return [
        _compare_layer(layer, *(np.asarray(each[layer][0]) for each in activations))
        for layer in layers
    ]


def _compare_layer(layer: str, first: Array, second: Array) -> Compared:
    if first.ndim == 1:
        return Compared(layer, (first[None, None], second[None, None]), np.stack([first, second]))
    profiles = np.stack([np.sqrt(np.square(maps).mean((0, 1))) for maps in (first, second)])
    return Compared(layer, (first, second), profiles)
