"""Words for subjects, such as "birds", and their expansion into layer specs.

A table holds the channels that draw each subject ("birds") and each class of a classifier ("sea
snake"); a noun that stands for several of ImageNet's classes ("reptile") is made of theirs.
`dreamer.analysis.word_fitting` makes tables. The one for `googlenet` and `dreamnet`, which share
their channels, is part of the package.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import platformdirs

from dreamer.errors import DreamerError, speaking_of
from dreamer.recipe import class_labels, nouns, schedule
from dreamer.recipe.class_labels import Names
from dreamer.recipe.layer_spec import LayerSpec, parse_layer
from dreamer.recipe.schedule import keys

PACKAGED = Path(__file__).parents[1] / "data" / "words.json"
"""The file of the packaged table."""

SHARED_BY = ("googlenet", "dreamnet")
"""The networks that the packaged table is for."""

FILM: Mapping[str, Any] = {"objective": "mean", "motif": (1.0, 0.3)}
"""The defaults of a film's recipe in words. The objective is the mean, because a classifier reads
a subject from the means of its channels, and squares would raise only the few strongest. The motif
lets a subject fill the picture."""

STILL: Mapping[str, Any] = {**FILM, "steps": 20, "rate": 0.0105}
"""The defaults of a picture's recipe in words. Steps are smaller and more than usual: 10 steps of
0.014 change the photo almost as much, but show fewer recognizable subjects."""

SUFFIX = ".words.json"
"""The suffix of a table next to a `.keras` file."""


@dataclass(frozen=True)
class Word:
    """The layers and channels that a word stands for.

    Attributes:
        layers: layer specs with channels and a weight of 1.
        usual: the word's `strength` in an average photo.
    """

    layers: tuple[str, ...]
    usual: float

    @cached_property
    def terms(self) -> tuple[LayerSpec, ...]:
        """Return the layers, parsed."""
        return tuple(map(parse_layer, self.layers))

    def strength(self, energies: Mapping[str, Sequence[float]]) -> float:
        """Return how strongly a picture shows the word.

        Args:
            energies: the mean square of each channel, by layer.
        """
        return sum(_compute_strength(term, energies[term.layer]) for term in self.terms)

    def measure_pull(self, energies: Mapping[str, Sequence[float]] | None = None) -> float:
        """Return how far the weighted sum of channels varies over photos.

        Args:
            energies: the mean square of each channel over them, by layer; without, that all
                channels vary alike is taken for granted.
        """
        squares = (
            weight**2 * (energies[term.layer][channel] if energies else 1)
            for term in self.terms
            for channel, weight in _read_weights(term).items()
        )
        return math.sqrt(sum(squares))


def compute_kinship(word: Word, other: Word) -> float:
    """Compute the cosine of two words' weights of channels: 0 where they share none."""
    one, two = (
        {
            (term.layer, channel): weight
            for term in each.terms
            for channel, weight in _read_weights(term).items()
        }
        for each in (word, other)
    )
    common = sum(weight * two[channel] for channel, weight in one.items() if channel in two)
    lengths = (math.hypot(*each.values()) for each in (one, two))
    return common / max(math.prod(lengths), 1e-12)


def _compute_strength(term: LayerSpec, energies: Sequence[float]) -> float:
    weights = _read_weights(term)
    return sum(weight * energies[channel] for channel, weight in weights.items()) / len(weights)


def _read_weights(term: LayerSpec) -> dict[int, float]:
    """Return the weight of each channel."""
    channels = term.channels or ()
    return dict(zip(channels, term.channel_weights or [1.0] * len(channels), strict=True))


def combine(words: Sequence[Word]) -> Word:
    """Make a word that stands for several, and pulls as much as each.

    Of each layer it raises as many channels as they do, those that they have most in common.
    """
    layers: dict[str, Counter[int]] = {}
    for word in words:
        for term in word.terms:
            layers.setdefault(term.layer, Counter()).update(_read_weights(term))
    most = max(len(term.channels or ()) for word in words for term in word.terms)
    kept = {layer: dict(weights.most_common(most)) for layer, weights in layers.items()}
    pull = sum(word.measure_pull() for word in words) / len(words)
    scale = pull / Word(_write_layers(kept), 1).measure_pull()
    usual = sum(word.usual for word in words) / len(words)
    return Word(_write_layers(kept, scale), usual)


