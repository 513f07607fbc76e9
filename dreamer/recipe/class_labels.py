"""Labels of a classifier's outputs, and how to find a class by name.

The thousand classes of ImageNet are in `data/classes.tsv`, which `dreamer.analysis.imagenet_table`
makes from public lists. A row holds the WordNet ID of a class, its output index in each of
`ORDERS`, and its names, the usual one first.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

from dreamer.errors import DreamerError, nearest

TABLE = Path(__file__).parents[1] / "data" / "classes.tsv"
"""The file with the classes of ImageNet."""

ORDERS = {"ilsvrc": 1000, "inception5h": 1008}
"""The number of outputs in each known order of ImageNet's classes: that of ILSVRC 2012, which most
networks use, and that of googlenet's public graph, where eight outputs have no meaning."""

WORDNET = re.compile(r"n\d{8}")
"""The pattern of a WordNet ID, as n02084071."""


class Label(NamedTuple):
    """The label of a class.

    Attributes:
        wordnet: the WordNet ID; empty if unknown.
        names: the names, separated by commas, the usual one first.
    """

    wordnet: str
    names: str

    @property
    def name(self) -> str:
        """Return the usual name."""
        return self.names.partition(",")[0]


UNNAMED = Label("", "")
"""The label of outputs that have no meaning, or an unknown one."""

Labels = Sequence[Label]
"""The labels of a classifier, one per output."""


@cache
def _rows() -> list[dict[str, str]]:
    with TABLE.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


@cache
def load_labels(order: str) -> Labels:
    """Return the labels of ImageNet's classes in one of `ORDERS`."""
    outputs = {int(row[order]): Label(row["wordnet"], row["names"]) for row in _rows()}
    return tuple(outputs.get(k, UNNAMED) for k in range(ORDERS[order]))


def names(key: str) -> str:
    """Return the names of the class with the WordNet ID `key`; any other text as it is."""
    return _by_wordnet().get(key, key)


@cache
def _by_wordnet() -> Mapping[str, str]:
    return {row["wordnet"]: row["names"] for row in _rows()}


def read(path: Path) -> Labels:
    """Read the labels of a classifier from a text file with one line per output.

    A line holds names separated by commas, optionally after a WordNet ID. A line that is empty, or
    that begins with "dummy" or a question mark, stands for an output without a name.

    Raises DreamerError if the file cannot be read.
    """
    try:
        lines = path.read_text("utf-8").rstrip().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is not a text file"
        raise DreamerError(f"Cannot read the labels {path}: {why}; check --labels.") from None
    return [_parse_label(line.strip()) for line in lines]


def _parse_label(line: str) -> Label:
    if re.match(r"dummy|\?", line):
        return UNNAMED
    wordnet, _, rest = line.partition(" ")
    return Label(wordnet, rest.strip()) if WORDNET.fullmatch(wordnet) else Label("", line)


def fit_labels(labels: Labels, outputs: int, network: str, order: str, source: str) -> Labels:
    """Return one label for each output of a network.

    Args:
        labels: the labels of a file; empty to use those of ImageNet, if their number fits.
        outputs: the number of outputs.
        network: name of the network, for errors.
        order: the order of its outputs, a key of `ORDERS`.
        source: name of the file, for errors.

    Raises DreamerError if the number of labels does not fit the network.
    """
    known = load_labels(order) if ORDERS[order] == outputs else [UNNAMED] * outputs
    named = max((k + 1 for k, label in enumerate(known) if label.names), default=outputs)
    # Public lists may omit the outputs without a name at the end.
    if labels and len(labels) not in (outputs, named):
        raise DreamerError(
            f"{source} has {len(labels)} labels and {network} {outputs} classes: give a file with "
            "a line for each."
        )
    return [*(labels or known), *[UNNAMED] * (outputs - len(labels or known))]


def find_class(labels: Labels, asked: str, network: str) -> int:
    """Find the output that a name, a WordNet ID or a number stands for.

    Args:
        labels: one label per output.
        asked: the name, WordNet ID or number.
        network: name of the network, for errors.

    Raises DreamerError with the nearest names if there is none, or with the candidates if there
    are several.
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
            f"{' or '.join(_name_distinctly(labels, k) for k in hits)}."
        )
    return hits[0] if hits else _raise_missing(labels, text, network)


def _name_distinctly(labels: Labels, output: int) -> str:
    """Return a name that only this class has, quoted, or else its number."""
    every = Names([label.names for label in labels])
    own = (name.strip() for name in labels[output].names.split(","))
    return next((repr(name) for name in own if every.matching(name) == [output]), str(output))


def _raise_missing(labels: Labels, text: str, network: str) -> int:
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
    """An index of things by name that ignores case, hyphens, and singular or plural.

    Args:
        every: the names of each thing, separated by commas, the usual one first.
    """

    def __init__(self, every: Iterable[str]) -> None:
        usual: dict[str, list[int]] = {}
        others: dict[str, list[int]] = {}
        for place, each in enumerate(every):
            for number, name in enumerate(filter(None, map(_normalize_name, each.split(",")))):
                (others if number else usual).setdefault(name, []).append(place)
        # Things that usually have a name take precedence over those that have it as a synonym.
        self._by_name = {**usual, **others, **usual}

    def holding(self, form: str) -> list[int]:
        """Return the indices of the things with exactly this normalized name."""
        return self._by_name.get(form, [])

    def matching(self, asked: str) -> list[int]:
        """Return the indices of the things with this name, in the first of its `forms` found."""
        return next(filter(None, map(self.holding, forms(asked))), [])

    def near(self, asked: str, count: int = 4) -> list[str]:
        """Return up to `count` names that contain this one as a word, or that are most like it."""
        own = set(forms(asked))
        holding = [name for name in self._by_name if own & set(name.split())]
        similar = nearest(_normalize_name(asked), self._by_name)
        return list(dict.fromkeys([*holding[:3], *similar]))[:count]


def _normalize_name(name: str) -> str:
    # A hyphen within a name stands for a space; a leading one is kept.
    return " ".join(re.sub(r"(?<!^)[-_]", " ", name.strip().casefold()).split())


_PLURALS = (("", "s"), ("", "es"), ("y", "ies"), ("f", "ves"), ("fe", "ves"), ("man", "men"))
"""Pairs of singular and plural endings."""


def forms(name: str) -> Iterator[str]:
    """Yield a name, normalized, and then its possible plurals and singulars."""
    normalized = _normalize_name(name)
    yield normalized
    for singular, plural in _PLURALS:
        if normalized.endswith(singular):
            yield normalized.removesuffix(singular) + plural
        if normalized.endswith(plural):
            yield normalized.removesuffix(plural) + singular
