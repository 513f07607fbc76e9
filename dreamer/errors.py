"""What a person is told when something cannot be done."""

import difflib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager


class DreamerError(Exception):
    """One sentence that names the thing, the cause and the remedy."""


@contextmanager
def speaking_of(option: str) -> Iterator[None]:
    """Let every error in the block name the option that it is about."""
    try:
        yield
    except DreamerError as error:
        if option in str(error):
            raise
        raise DreamerError(f"{option}: {error}") from None


def nearest(name: str, known: Iterable[str], count: int = 3) -> list[str]:
    """The known names most like `name`, best first."""
    by_folded = {other.casefold(): other for other in known}
    matches = difflib.get_close_matches(name.casefold(), by_folded, n=count, cutoff=0.5)
    return [by_folded[match] for match in matches]


def unknown(kind: str, name: str, known: Iterable[str], remedy: str) -> DreamerError:
    """The error for a name that is in no table, with the nearest ones that are."""
    near = nearest(name, known)
    guess = f"did you mean {' or '.join(near)}? " if near else ""
    return DreamerError(f"There is no {kind} {name!r}: {guess}{remedy}")