def _write_layers(layers: Mapping[str, Mapping[int, float]], scale: float = 1) -> tuple[str, ...]:
    """Write the weights of channels, by layer, as layer specs."""
    return tuple(
        f"{layer}:" + ",".join(f"{channel}@{weight * scale:.3g}" for channel, weight in own.items())
        for layer, own in layers.items()
    )


@dataclass(frozen=True)
class Table:
    """The words of a network, by their names, with synonyms separated by commas.

    A class of ImageNet may have its WordNet ID in place of names (see
    `dreamer.recipe.class_labels`).
    """

    subjects: Mapping[str, Word]
    classes: Mapping[str, Word] = field(default_factory=dict)

    @cached_property
    def _known(self) -> tuple[tuple[Names, list[Word]], ...]:
        """Return the index and the words of the subjects, and then those of the classes."""
        return (
            (Names(self.subjects), list(self.subjects.values())),
            (Names(self.class_names), list(self.classes.values())),
        )

    @cached_property
    def class_names(self) -> list[str]:
        """Return the names of each class, separated by commas."""
        return [class_labels.names(key) for key in self.classes]

    def found(self, energies: Mapping[str, Sequence[float]]) -> list[tuple[str, float]]:
        """Return each subject's strength in a picture relative to the usual, strongest first.

        Args:
            energies: the mean square of each channel, by layer.
        """
        times = {name: word.strength(energies) / word.usual for name, word in self.subjects.items()}
        return sorted(times.items(), key=lambda item: -item[1])

    def with_subjects(self, subjects: Mapping[str, Word]) -> Table:
        """Return a table with more subjects, which hide others of their names."""
        return Table({**subjects, **self.subjects, **subjects}, self.classes)

    def find(self, name: str, presets: Collection[str] = ()) -> Word:
        """Find a word by one of its names, in the singular or the plural.

        Args:
            name: what is asked for.
            presets: what an error may name besides.

        Raises DreamerError with what is nearest by meaning, or else by spelling, if there is none.
        """
        for form in class_labels.forms(name):
            for names, known in self._known:
                if places := names.holding(form):
                    return known[places[0]]
        # "bird" is a noun, and "birds" a word of the table: that comes first.
        if noun := next(filter(None, map(self._find_noun, class_labels.forms(name))), None):
            return noun
        raise DreamerError(
            f"No word {name!r} is known: {self._guess(name, presets)}`dream models words` shows "
            "them all."
        )

    def _find_noun(self, form: str) -> Word | None:
        """Return the word of a noun some of whose classes are in this table."""
        noun = nouns.find_noun(form)
        members = (
            [self.classes[key] for key in noun.find_members() if key in self.classes]
            if noun
            else []
        )
        return combine(members) if members else None

    def _guess(self, name: str, presets: Collection[str]) -> str:
        """Return a question that names what may have been meant."""
        if called := next(filter(presets.__contains__, class_labels.forms(name)), None):
            return f"did you mean the preset, -p {called}? "
        if meant := nouns.find_near(name):
            return f"did you mean {meant}, which is nearest in meaning? "
        near = Names([*self.class_names, *self.subjects]).near(name)
        return f"did you mean {' or '.join(near)}? " if near else ""


def own_path(network: str, file: Path | None = None) -> Path:
    """Return the path of the user's own words for a network.

    For one from a file it is the table beside that; those that share a table share these, too.
    """
    if network in SHARED_BY:
        folder = platformdirs.user_config_path("dreamer", appauthor=False)
        return folder / f"own{SUFFIX}"
    return beside(file or Path(network))


def is_word(name: str) -> bool:
    """Tell whether the packaged table knows a word of this name."""
    try:
        read(PACKAGED).find(name)
    except DreamerError:
        return False
    return True


