"""Random recipes, valid and broken, for the tests of recipes and of dreams."""

import datetime
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from dreamer.errors import DreamerError
from dreamer.recipe import Recipe

SCHEMA = Recipe.model_json_schema()["properties"]
OFTEN = 0.2
"""The chance that a field is set."""

PATTERNS = {"^[0-9a-f]{64}$": "0" * 64, "^#[0-9a-fA-F]{6}$": "#10a0F0"}
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
