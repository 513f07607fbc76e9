"""Recipes: validated data, and what is told where they are wrong."""

import math
from typing import Any

import pytest

from dreamer import recipe
from dreamer.errors import DreamerError
from dreamer.recipe import Recipe


def test_one_of_several_is_as_good_as_a_list() -> None:
    assert Recipe(layers="mixed4c:447").layers == ("mixed4c:447",)  # type: ignore[arg-type]
    assert Recipe(palette="#102040, #e0c080").palette == ("#102040", "#e0c080")  # type: ignore[arg-type]
    film = Recipe().changed({"film": {"palette": ["#102040", "#e0c080"]}}).film
    assert film.palette == "#102040,#e0c080"


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"octave": 3}, "octaves"),
        ({"raet": 1}, "rate"),
        ({"steps": 0}, "steps"),
        ({"octaves": 0}, "octaves"),
        ({"rate": math.nan}, "rate"),
        ({"rate": -1.0}, "rate"),
        ({"blur": math.inf}, "blur"),
        ({"motif": [0.1, 0.6]}, "largest"),
        ({"motif": [0.1]}, "motif"),
        ({"format": 4}, "format"),
        ({"layers": ["mixed4c:"]}, "mixed4c:"),
        ({"about": {"nmae": "x"}}, "about.nmae"),
        ({"size": "huge"}, "huge"),
        ({"precision": "half"}, "float32"),
    ],
)
def test_a_wrong_field_is_named_in_one_sentence(fields: dict[str, object], named: str) -> None:
    with pytest.raises(DreamerError, match=named) as caught:
        recipe.from_fields(fields, "the preset x.toml")
    assert "\n" not in str(caught.value)
    assert "x.toml" in str(caught.value)


def test_motif_and_octaves_replace_each_other() -> None:
    counted = Recipe().changed({"octaves": 3})
    assert counted.octaves == 3
    assert counted.changed({"motif": (0.5, 0.2)}).octaves is None


def test_a_part_of_about_can_be_set_alone() -> None:
    named = Recipe().changed({"about": {"name": "A"}}).changed({"about": {"author": "B"}})
    assert (named.about.name, named.about.author) == ("A", "B")


@pytest.mark.parametrize(
    "changes",
    [
        {"about": {"description": "\x1b]0;owned\x07"}},
        {"about": {"tags": ["a\x9b2J"]}},
        {"network": "dreamnet\x1b"},
        {"layers": ["mixed4c\x1b"]},
    ],
)
def test_nothing_in_a_preset_commands_the_terminal(changes: dict[str, Any]) -> None:
    with pytest.raises(DreamerError) as caught:
        Recipe().changed(changes)
    assert str(caught.value).isprintable()


def test_a_value_out_of_range_is_told_with_its_frame() -> None:
    sinking = Recipe().changed({"rate": "0:(0.01*cos(t))"})
    assert sinking.at(sinking.clock(0)).rate == 0.01
    with pytest.raises(DreamerError, match=r"In frame 3, ascent\.rate cannot be -0\.009"):
        sinking.at(sinking.clock(3))


def test_a_motif_is_read_as_it_is_typed() -> None:
    typed = {"0.5-0.2": (0.5, 0.2), "0.4": (0.4, 0.4), 0.4: (0.4, 0.4)}
    assert {text: Recipe().changed({"motif": text}).motif for text in typed} == typed
