"""Attribution: which pixels of a photo a channel or a class answers to.

Each method gives a map of what speaks for the score; that of a channel is its strongest cell's
value, that of a unit its own, before any softmax.
"""

from collections.abc import Callable, Mapping

import cv2
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from dreamer.arrays import Image
from dreamer.networks import freezing, graph
from dreamer.networks.freezing import Features
from dreamer.networks.network import Network

Map = NDArray[np.float32]

STEPS = 32
"""Pictures on the way from gray to the photo, along which gradients are integrated."""

BATCH = 8

GRAY = 0.5
"""The color from which a photo differs."""

SMOOTH = 0.01
"""Standard deviation of the blur of a map of pixels, as a share of the short side."""


def attribute(net: Network, layer: str, channel: int, photo: Image, method: str) -> Map:
    """Return how much each pixel speaks for a channel, `(h, w)`, 0 to 1 for the most.

    Args:
        net: the network.
        layer: of it, with feature maps or units, as `Network.resolve` names it.
        channel: number of a channel or unit.
        photo: float32 `(h, w, 3)` of 0 to 1.
        method: a key of `METHODS`.
    """
    found = METHODS[method](net, layer, channel, tf.constant(photo[None]))
    size = photo.shape[1::-1]
    whole = cv2.resize(np.maximum(found, 0), size, interpolation=cv2.INTER_LINEAR)
    return np.asarray(whole / max(float(whole.max()), 1e-12), np.float32)


def _score(maps: tf.Tensor, channel: int) -> tf.Tensor:
    """Return the scores `(n,)` of feature maps `(n, h, w, c)`, or of units `(n, c)`."""
    own = maps[..., channel]
    return tf.reduce_max(own, (1, 2)) if own.shape.rank == 3 else own


def _find_slopes(features: Features, layer: str, channel: int, images: tf.Tensor) -> tf.Tensor:
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(images)
        scores = _score(features(images)[layer], channel)
    return tape.gradient(scores, images)


def _blur(pixels: tf.Tensor) -> Map:
    """Return what the colors of pixels `(h, w, 3)` say together, smoothed."""
    whole = np.abs(np.asarray(pixels).sum(-1))
    return np.asarray(cv2.GaussianBlur(whole, (0, 0), max(1.0, SMOOTH * min(whole.shape))))


def _multiply_gradient(net: Network, layer: str, channel: int, image: tf.Tensor) -> Map:
    """Multiply the gradient with what the photo differs by from gray."""
    features = freezing.freeze(net, [layer], "float32")
    return _blur((_find_slopes(features, layer, channel, image) * (image - GRAY))[0])


def integrate_gradients(net: Network, layer: str, channel: int, image: tf.Tensor) -> tf.Tensor:
    """Sum gradients on the way from gray to a photo, `(1, h, w, 3)` (Sundararajan et al., 2017).

    Together the pixels are what the photo scores more than gray.
    """
    features = freezing.freeze(net, [layer], "float32")
    shares = (tf.range(STEPS, dtype=tf.float32) + 0.5) / STEPS
    total = tf.zeros_like(image)
    for first in range(0, STEPS, BATCH):
        here = GRAY + shares[first : first + BATCH, None, None, None] * (image - GRAY)
        slopes = _find_slopes(features, layer, channel, here)
        total += tf.reduce_sum(slopes, 0, keepdims=True)
    return total / STEPS * (image - GRAY)


def _weigh_maps(net: Network, layer: str, channel: int, image: tf.Tensor) -> Map:
    """Weigh the last feature maps by their mean gradients (Grad-CAM, Selvaraju et al., 2017).

    Those of a channel are its own.
    """
    last = graph.get_name(graph.find_feature_maps(net.model, graph.get_layer(net.model, layer)))
    trunk = freezing.freeze(net, [last, layer], "float32")
    with tf.GradientTape() as tape:
        tape.watch(image)
        seen = trunk(image)
        score = _score(seen[layer], channel)
    if last == layer:
        return np.asarray(seen[layer][0, ..., channel])
    weights = tf.reduce_mean(tape.gradient(score, seen[last]), (1, 2))
    return np.asarray(tf.reduce_sum(seen[last] * weights[:, None, None], -1)[0])


METHODS: Mapping[str, Callable[[Network, str, int, tf.Tensor], Map]] = {
    "gradient": _multiply_gradient,
    "integrated": lambda *given: _blur(integrate_gradients(*given)[0]),
    "gradcam": _weigh_maps,
}
"""The methods by name."""
