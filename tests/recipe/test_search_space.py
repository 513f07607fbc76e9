"""Random search: which trials there are."""

import numpy as np
import pytest

from dreamer.errors import DreamerError
from dreamer.recipe import Recipe, search_space
from dreamer.recipe.layer_spec import parse_layer
from dreamer.recipe.search_space import Search, Span, Stock

STOCK = Stock({"low": 4, "high": 30}, {"birds": ("high:3@0.5,7",)})


def made(*over: str, seed: int = 0, around: bool = False, base: Recipe | None = None) -> Search:
    base = base or Recipe()
    return Search(base, search_space.parse_search_space(over, (), STOCK), seed, around, STOCK)


def recipes(made: Search, count: int = 20) -> list[Recipe]:
    return [made.trial(number).recipe for number in range(count)]


def test_a_trial_depends_on_its_number_and_the_seed_alone() -> None:
    assert recipes(made()) == recipes(made())
    assert len(set(map(repr, recipes(made())))) == 20
    assert not set(map(repr, recipes(made()))) & set(map(repr, recipes(made(seed=1))))


def test_a_field_more_or_less_leaves_the_others_as_they_are() -> None:
    for alone, all_ in zip(recipes(made("blur")), recipes(made()), strict=True):
        assert alone == Recipe().changed({"blur": all_.blur})


@pytest.mark.parametrize("name", search_space.FIELDS)
def test_every_usual_field_is_used_in_full_and_kept_to(name: str) -> None:
    drawn = [getattr(recipe, name) for recipe in recipes(made(name), 60)]
    values = search_space.FIELDS[name]
    if isinstance(values, search_space.Choice):
        assert set(drawn) == set(values.values)
        return
    assert isinstance(values, Span)
    numbers = np.ravel(drawn)
    assert values.low <= numbers.min() < numbers.max() <= values.high
    assert numbers.max() - numbers.min() > 0.8 * (values.high - values.low)
    steps = [
        getattr(r, name) for r in recipes(made(name, around=True, base=recipes(made(name))[0]))
    ]
    assert steps[0] == drawn[0]
    assert 0 < np.ptp(steps, 0).max() < 0.6 * (values.high - values.low)


def test_positive_ranges_are_logarithmic() -> None:
    rates = [float(recipe.rate) for recipe in recipes(made("rate=0.0001..1"), 150)]
    assert abs(np.mean(np.log10(rates)) + 2) < 0.3
    blurs = [float(recipe.blur) for recipe in recipes(made("blur=0..1"), 150)]
    assert abs(np.mean(blurs) - 0.5) < 0.1


def test_layers_are_whole_or_in_part_or_mixed_or_words() -> None:
    specs = [recipe.layers for recipe in recipes(made("layers"), 100)]
    assert {("low",), ("high",), STOCK.words["birds"]} <= set(specs)
    assert any(len(layers) == 2 for layers in specs)
    terms = [parse_layer(text) for layers in specs for text in layers]
    assert {term.layer for term in terms} == {"low", "high"}
    assert all(max(term.channels or (0,)) < STOCK.channels[term.layer] for term in terms)
    labels = {made("layers").trial(number).label for number in range(100)}
    assert {"low", "birds"} <= labels


def test_what_differs_is_told() -> None:
    trial = made("layers=low;high:1,2", "motif=0.5-0.2,0.5-0.2", "steps=7..7").trial(0)
    assert trial.label in ("low · motif 0.5-0.2 · steps 7", "high:1,2 · motif 0.5-0.2 · steps 7")
    assert made("steps=10..10").trial(0).label == "as it is"


def test_colors_are_told_as_they_are_written() -> None:
    assert made('palette=["#102030"]').trial(0).label == "palette #102030"


def test_around_a_preset_comes_the_preset_itself_and_then_small_steps() -> None:
    base = Recipe(strength=20, rate="0:(0.01), 10:(0.02)", layers=("low=0.5",), blur=0.0)
    trials = recipes(made(around=True, base=base))
    assert trials[0] == base
    assert len(set(map(repr, trials))) == 20
    for recipe in trials:
        assert 15 < (recipe.strength or 0) < 25
        assert recipe.rate == base.rate
        assert float(recipe.blur) <= 0.15
        assert recipe.layers[0] == "low=0.5"


def test_what_is_set_is_not_searched_over() -> None:
    assert "layers" not in search_space.parse_search_space([], {"layers"}, STOCK)
    assert [*search_space.parse_search_space(["layers"], {"layers"}, STOCK)] == ["layers"]
    with pytest.raises(DreamerError, match="--over"):
        search_space.parse_search_space([], ("layers", *search_space.FIELDS), STOCK)
