"""From a recipe to an ascent."""

from typing import Any

import tensorflow as tf

from dreamer.arrays import Image
from dreamer.ascent.ascent import octave_seed
from dreamer.pipelines.image import build_pipeline
from dreamer.recipe import Recipe


def test_a_filter_that_lowers_the_score_ends_no_ascent(tiny: Any, photo: Image) -> None:
    """A median makes the next score drop; patience compares with that of a cycle before."""
    recipe = Recipe(layers=("mixed",), median=5, median_every=10, patience=4, blur=0, rate=0.005)
    pipeline = build_pipeline(recipe, tiny)
    ascent = pipeline._ascent("float32", None, {})
    assert ascent.stopping.cycle == 10
    state, scores = ascent.begin(tf.constant(photo[None])), []
    for step in range(30):
        state = ascent.run(state, octave_seed(0, 0, 0), step, step + 1, 30)
        scores.append(float(state.scores[0]))
    assert max(scores[:10]) > max(scores[10:14])
    assert bool(state.alive[0])
    blurred = build_pipeline(recipe.changed({"blur": 0.4}), tiny)
    assert blurred._ascent("float32", None, {}).stopping.cycle == 20
