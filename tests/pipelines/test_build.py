"""From a recipe to an ascent."""

from typing import Any

from helpers import climb

from dreamer.arrays import Image
from dreamer.pipelines.image import build_pipeline
from dreamer.recipe import Recipe


def test_a_filter_that_lowers_the_score_ends_no_ascent(tiny: Any, photo: Image) -> None:
    """A median makes the next score drop; patience compares with that of a cycle before."""
    recipe = Recipe(layers=("mixed",), median=5, median_every=10, patience=4, blur=0, rate=0.005)
    pipeline = build_pipeline(recipe, tiny)
    ascent = pipeline._ascent("float32", None, {})
    assert ascent.stopping.cycle == 10
    scores = [float(climb(ascent, photo, steps).scores[0]) for steps in range(1, 31)]
    assert max(scores[:10]) > max(scores[10:14])
    assert bool(climb(ascent, photo, 30).alive[0])
    blurred = build_pipeline(recipe.changed({"blur": 0.4}), tiny)
    assert blurred._ascent("float32", None, {}).stopping.cycle == 20
