"""The names of a recipe's fields: as attributes, in files, as options, and in older versions.

A field is an attribute of `Recipe`, `Film`, `Visualization` or `About`, and is identified by its
place there, as `steps` or `film.fps`. In a file it is in a section, as `[ascent]`, under a name
that may be shorter. Users may write either name, or only its last part if that is unambiguous.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from dreamer.errors import DreamerError, nearest
from dreamer.recipe.field_types import Trait, trait
from dreamer.recipe.fields import RecipeFields

PARTS = ("about", "film", "visualization")
"""The parts of a recipe that have fields of their own, addressed as `film.fps`."""

FORMER: Mapping[str, str] = {
    "normalise": "normalization",
    "optimiser": "optimizer",
    "colours": "colors",
    "feature": "visualization",
    "licence": "license",
    "centre_x": "center_x",
    "centre_y": "center_y",
    "parametrisation": "parametrization",
}
"""Current names by those of older versions, mostly British spellings, which stay readable."""

FORMER_VALUES: Mapping[str, Mapping[str, str]] = {
    "visualization.init": {"grey": "gray"},
    "visualization.shown": {"normalised": "normalized"},
}
"""Current values by those of older versions, for each field."""


@cache
def traits() -> Mapping[str, Trait]:
    """Return the trait of each field, in the order of definition."""
    return dict(_iterate_traits())


def _iterate_traits() -> Iterator[tuple[str, Trait]]:
    for name, info in RecipeFields.model_fields.items():
        if own := trait(info):
            yield name, own
        else:
            for inner, each in type(info.default).model_fields.items():
                found = trait(each)
                assert found is not None
                yield f"{name}.{inner}", found


@cache
def _index_paths() -> Mapping[str, str]:
    return {".".join(each.path): field for field, each in traits().items()}


@cache
def _index_endings() -> Mapping[str, tuple[str, ...]]:
    endings: dict[str, tuple[str, ...]] = {}
    for field, each in traits().items():
        for ending in {field.rpartition(".")[2], each.path[-1]}:
            endings[ending] = (*endings.get(ending, ()), field)
    return endings


@cache
def _list_sections() -> frozenset[str]:
    return frozenset(
        ".".join(each.path[:length])
        for each in traits().values()
        for length in range(1, len(each.path))
    )


def name_option(field: str) -> str:
    """Return the text that sets a field on the command line: its option, or `--set FIELD`."""
    own = traits().get(field)
    return own.flag if own and own.flag else f"--set {field}"


def name_path(field: str) -> str:
    """Return the place of a field in a file, as `ascent.steps`."""
    own = traits().get(field)
    return ".".join(own.path) if own else field


def find_field(name: str) -> str | None:
    """Find the field that a name refers to; None if there is none, or more than one."""
    current = ".".join(FORMER.get(part, part) for part in name.replace("-", "_").split("."))
    if current in traits():
        return current
    if current in _index_paths():
        return _index_paths()[current]
    found = _index_endings().get(current, ())
    return found[0] if len(found) == 1 else None


def read_changes(given: Mapping[str, Any], source: str) -> dict[str, Any]:
    """Resolve the names of fields, and arrange their values by the attributes of `Recipe`.

    Args:
        given: values by names of fields, possibly nested in sections.
        source: where they come from, for errors.

    Returns:
        Values by the attributes of `Recipe`; those of its `PARTS` as mappings.

    Raises DreamerError with the nearest names if a name is unknown or ambiguous.
    """
    changes: dict[str, Any] = {}
    for name, value in _flatten(given):
        if name in PARTS and not isinstance(value, Mapping):
            changes[name] = value
            continue
        field = find_field(name)
        if field is None:
            raise DreamerError(_describe_unknown(name, source))
        former = FORMER_VALUES.get(field, {})
        value = former.get(value, value) if isinstance(value, str) else value
        part, _, inner = field.partition(".")
        if inner:
            changes.setdefault(part, {})[inner] = value
        else:
            changes[field] = value
    return changes


def _flatten(given: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in given.items():
        name = prefix + FORMER.get(key, key)
        if isinstance(value, Mapping) and name in _list_sections():
            yield from _flatten(value, f"{name}.")
        else:
            yield name, value


def _describe_unknown(name: str, source: str) -> str:
    ending = name.rpartition(".")[2]
    several = _index_endings().get(FORMER.get(ending, ending), ())
    if "." not in name and len(several) > 1:
        return f"In {source}, {name!r} could be {' or '.join(several)}: write which one."
    today = ".".join(FORMER.get(part, part) for part in name.split("."))
    near = nearest(today, [*traits(), *_index_paths()])
    guess = f"did you mean {' or '.join(near)}?" if near else "`dream presets show` lists them."
    return f"In {source} there is no field {name!r}: {guess}"
