"""Random search over a recipe: which trials there are. Nothing here dreams.

Trials are drawn at random, not from a grid: only few of the fields matter for a picture, nobody
knows beforehand which, and a grid spends its trials on the others (Bergstra and Bengio, 2012,
"Random Search for Hyper-Parameter Optimization").
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple, Protocol

import numpy as np

from dreamer.errors import DreamerError, unknown
from dreamer.recipe import Recipe, option, split_values

Random = np.random.Generator

STEP = 0.15
"""How far a small step may go, as a share of a field's range."""

SELDOM = 0.2
"""How often a small step leaves a name, or another thing that has no neighbours."""

PATIENCE = 3
"""Steps without a rise after which a trial's octave ends, where nobody says."""


class Values(Protocol):
    """What a field may be."""

    def draw(self, random: Random) -> Any:
        """Any value."""

    def near(self, value: Any, random: Random) -> Any:
        """A value near this one, or this one itself."""


@dataclass(frozen=True)
class Span:
    """Numbers from `low` to `high`, on a logarithmic scale where both are positive.

    Numbers are rounded to two digits, so that a label tells all of them.
    """

    low: float
    high: float
    whole: bool = False

    def draw(self, random: Random) -> float:
        """Any number of the range."""
        return self._at(random.uniform(), self.low, self.high)

    def near(self, value: Any, random: Random) -> Any:
        """A number near `value`, which may lie outside; None and schedules stay."""
        step = random.uniform(-STEP, STEP)
        if isinstance(value, str) or value is None or (self._log and value <= 0):
            return value
        return self._at(self._place(value) + step, min(self.low, value), max(self.high, value))

    @property
    def _log(self) -> bool:
        return self.low > 0

    def _place(self, value: float) -> float:
        """Where a number is between `low`, 0, and `high`, 1."""
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
    """Two numbers of a range, the larger first."""

    def draw(self, random: Random) -> Any:
        """Any two."""
        return _falling(super(Pair, self).draw(random) for _ in range(2))

    def near(self, value: Any, random: Random) -> Any:
        """A small step from both."""
        return _falling(super(Pair, self).near(each, random) for each in value)


def _falling(values: Any) -> tuple[Any, ...]:
    return tuple(sorted(values, reverse=True))


@dataclass(frozen=True)
class Choice:
    """One of some values; one that is listed twice comes twice as often."""

    values: Sequence[Any]

    def draw(self, random: Random) -> Any:
        """Any of them."""
        return self.values[int(random.integers(len(self.values)))]

    def near(self, value: Any, random: Random) -> Any:
        """Seldom another one."""
        other = self.draw(random)
        return other if random.uniform() < SELDOM else value


@dataclass(frozen=True)
class Stock:
    """What a network can be asked to raise.

    Attributes:
        channels: how many each layer has, by layer.
        words: layer specs by subject; none where the network has no words.
    """

    channels: Mapping[str, int]
    words: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @cached_property
    def names(self) -> Mapping[tuple[str, ...], str]:
        """The subjects by their layer specs, for labels."""
        return {tuple(layers): name for name, layers in self.words.items()}


@dataclass(frozen=True)
class Layers:
    """A layer, some channels of one, two layers mixed, or a subject in words."""

    stock: Stock = field(repr=False)

    def draw(self, random: Random) -> tuple[str, ...]:
        """Any of these."""
        kinds = [self._whole, self._mixed, self._some]
        kinds += [self._word] if self.stock.words else []
        return kinds[int(random.integers(len(kinds)))](random)

    def near(self, value: tuple[str, ...], random: Random) -> tuple[str, ...]:
        """Seldom with a little of another layer."""
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
    "colours": Choice((*["dream"] * 7, "photo")),
}
"""What is searched over where nobody says, and how far, beside the layers. The normalisation is not
among them: beside the Laplacian one the others are noisy."""

DEFAULTS = ("layers", *FIELDS)

_SETTLED = {
    *("format", "about", "film", "feature", "network", "input_range", "input_mean", "input_order"),
    *("guide", "mask", "size", "enlarge", "precision", "tile"),
}
"""Fields that are the same for all trials."""

SEARCHABLE = tuple(name for name in Recipe.model_fields if name not in _SETTLED)


