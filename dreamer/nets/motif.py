"""Motif sizes: how large, in pixels, a thing is that a unit of a layer responds to.

`python -m dreamer.nets.motif NAME` measures the layers of a network for the registry.
"""

import sys
from collections.abc import Collection, Mapping

import numpy as np
import tensorflow as tf

from dreamer.errors import DreamerError
from dreamer.nets import graph, network
from dreamer.nets.network import Network

ENERGY = 0.9
"""The share of a unit's gradient energy that a motif's circle holds."""

_SIDE = 448
_PICTURES = 6
_GRAIN = 4


def _natural_noise(seed: int) -> np.ndarray:
    """Pictures `(n, h, w, 3)` of 0 to 1 with the 1/f spectrum of photographs."""
    random = np.random.default_rng(seed)
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(_SIDE), np.fft.rfftfreq(_SIDE), indexing="ij"))
    white = random.normal(size=(_PICTURES, 3, _SIDE, _SIDE))
    spectrum = np.fft.rfft2(white) / np.maximum(frequency, 1 / _SIDE)
    noise = np.fft.irfft2(spectrum, s=(_SIDE, _SIDE))
    noise /= noise.std((2, 3), keepdims=True) * 5
    return (0.5 + noise).clip(0, 1).transpose(0, 2, 3, 1).astype(np.float32)


def measure(net: Network, layers: Collection[str]) -> Mapping[str, int]:
    """Motif sizes by layer: the diameter that holds `ENERGY` of the gradient of its centre unit.

    The effective receptive field of Luo et al. (2016), over random mixtures of the layer's
    channels on noise that looks like photographs; rounded to `_GRAIN` pixels.
    """
    features = network.freeze(net, layers, "float32")
    pictures = tf.constant(_natural_noise(0))
    with tf.GradientTape(persistent=True, watch_accessed_variables=False) as tape:
        tape.watch(pictures)
        maps = features(pictures)
        centres = {}
        for name, value in maps.items():
            mixture = np.random.default_rng(1).choice([-1.0, 1.0], value.shape[-1])
            unit = value[:, value.shape[1] // 2, value.shape[2] // 2]
            centres[name] = tf.reduce_sum(unit * tf.constant(mixture, tf.float32))
    return {name: _diameter(tape.gradient(unit, pictures)) for name, unit in centres.items()}


def _diameter(gradient: tf.Tensor) -> int:
    energy = np.square(np.asarray(gradient)).sum((0, 3))
    if not energy.any():
        return 0
    rows, columns = np.indices(energy.shape)
    centre = [(axis * energy).sum() / energy.sum() for axis in (rows, columns)]
    distance = np.hypot(rows - centre[0], columns - centre[1]).ravel()
    order = distance.argsort()
    held = energy.ravel()[order].cumsum() / energy.sum()
    radius = float(distance[order][np.searchsorted(held, ENERGY)])
    return max(_GRAIN, _GRAIN * round(2 * radius / _GRAIN))


def size(net: Network, layer: str) -> int:
    """The motif size of a layer: the registry's, or else measured now.

    A layer of units has that of the feature maps that it pools.
    """
    layer = graph.maps_before(net.model, net.model.get_layer(layer)).name
    known = net.spec.motifs.get(layer) or measure(net, [layer])[layer]
    if not known:
        raise DreamerError(f"{layer} of {net.name} answers to nothing: choose another layer.")
    return int(known)


if __name__ == "__main__":
    loaded = network.load(sys.argv[1])
    print(dict(measure(loaded, list(loaded.layers))))  # noqa: T201
