"""Classes: what the outputs of a classifier stand for, and how they are found by name.

ImageNet's thousand classes lie in one table, `data/classes.tsv`, which `dreamer.nets.synsets`
makes from the public lists: the WordNet id of each, its place among the outputs of the networks
that know it, and its names, the usual one first.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

from dreamer.errors import DreamerError, nearest

TABLE = Path(__file__).with_name("data") / "classes.tsv"
ORDERS = {"ilsvrc": 1000, "inception5h": 1008}
"""In which a network's outputs may be, and how many those are: that of the challenge (ILSVRC 2012),
which most have, and that of googlenet's public graph, where eight stand for nothing."""

WORDNET = re.compile(r"n\d{8}")


class Label(NamedTuple):
    """A class: its WordNet id, empty where none is known, and its names, separated by commas."""

    wordnet: str
    names: str

    @property
    def name(self) -> str:
        """The usual one."""
        return self.names.partition(",")[0]


UNNAMED = Label("", "")
"""What an output gets that stands for nothing, or for nobody knows what."""

Labels = Sequence[Label]
"""One an output."""


@cache
def _rows() -> list[dict[str, str]]:
    with TABLE.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


@cache
def ordered(order: str) -> Labels:
    """The labels of ImageNet's classes in one of `ORDERS`, one for each output."""
    outputs = {int(row[order]): Label(row["wordnet"], row["names"]) for row in _rows()}
    return tuple(outputs.get(k, UNNAMED) for k in range(ORDERS[order]))


def names(key: str) -> str:
    """The names of a class of the table by its WordNet id; anything else is names already."""
    return _by_wordnet().get(key, key)


@cache
def _by_wordnet() -> Mapping[str, str]:
    return {row["wordnet"]: row["names"] for row in _rows()}


def read(path: Path) -> Labels:
    """What each output of a classifier stands for: a line each, synonyms separated by commas.

    A WordNet id may come before the names; a line that is empty, or that begins with "dummy" or
    a question mark, names nothing.
    """
    try:
        lines = path.read_text("utf-8").rstrip().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is not a text file"
        raise DreamerError(f"Cannot read the labels {path}: {why}; check --labels.") from None
    return [_label(line.strip()) for line in lines]


def _label(line: str) -> Label:
    if re.match(r"dummy|\?", line):
        return UNNAMED
    wordnet, _, rest = line.partition(" ")
    return Label(wordnet, rest.strip()) if WORDNET.fullmatch(wordnet) else Label("", line)


def fitted(labels: Labels, outputs: int, network: str, order: str, source: str) -> Labels:
    """Labels for all the outputs of a network.

    Args:
        labels: those of a file; none, for the table's in `order` where they fit.
        outputs: how many the network has.
        network: its name, for errors.
        order: of its outputs, one of `ORDERS`.
        source: the file's name, for errors.

    Raises DreamerError where the file holds others than the network has.
    """
    known = ordered(order) if ORDERS[order] == outputs else [UNNAMED] * outputs
    named = max((k + 1 for k, label in enumerate(known) if label.names), default=outputs)
    # Public lists end with the last output that has a name.
    if labels and len(labels) not in (outputs, named):
        raise DreamerError(
            f"{source} has {len(labels)} labels and {network} {outputs} classes: give a file with "
            "a line for each."
        )
    return [*(labels or known), *[UNNAMED] * (outputs - len(labels or known))]


def found(labels: Labels, asked: str, network: str) -> int:
    """The output that a name, a WordNet id or a number means.

    Raises DreamerError with the nearest names, or with those that the name leaves open.
    """
    text = asked.strip()
    if re.fullmatch(r"\d+", text):
        if int(text) >= len(labels):
            raise DreamerError(
                f"{network} has no class {text}: its classes are 0 to {len(labels) - 1}."
            )
        return int(text)
    if WORDNET.fullmatch(text):
        hits = [k for k, label in enumerate(labels) if label.wordnet == text]
    else:
        hits = Names([label.names for label in labels]).matching(text)
    if len(hits) > 1:
        raise DreamerError(
            f"{text!r} is the name of {len(hits)} classes of {network}: write "
            f"{' or '.join(_distinct(labels, k) for k in hits)}."
        )
    return hits[0] if hits else _missing(labels, text, network)


def _distinct(labels: Labels, output: int) -> str:
    """A name of a class that no other has, or else its number."""
    every = Names([label.names for label in labels])
    own = (name.strip() for name in labels[output].names.split(","))
    return next((repr(name) for name in own if every.matching(name) == [output]), str(output))


def _missing(labels: Labels, text: str, network: str) -> int:
    if not any(label.names for label in labels):
        raise DreamerError(
            f"What the {len(labels)} classes of {network} are called is not known: give --labels "
            f"FILE with a line for each, or a number instead of {text!r}."
        )
    near = Names([label.names for label in labels]).near(text)
    guess = f"did you mean {' or '.join(near)}? " if near else ""
    raise DreamerError(
        f"{network} has no class {text!r}: {guess}`dream models classes {network}` lists them."
    )


class Names:
    """Things by their names, found in the singular or the plural, however they are written."""

    def __init__(self, every: Iterable[str]) -> None:
        """Each a list of names, separated by commas, the usual one first."""
        usual: dict[str, list[int]] = {}
        others: dict[str, list[int]] = {}
        for place, each in enumerate(every):
            for number, name in enumerate(filter(None, map(_folded, each.split(",")))):
                (others if number else usual).setdefault(name, []).append(place)
        # What is usually called so leaves out what is only sometimes.
        self._by_name = {**usual, **others, **usual}

    def holding(self, form: str) -> list[int]:
        """The places of those that have exactly this name, folded."""
        return self._by_name.get(form, [])

    def matching(self, asked: str) -> list[int]:
        """The places of those with this name in the first of its `forms` that anything has."""
        return next(filter(None, map(self.holding, forms(asked))), [])

    def near(self, asked: str, count: int = 4) -> list[str]:
        """Names that hold it as a word, in the singular or the plural, and those most like it."""
        own = set(forms(asked))
        holding = [name for name in self._by_name if own & set(name.split())]
        return list(dict.fromkeys([*holding[:3], *nearest(_folded(asked), self._by_name)]))[:count]


def _folded(name: str) -> str:
    # A hyphen within a name stands for a space; one before it is no part of it.
    return " ".join(re.sub(r"(?<!^)[-_]", " ", name.strip().casefold()).split())


_PLURALS = (("", "s"), ("", "es"), ("y", "ies"), ("f", "ves"), ("fe", "ves"), ("man", "men"))
"""Endings of the singular and the plural."""


def forms(name: str) -> Iterator[str]:
    """A name, folded, as it is, and what its plural and its singular may be."""
    folded = _folded(name)
    yield folded
    for one, many in _PLURALS:
        if folded.endswith(one):
            yield folded.removesuffix(one) + many
        if folded.endswith(many):
            yield folded.removesuffix(many) + one
