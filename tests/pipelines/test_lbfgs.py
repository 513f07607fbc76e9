"""A recipe that searches each octave by L-BFGS."""

from typing import Any

import numpy as np

from dreamer.arrays import Image
from dreamer.pipelines.image import build_pipeline
from dreamer.recipe import Recipe


def test_a_recipe_asks_for_it_and_repeats(tiny: Any, photo: Image) -> None:
    recipe = Recipe().changed({"layers": ["mixed"], "optimizer": "lbfgs", "octaves": 2, "steps": 4})
    pictures = []
    for _ in range(2):
        made = build_pipeline(recipe, tiny)
        *_, last = made.dream(photo, made.plan(photo.shape[:2]))
        assert (last.octave, last.step, last.done) == (2, 4, 1)
        pictures.append(last.picture())
    np.testing.assert_array_equal(*pictures)
    assert np.abs(pictures[0] - photo).mean() > 0.01
