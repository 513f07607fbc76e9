"""The trials of a random search over the fields of a recipe. No picture is made here.

Trials are drawn at random and not from a grid, because only a few fields matter for a picture, and
which ones is not known beforehand: a grid wastes its trials on the others (Bergstra and Bengio,
2012, "Random Search for Hyper-Parameter Optimization").
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from operator import attrgetter
from typing import Any, NamedTuple, Protocol

import numpy as np

from dreamer.errors import DreamerError, unknown
from dreamer.recipe.names import FORMER
from dreamer.recipe.recipe import Recipe
from dreamer.recipe.toml_text import split_values, write_option
from dreamer.recipe.visualization_fields import Visualization

Random = np.random.Generator
"""The source of random numbers."""

STEP = 0.15
"""The largest change in a small step, as a share of a field's range."""

SELDOM = 0.2
"""The probability that a small step changes a value without neighbors, such as a name."""

PATIENCE = 3
"""The default `patience` of the trials' recipes."""


class Values(Protocol):
    """The values that a search may give to a field."""

    def draw(self, random: Random) -> Any:
        """Draw any value."""

    def near(self, value: Any, random: Random) -> Any:
        """Draw a value near the given one, or return that itself."""


@dataclass(frozen=True)
class Span:
    """The numbers from `low` to `high`, on a logarithmic scale if both are positive.

    Drawn numbers are rounded to two digits, so that labels can show them in full.
    """

    low: float
    high: float
    whole: bool = False

    def draw(self, random: Random) -> float:
        """Draw any number of the range."""
        return self._at(random.uniform(), self.low, self.high)

    def near(self, value: Any, random: Random) -> Any:
        """Draw a number near `value`, which may be out of range; None and schedules stay as is."""
        step = random.uniform(-STEP, STEP)
        if isinstance(value, str) or value is None or (self._log and value <= 0):
            return value
        return self._at(self._to_share(value) + step, min(self.low, value), max(self.high, value))

    @property
    def _log(self) -> bool:
        return self.low > 0

    def _to_share(self, value: float) -> float:
        """Return the position of a number in the range, 0 at `low` and 1 at `high`."""
        if self.low == self.high:
            return 0.0
        if self._log:
            return float(np.log(value / self.low) / np.log(self.high / self.low))
        return (value - self.low) / (self.high - self.low)

    def _at(self, place: float, least: float, most: float) -> float:
        if self._log:
            value = self.low * (self.high / self.low) ** place
        else:
            value = self.low + (self.high - self.low) * place
        rounded = round(value) if self.whole else float(f"{value:.2g}")
        return min(max(rounded, least), most)


@dataclass(frozen=True)
class Pair(Span):
    """The pairs of numbers of a range, the larger first."""

    def draw(self, random: Random) -> Any:
        """Draw any two numbers of the range."""
        return _sort_falling(super(Pair, self).draw(random) for _ in range(2))

    def near(self, value: Any, random: Random) -> Any:
        """Draw a pair by a small step from both numbers."""
        return _sort_falling(super(Pair, self).near(each, random) for each in value)


def _sort_falling(values: Any) -> tuple[Any, ...]:
    return tuple(sorted(values, reverse=True))


@dataclass(frozen=True)
class Choice:
    """A list of values; one that is listed twice is drawn twice as often."""

    values: Sequence[Any]

    def draw(self, random: Random) -> Any:
        """Draw any of the values."""
        return self.values[int(random.integers(len(self.values)))]

    def near(self, value: Any, random: Random) -> Any:
        """Draw another value in about one of five cases; see `SELDOM`."""
        other = self.draw(random)
        return other if random.uniform() < SELDOM else value


@dataclass(frozen=True)
class Stock:
    """The layers, channels and words that a network can raise.

    Attributes:
        channels: the number of channels, by layer.
        words: the layer specs of each subject; empty if the network has no words.
    """

    channels: Mapping[str, int]
    words: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @cached_property
    def names(self) -> Mapping[tuple[str, ...], str]:
        """Return the subjects by their layer specs, for labels."""
        return {tuple(layers): name for name, layers in self.words.items()}


