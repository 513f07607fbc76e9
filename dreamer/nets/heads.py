"""The head of a classifier: its layer that tells classes apart, and what those are called."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dreamer import classes
from dreamer.arrays import Image
from dreamer.classes import Labels
from dreamer.errors import DreamerError
from dreamer.nets import graph, network
from dreamer.nets.network import Features, Network


class Guess(NamedTuple):
    """What a classifier takes a picture for: a class, and its score."""

    label: str
    score: float


@dataclass(frozen=True)
class Head:
    """Where a network names classes.

    Attributes:
        net: the network, with all its layers.
        layer: the one whose units are the classes' scores, before a softmax or sigmoid.
        labels: one a unit.
    """

    net: Network
    layer: str
    labels: Labels

    def found(self, asked: str) -> int:
        """The output that a name, a WordNet id or a number means (see `classes.found`)."""
        return classes.found(self.labels, asked, self.net.name)

    def label(self, output: int) -> str:
        """What an output is called."""
        return self.labels[output].name or f"class {output}"

    def notes(self, asked: Iterable[str] = ()) -> list[str]:
        """What a person should know of the scores, and of the classes that are `asked` for."""
        notes = []
        if len(ends := self.net.ends) > 1:
            notes.append(
                f"{self.net.name} ends in {' and '.join(ends)}: the classes are those of "
                f"{self.layer}."
            )
        if graph.gives_probabilities(self._last):
            own = "" if self._last.name == self.layer else f", those of {self.layer}"
            notes.append(
                f"{self._last.name} ends in a softmax: the scores before it are raised{own}."
            )
        return [*notes, *filter(None, map(self._elsewhere, asked))]

    def _elsewhere(self, asked: str) -> str:
        """What is called by this number in ImageNet's usual order, where it is another class."""
        usual, text = classes.ordered("ilsvrc"), asked.strip()
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
        return self.net.model.get_layer(list(self.net.units)[-1])

    @cached_property
    def _features(self) -> Features:
        return network.freeze(self.net, [self.layer], "float32")

    def scores(self, picture: Image) -> NDArray[np.float32]:
        """Of each class in a picture `(h, w, 3)`, before any softmax, `(outputs,)`."""
        return np.asarray(self._features(picture[None])[self.layer][0])

    def guesses(self, picture: Image, count: int = 5) -> list[Guess]:
        """The classes that the network takes a picture for, the likeliest first."""
        scores = self.scores(picture)
        best = np.argsort(-scores, kind="stable")[:count]
        return [Guess(self.label(int(k)), float(scores[k])) for k in best]


def head(net: Network, labels: Path | None = None) -> Head:
    """The head of a network.

    Args:
        net: a classifier, with all its layers (`Network.entire`).
        labels: a file with a line an output; without, the names of ImageNet's classes, where the
            network has as many.

    Raises DreamerError where the network has no classes, or the labels do not fit.
    """
    if not net.units:
        raise DreamerError(
            f"{net.name} names no classes: give -m googlenet, or a .keras classifier of your own."
        )
    layer = net.resolve(list(net.units)[-1])
    own = classes.read(labels) if labels else ()
    source = str(labels or "")
    every = classes.fitted(own, net.channels(layer), net.name, net.spec.classes, source)
    return Head(net, layer, every)


def outputs(head: Head, asked: Iterable[str]) -> list[int]:
    """The outputs that names mean, each once. Raises DreamerError for the first unknown one."""
    return list(dict.fromkeys(map(head.found, asked)))
