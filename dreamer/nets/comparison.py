"""What two pictures do to a network, layer by layer, side by side.

Fabien Tencé's closing idea in "Visualizing Deep Neural Networks Classes and Features" (2016):
compare the activations of a photo with those of the picture that was made for its class.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dreamer.arrays import Image
from dreamer.nets import channels, network
from dreamer.nets.network import Network

Array = NDArray[np.float32]


class Compared(NamedTuple):
    """A layer's answers to two pictures.

    Attributes:
        layer: its name.
        maps: for each picture `(h, w, c)`, or `(1, 1, c)` of a layer of units.
        profiles: how strong each channel is in either, `(2, c)`: the root of its mean square over
            places; of a layer of units, the value itself.
    """

    layer: str
    maps: tuple[Array, Array]
    profiles: Array

    @property
    def correlation(self) -> float:
        """Of the two profiles, -1 to 1; 0 where one of them is the same for all channels."""
        centred = self.profiles - self.profiles.mean(1, keepdims=True)
        lengths = np.linalg.norm(centred, axis=1).prod()
        return float(centred[0] @ centred[1] / lengths) if lengths else 0.0

    def strongest(self, picture: int, count: int) -> list[int]:
        """The channels that a picture, 0 or 1, excites most."""
        return _first(self.profiles[picture], count)

    def apart(self, picture: int, count: int) -> list[int]:
        """The channels that a picture, 0 or 1, excites most beyond what the other one does."""
        return _first(self.profiles[picture] - self.profiles[1 - picture], count)

    def lights(self, channel: int | None = None) -> tuple[Array, Array]:
        """How strongly each place of either picture answers, `(h, w)`, 1 for the strongest.

        Args:
            channel: one; None for the root of the mean square of all.
        """
        one, other = (
            np.sqrt(np.square(maps).mean(-1)) if channel is None else maps[..., channel]
            for maps in self.maps
        )
        most = max(float(one.max()), float(other.max()), _TINY)
        return one / most, other / most


_TINY = 1e-12


def _first(values: Array, count: int) -> list[int]:
    return [int(channel) for channel in (-values).argsort(kind="stable")[:count]]


def compare(net: Network, layers: Sequence[str], pictures: tuple[Image, Image]) -> list[Compared]:
    """Compare two pictures of any sizes.

    Args:
        net: the network.
        layers: of it, with feature maps or units.
        pictures: float32 `(h, w, 3)` of 0 to 1.

    Raises DreamerError where one is too small for the network.
    """
    features = network.freeze(net, layers, "float32")
    answers = [features(channels.large_enough(net, picture)[None]) for picture in pictures]
    return [_compared(layer, *(np.asarray(each[layer][0]) for each in answers)) for layer in layers]


def _compared(layer: str, first: Array, second: Array) -> Compared:
    if first.ndim == 1:
        return Compared(layer, (first[None, None], second[None, None]), np.stack([first, second]))
    profiles = np.stack([np.sqrt(np.square(maps).mean((0, 1))) for maps in (first, second)])
    return Compared(layer, (first, second), profiles)
