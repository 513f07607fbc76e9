"""Fitting of word tables: the channels of a layer from which a classifier reads a subject.

The gradient of a subject's logits (their mean minus the mean of all) with respect to a layer's
activations, summed over the places of photos of all kinds, tells which channels would raise them.
The gradient times activation, on the photos in which the classifier sees the subject most
clearly, tells which channels do. A dream of the subject raises the channels that are strong in
both. The photos need no labels: only the classifier decides what a subject looks like.
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
from dreamer.errors import DreamerError
from dreamer.files.photo_sets import Picture
from dreamer.networks import freezing, graph
from dreamer.networks.network import Network
from dreamer.recipe.class_labels import Labels
from dreamer.recipe.words import Table, Word

SUBJECTS = Path(__file__).parents[1] / "data" / "subjects.toml"
"""File that lists the classes of each subject."""

SIDE = 224
"""Side, in pixels, of the squares that are cut from the photos."""

CHANNELS = 32
"""Number of channels of each layer that are raised for a word."""

PHOTOS = 24
"""Number of photos of all kinds over which a word's gradient is summed."""

OWN = 8
"""Number of photos, those that show a word most clearly, from which its channels are read."""

BATCH = 16
"""Most photos that are scored at once."""

DEPTH = 0.75
"""Share of the layers with feature maps, from the first one on, where words may be read."""

Array = NDArray[np.float32]

Update = Callable[[float, str], None]
"""Callback for progress: gets the share that is done, 0 to 1, and a description of the step."""

_T = TypeVar("_T")


def groups(labels: Labels, subjects: Mapping[str, Sequence[str]]) -> dict[str, list[int]]:
    """Return the outputs that make up each subject; subjects without any are left out."""
    outputs: dict[str, list[int]] = {}
    for output, label in enumerate(labels):
        outputs.setdefault(label.name, []).append(output)
    found = {
        subject: [output for name in names for output in outputs.get(name, [])]
        for subject, names in subjects.items()
    }
    return {subject: members for subject, members in found.items() if members}


def read_subjects(path: Path = SUBJECTS) -> dict[str, list[str]]:
    """Read the names of the classes that make up each subject."""
    return {name: list(members) for name, members in tomllib.loads(path.read_text("utf-8")).items()}


def single(labels: Labels) -> dict[str, list[int]]:
    """Return the output of every class by its WordNet id, or by its names if it has none.

    Repeated keys are numbered.
    """
    found: dict[str, list[int]] = {}
    times: Counter[str] = Counter()
    for output, label in enumerate(labels):
        if key := label.wordnet or label.names:
            times[key] += 1
            found[f"{key} ({times[key]})" if times[key] > 1 else key] = [output]
    return found


def square(photo: Picture) -> Image:
    """Cut the middle square out of a photo, as float32 `(SIDE, SIDE, 3)`, 0 to 1."""
    height, width = photo.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    middle = photo[top : top + side, left : left + side].astype(np.float32) / np.float32(255)
    return np.asarray(cv2.resize(middle, (SIDE, SIDE), interpolation=cv2.INTER_AREA))


@dataclass(frozen=True)
class Classifier:
    """A network with classes, cut in two after the first of its chosen layers.

    Attributes:
        layers: the chosen layers, from first to last.
        outputs: the number of logits.
        stem: function from photos `(n, h, w, 3)` to the first layer's maps.
        tail: function from those to the other layers' maps, followed by the logits.
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

        return cast(
            "Callable[..., list[tf.Tensor]]",
            tf.function(run, reduce_retracing=True, autograph=False),
        )

    def pulls(self, maps: tf.Tensor, goal: Array) -> list[Array]:
        """Return how each channel raises the logits weighted by `goal`, `(2, c)` for each layer.

        The rows are the sums, over photos and places, of the gradient and of the gradient times
        activation.

        Args:
            maps: the first layer's maps of the photos.
            goal: a weight for each logit, `(outputs,)`.
        """
        return [np.asarray(each) for each in self._sums(maps, tf.constant(goal))]


def choose_layer(net: Network) -> str:
    """Choose the layer for words if none is named: `mixed4d` of googlenet.

    It is the last layer, within the first `DEPTH` of the network, that every path passes through
    and that is not narrower than such layers before it: the channels of a bottleneck mix meanings.

    Raises DreamerError if there is none.
    """
    names = list(net.layers)[: math.ceil(DEPTH * len(net.layers))]
    widest, found = 0, ""
    for name in filter(names.__contains__, graph.find_bottlenecks(net.model)):
        if net.resolve(name) == name and net.layers[name] >= widest:
            widest, found = net.layers[name], name
    if not found:
        raise DreamerError(f"{net.name} has no layer through which all passes: give a --layer.")
    return found


def classifier(net: Network, layers: Sequence[str]) -> Classifier:
    """Cut a network with classes after the first of some layers (see `Classifier`).

    Raises DreamerError if it has no classes, or if not every path passes through the first layer.
    """
    if not net.units:
        raise DreamerError(
            f"{net.name} names no classes, or at one size only: fit words to a classifier."
        )
    logits = net.resolve(list(net.units)[-1])
    first, *others = sorted(map(net.resolve, layers), key=list(net.layers).index)
    stem = tf.function(
        freezing.freeze(net, [first], "float32"), reduce_retracing=True, autograph=False
    )
    whole = freezing.freeze_model(net, [first, *others, logits], "float32", leak=0)
    ends = {name: graph.get_layer(whole, name).output for name in (*others, logits)}
    try:
        tail = keras.Model(graph.get_layer(whole, first).output, ends)
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
"""A number for each channel, `(c,)`, by layer; as a weight, 0 for a channel that is not used."""


def energies(reader: Classifier, maps: tf.Tensor) -> Weights:
    """Return the mean square of each channel, from the first layer's maps of some photos."""
    *behind, _ = reader.tail(maps)
    return {
        layer: np.square(np.asarray(each)).mean((0, 1, 2))
        for layer, each in zip(reader.layers, [maps, *behind], strict=True)
    }


