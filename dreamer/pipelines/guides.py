"""What a guide asks for: activations like those of a picture, or of a folder of photos."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import tensorflow as tf

from dreamer.arrays import Image
from dreamer.ascent import objectives
from dreamer.ascent.objectives import Objective
from dreamer.errors import DreamerError
from dreamer.networks import channels, folders, freezing
from dreamer.networks.freezing import Features
from dreamer.networks.network import Network
from dreamer.recipe.layer_spec import LayerSpec

Guide = Image | Path
"""A picture, or a folder of photos."""


def compare_to_guide(
    guide: Guide, net: Network, terms: Sequence[LayerSpec], match: str
) -> list[Objective]:
    """Return objectives for the likeness to a guide, one for each term.

    Args:
        guide: of a folder, the mean of its photos' statistics.
        net: the network.
        terms: of a recipe; their weights do not count.
        match: a key of `objectives.MATCHES`, or "statistics".

    Raises DreamerError for a folder whose photos are to be matched, or that holds none.
    """
    features = freezing.freeze(net, {term.layer for term in terms}, "float32")
    if match == "statistics":
        pictures = _photos(guide, net) if isinstance(guide, Path) else (guide,)
        usual = _mean_statistics(features, pictures)
        return [objectives.match_statistics(term.layer, usual[term.layer]) for term in terms]
    if isinstance(guide, Path):
        raise DreamerError(
            f"{guide} is a folder, which guides by the statistics of its photos only: add "
            "--set guide_match=statistics."
        )
    maps = features(guide[None])
    return [objectives.match_guide(term.layer, maps[term.layer][0], match) for term in terms]


def _photos(folder: Path, net: Network) -> Iterator[Image]:
    looked = folders.read_photos(net, folder, channels.MEASUREMENT_SIZE)
    return (photo.image for photo in looked if photo)


def _mean_statistics(features: Features, pictures: Iterable[Image]) -> Mapping[str, tf.Tensor]:
    traced = tf.function(features, reduce_retracing=True, autograph=False)
    count, sums = 0, dict[str, tf.Tensor]()
    for picture in pictures:
        count += 1
        for layer, maps in traced(tf.constant(picture[None])).items():
            told = tf.cast(objectives.compute_statistics(maps)[0], tf.float64)
            sums[layer] = sums.get(layer, 0) + told
    return {layer: tf.cast(total / count, tf.float32) for layer, total in sums.items()}
