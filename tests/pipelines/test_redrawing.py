"""Beginning a dream at an octave: drafts, and what a changed recipe leaves."""

from typing import Any

import numpy as np
import pytest

from dreamer.arrays import Image
from dreamer.ascent import octaves
from dreamer.pipelines.build_ascent import Graphs
from dreamer.pipelines.image import build_pipeline
from dreamer.pipelines.plan import Plan
from dreamer.recipe import Recipe, changes

SIZES = ((36, 48), (51, 68), (72, 96))
PLAN = Plan(SIZES, ("float32",) * 3, ())
GRAPHS = Graphs()
"""Traced once for what is dreamt before a change."""

FIELDS = {"layers": ("mixed",), "steps": 3, "jitter": 5, "precision": "float32"}


def at_octave_ends(tiny: Any, photo: Image, **fields: object) -> list[Any]:
    pipeline = build_pipeline(Recipe().changed({**FIELDS, **fields}), tiny, graphs=GRAPHS)
    return [state for state in pipeline.dream(photo, PLAN) if state.ends_octave]


@pytest.mark.parametrize("carry", octaves.CARRIES)
@pytest.mark.parametrize("look", [{}, {"strength": 15, "saturation": 0.5}])
def test_a_dream_begun_at_any_octave_is_the_whole_one(
    carry: str, look: dict[str, float], tiny: Any, photo: Image
) -> None:
    ends = at_octave_ends(tiny, photo, carry=carry, **look)
    pipeline = build_pipeline(
        Recipe().changed({**FIELDS, "carry": carry, **look}), tiny, graphs=GRAPHS
    )
    for end in ends:
        *_, last = pipeline.dream(photo, PLAN, begun=end.begun())
        np.testing.assert_array_equal(last.picture(), ends[-1].picture())


CHANGES = {
    "steps": ({"steps": 4}, 0),
    "seed": ({"seed": 9}, 0),
    "blur": ({"blur": 1.5}, 0),
    "weight": ({"layers": ("mixed=0.5",)}, 0),
    "strength": ({"strength": 12}, 1),
    "palette": ({"palette": ("#203060", "#a0c0e0")}, 1),
    "saturation": ({"saturation": 0.3}, 3),
    "opacity": ({"opacity": 0.5, "colors": "photo", "about": {"name": "x"}}, 3),
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_a_change_leaves_is_what_a_fresh_dream_comes_to(
    name: str, tiny: Any, photo: Image
) -> None:
    changed, expected = CHANGES[name]
    before = build_pipeline(Recipe().changed(FIELDS), tiny, graphs=GRAPHS)
    after = build_pipeline(before.recipe.changed(changed), tiny, graphs=before.graphs)
    holds = changes.count_kept(before.recipe, after.recipe, (PLAN.stages, PLAN.stages))
    assert holds == expected
    states = [state.begun() for state in before.dream(photo, PLAN) if state.ends_octave]
    begun = states[holds - 1] if holds else None
    *_, redrawn = after.dream(photo, PLAN, begun=begun)
    fresh = build_pipeline(before.recipe.changed(changed), tiny)
    *_, whole = fresh.dream(photo, PLAN)
    np.testing.assert_array_equal(redrawn.picture(), whole.picture())


def test_octaves_hold_as_far_as_the_plans_agree() -> None:
    stages = PLAN.stages
    other = [*stages[:2], ((80, 107), "float32")]
    for before, after in ((Recipe(octaves=3), Recipe(octaves=4)), (Recipe(), Recipe(motif=(1, 1)))):
        assert changes.count_kept(before, after, (stages, other)) == 2
    zoomed = Recipe(octaves=3, resample="zoom"), Recipe(octaves=4, resample="zoom")
    assert changes.count_kept(*zoomed, (stages, other)) == 0
    strong = Recipe(octaves=3, strength=20), Recipe(octaves=4, strength=20)
    assert changes.count_kept(*strong, (stages, other)) == 2
    assert changes.count_kept(*strong, (stages, [*stages, other[2]])) == 1


def test_graphs_serve_again_where_only_numbers_change(tiny: Any) -> None:
    before = build_pipeline(Recipe().changed(FIELDS), tiny)
    for changed, same in (
        ({"rate": 0.1, "blur": 2.0, "layers": ("mixed=2",), "steps": 9}, True),
        ({"blur": 0}, False),
        ({"rate_end": 0.1}, False),
        ({"jitter": 3}, False),
        ({"layers": ("mixed:1",)}, False),
        ({"layers": ("mixed", "relu")}, False),
    ):
        after = build_pipeline(before.recipe.changed(changed), tiny, graphs=before.graphs)
        kept = before._ascent("float32", None, {})
        assert (after._ascent("float32", None, {}) is kept) == same
