"""Recipes: the plain data that decides what a dream looks like."""

from dreamer.recipe.error_sentences import ARGUMENTS, OPTIONS
from dreamer.recipe.fields import About, Precision
from dreamer.recipe.recipe import Recipe, from_fields
from dreamer.recipe.toml_text import from_toml, parse_toml, to_fields, to_toml

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