@dataclass(frozen=True)
class Layers:
    """The values of `layers`: a layer, some channels of one, two layers mixed, or a subject."""

    stock: Stock = field(repr=False)

    def draw(self, random: Random) -> tuple[str, ...]:
        """Draw any layer, mix of layers, channels or subject."""
        kinds = [self._whole, self._mixed, self._some]
        kinds += [self._word] if self.stock.words else []
        return kinds[int(random.integers(len(kinds)))](random)

    def near(self, value: tuple[str, ...], random: Random) -> tuple[str, ...]:
        """Add a little of another layer in about one of five cases; see `SELDOM`."""
        other, weight, chance = self._layer(random), Span(0.1, 0.5).draw(random), random.uniform()
        return (*value, f"{other}={weight:g}") if chance < SELDOM else value

    def _layer(self, random: Random) -> str:
        return list(self.stock.channels)[int(random.integers(len(self.stock.channels)))]

    def _whole(self, random: Random) -> tuple[str, ...]:
        return (self._layer(random),)

    def _mixed(self, random: Random) -> tuple[str, ...]:
        one, other = (self._layer(random) for _ in range(2))
        weight = Span(0.2, 2).draw(random)
        return (one,) if one == other else (one, f"{other}={weight:g}")

    def _some(self, random: Random) -> tuple[str, ...]:
        layer = self._layer(random)
        most = self.stock.channels[layer]
        count = int(Span(min(3, most), min(12, most), whole=True).draw(random))
        chosen = sorted(int(each) for each in random.choice(most, count, replace=False))
        return (f"{layer}:{','.join(map(str, chosen))}",)

    def _word(self, random: Random) -> tuple[str, ...]:
        return tuple(Choice(list(self.stock.words.values())).draw(random))


FIELDS: Mapping[str, Values] = {
    "motif": Pair(0.2, 1.0),
    "strength": Span(18, 36),
    "rate": Span(0.006, 0.03),
    "steps": Span(8, 24, whole=True),
    "objective": Choice(("mean-square", "mean-square", "mean")),
    "octave_scale": Span(1.25, 1.8),
    "blur": Span(0.2, 0.6),
    "jitter": Span(8, 48, whole=True),
    "saturation": Span(0.9, 1.3),
    "harmony": Choice((0.0, 0.2, 0.4, 0.8)),
    "colors": Choice((*["dream"] * 7, "photo")),
}
"""The usual ranges of fields, which are searched over by default, besides the layers. The
normalization is not among them, because all but the Laplacian give noisy pictures."""

GROWN_FIELDS: Mapping[str, Values] = {
    "rate": Span(0.03, 0.3),
    "steps": Span(64, 192, whole=True),
    "jitter": Span(4, 32, whole=True),
    "visualization.scale": Span(0.02, 0.25),
    "visualization.turn": Span(2, 20),
    "visualization.leaky": Choice((0.0, 0.05)),
}
"""The usual ranges of the fields of pictures of channels and classes."""

_SETTLED = {
    *(
        "format",
        "about",
        "of",
        "film",
        "visualization",
        "network",
        "input_range",
        "input_mean",
        "input_order",
        "input_name",
    ),
    *("guide", "mask", "size", "aspect", "crop", "enlarge", "to_full_size", "precision", "tile"),
}
"""Fields that are the same for all trials."""

SEARCHABLE = tuple(name for name in Recipe.model_fields if name not in _SETTLED)
"""The fields that can be searched over."""

_GROWN = tuple(f"visualization.{name}" for name in Visualization.model_fields)
"""Further ones, of pictures of channels and classes."""


_FIRST_NAMES = {today: former for former, today in FORMER.items()}
"""Former names of fields, which seed their random numbers: a search gives the trials it gave."""


class Trial(NamedTuple):
    """A recipe to try, and a label that tells it from the others."""

    recipe: Recipe
    label: str


