"""Words learnt from a few photos: the channels that these excite more than photos usually do.

The mean of each channel over a photo is compared with its mean and spread over photos of all kinds;
a channel counts by how far, and how reliably, the photos lie above that. Where the network has
words for classes, those that the photos show most count as much. No classifier is needed.
`python -m dreamer.analysis.word_learning NETWORK PHOTOS` measures what is usual; the package
contains it for `googlenet` and `dreamnet`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from dreamer.analysis import packaged, word_fitting
from dreamer.arrays import Image
from dreamer.errors import DreamerError
from dreamer.files import photo_sets
from dreamer.files.photo_sets import Picture
from dreamer.networks import channels, freezing, loading, runtime
from dreamer.networks.network import Network
from dreamer.recipe.words import Table, Word

LAYERS = ("mixed4d", "mixed4e")
"""The layers of the packaged table, whose channels a learnt word raises, too."""

ALIKE = 12
"""Number of classes whose words go into a learnt word, each by how much the photos show it."""

Array = NDArray[np.float32]

Usual = Mapping[str, Array]
"""By layer, over photos of all kinds: the mean and the spread of each channel's mean, and the mean
of its square, `(3, c)`."""


def fit_side(photo: Image) -> Image:
    """Scale a photo so that its short side is that of the squares which words are fitted on."""
    scale = word_fitting.SIDE / min(photo.shape[:2])
    size = round(photo.shape[1] * scale), round(photo.shape[0] * scale)
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(photo, size, interpolation=way).clip(0, 1), np.float32)


def of_picture(picture: Picture) -> Image:
    """Return a picture of a set, 0 to 255, as one of 0 to 1."""
    return picture.astype(np.float32) / np.float32(255)


def measure(net: Network, layers: Sequence[str], photos: Iterable[Image]) -> dict[str, Array]:
    """Return the mean and the mean square of each channel over each photo, `(2, n, c)` by layer."""
    features = tf.function(
        freezing.freeze(net, layers, "float32"), reduce_retracing=True, autograph=False
    )
    found: dict[str, list[Array]] = {layer: [] for layer in layers}
    for photo in photos:
        maps = features(channels.check_size(net, fit_side(photo))[None])
        for layer, values in maps.items():
            each = np.asarray(values[0], np.float32)
            found[layer].append(np.stack([each.mean((0, 1)), np.square(each).mean((0, 1))]))
    return {layer: np.stack(each, 1) for layer, each in found.items()}


def measure_usual(net: Network, layers: Sequence[str], photos: Iterable[Image]) -> Usual:
    """Measure what is usual over photos of all kinds."""
    found = measure(net, layers, photos)
    return {
        layer: np.stack([mean.mean(0), mean.std(0), square.mean(0)])
        for layer, (mean, square) in found.items()
    }


def find_usual(net: Network) -> Usual | None:
    """Return what is usual to a network as the package has it; None where it has not."""
    path = _packaged_path(net.name)
    if not path.is_file():
        return None
    return packaged.read(path)


def learn(net: Network, photos: Sequence[Image], usual: Usual, table: Table | None = None) -> Word:
    """Learn a word from photos that show what it shall mean.

    Args:
        net: the network.
        photos: five to twenty are best, each another view.
        usual: what photos of all kinds show.
        table: other words, which this one shall pull like.
    """
    means = {layer: mean for layer, (mean, _) in measure(net, list(usual), photos).items()}
    energy = {layer: each[2] for layer, each in usual.items()}
    raised = _scale({layer: _weigh(mean, usual[layer]) for layer, mean in means.items()}, energy)
    if not any(weights.any() for weights in raised.values()):
        raise DreamerError("The photos show nothing that others do not: give others.")
    if table and table.classes:
        like = _scale(_mix_classes(means, usual, list(table.classes.values())), energy)
        raised = {
            layer: word_fitting.keep_strongest(weights + like[layer])
            for layer, weights in raised.items()
        }
    pulls = [word.measure_pull(energy) for word in table.subjects.values()] if table else [1.0]
    (word,) = word_fitting.weigh(energy, {"": raised}, float(np.median(pulls))).values()
    return word


def _weigh(means: Array, usual: Array) -> Array:
    """Weigh a layer's channels, `(c,)`: 0 for all but those that tell most.

    Channels are weighed like the axes of a linear discriminant whose classes have equal spreads;
    each layer has the same pull.
    """
    mean, spread, square = usual
    spread = np.maximum(spread, 1e-3 * max(float(spread.max()), 1e-6))
    above = (means - mean) / spread
    sure = above.mean(0) / np.sqrt(1 + above.var(0))
    weights = word_fitting.keep_strongest(sure.clip(0)) / spread
    return np.asarray(weights / max(float(np.sqrt(weights**2 @ square)), 1e-12), np.float32)


def _mix_classes(
    means: Mapping[str, Array], usual: Usual, classes: Sequence[Word]
) -> dict[str, Array]:
    """Mix the channels of the classes' words that photos show most, `(c,)` by layer."""
    every = {layer: _spread_out(classes, layer, mean.shape[-1]) for layer, mean in means.items()}
    above = sum((means[layer] - usual[layer][0]) @ every[layer].T for layer in means)
    spread = sum(every[layer] ** 2 @ usual[layer][1] ** 2 for layer in means)
    score = np.asarray(above / np.sqrt(np.maximum(spread, 1e-12)))
    share = np.exp(score - score.max(1, keepdims=True)).mean(0)
    share[share < np.sort(share)[-ALIKE:][0]] = 0
    return {layer: np.asarray(share @ weights, np.float32) for layer, weights in every.items()}


def _spread_out(words: Sequence[Word], layer: str, channels: int) -> Array:
    """Return the weights that words give to a layer's channels, `(words, channels)`."""
    weights = np.zeros((len(words), channels), np.float32)
    for row, word in zip(weights, words, strict=True):
        for term in word.terms:
            if term.layer == layer:
                listed = list(term.channels or ())
                row[listed] = term.channel_weights or 1.0
    return weights


def _scale(weights: Mapping[str, Array], energy: Mapping[str, Array]) -> dict[str, Array]:
    """Scale weights by layer to a pull of 1."""
    pull = np.sqrt(sum(float(each**2 @ energy[layer]) for layer, each in weights.items()))
    return {layer: each / max(float(pull), 1e-12) for layer, each in weights.items()}


def measure_contrast(net: Network, word: Word, photos: Sequence[Image]) -> float:
    """Return how strongly photos show a word, against an average photo."""
    found = measure(net, [term.layer for term in word.terms], photos)
    energies = {layer: square.mean(0).tolist() for layer, (_, square) in found.items()}
    return word.strength(energies) / word.usual


def _packaged_path(network: str) -> Path:
    return packaged.FOLDER / f"words-usual-{network}.npz"


def write(net: Network, source: Path) -> Path:
    """Write what is usual over a folder's or an archive's photos into the package."""
    usual = measure_usual(net, LAYERS, map(of_picture, photo_sets.load(source)))
    return packaged.write(_packaged_path(net.name), usual)


if __name__ == "__main__":
    runtime.start()
    print(write(loading.load(sys.argv[1]), Path(sys.argv[2])))  # noqa: T201
