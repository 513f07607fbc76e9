"""The names of a recipe's fields: whole, short and former, in files and wherever one is typed."""

import json
from collections import Counter
from typing import Any

import pytest
from helpers import TESTS

from dreamer.errors import DreamerError
from dreamer.recipe import Recipe, from_fields, from_toml, parse_toml, to_fields, to_toml
from dreamer.recipe.migrations import BEFORE_HARMONY, BEFORE_LIFE
from dreamer.recipe.names import (
    FORMER,
    FORMER_VALUES,
    PARTS,
    find_field,
    name_option,
    name_path,
    read_changes,
    traits,
)
from dreamer.recipe.toml_text import changed_fields

FORMATS = TESTS / "formats"
EVERYTHING = from_toml((FORMATS / "3.toml").read_text("utf-8"), "the frozen file")
"""A recipe of which no field is as usual."""

ENDINGS = Counter(
    ending
    for field, trait in traits().items()
    for ending in {field.rpartition(".")[2], trait.path[-1]}
)
"""How many fields a last part of a name is that of."""

UNUSUAL = changed_fields(EVERYTHING)
"""The plain values of that recipe, by field."""


def value_of(recipe: Recipe, field: str) -> Any:
    """Return the value of a field by its place, as `film.fps`."""
    part, _, inner = field.rpartition(".")
    return getattr(getattr(recipe, part) if part else recipe, inner)


def test_every_field_has_a_place_of_its_own() -> None:
    paths = [trait.path for trait in traits().values()]
    assert len(set(paths)) == len(paths)
    # A value that stood at the head of a section would leave no place for what is in it.
    sections = {path[:length] for path in paths for length in range(1, len(path))}
    assert not sections & set(paths)


def test_no_place_of_one_field_is_the_name_of_another() -> None:
    for field in traits():
        assert find_field(name_path(field)) == field
        assert find_field(field) == field


@pytest.mark.parametrize("field", traits())
def test_a_field_is_found_by_each_of_its_names(field: str) -> None:
    names = {field, name_path(field)}
    names |= {ending for ending in (n.rpartition(".")[2] for n in names) if ENDINGS[ending] == 1}
    names |= {name.replace("_", "-") for name in names}
    assert {name: find_field(name) for name in names} == dict.fromkeys(names, field)


@pytest.mark.parametrize("former", FORMER)
def test_a_former_name_leads_to_the_field_of_today(former: str) -> None:
    def once(name: str) -> str:
        return ".".join(former if part == FORMER[former] else part for part in name.split("."))

    places = {once(name): field for field in traits() for name in (field, name_path(field))}
    old = {name: field for name, field in places.items() if former in name.split(".")}
    assert old
    assert {name: find_field(name) for name in old} == old
    for name, field in old.items():
        if field in UNUSUAL:
            changed = Recipe().changed({name: UNUSUAL[field]})
            assert value_of(changed, field) == value_of(EVERYTHING, field)


@pytest.mark.parametrize("field", FORMER_VALUES)
def test_a_former_value_leads_to_that_of_today(field: str) -> None:
    for old, today in FORMER_VALUES[field].items():
        assert value_of(Recipe().changed({field: old}), field) == today
        assert value_of(from_toml(f"{field} = {old!r}", "it"), field) == today


AMBIGUOUS = [ending for ending, count in ENDINGS.items() if count > 1 and ending not in traits()]


@pytest.mark.parametrize("ending", AMBIGUOUS)
def test_a_short_name_of_several_fields_is_refused_with_all_of_them(ending: str) -> None:
    assert find_field(ending) is None
    meant = [f for f in traits() if ending in (f.rpartition(".")[2], traits()[f].path[-1])]
    for refused in (lambda: Recipe().changed({ending: 1}), lambda: from_fields({ending: 1}, "it")):
        with pytest.raises(DreamerError, match="write which one") as caught:
            refused()
        assert all(field in str(caught.value) for field in meant)
        assert "\n" not in str(caught.value)


def test_there_are_short_names_of_several_fields() -> None:
    assert {"amount", "every", "name", "scale"} <= set(AMBIGUOUS)


def test_a_field_of_the_recipe_itself_goes_before_those_of_its_parts() -> None:
    for ending, count in ENDINGS.items():
        if count > 1 and ending in traits():
            assert find_field(ending) == ending


