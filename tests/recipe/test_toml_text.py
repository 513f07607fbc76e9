"""Recipes as text: TOML, settings as they are typed, variations."""

import pytest

from dreamer import recipe
from dreamer.errors import DreamerError
from dreamer.recipe import Recipe
from dreamer.recipe.toml_text import parse_setting, vary


def test_broken_toml_is_one_sentence() -> None:
    with pytest.raises(DreamerError, match=r"[Xx]\.toml is not valid TOML.*line 2"):
        recipe.from_toml("steps = 3\nrate = = 1", "x.toml")


@pytest.mark.parametrize(
    ("text", "setting"),
    [
        ("steps=3", ("steps", 3)),
        ("clip=false", ("clip", False)),
        ("carry=plain", ("carry", "plain")),
        ('layers=["a", "b=2"]', ("layers", ["a", "b=2"])),
        ('carry=a"b', ("carry", 'a"b')),
        ("about.name=Me", ("about.name", "Me")),
    ],
)
def test_a_setting_is_toml_or_else_text(text: str, setting: tuple[str, object]) -> None:
    assert parse_setting(text) == setting


@pytest.mark.parametrize("text", ["steps", "=3", "a b=3", "a..b=1"])
def test_what_is_no_setting_is_refused(text: str) -> None:
    with pytest.raises(DreamerError, match="KEY=VALUE"):
        parse_setting(text)


def test_variations_name_the_options_that_make_them() -> None:
    cells = vary(Recipe(), ["layers=mixed3b,mixed4c", "steps=2,3"])
    assert [label for label, _ in cells] == [
        "-l mixed3b --set steps=2",
        "-l mixed3b --set steps=3",
        "-l mixed4c --set steps=2",
        "-l mixed4c --set steps=3",
    ]
    assert [(cell.layers, cell.steps) for _, cell in cells][2] == (("mixed4c",), 2)
    (_, listed), _ = vary(Recipe(), ["layers=mixed4c:1,5;mixed4d:2"])
    assert listed.layers == ("mixed4c:1,5",)
    (_, motif), _ = vary(Recipe(), ["motif=0.5-0.2,0.3-0.1"])
    assert motif.motif == (0.5, 0.2)


@pytest.mark.parametrize("text", ["steps", "steps=", "=3", "stepz=1,2", "steps=0,1"])
def test_a_wrong_variation_is_one_sentence(text: str) -> None:
    with pytest.raises(DreamerError, match=r"vary|KEY"):
        vary(Recipe(), [text])
