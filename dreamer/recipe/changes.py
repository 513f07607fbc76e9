"""Reuse of octaves and graphs after changes to a recipe."""

from collections.abc import Sequence
from typing import Any

from dreamer.arrays import Size
from dreamer.recipe.field_types import Acts
from dreamer.recipe.names import PARTS, traits
from dreamer.recipe.recipe import Recipe

Stages = Sequence[tuple[Size, str]]
"""The working sizes of a plan, each with the dtype of its activations."""

LATE = {Acts.NOWHERE, Acts.SHOWN, Acts.LAST_OCTAVE_END, Acts.OCTAVE_END, Acts.PLAN}
"""The places in the making of a picture that leave the ascents of unchanged octaves intact."""


def count_kept(before: Recipe, after: Recipe, stages: tuple[Stages, Stages]) -> int:
    """Count the octaves of a dream whose ascents can be reused after a change of the recipe.

    Args:
        before: the recipe that the dream was made with.
        after: the changed recipe.
        stages: the stages of the plans before and after.
    """
    acts = {traits()[field].acts for field in find_changed(before, after)}
    # With `zoom`, the photo of each octave is made from that of the next larger one.
    chained = after.resample == "zoom" and list(stages[0]) != list(stages[1])
    if chained or acts - LATE:
        return 0
    pairs = zip(*stages, strict=False)
    number = next((i for i, (old, new) in enumerate(pairs) if old != new), min(map(len, stages)))
    # The strength is divided among all octaves, so their number changes the share of each.
    shared = after.strength != "free" and len(stages[0]) != len(stages[1])
    return min(number, 1) if Acts.OCTAVE_END in acts or shared else number


def find_changed(before: Recipe, after: Recipe) -> set[str]:
    """Return the fields in which two recipes differ, except those of `PARTS`."""
    return {
        field
        for field in traits()
        if field.partition(".")[0] not in PARTS and getattr(before, field) != getattr(after, field)
    }


def compute_graph_key(recipe: Recipe) -> tuple[Any, ...]:
    """Return a key such that recipes with equal keys can share a traced graph.

    Of values that enter the graph as tensors, the key holds only whether they are set and nonzero,
    because that decides which parts the graph has.
    """
    fields = [field for field in traits() if field.partition(".")[0] not in PARTS]
    graph = [getattr(recipe, field) for field in fields if traits()[field].acts is Acts.GRAPH]
    tensors = [getattr(recipe, field) for field in fields if traits()[field].acts is Acts.TENSOR]
    given = [(value is None, bool(value)) for value in tensors]
    terms = [(term.layer, term.channels is not None) for term in recipe.terms]
    return (*graph, *given, *terms)
