"""Words: what an artist asks for, expanded into ordinary layer specs.

A table gives every subject ("birds") and every class of a classifier ("sea snake") the channels
that draw it. `dreamer.nets.wordfit` makes one; that of `googlenet` and `dreamnet`, which share
their channels, comes with the package.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from dreamer import classes, schedule
from dreamer.classes import Names
from dreamer.errors import DreamerError, speaking_of
from dreamer.layers import LayerSpec, parse_layer
from dreamer.schedule import keys

PACKAGED = Path(__file__).with_name("data") / "words.json"
SHARED_BY = ("googlenet", "dreamnet")
"""The networks that the packaged table is for."""

FILM: Mapping[str, Any] = {"objective": "mean", "motif": (1.0, 0.3)}
"""Of a film's recipe in words, where nothing else is said. A classifier reads a subject from its
channels' means, and their squares would raise the strongest few only; a subject may fill the
picture."""

STILL: Mapping[str, Any] = {**FILM, "steps": 20, "rate": 0.0105}
"""Of a picture's. More and smaller steps than usual: 10 of 0.014 change the photo almost as much,
but show fewer subjects that can be made out."""

SUFFIX = ".words.json"
"""Of a table that lies beside a `.keras` file."""


@dataclass(frozen=True)
class Word:
    """What is raised for a word.

    Attributes:
        layers: layer specs without a weight of their own.
        usual: `strength` on an average photo.
    """

    layers: tuple[str, ...]
    usual: float

    @cached_property
    def terms(self) -> tuple[LayerSpec, ...]:
        """The layers, read."""
        return tuple(map(parse_layer, self.layers))

    def strength(self, energies: Mapping[str, Sequence[float]]) -> float:
        """How much of it is in a picture, from the mean square of each channel, by layer."""
        return sum(_mean(term, energies[term.layer]) for term in self.terms)


def _mean(term: LayerSpec, energies: Sequence[float]) -> float:
    channels = term.channels or ()
    weights = term.channel_weights or [1.0] * len(channels)
    return sum(w * energies[c] for c, w in zip(channels, weights, strict=True)) / len(channels)


@dataclass(frozen=True)
class Table:
    """The words of a network, by their names: synonyms are separated by commas.

    A class of ImageNet may stand under its WordNet id (see `dreamer.classes`).
    """

    subjects: Mapping[str, Word]
    classes: Mapping[str, Word] = field(default_factory=dict)

    @cached_property
    def _known(self) -> tuple[tuple[Names, list[Word]], ...]:
        """Subjects before classes."""
        return (
            (Names(self.subjects), list(self.subjects.values())),
            (Names(self.class_names), list(self.classes.values())),
        )

    @cached_property
    def class_names(self) -> list[str]:
        """Of every class."""
        return [classes.names(key) for key in self.classes]

    def found(self, energies: Mapping[str, Sequence[float]]) -> list[tuple[str, float]]:
        """How many times as strong as usual each subject is in a picture, the strongest first."""
        times = {name: word.strength(energies) / word.usual for name, word in self.subjects.items()}
        return sorted(times.items(), key=lambda item: -item[1])

    def find(self, name: str) -> Word:
        """A word by one of its names, in the singular or the plural.

        Raises DreamerError with the nearest names.
        """
        for form in classes.forms(name):
            for names, known in self._known:
                if places := names.holding(form):
                    return known[places[0]]
        near = Names([*self.class_names, *self.subjects]).near(name)
        guess = f"did you mean {' or '.join(near)}? " if near else ""
        raise DreamerError(
            f"No word {name!r} is known: {guess}`dream models words` shows them all."
        )


def is_word(name: str) -> bool:
    """Whether the packaged table knows a word of this name."""
    try:
        read(PACKAGED).find(name)
    except DreamerError:
        return False
    return True


def load(network: str, file: Path | None = None) -> Table:
    """The table of a network: the packaged one, or that beside the `.keras` file.

    Raises DreamerError where there is none, or where it is no such table.
    """
    path = PACKAGED if network in SHARED_BY else beside(file or Path(network))
    if not path.is_file():
        raise DreamerError(
            f"There are no words for {network}: dream on {' or '.join(SHARED_BY)}, or make a table "
            "by `dream models words --fit PHOTOS --labels FILE` from a .keras classifier."
        )
    return read(path)


def beside(file: Path) -> Path:
    """Where the table of a `.keras` file lies."""
    return file.with_suffix(SUFFIX)


def read(path: Path) -> Table:
    """A table from JSON. Raises DreamerError where it is none."""
    try:
        return _table(json.loads(path.read_text("utf-8")))
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise DreamerError(f"{path} is no table of words: {error}.") from None


def _table(data: Any) -> Table:
    if data["format"] != 1:
        raise ValueError(f"its format is {data['format']!r}, and 1 is known")
    kinds = ({name: _word(word) for name, word in data[kind].items()} for kind in _KINDS)
    return Table(*kinds)


_KINDS = ("subjects", "classes")


def _word(data: Mapping[str, Any]) -> Word:
    word = Word(tuple(data["layers"]), float(data["usual"]))
    if not 0 < word.usual < math.inf:
        raise ValueError(f"{word.usual} is no strength")
    if not word.terms or any(term.weight != 1 or not term.channels for term in word.terms):
        raise ValueError(f"{data['layers']!r} are no layers with channels")
    return word


def to_json(table: Table) -> str:
    """Write a table, a line a word."""
    blocks = []
    for kind in _KINDS:
        lines = (
            f"{json.dumps(k)}: {json.dumps(asdict(v))}" for k, v in getattr(table, kind).items()
        )
        blocks.append(f'"{kind}": {{\n' + ",\n".join(lines) + "\n}")
    return '{"format": 1,\n' + ",\n".join(blocks) + "}\n"


def expand(asked: Sequence[str], table: Table, unwanted: Sequence[str] = ()) -> list[str]:
    """The layer specs of `[-]WORD[=WEIGHT]` each, or of a schedule of those.

    Args:
        asked: what there shall be more of; of a word with a minus before it, less.
        table: of the network.
        unwanted: what there shall be less of.

    Raises DreamerError for an unknown word, a weight that is no number, or a broken schedule.
    """
    signed = [*((text, 1.0) for text in asked), *((text, -1.0) for text in unwanted)]
    return [spec for text, sign in signed for spec in _expanded(text, table, sign)]


def _expanded(text: str, table: Table, sign: float) -> list[str]:
    option = "--of" if sign > 0 else "--not"
    try:
        written = schedule.parse_text(text).keys
    except ValueError as error:
        raise DreamerError(f"{option} {text!r} is not understood: {error}.") from None
    specs = [_weighted(key.value, table, sign, option) for key in written]
    if not keys.is_schedule(text):
        return list(specs[0].values())
    layers = dict.fromkeys(layer for each in specs for layer in each)
    return [
        # A layer that a word does not use is there for nothing.
        ", ".join(
            keys.write(key._replace(value=each.get(layer, f"{layer}:0=0")))
            for key, each in zip(written, specs, strict=True)
        )
        for layer in layers
    ]


def _weighted(text: str, table: Table, sign: float, option: str) -> dict[str, str]:
    """The specs of one `[-]WORD[=WEIGHT]` by their layers."""
    name, equals, given = text.strip().partition("=")
    try:
        weight = sign * (float(given) if equals else 1.0)
    except ValueError:
        weight = math.nan
    if not math.isfinite(weight):
        raise DreamerError(f"The weight in {option} {text!r} is no number: write WORD=WEIGHT.")
    if name.startswith("-"):
        name, weight = name[1:], -weight
    scale = f"={weight:g}" if weight != 1 else ""
    with speaking_of(option):
        word = table.find(name)
    return {term.layer: spec + scale for term, spec in zip(word.terms, word.layers, strict=True)}
