"""Measurement of how strongly pictures excite a layer's channels, and choice by that strength."""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from dreamer.arrays import Image
from dreamer.errors import DreamerError
from dreamer.files import photos
from dreamer.files.photos import Photo
from dreamer.imaging import noise
from dreamer.networks import freezing
from dreamer.networks.network import Network
from dreamer.recipe.layer_spec import Choice, How

MEASUREMENT_SIZE = 320
"""Longest side, in pixels, of a photo or guide whose channels are measured, at any dream size."""

NOISE_SIZE = (224, 224)
"""Height and width, in pixels, of the noise by which `find_dead_channels` finds dead channels."""


def resize_for_measurement(photo: Photo) -> Image:
    """Resize a photo to the size at which channels are measured."""
    return photos.resize(photo, photos.fit_size(photo.image.shape[:2], MEASUREMENT_SIZE)).image


def measure_strengths(net: Network, layer: str, image: Image) -> NDArray[np.float32]:
    """Return each channel's mean square over a picture, or each unit's value, `(c,)`."""
    (maps,) = freezing.freeze(net, [layer], "float32")(check_size(net, image)[None]).values()
    values = np.asarray(maps[0], np.float32)
    return values if values.ndim == 1 else np.square(values).mean((0, 1))


def check_size(net: Network, image: Image) -> Image:
    """Return the picture itself. Raises DreamerError if it is too small for the network."""
    if min(image.shape[:2]) < net.spec.smallest:
        raise DreamerError(
            f"The picture is too small to be looked at: {net.name} needs {net.spec.smallest} "
            "pixels along each side."
        )
    return image


_SORT_KEYS: Mapping[How, Callable[[NDArray[np.float32]], NDArray[np.float32]]] = {
    "strongest": lambda strength: -strength,
    "weakest": lambda strength: strength,
    "average": lambda strength: np.abs(strength - strength.mean()),
}
"""Sort keys, as in neural-dream: channels with the smallest values are taken first."""


def pick_channels(strength: NDArray[np.float32], choice: Choice) -> list[int]:
    """Return the chosen channels, best match first.

    A channel that the photo excites nowhere is never chosen: it has no gradient to follow.
    """
    live = np.flatnonzero(strength)
    order = _SORT_KEYS[choice.how](strength[live]).argsort(kind="stable")
    return [int(channel) for channel in live[order[: choice.number]]]


def find_dead_channels(net: Network, layer: str) -> NDArray[np.bool_]:
    """Tell for each channel whether it is zero everywhere on seeded noise of every kind, `(c,)`."""
    pictures = [noise.draw_noise(kind, NOISE_SIZE, 0) for kind in noise.KINDS]
    responses = np.array([measure_strengths(net, layer, picture) for picture in pictures])
    return np.asarray((responses == 0).all(0))