def load(network: str, file: Path | None = None) -> Table:
    """Read the table of a network: the packaged one, or the one next to its `.keras` file.

    Args:
        network: name of the network, or the path of its file.
        file: the `.keras` file, if `network` is only a name.

    Raises DreamerError if there is no table, or if it cannot be read.
    """
    own = own_path(network, file)
    if network in SHARED_BY:
        table = read(PACKAGED)
        return table.with_subjects(read(own).subjects) if own.is_file() else table
    if not own.is_file():
        raise DreamerError(
            f"There are no words for {network}: dream on {' or '.join(SHARED_BY)}, or make a table "
            "by `dream models words --fit PHOTOS --labels FILE` from a .keras classifier."
        )
    return read(own)


def beside(file: Path) -> Path:
    """Return the path of the table of a `.keras` file."""
    return file.with_suffix(SUFFIX)


def read(path: Path) -> Table:
    """Read a table from a JSON file.

    Raises DreamerError if the file is not a table of words.
    """
    try:
        return _parse_table(json.loads(path.read_text("utf-8")))
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise DreamerError(f"{path} is no table of words: {error}.") from None


def _parse_table(data: Any) -> Table:
    if data["format"] != 1:
        raise ValueError(f"its format is {data['format']!r}, and 1 is known")
    kinds = ({name: _parse_word(word) for name, word in data[kind].items()} for kind in _KINDS)
    return Table(*kinds)


_KINDS = ("subjects", "classes")


def _parse_word(data: Mapping[str, Any]) -> Word:
    word = Word(tuple(data["layers"]), float(data["usual"]))
    if not 0 < word.usual < math.inf:
        raise ValueError(f"{word.usual} is no strength")
    if not word.terms or any(term.weight != 1 or not term.channels for term in word.terms):
        raise ValueError(f"{data['layers']!r} are no layers with channels")
    return word


def to_json(table: Table) -> str:
    """Return a table as JSON, with one line per word."""
    blocks = []
    for kind in _KINDS:
        lines = (
            f"{json.dumps(k)}: {json.dumps(asdict(v))}" for k, v in getattr(table, kind).items()
        )
        blocks.append(f'"{kind}": {{\n' + ",\n".join(lines) + "\n}")
    return '{"format": 1,\n' + ",\n".join(blocks) + "}\n"


def expand(
    asked: Sequence[str],
    table: Table,
    unwanted: Sequence[str] = (),
    presets: Collection[str] = (),
) -> list[str]:
    """Expand words into layer specs.

    Args:
        asked: texts `[-]WORD[=WEIGHT]`, or schedules of these; a minus asks for less of a word.
        table: the words of the network.
        unwanted: texts as in `asked`, of which there should be less.
        presets: names that may have been meant where a word is unknown.

    Raises DreamerError if a word is unknown, a weight is not a number, or a schedule is invalid.
    """
    signed = [*((text, 1.0) for text in asked), *((text, -1.0) for text in unwanted)]
    find = partial(table.find, presets=presets)
    return [spec for text, sign in signed for spec in _expand_one(text, find, sign)]


def _expand_one(text: str, find: Callable[[str], Word], sign: float) -> list[str]:
    option = "--of" if sign > 0 else "--not"
    try:
        written = schedule.parse_text(text).keys
    except ValueError as error:
        raise DreamerError(f"{option} {text!r} is not understood: {error}.") from None
    specs = [_weigh_layers(key.value, find, sign, option) for key in written]
    if not keys.is_schedule(text):
        return list(specs[0].values())
    layers = dict.fromkeys(layer for each in specs for layer in each)
    return [
        # A word that does not use the layer still needs a key, with weight 0.
        ", ".join(
            keys.write(key._replace(value=each.get(layer, f"{layer}:0=0")))
            for key, each in zip(written, specs, strict=True)
        )
        for layer in layers
    ]


def _weigh_layers(
    text: str, find: Callable[[str], Word], sign: float, option: str
) -> dict[str, str]:
    """Return the layer specs of one `[-]WORD[=WEIGHT]`, by layer."""
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
        word = find(name)
    return {term.layer: spec + scale for term, spec in zip(word.terms, word.layers, strict=True)}
