"""Naturalness: how far a picture's activations are from those of photos.

A picture is described by the mean and the standard deviation of each channel over all places, at a
few layers, as in Li et al., "Demystifying Neural Style Transfer" (2017),
https://arxiv.org/abs/1701.01036, and compared with the distribution of these numbers over many
photos. `python -m dreamer.analysis.naturalness NETWORK FOLDER` measures that distribution; the
package contains it for `googlenet` and `dreamnet`.
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

from dreamer.analysis import packaged
from dreamer.arrays import Activations, Image
from dreamer.errors import DreamerError
from dreamer.networks import channels, folders, freezing, loading, runtime
from dreamer.networks.network import Network

LAYERS = ("mixed3a", "mixed3b", "mixed4a", "mixed4c")
"""Layers that are compared if the network has all of them."""

_COUNT = 4
"""Number of layers that are compared in any other network."""

_LEAST_SPREAD = 0.02
"""Least spread of a channel over photos, as a share of the layer's mean; for dead channels."""

_TINY = 1e-6
_PREFIX = "naturalness-"

Array = NDArray[np.float64]
Usual = Mapping[str, NDArray[np.float32]]
"""Mean and spread over photos of each channel's statistics (`_describe`), `(2, 2, c)` by layer."""


@dataclass(frozen=True)
class Naturalness:
    """The measure of naturalness on a network, traced once for pictures of any size."""

    net: Network
    usual: Usual

    @cached_property
    def _features(self) -> Any:
        features = freezing.freeze(self.net, self.usual, "float32")
        return tf.function(features, reduce_retracing=True, autograph=False)

    def distance(self, image: Image) -> float:
        """Measure how unlike photos a picture is: about 1 for a photo; less is more natural.

        This is the root mean square, over layers and channels, of the deviation from the photos'
        mean, in units of the photos' spread. Only pictures of the same size are comparable.

        Args:
            image: float32 `(h, w, 3)`, 0 to 1.

        Raises DreamerError if it is too small for the network.
        """
        described = _describe(self._features(channels.check_size(self.net, image)[None]))
        parts = [
            np.square((described[layer] - mean) / spread).mean()
            for layer, (mean, spread) in self.usual.items()
        ]
        return float(np.sqrt(np.mean(parts)))


def _describe(maps: Activations) -> dict[str, Array]:
    """Return roots of each channel's mean and standard deviation over places, `(2, c)` by layer.

    Large activations are rare: with roots, photos spread evenly around their mean.
    """
    numbers = {layer: np.asarray(value[0], np.float64) for layer, value in maps.items()}
    return {
        layer: np.sqrt(np.abs([value.mean((0, 1)), value.std((0, 1))]))
        for layer, value in numbers.items()
    }


def load(net: Network) -> Naturalness:
    """Load the measure on a network, from the statistics of photos in the package.

    Raises DreamerError if the package has none for the network.
    """
    path = _packaged_path(net.name)
    if not is_known(net):
        known = sorted(
            path.stem.removeprefix(_PREFIX) for path in packaged.FOLDER.glob(f"{_PREFIX}*")
        )
        raise DreamerError(
            f"What is natural to {net.name} is not known: dream on {' or '.join(known)}."
        )
    return Naturalness(net, packaged.read(path))


def is_known(net: Network) -> bool:
    """Tell whether the package has a network's statistics of photos."""
    return _packaged_path(net.name).is_file()


def layers(net: Network) -> Sequence[str]:
    """Return the layers of a network that are compared."""
    if set(LAYERS) <= net.layers.keys():
        return LAYERS
    marks = net.landmarks
    return list(dict.fromkeys(marks[len(marks) * n // _COUNT] for n in range(_COUNT)))


def measure_statistics(net: Network, folder: Path) -> Usual:
    """Measure the statistics of the photos in a folder, holding one photo at a time.

    Raises DreamerError if the folder holds fewer than two usable photos.
    """
    features = tf.function(
        freezing.freeze(net, layers(net), "float32"), reduce_retracing=True, autograph=False
    )
    count, sums = 0, {layer: np.zeros((2, 2, net.channels(layer))) for layer in layers(net)}
    for photo in folders.read_photos(net, folder, channels.MEASUREMENT_SIZE):
        if photo:
            count += 1
            for layer, described in _describe(features(photo.image[None])).items():
                sums[layer] += [described, described**2]
    if count < 2:
        raise DreamerError(
            f"{folder} holds one photo, and what is usual is told by more: add some."
        )
    return {layer: _summarize(total / count) for layer, total in sums.items()}


def _summarize(moments: Array) -> NDArray[np.float32]:
    """Return means and spreads, `(2, 2, c)`, from the means of values and of their squares."""
    mean, square = moments
    spread = np.sqrt(np.maximum(square - mean**2, 0))
    least = max(_LEAST_SPREAD * spread.mean(), _TINY)
    return np.stack([mean, np.maximum(spread, least)]).astype(np.float32)


def _packaged_path(network_name: str) -> Path:
    return packaged.FOLDER / f"{_PREFIX}{network_name}.npz"


def write(net: Network, folder: Path) -> Path:
    """Write the statistics of a folder's photos into the package, as float16; return the path."""
    return packaged.write(_packaged_path(net.name), measure_statistics(net, folder))


if __name__ == "__main__":
    runtime.start()
    print(write(loading.load(sys.argv[1]), Path(sys.argv[2])))  # noqa: T201
