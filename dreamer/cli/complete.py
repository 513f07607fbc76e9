"""What a shell offers when Tab is pressed; nothing here may be slow."""

from collections.abc import Callable, Iterable, Iterator, Mapping

Offer = tuple[str, str]
"""A value, and what it is."""


def offer_presets(incomplete: str) -> Iterator[Offer]:
    """Offer presets by name."""
    from dreamer.errors import DreamerError
    from dreamer.jobs import presets

    for name in _filter(presets.find_all(), incomplete):
        try:
            yield name, presets.load(name).recipe.about.description
        except DreamerError:
            # A slip in one's own file is shown when it is used.
            yield name, ""


def offer_networks(incomplete: str) -> Iterator[Offer]:
    """Offer networks by name."""
    from dreamer.networks import registry

    return ((name, registry.SPECS[name].summary) for name in _filter(registry.SPECS, incomplete))


def offer_motions(incomplete: str) -> Iterator[Offer]:
    """Offer the motions of a film."""
    from typing import get_args

    from dreamer.recipe.film_fields import Motion

    return ((name, "") for name in _filter(get_args(Motion), incomplete))


def offer_words(incomplete: str) -> Iterator[Offer]:
    """Offer the subjects that dreamnet knows; a hyphen stands for a space."""
    from dreamer.errors import DreamerError
    from dreamer.recipe import words

    try:
        subjects = words.load(words.SHARED_BY[0]).subjects
    except DreamerError:
        # A damaged table of one's own is shown when it is used.
        subjects = words.read(words.PACKAGED).subjects
    names = (name.strip().replace(" ", "-") for each in subjects for name in each.split(","))
    return ((name, "") for name in _filter(sorted(names), incomplete))


def _filter(names: Iterable[str], incomplete: str) -> list[str]:
    return [name for name in names if name.startswith(incomplete)]


COMPLETIONS: Mapping[str, Callable[[str], Iterator[Offer]]] = {
    "presets": offer_presets,
    "networks": offer_networks,
    "motions": offer_motions,
    "words": offer_words,
}
"""By what an option completes."""
