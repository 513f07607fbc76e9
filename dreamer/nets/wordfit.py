"""Make a table of words: which channels of a layer a classifier reads a subject from.

The gradient of a subject's logits (their mean, less the mean of all) with respect to a layer's
activations, summed over the places of photos of all kinds, says which channels would lead there.
The gradient times activation, on the photos in which the classifier sees the subject most
clearly, says which channels do. Those that are strong in both are what a dream of it raises. The
photos need no labels: nothing but the classifier says what a subject looks like.
"""

from __future__ import annotations

import math
import tomllib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TypeVar, cast

import cv2
import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from dreamer.arrays import Image
from dreamer.classes import Labels
from dreamer.errors import DreamerError
from dreamer.nets import graph, network
from dreamer.nets.network import Network
from dreamer.nets.training.pictures import Picture
from dreamer.words import Table, Word

SUBJECTS = Path(__file__).parents[1] / "data" / "subjects.toml"
SIDE = 224
"""Of the squares that are cut from the photos, in pixels."""

CHANNELS = 32
"""Of each layer, raised for a word."""

PHOTOS = 24
"""On which a class's pull is averaged."""

OWN = 8
"""Photos that show a word most clearly."""

BATCH = 16

DEPTH = 0.75
"""How deep words are looked for, as a share of the layers with feature maps."""

Array = NDArray[np.float32]

Update = Callable[[float, str], None]
"""Is told the share that is done, 0 to 1, and what is being done."""

_T = TypeVar("_T")


def groups(labels: Labels, subjects: Mapping[str, Sequence[str]]) -> dict[str, list[int]]:
    """The outputs that make up each subject, by its names; subjects without any are left out."""
    outputs: dict[str, list[int]] = {}
    for output, label in enumerate(labels):
        outputs.setdefault(label.name, []).append(output)
    found = {
        subject: [output for name in names for output in outputs.get(name, [])]
        for subject, names in subjects.items()
    }
    return {subject: members for subject, members in found.items() if members}


def read_subjects(path: Path = SUBJECTS) -> dict[str, list[str]]:
    """The classes that make up each subject, by name."""
    return {name: list(members) for name, members in tomllib.loads(path.read_text("utf-8")).items()}


def single(labels: Labels) -> dict[str, list[int]]:
    """The output of every class by its WordNet id if it has one, else by its names.

    A name that comes again is numbered.
    """
    found: dict[str, list[int]] = {}
    times: Counter[str] = Counter()
    for output, label in enumerate(labels):
        if key := label.wordnet or label.names:
            times[key] += 1
            found[f"{key} ({times[key]})" if times[key] > 1 else key] = [output]
    return found


def square(photo: Picture) -> Image:
    """The middle of a photo, float32 `(SIDE, SIDE, 3)` of 0 to 1."""
    height, width = photo.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    middle = photo[top : top + side, left : left + side].astype(np.float32) / np.float32(255)
    return np.asarray(cv2.resize(middle, (SIDE, SIDE), interpolation=cv2.INTER_AREA))


@dataclass(frozen=True)
class Classifier:
    """A network with classes, cut in two behind the first of some layers.

    Attributes:
        layers: from the first to the last.
        outputs: the number of its logits.
        stem: from photos `(n, h, w, 3)` to the first layer's maps.
        tail: from those to the other layers' maps, and the logits.
    """

    layers: tuple[str, ...]
    outputs: int
    stem: Callable[[tf.Tensor], tf.Tensor]
    tail: Callable[[tf.Tensor], list[tf.Tensor]]

    @cached_property
    def _sums(self) -> Callable[..., list[tf.Tensor]]:
        def run(maps: tf.Tensor, goal: tf.Tensor) -> list[tf.Tensor]:
            with tf.GradientTape() as tape:
                tape.watch(maps)
                *behind, logits = self.tail(maps)
                value = tf.linalg.matvec(logits, goal)
            every = [maps, *behind]
            return [
                tf.stack([tf.reduce_sum(each, (0, 1, 2)) for each in (g, g * a)])
                for g, a in zip(tape.gradient(value, every), every, strict=True)
            ]

        return cast("Callable[..., list[tf.Tensor]]", tf.function(run, reduce_retracing=True))

    def pulls(self, maps: tf.Tensor, goal: Array) -> list[Array]:
        """What raises the logits weighted by `goal`, `(outputs,)`: `(2, c)` a layer.

        The sums, over photos and places, of the gradient and of the gradient times activation.
        """
        return [np.asarray(each) for each in self._sums(maps, tf.constant(goal))]


def usual_layer(net: Network) -> str:
    """The layer for words where none is named: `mixed4d` of googlenet.

    The last one in the first `DEPTH` of a network through which all of it passes, and that is not
    narrower than such layers before it: a squeezed one mixes what its channels mean.

    Raises DreamerError where there is none.
    """
    names = list(net.layers)[: math.ceil(DEPTH * len(net.layers))]
    widest, found = 0, ""
    for name in filter(names.__contains__, graph.bottlenecks(net.model)):
        if net.resolve(name) == name and net.layers[name] >= widest:
            widest, found = net.layers[name], name
    if not found:
        raise DreamerError(f"{net.name} has no layer through which all passes: give a --layer.")
    return found


