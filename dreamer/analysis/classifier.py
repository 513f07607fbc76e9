"""Heads of classifiers: the layer that scores classes, and the names of those classes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np
import scipy  # Its parts are imported where they are first used.
from numpy.typing import NDArray

from dreamer.arrays import Image
from dreamer.errors import DreamerError, unknown
from dreamer.networks import freezing, graph
from dreamer.networks.freezing import Features
from dreamer.networks.network import Network
from dreamer.recipe import class_labels
from dreamer.recipe.class_labels import Labels


class Guess(NamedTuple):
    """A class that a classifier sees in a picture, its score and its probability."""

    label: str
    score: float
    probability: float


@dataclass(frozen=True)
class Head:
    """The part of a network that names classes.

    Attributes:
        net: the network, with all its layers.
        layer: the layer whose units are the classes' scores, before a softmax or sigmoid.
        labels: one label per unit.
        end: the layer that was asked for, which may be that softmax or sigmoid.
    """

    net: Network
    layer: str
    labels: Labels
    end: str

    def found(self, asked: str) -> int:
        """Find the output that a name, WordNet id or number means (`class_labels.find_class`)."""
        return class_labels.find_class(self.labels, asked, self.net.name)

    def label(self, output: int) -> str:
        """Return the name of an output, or its number if it has none."""
        return self.labels[output].name or f"class {output}"

    def notes(self, asked: Iterable[str] = ()) -> list[str]:
        """Return what a person should know about the scores and the classes `asked` for."""
        notes = []
        if len(ends := self.net.ends) > 1:
            notes.append(
                f"{self.net.name} ends in {' and '.join(ends)}: the classes are those of "
                f"{self.layer} (--head names another)."
            )
        if graph.gives_probabilities(self._last):
            own = "" if self._last.name == self.layer else f", those of {self.layer}"
            notes.append(
                f"{self._last.name} ends in a softmax: the scores before it are raised{own}."
            )
        return [*notes, *filter(None, map(self._compare_number, asked))]

    def _compare_number(self, asked: str) -> str:
        """Return a note if a number means another class in ImageNet's usual order; else ""."""
        usual, text = class_labels.load_labels("ilsvrc"), asked.strip()
        if not text.isdecimal() or int(text) >= min(len(usual), len(self.labels)):
            return ""
        here, there = self.labels[int(text)], usual[int(text)]
        if not here.names or here.names == there.names:
            return ""
        return (
            f"{text} is {here.name} here; in ImageNet's usual order it is {there.name}: ask for "
            "that by its name."
        )

    @property
    def _last(self) -> Any:
        return graph.get_layer(self.net.model, self.end)

    @cached_property
    def _features(self) -> Features:
        return freezing.freeze(self.net, [self.layer], "float32")

    def scores(self, picture: Image) -> NDArray[np.float32]:
        """Return each class's score in a picture `(h, w, 3)`, before any softmax, `(outputs,)`."""
        return np.asarray(self._features(picture[None])[self.layer][0])

    def chances(self, picture: Image) -> NDArray[np.float64]:
        """Return each class's probability in a picture, `(outputs,)`.

        It is by a softmax over all, or by a sigmoid each where the network ends in that.
        """
        return self._to_chances(self.scores(picture))

    def _to_chances(self, scores: NDArray[np.float32]) -> NDArray[np.float64]:
        each_alone = getattr(self._last, "activation", None) is keras.activations.sigmoid
        whole = scipy.special.expit if each_alone else scipy.special.softmax
        return np.asarray(whole(scores.astype(np.float64)))

    def guesses(self, picture: Image, count: int = 5) -> list[Guess]:
        """Return the `count` classes with the highest scores in a picture, highest first."""
        scores = self.scores(picture)
        chances = self._to_chances(scores)
        best = np.argsort(-scores, kind="stable")[:count]
        return [Guess(self.label(int(k)), float(scores[k]), float(chances[k])) for k in best]


def find_head(net: Network, labels: Path | None = None, end: str | None = None) -> Head:
    """Return the head of a network.

    Args:
        net: a classifier, with all its layers (`Network.entire`).
        labels: a file with one line per output; None for the names of ImageNet's classes, if the
            network has as many outputs.
        end: the layer of the classes; None for the last output of the network with units.

    Raises DreamerError if the network has no classes, or the labels do not fit.
    """
    if not net.units:
        raise DreamerError(
            f"{net.name} names no classes: give -m googlenet, or a .keras classifier of your own."
        )
    if end is not None and end not in net.units:
        raise unknown(f"layer of units of {net.name}", end, net.units, "give another --head.")
    end = end or [*net.units, *net.ends][-1]
    layer = net.resolve(end)
    own = class_labels.read(labels) if labels else ()
    source = str(labels or "")
    every = class_labels.fit_labels(own, net.channels(layer), net.name, net.spec.classes, source)
    return Head(net, layer, every, end)


def find_outputs(head: Head, asked: Iterable[str]) -> list[int]:
    """Find the outputs that names mean, each once. Raises DreamerError for an unknown name."""
    return list(dict.fromkeys(map(head.found, asked)))
