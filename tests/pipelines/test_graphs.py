"""Graphs that are kept: whatever field changes, they give what fresh ones do, byte for byte."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from helpers import TESTS, tiny_network

from dreamer.arrays import Image
from dreamer.networks import runtime
from dreamer.pipelines.build_ascent import KEPT_GRAPHS, Graphs
from dreamer.pipelines.image import ImagePipeline, build_pipeline
from dreamer.recipe import Recipe, from_toml
from dreamer.recipe.changes import compute_graph_key
from dreamer.recipe.field_types import Acts
from dreamer.recipe.names import PARTS, traits

BASE = {
    **{"layers": ["relu:0-5"], "octaves": 2, "octave_scale": 1.3, "steps": 2, "jitter": 3},
    **{"precision": "float32", "normalization": "std", "blur_every": 1},
}

CHANGES: dict[str, tuple[dict[str, Any], Any]] = {
    "input_range": ({}, [-1, 1]),
    "input_mean": ({}, [1, 2, 3]),
    "input_order": ({}, "BGR"),
    "input_name": ({}, "left"),
    "precision": ({}, "bfloat16"),
    "of": ({}, ["birds"]),
    "layers": ({}, ["relu:2@0.5,7=-2"]),
    "objective": ({}, "mean"),
    "border": ({}, 2),
    "max_objective": ({}, 0.01),
    "motif": ({"layers": ["mixed"], "octaves": None, "motif": [0.6, 0.3]}, [0.5, 0.4]),
    "motif_pixels": ({"layers": ["mixed"], "octaves": None, "motif": [0.6, 0.3]}, 14),
    "octaves": ({}, 1),
    "octave_scale": ({}, 1.6),
    "carry": ({}, "plain"),
    "resample": ({}, "zoom"),
    "steps": ({}, 3),
    "rate": ({}, 0.03),
    "rate_end": ({"rate_end": 0.01}, 0.02),
    "patience": ({"rate": 1e-9, "steps": 4, "blur": 1.0}, 1),
    "normalization": ({}, "laplacian"),
    "cascade": ({}, 0.5),
    "optimizer": ({}, "momentum"),
    "jitter": ({}, 5),
    "shifts": ({}, 2),
    "margin": ({}, 8),
    "clip": ({"rate": 0.3}, False),
    "decay": ({"decay": 0.1}, 0.2),
    "decay_every": ({"decay": 0.1}, 2),
    "median": ({"median": 3, "median_every": 1}, 5),
    "median_every": ({"median": 3, "median_every": 1}, 2),
    "total_variation": ({"total_variation": 0.01}, 0.05),
    "total_variation_every": ({"total_variation": 0.01}, 2),
    "small_norm": ({"small_norm": 0.1}, 0.3),
    "small_norm_every": ({"small_norm": 0.1}, 2),
    "small_contribution": ({"small_contribution": 0.1}, 0.3),
    "small_contribution_every": ({"small_contribution": 0.1}, 2),
    "blur": ({}, 1.5),
    "blur_end": ({"blur_end": 0.1, "steps": 3}, 2.0),
    "blur_every": ({}, 2),
    "strength": ({"strength": 10}, 20),
    "harmony": ({}, 0.9),
    "detail": ({"normalization": "laplacian"}, 0.9),
    "chroma_detail": ({"normalization": "laplacian"}, 0.9),
    "opacity": ({}, 0.5),
    "colors": ({}, "photo"),
    "palette": ({}, ["#102040", "#e06020"]),
    "palette_style": ({"palette": ["#102040", "#e06020"]}, "poster"),
    "saturation": ({}, 0.3),
    "invert_mask": ({}, True),
    "aspect": ({}, "16:9"),
    "crop": ({}, "entropy"),
    "to_full_size": ({}, True),
    "feather": ({}, 0.5),
    "enlarged": ({}, 0),
    "size": ({}, 100),
    "enlarge": ({}, True),
    "seed": ({}, 7),
    "seamless": ({}, True),
    "tile": ({}, 256),
}
"""By field: what else is set before and after, and the value that it changes to."""

UNAPT = {
    "format": "there is one format",
    "network": "another network is another object; see the test of that",
    "guide": "a guide is given beside the recipe; see the test of that",
    "guide_match": "a guide is given beside the recipe; see the test of that",
    "mask": "a mask is given beside the recipe; see the test of that",
}

UNSEEN = {
    **dict.fromkeys(
        ("input_range", "input_mean", "input_order", "input_name"), "describe a network in a file"
    ),
    **dict.fromkeys(("size", "enlarge", "aspect", "crop"), "act where a photo is read"),
    "invert_mask": "turns a mask around, and here is none",
    "enlarged": "the octaves are counted",
    "to_full_size": "the last octave is the full size already",
    "of": "tells people something",
    "feather": "softens the edge of a mask, and here is none",
    "tile": "the picture is smaller than a tile",
}
"""Fields that leave this picture as it is, and why."""

TOP = [field for field in traits() if field.partition(".")[0] not in PARTS]


@pytest.fixture(scope="module")
def small(photo: Image) -> Image:
    return np.ascontiguousarray(photo[:48, :64])


def dreamt(pipeline: ImagePipeline, photo: Image, mask: Image | None = None) -> Image:
    *_, last = pipeline.dream(photo, pipeline.plan(photo.shape[:2]), mask)
    return last.picture()


def traced(graphs: Graphs) -> int:
    """How many graphs were traced for all the ascents that are kept."""
    return sum(kept.ascent._run.experimental_get_tracing_count() for kept in graphs._kept.values())


@pytest.fixture(scope="module")
def begun(tiny: Any, small: Image) -> Any:
    """A pipeline whose graphs are traced, and its dream; each recipe's is made once."""
    made: dict[Recipe, tuple[ImagePipeline, Image]] = {}

    def begin(recipe: Recipe) -> tuple[ImagePipeline, Image]:
        if recipe not in made:
            pipeline = build_pipeline(recipe, tiny)
            made[recipe] = pipeline, dreamt(pipeline, small)
        pipeline, picture = made[recipe]
        # The graphs of a test are its own, though what was traced serves all.
        return replace(pipeline, graphs=Graphs(pipeline.graphs._kept.copy())), picture

    return begin


