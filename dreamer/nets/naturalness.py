"""Naturalness: how far a picture's activations are from those of photos.

A photo is told by the mean and the standard deviation of each channel over all places, at a few
layers, as in Li et al., "Demystifying Neural Style Transfer" (2017),
https://arxiv.org/abs/1701.01036. How usual such numbers are is taken from many photos: those of
`python -m dreamer.nets.naturalness NETWORK FOLDER` come with the package for `googlenet` and
`dreamnet`, without the photos.
"""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from dreamer.arrays import Activations, Image
from dreamer.errors import DreamerError
from dreamer.files import atomic
from dreamer.nets import channels, folders, network, runtime
from dreamer.nets.network import Network

LAYERS = ("mixed3a", "mixed3b", "mixed4a", "mixed4c")
"""What is compared where the network has them."""

_COUNT = 4
"""Of the layers that are compared in any other network."""

_LEAST_SPREAD = 0.02
"""Of a channel's numbers over photos, as a share of the layer's mean spread: for dead channels."""

_TINY = 1e-6
_DATA = Path(__file__).parents[1] / "data"
_PREFIX = "naturalness-"

Array = NDArray[np.float64]
Usual = Mapping[str, NDArray[np.float32]]
"""By layer, `(2, 2, c)`: mean and spread over photos of each channel's two numbers (`_told`)."""


@dataclass(frozen=True)
class Naturalness:
    """The measure on a network, traced once for pictures of every size."""

    net: Network
    usual: Usual

    @cached_property
    def _features(self) -> Any:
        features = network.freeze(self.net, self.usual, "float32")
        return tf.function(features, reduce_retracing=True)

    def distance(self, image: Image) -> float:
        """How unlike a photo a picture is: about 1 for a photo, less is more natural.

        The root mean square, over layers and channels, of the deviation from what is usual, in
        units of the photos' own spread. Pictures are comparable at one size only.

        Args:
            image: float32 `(h, w, 3)` of 0 to 1.

        Raises DreamerError where it is too small for the network.
        """
        told = _told(self._features(channels.large_enough(self.net, image)[None]))
        parts = [
            np.square((told[layer] - mean) / spread).mean()
            for layer, (mean, spread) in self.usual.items()
        ]
        return float(np.sqrt(np.mean(parts)))


def _told(maps: Activations) -> dict[str, Array]:
    """Roots of the mean and of the standard deviation of each channel over places, `(2, c)`.

    Roots, because activations have few large values: so photos spread evenly around the usual.
    """
    numbers = {layer: np.asarray(value[0], np.float64) for layer, value in maps.items()}
    return {
        layer: np.sqrt(np.abs([value.mean((0, 1)), value.std((0, 1))]))
        for layer, value in numbers.items()
    }


def load(net: Network) -> Naturalness:
    """The measure on a network, by the photos that the package knows of.

    Raises DreamerError where it knows nothing of the network.
    """
    path = _shipped(net.name)
    if not is_known(net):
        known = sorted(path.stem.removeprefix(_PREFIX) for path in _DATA.glob(f"{_PREFIX}*"))
        raise DreamerError(
            f"What is natural to {net.name} is not known: dream on {' or '.join(known)}."
        )
    with np.load(path) as archive:
        return Naturalness(net, {layer: archive[layer].astype(np.float32) for layer in archive})


def is_known(net: Network) -> bool:
    """Whether the package knows what is natural to a network."""
    return _shipped(net.name).is_file()


def layers(net: Network) -> Sequence[str]:
    """The layers of a network that are compared."""
    if set(LAYERS) <= net.layers.keys():
        return LAYERS
    marks = net.landmarks
    return list(dict.fromkeys(marks[len(marks) * n // _COUNT] for n in range(_COUNT)))


def measured(net: Network, folder: Path) -> Usual:
    """What is usual in the photos of a folder, of which one at a time is held.

    Raises DreamerError where there are less than two that can be used.
    """
    features = tf.function(network.freeze(net, layers(net), "float32"), reduce_retracing=True)
    count, sums = 0, {layer: np.zeros((2, 2, net.channels(layer))) for layer in layers(net)}
    for photo in folders.look(net, folder, channels.LOOK_SIZE):
        if photo:
            count += 1
            for layer, told in _told(features(photo.image[None])).items():
                sums[layer] += [told, told**2]
    if count < 2:
        raise DreamerError(
            f"{folder} holds one photo, and what is usual is told by more: add some."
        )
    return {layer: _usual(total / count) for layer, total in sums.items()}


def _usual(moments: Array) -> NDArray[np.float32]:
    mean, square = moments
    spread = np.sqrt(np.maximum(square - mean**2, 0))
    least = max(_LEAST_SPREAD * spread.mean(), _TINY)
    return np.stack([mean, np.maximum(spread, least)]).astype(np.float32)


def _shipped(network_name: str) -> Path:
    return _DATA / f"{_PREFIX}{network_name}.npz"


def write(net: Network, folder: Path) -> Path:
    """Put what is usual in the photos of a folder into the package, in half precision."""
    path = _shipped(net.name)
    usual = measured(net, folder)
    halves: dict[str, Any] = {layer: usual[layer].astype(np.float16) for layer in usual}
    with atomic.replacing(path) as file:
        np.savez_compressed(file, **halves)
    return path


if __name__ == "__main__":
    runtime.start()
    print(write(network.load(sys.argv[1]), Path(sys.argv[2])))  # noqa: T201
