"""Motif sizes: the size, in pixels, of the things that a layer's units respond to.

`python -m dreamer.networks.motif_size NAME` measures the layers of a network for the registry.
"""

import sys
from collections.abc import Collection, Mapping

import numpy as np
import tensorflow as tf

from dreamer.errors import DreamerError
from dreamer.networks import freezing, graph, loading
from dreamer.networks.network import Network

ENERGY = 0.9
"""Share of a unit's gradient energy that lies within the circle of a motif."""

_SIDE = 448
_PICTURES = 6
_GRAIN = 4
"""Motif sizes are rounded to multiples of this many pixels."""


def _draw_natural_noise(seed: int) -> np.ndarray:
    """Draw pictures `(n, h, w, 3)`, 0 to 1, with the 1/f spectrum of photographs."""
    random = np.random.default_rng(seed)
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(_SIDE), np.fft.rfftfreq(_SIDE), indexing="ij"))
    white = random.normal(size=(_PICTURES, 3, _SIDE, _SIDE))
    spectrum = np.fft.rfft2(white) / np.maximum(frequency, 1 / _SIDE)
    noise = np.fft.irfft2(spectrum, s=(_SIDE, _SIDE))
    noise /= noise.std((2, 3), keepdims=True) * 5
    return (0.5 + noise).clip(0, 1).transpose(0, 2, 3, 1).astype(np.float32)


def measure_motif_sizes(net: Network, layers: Collection[str]) -> Mapping[str, int]:
    """Measure motif sizes by layer: the diameter that holds `ENERGY` of the center unit's gradient.

    This is the effective receptive field of Luo et al. (2016), for a random mixture of the layer's
    channels on noise with the spectrum of photographs, rounded to `_GRAIN` pixels. A layer that
    does not respond gets 0.
    """
    features = freezing.freeze(net, layers, "float32")
    pictures = tf.constant(_draw_natural_noise(0))
    with tf.GradientTape(persistent=True, watch_accessed_variables=False) as tape:
        tape.watch(pictures)
        maps = features(pictures)
        centers = {}
        for name, value in maps.items():
            mixture = np.random.default_rng(1).choice([-1.0, 1.0], value.shape[-1])
            unit = value[:, value.shape[1] // 2, value.shape[2] // 2]
            centers[name] = tf.reduce_sum(unit * tf.constant(mixture, tf.float32))
    return {
        name: _measure_diameter(tape.gradient(unit, pictures)) for name, unit in centers.items()
    }


def _measure_diameter(gradient: tf.Tensor) -> int:
    energy = np.square(np.asarray(gradient)).sum((0, 3))
    if not energy.any():
        return 0
    rows, columns = np.indices(energy.shape)
    center = [(axis * energy).sum() / energy.sum() for axis in (rows, columns)]
    distance = np.hypot(rows - center[0], columns - center[1]).ravel()
    order = distance.argsort()
    share = energy.ravel()[order].cumsum() / energy.sum()
    radius = float(distance[order][np.searchsorted(share, ENERGY)])
    return max(_GRAIN, _GRAIN * round(2 * radius / _GRAIN))


def find_motif_size(net: Network, layer: str) -> int:
    """Return the motif size of a layer, in pixels: the registry's, or else measured now.

    A layer of units has the motif size of the feature maps that it pools.

    Raises DreamerError if the layer does not respond to anything.
    """
    maps = net.facts.find(
        f"the feature maps of {layer}",
        lambda: graph.get_name(
            graph.find_feature_maps(net.model, graph.get_layer(net.model, layer))
        ),
    )
    known = net.spec.motifs.get(maps) or net.facts.find(
        f"the motif size of {maps}", lambda: measure_motif_sizes(net, [maps])[maps]
    )
    if not known:
        raise DreamerError(f"{maps} of {net.name} answers to nothing: choose another layer.")
    return known


if __name__ == "__main__":
    loaded = loading.load(sys.argv[1])
    print(dict(measure_motif_sizes(loaded, list(loaded.layers))))  # noqa: T201