def classifier(net: Network, layers: Sequence[str]) -> Classifier:
    """A network that names classes, made ready to be read at some of its layers.

    Raises DreamerError where it has no classes, or where not all of it passes through the first.
    """
    if not net.units:
        raise DreamerError(
            f"{net.name} names no classes, or at one size only: fit words to a classifier."
        )
    logits = net.resolve(list(net.units)[-1])
    first, *others = sorted(map(net.resolve, layers), key=list(net.layers).index)
    stem = tf.function(network.freeze(net, [first], "float32"), reduce_retracing=True)
    whole = network.frozen(net, [first, *others, logits], "float32", leak=0)
    ends = {name: whole.get_layer(name).output for name in (*others, logits)}
    try:
        tail = keras.Model(whole.get_layer(first).output, ends)
    except ValueError:
        raise DreamerError(
            f"Not all of {net.name} passes through {first}: give another --layer."
        ) from None
    return Classifier(
        (first, *others),
        net.channels(logits),
        stem=lambda photos: stem(photos)[first],
        tail=lambda maps: list(map(tail(maps, training=False).get, (*others, logits))),
    )


Weights = Mapping[str, Array]
"""A number a channel, `(c,)`, by layer; as weights, 0 for those that are left alone."""


def energies(reader: Classifier, maps: tf.Tensor) -> Weights:
    """The mean square of each channel, on photos whose first layer's maps are given."""
    *behind, _ = reader.tail(maps)
    return {
        layer: np.square(np.asarray(each)).mean((0, 1, 2))
        for layer, each in zip(reader.layers, [maps, *behind], strict=True)
    }


def score(reader: Classifier, photos: Array) -> Array:
    """The logits of each photo, less their mean, `(n, outputs)`."""
    batches = np.array_split(photos, -(-len(photos) // BATCH))
    logits = [reader.tail(reader.stem(each))[-1] for each in batches]
    every = np.concatenate(logits)
    return np.asarray(every - every.mean(1, keepdims=True))


def choose(reader: Classifier, members: Sequence[int], usual: tf.Tensor, own: tf.Tensor) -> Weights:
    """The channels for a group of classes: those that pull it up, and that its own photos show.

    Args:
        reader: the classifier.
        members: the group's outputs.
        usual: the first layer's maps of photos of all kinds.
        own: those of photos in which the classifier sees the group most clearly.
    """
    goal = np.full(reader.outputs, -1 / reader.outputs, np.float32)
    goal[list(members)] += 1 / len(members)
    leading, shown = (reader.pulls(maps, goal) for maps in (usual, own))
    return {
        layer: _strongest(pull, attribution)
        for layer, (pull, _), (_, attribution) in zip(reader.layers, leading, shown, strict=True)
    }


def _strongest(pull: Array, attribution: Array) -> Array:
    """The geometric mean of both, of the channels where it is highest; the highest is 1."""
    mean = np.sqrt(pull.clip(0) * attribution.clip(0))
    mean[mean < np.sort(mean)[-CHANNELS:][0]] = 0
    return np.asarray(mean / max(mean.max(), np.finfo(np.float32).tiny))


def weigh(energy: Weights, chosen: Mapping[str, Weights]) -> dict[str, Word]:
    """Words of chosen channels, so scaled that all pull about alike."""
    sizes = {name: _size(energy, weights) for name, weights in chosen.items()}
    heard = {name: size for name, size in sizes.items() if size}
    usual = float(np.median(list(heard.values()) or [1.0]))
    return {name: _word(energy, chosen[name], usual / size) for name, size in heard.items()}


def _size(energy: Weights, weights: Weights) -> float:
    """How strongly channels pull: about how far their weighted sum varies over average photos."""
    return float(np.sqrt(sum(w**2 @ energy[layer] for layer, w in weights.items())))


def _word(energy: Weights, weights: Weights, scale: float) -> Word:
    specs = []
    for layer, each in weights.items():
        order = [int(channel) for channel in np.argsort(-each) if each[channel] > 0]
        listed = (f"{channel}@{_short(each[channel] * scale)}" for channel in order)
        if order:
            specs.append(f"{layer}:{','.join(listed)}")
    word = Word(tuple(specs), 1.0)
    usual = word.strength({layer: each.tolist() for layer, each in energy.items()})
    return replace(word, usual=float(_short(usual)))


def _short(number: float) -> str:
    """Three digits, without an exponent."""
    digits = max(0, 2 - int(np.floor(np.log10(number))))
    return np.format_float_positional(round(float(number), digits), trim="-")


def fit(
    net: Network,
    labels: Labels,
    photos: Sequence[Picture],
    layers: Sequence[str] = (),
    update: Update = lambda share, doing: None,
) -> Table:
    """The words of a classifier.

    Args:
        net: the classifier.
        labels: one an output.
        photos: of all kinds.
        layers: those whose channels a word raises; `usual_layer` where empty.
        update: told of the progress.
    """
    reader = classifier(net, layers or [usual_layer(net)])
    squares = np.stack([square(photo) for photo in photos])
    update(0, f"{len(photos)} photos")
    logits = score(reader, squares)
    usual = reader.stem(squares[:: max(1, len(squares) // PHOTOS)][:PHOTOS])
    named = list(labels)[: reader.outputs]
    kinds = (groups(named, read_subjects()), single(named))
    chosen: tuple[dict[str, Weights], ...] = ({}, {})
    every = [(kind, *word) for kind, words in enumerate(kinds) for word in words.items()]
    for kind, name, members in _watched(update, every):
        own = reader.stem(squares[_clearest(logits, members)])
        chosen[kind][name] = choose(reader, members, usual, own)
    energy = energies(reader, usual)
    return Table(*(weigh(energy, each) for each in chosen))


def _watched(update: Update, words: Sequence[_T]) -> Iterator[_T]:
    """Words, with the progress through them."""
    for number, word in enumerate(words):
        update(number / len(words), f"channels of word {number + 1} of {len(words)}")
        yield word


def _clearest(logits: Array, members: Sequence[int]) -> NDArray[np.intp]:
    return np.argsort(-logits[:, list(members)].max(1), kind="stable")[:OWN]
