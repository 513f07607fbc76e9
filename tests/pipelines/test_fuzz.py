"""Random recipes on a network: one sentence or a picture, never a traceback or a NaN."""

from typing import Any

import numpy as np
import pytest
from random_recipes import OFTEN, understood, valid

from dreamer import recipe as recipes
from dreamer.arrays import Image
from dreamer.pipelines.image import build_pipeline

LAYERS = ("mixed", "relu", "conv", "one:1", "mixed:0-3,7=0.5", "mixed:3@0.8,5@-2", "two=-1")
PHOTOS = (*["photo", "black", "white", "gray", "rough"] * 3, "thin", "flat")


def picture(kind: str, photo: Image) -> Image:
    """A small picture of a kind that has no gradient, no color or no width."""
    height, width = {"thin": (80, 1), "flat": (1, 80)}.get(kind, (60, 80))
    shade = {"black": 0.0, "white": 1.0, "gray": 0.5}.get(kind)
    if shade is not None:
        return np.full((height, width, 3), shade, np.float32)
    if kind == "rough":
        coin = np.random.default_rng(0).integers(0, 2, (height, width, 3))
        return coin.astype(np.float32)
    return np.ascontiguousarray(photo[:height, :width])


def dreamt(seed: int, tiny: Any, photo: Image) -> str:
    """Dream by a random recipe; what came of it."""
    random = np.random.default_rng(seed)
    fields = valid(random)
    # Bounded, or a single dream could take hours, as it may.
    fields |= {"steps": int(random.integers(1, 4)), "network": "tiny"}
    fields["layers"] = list(random.choice(LAYERS, random.integers(1, 3), replace=False))
    fields["motif_pixels"] = int(random.integers(4, 20))
    fields.pop("guide", None)
    if fields.get("octaves"):
        fields["octaves"] = int(random.integers(1, 5))
    kind = str(random.choice(PHOTOS))
    image = picture(kind, photo)
    guide = image if random.random() < OFTEN else None
    mask = np.ones(image.shape[:2], np.float32) if random.random() < OFTEN else None
    made = understood(recipes.from_fields, fields, "the fuzz")
    if made is None:
        return "no recipe"
    pipeline = understood(build_pipeline, made, tiny, guide)
    plan = pipeline and understood(pipeline.plan, image.shape[:2])
    if not plan:
        return "refused"
    for state in pipeline.dream(image, plan, mask):
        shown = state.picture()
        assert shown.shape == image.shape, fields
        assert np.isfinite(shown).all(), (seed, kind, fields)
    return "dreamt"


def dream_often(first: int, count: int, tiny: Any, photo: Image) -> None:
    results = [dreamt(seed, tiny, photo) for seed in range(first, first + count)]
    assert results.count("dreamt") > count / 3


def test_a_few_recipes_through_a_network(tiny: Any, photo: Image) -> None:
    dream_often(60, 4, tiny, photo)


@pytest.mark.slow
def test_two_hundred_recipes_through_a_network(tiny: Any, photo: Image) -> None:
    dream_often(0, 200, tiny, photo)
