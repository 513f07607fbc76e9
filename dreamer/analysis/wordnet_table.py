"""Make the table of WordNet's nouns that stand for several of ImageNet's classes.

    python -m dreamer.analysis.wordnet_table /usr/share/wordnet

The folder holds `data.noun` and `index.noun` of WordNet 3.0, as Debian's package `wordnet-base`
does. A WordNet ID of ImageNet is "n" and an offset into the former.
"""

import sys
from collections import defaultdict, deque
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from dreamer.recipe import class_labels, nouns

KIND, INSTANCE = "@", "@i"
"""The pointers to what a thing is a kind of, and to what it is an instance of, as Draco is of
constellations."""

STEPS = 2
"""A noun without a class below it is near what lies at most so many steps above it."""

FEW = 40
"""Most classes that a meaning may stand for to say something of a noun below it."""

THING, PERSON = "n00001930", "n00007846"
"""Physical entities, among which a noun's neighbor is looked for; and persons, among whom not."""

FOOD = {"n00021265", "n07555863"}
"""Food, among which it is looked for last: an octopus is an animal first."""


class Synset(NamedTuple):
    """A meaning.

    Attributes:
        names: the usual one first, with underscores.
        kinds: the WordNet IDs of what it is a kind or an instance of.
        instance: whether it is an instance.
    """

    names: tuple[str, ...]
    kinds: tuple[str, ...]
    instance: bool = False


def read_synsets(path: Path) -> dict[str, Synset]:
    """Read `data.noun` into meanings by WordNet ID."""
    return dict(_parse_synset(line) for line in _read_lines(path))


def _read_lines(path: Path) -> Iterator[str]:
    """Yield the lines behind the license, which is indented."""
    return (line for line in path.read_text("utf-8").splitlines() if not line.startswith("  "))


def _parse_synset(line: str) -> tuple[str, Synset]:
    cells = line.partition(" | ")[0].split()
    names = tuple(cells[4 : 4 + 2 * int(cells[3], 16) : 2])
    pointers = cells[5 + 2 * len(names) :]
    symbols = pointers[::4]
    kinds = tuple(
        f"n{offset}"
        for symbol, offset in zip(symbols, pointers[1::4], strict=False)
        if symbol in (KIND, INSTANCE)
    )
    return f"n{cells[0]}", Synset(names, kinds, INSTANCE in symbols)


def read_senses(path: Path) -> dict[str, list[str]]:
    """Read `index.noun` into the WordNet IDs of each name's meanings, the most usual first."""
    cells = (line.split() for line in _read_lines(path))
    return {each[0]: [f"n{offset}" for offset in each[-int(each[2]) :]] for each in cells}


def find_above(synset: str, synsets: Mapping[str, Synset]) -> dict[str, int]:
    """Return all that a meaning is a kind of, itself too, with the least number of steps to it."""
    steps, todo = {synset: 0}, deque([synset])
    while todo:
        here = todo.popleft()
        for kind in synsets[here].kinds:
            if kind not in steps:
                steps[kind] = steps[here] + 1
                todo.append(kind)
    return steps


def make_table(
    synsets: Mapping[str, Synset], senses: Mapping[str, Sequence[str]], classes: Sequence[str]
) -> list[nouns.Row]:
    """Make the table's rows.

    Args:
        synsets: meanings by WordNet ID.
        senses: the meanings of each name.
        classes: the WordNet IDs of ImageNet's classes, by output.
    """
    below: dict[str, list[int]] = defaultdict(list)
    for number, synset in enumerate(classes):
        for above in find_above(synset, synsets):
            below[above].append(number)
    names: dict[str, set[str]] = defaultdict(set)
    for name, meanings in senses.items():
        if first := next(filter(below.__contains__, meanings), None):
            names[first].add(name)
    # What has classes below it, but whose names mean others first of all, cannot be asked for.
    called = {synset: _list_names(synsets[synset], names[synset]) for synset in below}
    few = {
        synset: len(numbers)
        for synset, numbers in below.items()
        if len(numbers) <= FEW and (called[synset] or synset in classes)
    }
    near: dict[str, list[str]] = defaultdict(list)
    for name, meanings in senses.items():
        known = any(meaning in below for meaning in meanings)
        if name.isalpha() and not known and (found := _find_neighbor(meanings, synsets, few)):
            near[found].append(name)
    return [
        nouns.Row(
            synset, () if synset in classes else called[synset], numbers, sorted(near[synset])
        )
        for synset, numbers in sorted(below.items())
        if near[synset] or (called[synset] and synset not in classes)
    ]


def _list_names(synset: Synset, names: Collection[str]) -> list[str]:
    """List those names of a meaning that mean it first of all."""
    return [name.replace("_", " ") for name in synset.names if name.lower() in names]


def _find_neighbor(
    meanings: Sequence[str], synsets: Mapping[str, Synset], few: Mapping[str, int]
) -> str | None:
    """Find what is fewest steps above the first meaning that is a thing, and then least."""
    every = [(find_above(meaning, synsets), synsets[meaning]) for meaning in meanings]
    for above, meaning in sorted(every, key=lambda each: bool(FOOD & each[0].keys())):
        if THING in above and PERSON not in above and not meaning.instance:
            steps = ((n, few[synset], synset) for synset, n in above.items() if synset in few)
            nearest = min(steps, default=None)
            return nearest[-1] if nearest and nearest[0] <= STEPS else None
    return None


def main(folder: str) -> None:
    """Write the table made from WordNet's folder into the package."""
    files = Path(folder)
    classes = [label.wordnet for label in class_labels.load_labels("ilsvrc")]
    rows = make_table(read_synsets(files / "data.noun"), read_senses(files / "index.noun"), classes)
    nouns.TABLE.write_text(nouns.to_tsv(rows), "utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