def recipes(field: str) -> tuple[Recipe, Recipe]:
    """The recipes before and after a change of one field."""
    base, value = CHANGES[field]
    before = Recipe().changed({**BASE, **base})
    return before, before.changed({field: value})


def test_every_field_of_a_picture_is_changed_or_said_not_to_be() -> None:
    assert set(CHANGES) | set(UNAPT) == set(TOP)
    assert not set(CHANGES) & set(UNAPT)


@pytest.mark.parametrize("field", TOP)
def test_kept_graphs_give_what_fresh_ones_do(
    field: str, tiny: Any, small: Image, begun: Any
) -> None:
    if field in UNAPT:
        pytest.skip(UNAPT[field])
    before, after = recipes(field)
    first, usual = begun(before)
    again = build_pipeline(after, tiny, graphs=first.graphs)
    kept, fresh = dreamt(again, small), dreamt(build_pipeline(after, tiny), small)
    np.testing.assert_array_equal(kept, fresh)
    if field == "precision":
        # Another type of activations is another graph, where there is another.
        assert np.array_equal(kept, usual) != runtime.has_bfloat16()
        return
    assert np.array_equal(kept, usual) == (field in UNSEEN)
    if traits()[field].acts is not Acts.GRAPH:
        assert len(first.graphs._kept) == traced(first.graphs) == 1
    # What was traced later spoils nothing that was traced before.
    np.testing.assert_array_equal(dreamt(first, small), usual)


def test_what_only_films_and_visualizations_have_changes_no_picture(
    tiny: Any, small: Image, begun: Any
) -> None:
    everything = from_toml((TESTS / "formats" / "1.toml").read_text("utf-8"), "the file")
    usual = Recipe().changed(BASE)
    first, picture = begun(usual)
    others = {part: getattr(everything, part).model_dump() for part in PARTS}
    whole = usual.changed({**others, "octaves": usual.octaves})
    np.testing.assert_array_equal(dreamt(build_pipeline(whole, tiny), small), picture)
    for field in traits():
        part, _, inner = field.rpartition(".")
        if part in PARTS:
            value = others[part][inner]
            changed = usual.changed({field: value, "octaves": usual.octaves})
            pipeline = build_pipeline(changed, tiny, graphs=first.graphs)
            np.testing.assert_array_equal(dreamt(pipeline, small), picture)
    assert len(first.graphs._kept) == traced(first.graphs) == 1


def test_a_mask_is_put_on_by_kept_graphs(tiny: Any, small: Image, begun: Any) -> None:
    mask = np.zeros(small.shape[:2], np.float32)
    mask[:, 32:] = 1
    first, whole = begun(Recipe().changed(BASE))
    first = build_pipeline(first.recipe.changed({"feather": 0}), tiny, graphs=first.graphs)
    masked = dreamt(first, small, mask)
    np.testing.assert_array_equal(masked[:, :32], small[:, :32])
    np.testing.assert_allclose(masked[:, 32:], whole[:, 32:], atol=1e-6)
    assert traced(first.graphs) == 1


def test_another_guide_or_another_match_is_another_graph(tiny: Any, small: Image) -> None:
    given = {**BASE, "layers": ["relu"], "guide": "a" * 64}
    graphs, pictures = Graphs(), []
    for guide in (small[::-1], small[:, ::-1] * np.float32(0.5)):
        for match in ("best", "mean", "statistics"):
            recipe = Recipe().changed({**given, "guide_match": match})
            kept = dreamt(build_pipeline(recipe, tiny, guide, graphs=graphs), small)
            if match == "best":
                fresh = dreamt(build_pipeline(recipe, tiny, guide), small)
                np.testing.assert_array_equal(kept, fresh)
            pictures.append(kept.tobytes())
    assert len(set(pictures)) == 6


def test_another_network_is_another_graph_even_by_the_same_name(small: Image, begun: Any) -> None:
    other, recipe = tiny_network("valid"), Recipe().changed(BASE)
    first, usual = begun(recipe)
    kept = dreamt(build_pipeline(recipe, other, graphs=first.graphs), small)
    np.testing.assert_array_equal(kept, dreamt(build_pipeline(recipe, other), small))
    assert not np.array_equal(kept, usual)


def test_the_graph_that_was_used_longest_ago_goes_first() -> None:
    graphs, built = Graphs(), []

    def find(key: int) -> Any:
        def build() -> Any:
            built.append(key)
            return object()

        return graphs.find(key, build)

    kept = find(0)
    for key in range(1, KEPT_GRAPHS):
        find(key)
    assert find(0) is kept
    find(KEPT_GRAPHS)
    assert find(0) is kept
    find(1)
    assert built == [*range(KEPT_GRAPHS + 1), 1]


def test_recipes_that_differ_in_numbers_have_one_key() -> None:
    for field in CHANGES:
        before, after = recipes(field)
        same = compute_graph_key(before) == compute_graph_key(after)
        assert same == (traits()[field].acts is not Acts.GRAPH), field
