"""Random recipes, valid and broken: one sentence or a recipe, never a traceback."""

import json

import numpy as np
import tomlkit
from random_recipes import broken, understood, valid

from dreamer import recipe as recipes
from dreamer.recipe import Recipe, provenance
from dreamer.recipe import toml_text as text_form


def test_two_thousand_recipes_through_the_parser() -> None:
    random, accepted = np.random.default_rng(0), 0
    for number in range(2000):
        fields = (valid if number % 2 else broken)(random)
        made = understood(recipes.from_fields, fields, "the fuzz")
        if made is not None:
            accepted += 1
            assert recipes.from_toml(recipes.to_toml(made), "itself") == made
            text = provenance.Provenance(made, {}).text
            assert provenance.parse(text, "itself").recipe == made
    assert 500 < accepted < 1500


def test_slips_of_the_keyboard_are_one_sentence() -> None:
    random = np.random.default_rng(1)
    keys = list("\"'[]{}=,.#\n\\\x00 é-9e:@")
    for _ in range(500):
        fields = {k: v for k, v in valid(random).items() if v is not None}
        for text, read in (
            (tomlkit.dumps(fields), recipes.from_toml),
            (json.dumps({"recipe": fields, "made": {}}), provenance.parse),
        ):
            for place in sorted(random.integers(0, len(text) + 1, random.integers(1, 4))):
                text = text[:place] + str(random.choice(keys)) + text[place + random.integers(3) :]
            understood(read, text, "the fuzz")
            understood(text_form.parse_setting, text[:40])
            understood(text_form.vary, Recipe(), [text[:40]])