class Trial(NamedTuple):
    """A recipe to try, and what sets it apart from the others."""

    recipe: Recipe
    label: str


@dataclass(frozen=True)
class Search:
    """A random search; a trial depends on its number and on `seed`, not on how many there are.

    Attributes:
        base: the recipe that trials begin with.
        fields: what each field that is searched over may be.
        seed: gives the random numbers.
        around: whether trials are small steps from `base`; the first is `base` itself.
        stock: gives layers their names.
    """

    base: Recipe
    fields: Mapping[str, Values]
    seed: int
    around: bool
    stock: Stock

    def trial(self, number: int) -> Trial:
        """The trial of a number, from 0.

        Raises DreamerError where a value is none that its field may have.
        """
        drawn = {name: self._value(name, values, number) for name, values in self.fields.items()}
        if self.around and number == 0:
            drawn = {}
        recipe = self.base.changed(drawn, "the search")
        parts = [self._part(name, getattr(recipe, name)) for name in drawn]
        changed = [
            part
            for name, part in zip(drawn, parts, strict=True)
            if getattr(recipe, name) != getattr(self.base, name)
        ]
        return Trial(recipe, " · ".join(changed) or "as it is")

    def _value(self, name: str, values: Values, number: int) -> Any:
        # Of its own for each field: one more or less leaves the others as they are.
        random = np.random.default_rng([self.seed, number, *name.encode()])
        if self.around:
            return values.near(getattr(self.base, name), random)
        return values.draw(random)

    def _part(self, name: str, value: Any) -> str:
        if name == "layers":
            return self.stock.names.get(tuple(value)) or " + ".join(value)
        several = value if isinstance(value, tuple) else (value,)
        written = (f"{each:g}" if isinstance(each, float) else str(each) for each in several)
        return f"{name} {'-'.join(written)}"


def chosen(over: Sequence[str], held: Collection[str], stock: Stock) -> dict[str, Values]:
    """What is searched over.

    Args:
        over: `FIELD=LOW..HIGH`, `FIELD=a,b,c`, or names of fields with commas between them, whose
            usual ranges are taken. Where none are given, `DEFAULTS` but for those that are `held`.
        held: fields that somebody has set.
        stock: of the network.

    Raises DreamerError for what is no field or no range, or where nothing is left.
    """
    usual: dict[str, Values] = {"layers": Layers(stock), **FIELDS}
    if not over:
        left = {name: values for name, values in usual.items() if name not in held}
        if not left:
            raise DreamerError("Every field is set, so nothing is left to search: give --over.")
        return left
    return {name: values for text in over for name, values in _read(text, usual).items()}


def _read(text: str, usual: Mapping[str, Values]) -> dict[str, Values]:
    names, equals, values = (each.strip() for each in text.partition("="))
    if equals:
        return {_known(names): _values(names, values)}
    found = [_known(name.strip()) for name in names.split(",")]
    without = [name for name in found if name not in usual]
    if without:
        raise DreamerError(
            f"--over {without[0]} needs a range: write {without[0]}=LOW..HIGH or =a,b,c."
        )
    return {name: usual[name] for name in found}


def _known(name: str) -> str:
    if name not in SEARCHABLE:
        raise unknown("field to search over", name, SEARCHABLE, "`dream presets show` lists them.")
    return name


_NUMBER = r"\s*(-?[0-9.]+(?:e-?[0-9]+)?)\s*"


def _values(name: str, text: str) -> Values:
    match = re.fullmatch(rf"{_NUMBER}\.\.{_NUMBER}", text)
    if not match:
        each = split_values(text, f"--over {name}={text}")
        return Choice([option(name, value)[1][name] for value in each])
    try:
        low, high = float(match[1]), float(match[2])
    except ValueError:
        low, high = 1.0, 0.0
    if not low <= high < float("inf"):
        raise DreamerError(f"--over {name}={text} is no range: write {name}=LOW..HIGH.")
    kind = Pair if name == "motif" else Span
    return kind(low, high, whole=_is_whole(name))


def _is_whole(name: str) -> bool:
    """Whether a field takes whole numbers only."""
    kind = Recipe.model_fields[name].annotation
    return int in (kind, *getattr(kind, "__args__", ()))
