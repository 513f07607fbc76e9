"""Random recipes, valid and broken: one sentence or a picture, never a traceback or a NaN."""

import datetime
import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
import tomlkit

from dreamer import recipe as recipes
from dreamer.arrays import Image
from dreamer.assemble import assemble
from dreamer.errors import DreamerError
from dreamer.files import metadata
from dreamer.recipe import Recipe

SCHEMA = Recipe.model_json_schema()["properties"]
OFTEN = 0.2
"""The chance that a field is set."""

PATTERNS = {"^[0-9a-f]{64}$": "0" * 64, "^#[0-9a-fA-F]{6}$": "#10a0F0"}
LAYERS = ("mixed", "relu", "conv", "one:1", "mixed:0-3,7=0.5", "mixed:3@0.8,5@-2", "two=-1")
NASTY: tuple[Any, ...] = (
    *(None, True, -1, 0, 1, 7, 10**12, -(10**30), 1e-320, 1e308, math.nan, math.inf, -math.inf),
    *("", "x", "full", "auto", "none", "1", "\x00", "é" * 50, "#ff0000", "mixed4c:1,5-9=0.5"),
    *("mixed:0-9999", "mixed=1e999", ":", "0:1, 10:2", "sin(t)", "__import__('os')", "a" * 5000),
    *([], [0.5], [0.6, 0.15], [1, 2, 3], [[[]]], ["mixed"], [None], {}, {"a": 1}, {"name": []}),
    *(datetime.date(2020, 1, 1), datetime.time(1, 2)),
)


def drawn(schema: Mapping[str, Any], random: np.random.Generator) -> Any:
    """A value that a part of the JSON Schema allows, the ends of ranges more often than not."""
    if "anyOf" in schema:
        return drawn(schema["anyOf"][random.integers(len(schema["anyOf"]))], random)
    if "const" in schema or "enum" in schema:
        return random.choice(schema.get("enum", [schema.get("const")])).item()
    kind = schema.get("type", "object")
    if kind == "boolean":
        return bool(random.integers(2))
    if kind in ("integer", "number"):
        return _number(schema, random, whole=kind == "integer")
    if kind == "string":
        return schema.get("examples", [PATTERNS.get(schema.get("pattern", ""), "text")])[0]
    if kind == "array":
        items = schema.get("prefixItems") or [schema["items"]] * random.integers(4)
        return [drawn(each, random) for each in items]
    return {"object": {}, "null": None}[kind]


def _number(schema: Mapping[str, Any], random: np.random.Generator, *, whole: bool) -> float:
    nearly = 1 if whole else 1e-6
    low = schema.get("minimum", schema.get("exclusiveMinimum", -1e4 - nearly) + nearly)
    high = schema.get("maximum", schema.get("exclusiveMaximum", 1e4 + nearly) - nearly)
    ends = (low, high, min(max(low, 1), high))
    value = ends[random.integers(3)] if random.random() < 0.5 else random.uniform(low, high)
    return int(value) if whole else float(value)


def valid(random: np.random.Generator) -> dict[str, Any]:
    fields = {
        name: drawn(schema, random) for name, schema in SCHEMA.items() if random.random() < OFTEN
    }
    fields.pop("layers", None)
    return fields


def broken(random: np.random.Generator) -> dict[str, Any]:
    fields = valid(random)
    for name in random.choice([*SCHEMA, "stepz", "", "a.b"], random.integers(1, 4)):
        fields[str(name)] = NASTY[random.integers(len(NASTY))]
    return fields


def understood(read: Any, *arguments: Any) -> Any:
    """What is read, or None where it is refused in one sentence."""
    try:
        return read(*arguments)
    except DreamerError as error:
        said = str(error)
    assert "\n" not in said
    assert said.endswith((".", "?"))
    return None


def test_two_thousand_recipes_through_the_parser() -> None:
    random, accepted = np.random.default_rng(0), 0
    for number in range(2000):
        fields = (valid if number % 2 else broken)(random)
        made = understood(recipes.from_fields, fields, "the fuzz")
        if made is not None:
            accepted += 1
            assert recipes.from_toml(recipes.to_toml(made), "itself") == made
            text = metadata.to_json(metadata.Made(made, {}))
            assert metadata.from_json(text, "itself").recipe == made
    assert 500 < accepted < 1500


def test_slips_of_the_keyboard_are_one_sentence() -> None:
    random = np.random.default_rng(1)
    keys = list("\"'[]{}=,.#\n\\\x00 é-9e:@")
    for _ in range(500):
        fields = {k: v for k, v in valid(random).items() if v is not None}
        for text, read in (
            (tomlkit.dumps(fields), recipes.from_toml),
            (json.dumps({"recipe": fields, "made": {}}), metadata.from_json),
        ):
            for place in sorted(random.integers(0, len(text) + 1, random.integers(1, 4))):
                text = text[:place] + str(random.choice(keys)) + text[place + random.integers(3) :]
            understood(read, text, "the fuzz")
            understood(recipes.parse_setting, text[:40])
            understood(recipes.variations, Recipe(), [text[:40]])


PHOTOS = (*["photo", "black", "white", "grey", "rough"] * 3, "thin", "flat")


def picture(kind: str, photo: Image) -> Image:
    """A small picture of a kind that has no gradient, no colour or no width."""
    height, width = {"thin": (80, 1), "flat": (1, 80)}.get(kind, (60, 80))
    shade = {"black": 0.0, "white": 1.0, "grey": 0.5}.get(kind)
    if shade is not None:
        return np.full((height, width, 3), shade, np.float32)
    if kind == "rough":
        coin = np.random.default_rng(0).integers(0, 2, (height, width, 3))
        return coin.astype(np.float32)
    return np.ascontiguousarray(photo[:height, :width])


def dreamt(seed: int, tiny: Any, photo: Image) -> str:
    """Dream by a random recipe; what came of it."""
    random = np.random.default_rng(seed)
    fields = valid(random)
    # Bounded, or a single dream could take hours, as it may.
    fields |= {"steps": int(random.integers(1, 4)), "network": "tiny"}
    fields["layers"] = list(random.choice(LAYERS, random.integers(1, 3), replace=False))
    fields["motif_pixels"] = int(random.integers(4, 20))
    fields.pop("guide", None)
    if fields.get("octaves"):
        fields["octaves"] = int(random.integers(1, 5))
    kind = str(random.choice(PHOTOS))
    image = picture(kind, photo)
    guide = image if random.random() < OFTEN else None
    mask = np.ones(image.shape[:2], np.float32) if random.random() < OFTEN else None
    made = understood(recipes.from_fields, fields, "the fuzz")
    if made is None:
        return "no recipe"
    assembly = understood(assemble, made, tiny, guide)
    plan = assembly and understood(assembly.plan, image.shape[:2])
    if not plan:
        return "refused"
    for state in assembly.dream(image, plan, mask):
        shown = state.picture()
        assert shown.shape == image.shape, fields
        assert np.isfinite(shown).all(), (seed, kind, fields)
    return "dreamt"


def dream_often(first: int, count: int, tiny: Any, photo: Image) -> None:
    results = [dreamt(seed, tiny, photo) for seed in range(first, first + count)]
    assert results.count("dreamt") > count / 3


def test_a_few_recipes_through_a_network(tiny: Any, photo: Image) -> None:
    dream_often(20, 4, tiny, photo)


@pytest.mark.slow
def test_two_hundred_recipes_through_a_network(tiny: Any, photo: Image) -> None:
    dream_often(0, 200, tiny, photo)
