"""Nouns that stand for several of ImageNet's classes, as "reptile", and what others are near to.

The table `data/nouns.tsv` is made from WordNet by `dreamer.analysis.wordnet_table`. A row holds
the WordNet ID of a meaning, its names, the classes that are of its kind, by their output in the
order of ILSVRC 2012, and the nouns without any class that are nearest to it. A meaning that is a
class has no names here: they are in `data/classes.tsv`.
"""

from __future__ import annotations

import csv
import itertools
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

from dreamer.recipe import class_labels
from dreamer.recipe.class_labels import Names

TABLE = Path(__file__).parents[1] / "data" / "nouns.tsv"
"""The file with the nouns."""

HEADER = ("wordnet", "names", "classes", "near")


class Row(NamedTuple):
    """A meaning.

    Attributes:
        wordnet: its WordNet ID.
        names: those that mean it first of all; none of a class.
        classes: the outputs that are of its kind.
        near: nouns without a class that are nearest to it.
    """

    wordnet: str
    names: Sequence[str]
    classes: Sequence[int]
    near: Sequence[str]

    @property
    def name(self) -> str:
        """Return the usual name."""
        return [*self.names, *class_labels.names(self.wordnet).split(",")][0]

    def find_members(self) -> list[str]:
        """Return the WordNet IDs of the classes."""
        labels = class_labels.load_labels("ilsvrc")
        return [labels[number].wordnet for number in self.classes]


def find_noun(form: str) -> Row | None:
    """Find the noun that has exactly this normalized name; see `class_labels.forms`."""
    rows, (names, _) = read_table(), _index()
    places = names.holding(form)
    return rows[places[0]] if places else None


def find_near(name: str) -> str | None:
    """Find what is nearest to a noun by its meaning: the usual name of a noun or of a class."""
    rows, (_, near) = read_table(), _index()
    places = near.matching(name)
    return rows[places[0]].name if places else None


@cache
def read_table() -> Sequence[Row]:
    """Read the table's rows."""
    with TABLE.open(encoding="utf-8", newline="") as file:
        return [_parse(row) for row in csv.DictReader(file, delimiter="\t")]


@cache
def _index() -> tuple[Names, Names]:
    """Return indices of the rows' names, and of what is near."""
    rows = read_table()
    return Names(",".join(row.names) for row in rows), Names(",".join(row.near) for row in rows)


def _parse(cells: dict[str, str]) -> Row:
    names, near = ([name for name in cells[key].split(",") if name] for key in ("names", "near"))
    return Row(cells["wordnet"], names, _parse_ranges(cells["classes"]), near)


def _parse_ranges(text: str) -> list[int]:
    """Parse numbers and ranges of them, as `1-3,7`."""
    ends = (part.partition("-")[::2] for part in text.split(","))
    return [number for a, b in ends for number in range(int(a), int(b or a) + 1)]


def _write_ranges(numbers: Sequence[int]) -> str:
    runs = itertools.groupby(enumerate(sorted(numbers)), key=lambda pair: pair[1] - pair[0])
    parts = ([number for _, number in run] for _, run in runs)
    return ",".join(f"{run[0]}-{run[-1]}" if len(run) > 1 else str(run[0]) for run in parts)


def to_tsv(rows: Iterable[Row]) -> str:
    """Return rows as the table's text."""
    cells = (
        (row.wordnet, ",".join(row.names), _write_ranges(row.classes), ",".join(row.near))
        for row in rows
    )
    return "".join("\t".join(row) + "\n" for row in (HEADER, *cells))
