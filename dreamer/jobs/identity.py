"""What decides the frames of an unfinished film, and how two such differ."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from dreamer.recipe.names import find_field, name_option

NAMED = 2
"""Differences that are named; the others are counted."""

_TELLING: Mapping[str, str] = {
    "photo_sha256": "the photo or clip",
    "network_sha256": "the network's weights",
    "threads": "--threads",
    "first": "--from",
    "every": "--every",
    "background": "--background",
    "tensorflow": "the version of tensorflow",
    "dreamer": "the version of dreamer",
    "arithmetic": "the arithmetic",
}
"""What a person calls a fact."""


def describe_change(old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    """Describe what differs, as a person calls it, with both values of options."""
    before, now = dict(_flat(old)), dict(_flat(new))
    names = [name for name in {**before, **now} if before.get(name) != now.get(name)]
    # What follows from the others is no news.
    own = [name for name in names if name.startswith("recipe.") or name in _TELLING] or names
    told = [_told(name, before.get(name), now.get(name)) for name in own[:NAMED]]
    more = f", and {len(own) - NAMED} more" if len(own) > NAMED else ""
    return f"{'; '.join(told)}{more}"


def _told(name: str, before: object, now: object) -> str:
    if name.endswith("_sha256"):
        return f"{_TELLING.get(name, name)} is another"
    field = name.removeprefix("recipe.")
    option = _TELLING.get(name) or name_option(find_field(field) or field)
    then, since = ("the default" if each is None else _short(each) for each in (before, now))
    return f"{option} was {then} and is {since}"


def _flat(fields: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in fields.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield prefix + name, value


def _short(value: object) -> str:
    each = value if isinstance(value, list) else [value]
    text = " ".join(one if isinstance(one, str) else json.dumps(one) for one in each)
    return text if len(text) <= 40 else f"{text[:20]}…"