@dataclass(frozen=True)
class Search:
    """A random search, whose trials depend on their number and `seed`, not on how many there are.

    Attributes:
        base: the recipe that trials change.
        fields: the values to try, by field.
        seed: seed of the random numbers.
        around: whether trials are small steps from `base`; the first is then `base` itself.
        stock: source of the names of layers for labels.
    """

    base: Recipe
    fields: Mapping[str, Values]
    seed: int
    around: bool
    stock: Stock

    def trial(self, number: int) -> Trial:
        """Return the trial of this number, counted from 0.

        Raises DreamerError if a field cannot have the value drawn for it.
        """
        drawn = {name: self._value(name, values, number) for name, values in self.fields.items()}
        if self.around and number == 0:
            drawn = {}
        recipe = self.base.changed(drawn, "the search")
        parts = [self._part(name, _get(recipe, name)) for name in drawn]
        changed = [
            part
            for name, part in zip(drawn, parts, strict=True)
            if _get(recipe, name) != _get(self.base, name)
        ]
        return Trial(recipe, " · ".join(changed) or "as it is")

    def _value(self, name: str, values: Values, number: int) -> Any:
        # Each field has its own generator, so that other fields do not affect its values.
        random = np.random.default_rng([self.seed, number, *_FIRST_NAMES.get(name, name).encode()])
        if self.around:
            return values.near(_get(self.base, name), random)
        return values.draw(random)

    def _part(self, name: str, value: Any) -> str:
        if name == "layers":
            return self.stock.names.get(tuple(value)) or " + ".join(value)
        several = value if isinstance(value, tuple) else (value,)
        written = (f"{each:g}" if isinstance(each, float) else str(each) for each in several)
        return f"{name.rpartition('.')[2]} {'-'.join(written)}"


def _get(recipe: Recipe, name: str) -> Any:
    """Return the value of a field, which may be one of a part."""
    return attrgetter(name)(recipe)


def parse_search_space(
    over: Sequence[str],
    held: Collection[str],
    stock: Stock,
    grown: Mapping[str, Values] | None = None,
) -> dict[str, Values]:
    """Return the fields to search over, each with the values to try.

    Args:
        over: texts `FIELD=LOW..HIGH`, `FIELD=a,b,c`, or names of fields separated by commas, which
            get their usual ranges. If empty, all that have one except those in `held`.
        held: the fields that the user has set.
        stock: the layers and words of the network.
        grown: the usual ranges of pictures of channels and classes, if these are searched for.

    Raises DreamerError if a field or a range is invalid, or if no field is left.
    """
    usual: Mapping[str, Values] = grown or {"layers": Layers(stock), **FIELDS}
    known = (*SEARCHABLE, *_GROWN) if grown else SEARCHABLE
    if not over:
        left = {name: values for name, values in usual.items() if name not in held}
        if not left:
            raise DreamerError("Every field is set, so nothing is left to search: give --over.")
        return left
    return {
        name: values for text in over for name, values in _parse_over(text, usual, known).items()
    }


def _parse_over(text: str, usual: Mapping[str, Values], known: Sequence[str]) -> dict[str, Values]:
    names, equals, values = (each.strip() for each in text.partition("="))
    if equals:
        name = _check_searchable(names, known)
        return {name: _parse_values(name, values)}
    found = [_check_searchable(name.strip(), known) for name in names.split(",")]
    without = [name for name in found if name not in usual]
    if without:
        raise DreamerError(
            f"--over {without[0]} needs a range: write {without[0]}=LOW..HIGH or =a,b,c."
        )
    return {name: usual[name] for name in found}


def _check_searchable(name: str, known: Sequence[str]) -> str:
    whole = name if name in known else f"visualization.{name}"
    if whole not in known:
        raise unknown("field to search over", name, known, "`dream presets show` lists them.")
    return whole


_NUMBER = r"\s*(-?[0-9.]+(?:e-?[0-9]+)?)\s*"


def _parse_values(name: str, text: str) -> Values:
    match = re.fullmatch(rf"{_NUMBER}\.\.{_NUMBER}", text)
    if not match:
        each = split_values(text, f"--over {name}={text}")
        return Choice([write_option(name, value)[1][name] for value in each])
    try:
        low, high = float(match[1]), float(match[2])
    except ValueError:
        low, high = 1.0, 0.0
    if not low <= high < float("inf"):
        raise DreamerError(f"--over {name}={text} is no range: write {name}=LOW..HIGH.")
    kind = Pair if name == "motif" else Span
    return kind(low, high, whole=_is_whole(name))


def _is_whole(name: str) -> bool:
    """Tell whether the numbers of a field are whole."""
    part, _, inner = name.rpartition(".")
    kind = (Visualization if part else Recipe).model_fields[inner].annotation
    return int in (kind, *getattr(kind, "__args__", ()))
