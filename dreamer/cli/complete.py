"""What a shell offers when Tab is pressed; nothing here may be slow."""

from collections.abc import Iterable, Iterator

Offer = tuple[str, str]
"""A value, and what it is."""


def presets(incomplete: str) -> Iterator[Offer]:
    """Presets by name."""
    from dreamer import presets
    from dreamer.errors import DreamerError

    for name in _begun(presets.paths(), incomplete):
        try:
            yield name, presets.load(name).recipe.about.description
        except DreamerError:
            # A slip in one's own file is shown when it is used.
            yield name, ""


def networks(incomplete: str) -> Iterator[Offer]:
    """Networks by name."""
    from dreamer.nets import registry

    return ((name, registry.SPECS[name].summary) for name in _begun(registry.SPECS, incomplete))


def motions(incomplete: str) -> Iterator[Offer]:
    """Motions of a film."""
    from typing import get_args

    from dreamer.filmfields import Motion

    return ((name, "") for name in _begun(get_args(Motion), incomplete))


def words(incomplete: str) -> Iterator[Offer]:
    """Subjects to dream of, of the packaged table; a hyphen stands for a space."""
    from dreamer import words

    subjects = words.read(words.PACKAGED).subjects
    names = (name.strip().replace(" ", "-") for each in subjects for name in each.split(","))
    return ((name, "") for name in _begun(sorted(names), incomplete))


def _begun(names: Iterable[str], incomplete: str) -> list[str]:
    return [name for name in names if name.startswith(incomplete)]
