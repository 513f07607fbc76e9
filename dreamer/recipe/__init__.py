"""Recipes: the plain data that decides what a dream looks like."""

from dreamer.recipe.definition import About, Precision
from dreamer.recipe.schema import Recipe, from_fields
from dreamer.recipe.text import from_toml, parse_toml, to_fields, to_toml
from dreamer.recipe.validation import ARGUMENTS, OPTIONS

__all__ = [
    "ARGUMENTS",
    "OPTIONS",
    "About",
    "Precision",
    "Recipe",
    "from_fields",
    "from_toml",
    "parse_toml",
    "to_fields",
    "to_toml",
]