@pytest.mark.parametrize("name", ["stepz", "ascent.stepz", "film.stepz", "filn.steps", ""])
def test_what_is_no_name_is_answered_with_the_nearest(name: str) -> None:
    with pytest.raises(DreamerError, match=r"did you mean|presets show") as caught:
        read_changes({name: 1}, "the file")
    assert repr(name) in str(caught.value)


def test_changes_by_sections_and_by_names_are_the_same() -> None:
    usual = Recipe()
    ways = (
        {"ascent": {"steps": 7}, "film": {"fps": 12, "centre_x": 0.3}},
        {"steps": 7, "film.fps": 12, "film.center_x": 0.3},
        {"ascent.steps": 7, "fps": 12, "center-x": 0.3},
        {"steps": 7, "film": usual.film.model_copy(update={"fps": 12.0, "center_x": 0.3})},
    )
    changed = [usual.changed(way) for way in ways]
    assert changed == [changed[0]] * len(ways)
    assert (changed[0].steps, changed[0].film.fps, changed[0].film.center_x) == (7, 12, 0.3)


def test_an_option_is_named_where_there_is_one() -> None:
    for field, trait in traits().items():
        assert name_option(field) == (trait.flag or f"--set {field}")


def test_the_frozen_recipe_has_no_field_as_usual() -> None:
    assert set(UNUSUAL) == set(traits()) - {"format", "of"}


@pytest.mark.parametrize("field", UNUSUAL)
def test_a_field_stands_in_its_section_and_comes_back(field: str) -> None:
    recipe = Recipe().changed({field: UNUSUAL[field]})
    for fields in (to_fields(recipe), parse_toml(to_toml(recipe), "itself")):
        here: Any = fields
        for part in traits()[field].path:
            here = here[part]
        assert here == UNUSUAL[field]
    assert from_toml(to_toml(recipe), "itself") == recipe
    assert from_fields(json.loads(json.dumps(to_fields(recipe))), "itself") == recipe


def test_a_recipe_of_every_field_comes_back_from_its_sections() -> None:
    text = to_toml(EVERYTHING.changed({"of": ["birds"], "layers": EVERYTHING.layers}))
    again = from_toml(text, "itself")
    assert again == EVERYTHING.changed({"of": ["birds"], "layers": EVERYTHING.layers})
    written = parse_toml(text, "itself")
    assert set(written) == {trait.path[0] for trait in traits().values()}
    assert set(PARTS) <= set(written)


def test_older_formats_of_the_frozen_files_are_the_same_recipe() -> None:
    texts = [(FORMATS / f"{version}.toml").read_text("utf-8") for version in (1, 2)]
    first, second = (from_toml(text, "the frozen file") for text in texts)
    assert first == second
    # The fields that came with format 3 are as pictures were before.
    new = {"aspect": "16:9", "crop": "entropy", "to_full_size": True}
    new |= {"harmony": 0.7, "detail": 0.5, "chroma_detail": 0.2}
    new |= {"palette_style": "poster", "invert_mask": True, "enlarged": 240, "shifts": 2}
    new |= {"margin": 16, "input_name": "left"}
    themes = {"associate": "birds", "avoid": ["spiders", "wolves"], "themes": "5-6s"}
    themes["arc"] = "#102040,#e0c080;#401010,#e06020"
    music = {"bpm": 97, "attack": 0.1, "decay": 0.5, "offset": 0.2}
    new |= {
        "film": {
            "grain": 0.5,
            "chroma_grain": 0.2,
            "dissolve": 0.4,
            "wander": 1.5,
            **themes,
            **music,
        }
    }
    grown = {"view": (0.2, 0.25), "view_noise": 0.06, "at": (0.25, 0.75)}
    new |= {"visualization": {**grown, "together": True, "alpha": True}}
    assert second.changed(new) == EVERYTHING


@pytest.mark.parametrize(("version", "like"), [(1, BEFORE_HARMONY), (2, BEFORE_HARMONY), (3, {})])
def test_the_usual_files_are_the_usual_recipe(version: int, like: dict[str, object]) -> None:
    text = (FORMATS / f"{version}-usual.toml").read_text("utf-8")
    film = {"film": dict(BEFORE_LIFE)} if version < 3 else {}
    assert from_toml(text, "the frozen file") == Recipe().changed({**like, **film})
