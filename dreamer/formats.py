"""Versions of the format of recipes, and the way from an old one to today's."""

from collections.abc import Callable, Mapping
from typing import Any

from dreamer.errors import DreamerError

Fields = Mapping[str, Any]
"""The plain values of a recipe's TOML or JSON."""

FORMAT = 1
"""Today's version. A new field needs no new one; a field that gets another name, meaning or default
does, since a recipe leaves out what is as usual."""

UNNAMED = 1
"""The version of recipes that name none."""

MIGRATIONS: Mapping[int, Callable[[Fields], Fields]] = {}
"""By version: from its fields to those of the next one, in which all means what it meant."""


def migrated(fields: Fields, source: str) -> Fields:
    """A recipe's fields in today's version; `source` names it in errors.

    Raises DreamerError where it was made by a newer dreamer.
    """
    version = fields.get("format", UNNAMED)
    if not isinstance(version, int) or version < UNNAMED:
        raise DreamerError(f"In {source}, format cannot be {version!r}: write format = {FORMAT}.")
    if version > FORMAT:
        raise DreamerError(
            f"{source[0].upper()}{source[1:]} has format {version}, and this dreamer knows formats "
            f"up to {FORMAT}: update it (pip install --upgrade dreamer)."
        )
    for old in range(version, FORMAT):
        fields = MIGRATIONS[old](fields)
    return {**fields, "format": FORMAT}
