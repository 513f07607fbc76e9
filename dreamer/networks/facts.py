"""What was found out about a network, kept so that the next process need not load it."""

import json
from collections.abc import Callable
from typing import Any, TypeVar, cast

from dreamer.files import cache

Fact = TypeVar("Fact")


class Facts:
    """Plain facts about a network, each by a text that says what it is.

    Args:
        entry: the name of their entry in the user's cache; None if they are not kept there.
    """

    def __init__(self, entry: str | None = None) -> None:
        self._entry = entry
        self._known = _read(entry) if entry else {}
        self._new = False

    def find(self, what: str, find_out: Callable[[], Fact]) -> Fact:
        """Return a fact, which is found out where it is not known; JSON must be able to hold it."""
        if what not in self._known:
            self._known[what] = find_out()
            self._new = True
        return cast(Fact, self._known[what])

    def keep(self) -> None:
        """Write what was found out since the last time into the user's cache."""
        if self._entry and self._new:
            text = json.dumps(self._known).encode()
            cache.write(self._entry, lambda file: file.write(text))
            self._new = False


def _read(entry: str) -> dict[str, Any]:
    path = cache.find(entry)
    try:
        known = json.loads(path.read_bytes()) if path else {}
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}
