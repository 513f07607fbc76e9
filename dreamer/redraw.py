"""What of a dream still holds after its recipe was changed."""

from collections.abc import Collection, Sequence
from typing import Any

from dreamer.arrays import Size
from dreamer.recipe import Recipe

Stages = Sequence[tuple[Size, str]]
"""The working sizes of a plan, each with the type of its activations."""

_SHOWN = {"format", "about", "film", "feature", "opacity", "colours", "mask", "feather"}
"""Fields that act on the picture that is shown, and nowhere before."""

_LAST = {"saturation"}
"""Fields that act at the end of the last octave."""

_ENDS = {"strength", "palette"}
"""Fields that act at the end of each octave, beginning with the first."""

_SIZES = {"motif", "motif_pixels", "octaves", "octave_scale", "precision"}
"""Fields that act by way of the plan."""

_RUN = {"steps", "seed", "carry", "resample", "size", "enlarge"}
"""Fields that act within the octaves without being part of the graph."""


def kept(before: Recipe, after: Recipe, stages: tuple[Stages, Stages]) -> int:
    """How many octaves of a dream hold after a change, with what their ascents left.

    Args:
        before: the recipe that the dream was made by.
        after: the changed one.
        stages: those of both.
    """
    fields = changed(before, after)
    # By `zoom` each octave's photo is made from the one above it.
    chained = after.resample == "zoom" and list(stages[0]) != list(stages[1])
    if chained or fields - _SHOWN - _LAST - _ENDS - _SIZES:
        return 0
    pairs = zip(*stages, strict=False)
    number = next((i for i, (old, new) in enumerate(pairs) if old != new), min(map(len, stages)))
    # A strength is shared out over all octaves, however many they are.
    shared = after.strength is not None and len(stages[0]) != len(stages[1])
    return min(number, 1) if fields & _ENDS or shared else number


def same_graph(before: Recipe, after: Recipe, amounts: Collection[str]) -> bool:
    """Whether two recipes trace the same graph, `amounts` being the fields that enter as tensors.

    Such a field still matters in that without it its part is left out.
    """
    outside = _SHOWN | _LAST | _ENDS | _SIZES | _RUN | {"layers"}
    if changed(before, after) - outside - set(amounts):
        return False
    return _parts(before, amounts) == _parts(after, amounts)


def changed(before: Recipe, after: Recipe) -> set[str]:
    """The fields in which two recipes differ."""
    return {name for name in Recipe.model_fields if getattr(before, name) != getattr(after, name)}


def _parts(recipe: Recipe, amounts: Collection[str]) -> list[Any]:
    values = [getattr(recipe, name) for name in amounts]
    terms = [term._replace(weight=1.0) for term in recipe.terms]
    return [*((value is None, bool(value)) for value in values), *terms]
