"""Recipes as text: TOML files, JSON values, and settings on the command line."""

import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import tomlkit
from tomlkit.items import Table

from dreamer.errors import DreamerError
from dreamer.recipe.names import PARTS, name_option, name_path
from dreamer.recipe.recipe import Recipe, from_fields


def parse_toml(text: str, source: str) -> dict[str, Any]:
    """Parse the text of a preset to its raw fields; `source` names it in errors.

    Raises DreamerError if it is not TOML.
    """
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise DreamerError(f"{source[0].upper()}{source[1:]} is not valid TOML: {error}.") from None


def from_toml(text: str, source: str) -> Recipe:
    """Parse a recipe from TOML; `source` names it in errors.

    Raises DreamerError if the text is not TOML, or not a recipe.
    """
    return from_fields(parse_toml(text, source), source)


def to_fields(recipe: Recipe) -> dict[str, Any]:
    """Return the fields that differ from the defaults, nested in sections as in TOML and JSON."""
    sections: dict[str, Any] = {"format": recipe.format}
    for field, value in changed_fields(recipe).items():
        *path, last = name_path(field).split(".")
        here = sections
        for name in path:
            here = here.setdefault(name, {})
        here[last] = value
    return sections


def changed_fields(recipe: Recipe) -> dict[str, Any]:
    """Return the plain values that differ from the defaults, by field, as `film.fps`."""
    fields = recipe.model_dump(mode="json", exclude_defaults=True, exclude_none=True)
    flat: dict[str, Any] = {}
    for name, value in fields.items():
        inner = value if name in PARTS else {"": value}
        flat |= {f"{name}.{key}" if key else name: each for key, each in inner.items()}
    return flat


def to_toml(recipe: Recipe) -> str:
    """Return a recipe as TOML, from which `from_toml` builds an equal recipe."""
    return write_toml(to_fields(recipe))


def write_toml(fields: Mapping[str, Any]) -> str:
    """Return fields nested in sections as TOML, with a heading for each section."""
    document = tomlkit.document()
    for name, value in fields.items():
        document.add(name, _table(value) if isinstance(value, Mapping) else value)
    return tomlkit.dumps(document)


def _table(values: Mapping[str, Any]) -> Table:
    nested = all(isinstance(value, Mapping) for value in values.values())
    table = tomlkit.table(is_super_table=nested)
    for name, value in values.items():
        table.add(name, _table(value) if isinstance(value, Mapping) else value)
    return table


def parse_setting(text: str) -> tuple[str, Any]:
    """Parse `KEY=VALUE`, the argument of `--set`; return the key as typed, and the value.

    The value is TOML, `none` for no value, or else a plain string.

    Raises DreamerError if the text is not of this form.
    """
    key, equals, value = text.partition("=")
    key = key.strip()
    if not equals or not re.fullmatch(r"[a-zA-Z0-9_-]+(\.[a-zA-Z0-9_-]+){0,2}", key):
        raise DreamerError(f"--set {text!r} is not understood: write KEY=VALUE, as --set steps=20.")
    if value.strip().lower() == "none":
        return key, None
    try:
        (parsed,) = tomllib.loads(f"value = {value}").values()
    except (ValueError, RecursionError):
        parsed = value.strip()
    return key, parsed


def split_values(text: str, source: str) -> list[str]:
    """Split `a,b,c`, or `a;b;c` if values contain commas; `source` names the text in errors.

    Raises DreamerError if a value is empty.
    """
    split = [each.strip() for each in text.split(";" if ";" in text else ",")]
    if not all(split):
        raise DreamerError(f"{source} is not understood: write FIELD=a,b,c.")
    return split


def write_option(field: str, text: str) -> tuple[str, dict[str, Any]]:
    """Return the option that sets a field to a typed value, and the same for `Recipe.changed`."""
    if field == "layers":
        return f"-l {text}", {field: [text]}
    if field == "motif":
        return f"{name_option(field)} {text}", {field: text}
    return f"--set {field}={text}", dict([parse_setting(f"{field}={text}")])


WriteOption = Callable[[str, str], tuple[str, dict[str, Any]]]
"""A function like `write_option`."""


def vary(
    base: Recipe, wanted: Sequence[str], write: WriteOption = write_option
) -> list[tuple[str, Recipe]]:
    """Return all variations of a recipe, each with the options that produce it.

    Args:
        base: the recipe to vary.
        wanted: texts `FIELD=a,b,c`, with semicolons if values contain commas. Several give all
            combinations, among which the values of the last vary fastest.
        write: gives the option and the changes of a field's value; see `write_option`.
    """
    cells = [("", base)]
    for text in wanted:
        field, _, values = text.partition("=")
        split = split_values(values, f"--vary {text!r}")
        cells = [
            (f"{label} {typed}".strip(), recipe.changed(changes, "--vary"))
            for label, recipe in cells
            for typed, changes in (write(field, each) for each in split)
        ]
    return cells