def score(reader: Classifier, photos: Array) -> Array:
    """Return the logits of each photo minus their mean, `(n, outputs)`."""
    batches = np.array_split(photos, -(-len(photos) // BATCH))
    logits = [reader.tail(reader.stem(each))[-1] for each in batches]
    every = np.concatenate(logits)
    return np.asarray(every - every.mean(1, keepdims=True))


def choose(reader: Classifier, members: Sequence[int], usual: tf.Tensor, own: tf.Tensor) -> Weights:
    """Choose the channels that raise a group of classes and that its own photos show.

    Args:
        reader: the classifier.
        members: the group's outputs.
        usual: the first layer's maps of photos of all kinds.
        own: the first layer's maps of the photos in which the classifier sees the group most
            clearly.
    """
    goal = np.full(reader.outputs, -1 / reader.outputs, np.float32)
    goal[list(members)] += 1 / len(members)
    leading, shown = (reader.pulls(maps, goal) for maps in (usual, own))
    return {
        layer: _weigh_channels(pull, attribution)
        for layer, (pull, _), (_, attribution) in zip(reader.layers, leading, shown, strict=True)
    }


def _weigh_channels(pull: Array, attribution: Array) -> Array:
    """Weigh channels by the geometric mean of both; all but the `CHANNELS` highest get 0.

    The highest weight is 1.
    """
    mean = keep_strongest(np.sqrt(pull.clip(0) * attribution.clip(0)))
    return np.asarray(mean / max(mean.max(), np.finfo(np.float32).tiny))


def keep_strongest(weights: Array) -> Array:
    """Set all but the `CHANNELS` highest weights to 0."""
    return np.where(weights < np.sort(weights)[-CHANNELS:][0], 0, weights)


def weigh(
    energy: Weights, chosen: Mapping[str, Weights], pull: float | None = None
) -> dict[str, Word]:
    """Make words of chosen channels, scaled so that all pull alike: as their median, or `pull`."""
    sizes = {name: _measure_pull(energy, weights) for name, weights in chosen.items()}
    live = {name: size for name, size in sizes.items() if size}
    usual = float(np.median(list(live.values()) or [1.0])) if pull is None else pull
    return {name: _make_word(energy, chosen[name], usual / size) for name, size in live.items()}


def _measure_pull(energy: Weights, weights: Weights) -> float:
    """Estimate how far the weighted sum of channels varies over average photos."""
    return float(np.sqrt(sum(w**2 @ energy[layer] for layer, w in weights.items())))


def _make_word(energy: Weights, weights: Weights, scale: float) -> Word:
    specs = []
    for layer, each in weights.items():
        order = [int(channel) for channel in np.argsort(-each) if each[channel] > 0]
        listed = (f"{channel}@{_format_number(each[channel] * scale)}" for channel in order)
        if order:
            specs.append(f"{layer}:{','.join(listed)}")
    word = Word(tuple(specs), 1.0)
    usual = word.strength({layer: each.tolist() for layer, each in energy.items()})
    return replace(word, usual=float(_format_number(usual)))


def _format_number(number: float) -> str:
    """Format a positive number with three digits, without an exponent."""
    digits = max(0, 2 - int(np.floor(np.log10(number))))
    return np.format_float_positional(round(float(number), digits), trim="-")


def fit(
    net: Network,
    labels: Labels,
    photos: Sequence[Picture],
    layers: Sequence[str] = (),
    update: Update = lambda share, doing: None,
) -> Table:
    """Fit the words of a classifier.

    Args:
        net: the classifier.
        labels: one label per output.
        photos: photos of all kinds.
        layers: the layers whose channels a word raises; `choose_layer` if empty.
        update: callback for progress.

    Raises DreamerError if the network has no classes or no suitable layer.
    """
    reader = classifier(net, layers or [choose_layer(net)])
    squares = np.stack([square(photo) for photo in photos])
    update(0, f"{len(photos)} photos")
    logits = score(reader, squares)
    usual = reader.stem(squares[:: max(1, len(squares) // PHOTOS)][:PHOTOS])
    named = list(labels)[: reader.outputs]
    kinds = (groups(named, read_subjects()), single(named))
    chosen: tuple[dict[str, Weights], ...] = ({}, {})
    every = [(kind, *word) for kind, words in enumerate(kinds) for word in words.items()]
    for kind, name, members in _report_each(update, every):
        own = reader.stem(squares[_find_clearest(logits, members)])
        chosen[kind][name] = choose(reader, members, usual, own)
    energy = energies(reader, usual)
    return Table(*(weigh(energy, each) for each in chosen))


def _report_each(update: Update, words: Sequence[_T]) -> Iterator[_T]:
    """Yield words, and report the progress through them."""
    for number, word in enumerate(words):
        update(number / len(words), f"channels of word {number + 1} of {len(words)}")
        yield word


def _find_clearest(logits: Array, members: Sequence[int]) -> NDArray[np.intp]:
    """Return the places of the `OWN` photos in which any of the members scores highest."""
    return np.argsort(-logits[:, list(members)].max(1), kind="stable")[:OWN]
