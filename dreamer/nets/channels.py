"""How strongly pictures excite a layer's channels, and the choice of channels by that."""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from dreamer.arrays import Image
from dreamer.errors import DreamerError
from dreamer.files import photos
from dreamer.files.photos import Photo
from dreamer.layers import Choice, How, parse_layer, with_channels
from dreamer.nets import network
from dreamer.nets.network import Network
from dreamer.recipe import Recipe

LOOK_SIZE = 320
"""The longest side, in pixels, at which a photo or a guide is looked at, whatever the dream's."""

NOISE_SIZE = (224, 224)


def looked_at(photo: Photo) -> Image:
    """A photo at the size at which channels are compared."""
    return photos.resize(photo, photos.fitted(photo.image.shape[:2], LOOK_SIZE)).image


def strengths(net: Network, layer: str, image: Image) -> NDArray[np.float32]:
    """The mean square of each channel over a picture, `(c,)`; of a layer of units, their values."""
    (maps,) = network.freeze(net, [layer], "float32")(large_enough(net, image)[None]).values()
    values = np.asarray(maps[0], np.float32)
    return values if values.ndim == 1 else np.square(values).mean((0, 1))


def large_enough(net: Network, image: Image) -> Image:
    """The picture itself. Raises DreamerError where it is too small for the network."""
    if min(image.shape[:2]) < net.spec.smallest:
        raise DreamerError(
            f"The picture is too small to be looked at: {net.name} needs {net.spec.smallest} "
            "pixels along each side."
        )
    return image


_ORDERS: Mapping[How, Callable[[NDArray[np.float32]], NDArray[np.float32]]] = {
    "strongest": lambda strength: -strength,
    "weakest": lambda strength: strength,
    "average": lambda strength: np.abs(strength - strength.mean()),
}
"""What is smallest for the channels that are taken first, as in neural-dream."""


def choose(strength: NDArray[np.float32], choice: Choice) -> list[int]:
    """The channels taken, first the one that meets the choice best.

    A channel that the photo excites nowhere is never taken: it has no gradient to follow.
    """
    live = np.flatnonzero(strength)
    order = _ORDERS[choice.how](strength[live]).argsort(kind="stable")
    return [int(channel) for channel in live[order[: choice.number]]]


def settled(recipe: Recipe, net: Network, photo: Photo) -> Recipe:
    """The recipe with channels chosen on a photo, by number, so that a friend repeats them.

    Raises DreamerError where the photo excites no channel of a layer.
    """
    if not recipe.chooses:
        return recipe
    return recipe.changed({"layers": [_settled(text, net, photo) for text in recipe.layers]})


def _settled(text: str, net: Network, photo: Photo) -> str:
    term = parse_layer(text)
    if term.choice is None:
        return text
    layer = net.resolve(term.layer)
    chosen = choose(strengths(net, layer, looked_at(photo)), term.choice)
    if not chosen:
        raise DreamerError(f"The photo excites nothing in {layer} of {net.name}: choose another.")
    return with_channels(text, chosen)


def asleep(net: Network, layer: str) -> NDArray[np.bool_]:
    """Which channels are zero all over seeded noise of every kind, `(c,)`."""
    pictures = [photos.noise(kind, NOISE_SIZE, 0).image for kind in photos.NOISES]
    answers = np.array([strengths(net, layer, picture) for picture in pictures])
    return np.asarray((answers == 0).all(0))
