"""Seamless pictures: nothing shows where they end."""

from typing import Any

import cv2
import numpy as np
import pytest

from dreamer.arrays import Image
from dreamer.ascent import boundary
from dreamer.pipelines.image import build_pipeline
from dreamer.recipe import Recipe


def seams(image: Image) -> list[float]:
    """How much the first row and column differ from the last, in usual differences."""
    jumps = []
    for axis in (0, 1):
        across = np.abs(np.diff(image, axis=axis, append=np.take(image, [0], axis)))
        rows = across.mean((1 - axis, 2))
        jumps.append(float(rows[-1] / np.median(rows)))
    return jumps


@pytest.mark.parametrize("changes", [{}, {"tile": 256, "cascade": 0.5, "total_variation": 0.01}])
def test_a_seamless_dream_has_no_seam(changes: dict[str, Any], tiny: Any, photo: Image) -> None:
    recipe = Recipe(layers=("mixed",), octaves=2, seamless=True, size="full", **changes)
    cut = photo[3:-8, 4:-6]
    picture = np.asarray(cv2.resize(cut, None, fx=5, fy=5, interpolation=cv2.INTER_CUBIC))
    pipeline = build_pipeline(recipe, tiny)
    plan = pipeline.plan(picture.shape[:2])
    assert plan.tile == changes.get("tile")
    *_, last = pipeline.dream(picture, plan)
    dream = last.picture()
    assert np.abs(dream - boundary.make_periodic(picture)).mean() > 0.02
    assert all(0.7 < seam < 1.3 for seam in seams(dream))
