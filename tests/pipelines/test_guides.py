"""Guides by statistics: those of one photo, and of a folder."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from dreamer.arrays import Image
from dreamer.ascent import objectives
from dreamer.errors import DreamerError
from dreamer.files import photos
from dreamer.networks import freezing
from dreamer.pipelines import guides
from dreamer.pipelines.image import build_pipeline
from dreamer.recipe import Recipe
from dreamer.recipe.layer_spec import parse_layer

TERMS = [parse_layer("mixed"), parse_layer("relu=0.5")]


def told(net: Any, image: Image, layer: str) -> np.ndarray:
    """Mean and standard deviation of each channel, by numpy."""
    maps = np.asarray(freezing.freeze(net, [layer], "float32")(image[None])[layer][0])
    return np.stack([maps.mean((0, 1)), np.sqrt(maps.var((0, 1)) + 1e-6)])


def test_the_score_is_minus_the_distance_of_statistics(tiny: Any, photo: Image) -> None:
    other = photo[::-1, ::-1] * np.float32(0.5)
    parts = guides.compare_to_guide(photo, tiny, TERMS, "statistics")
    maps = freezing.freeze(tiny, ["mixed", "relu"], "float32")(np.stack([photo, other]))
    for term, part in zip(TERMS, parts, strict=True):
        goal, own = told(tiny, photo, term.layer), told(tiny, other, term.layer)
        distance = np.square(own - goal).mean() / np.square(goal).mean()
        np.testing.assert_allclose(part(maps), [0, -distance], rtol=1e-3, atol=1e-5)


def test_a_folder_guides_by_the_mean_of_its_photos(tiny: Any, photo: Image, tmp_path: Path) -> None:
    shown = [photo, photo[:40, ::-1], photo[:, :50] * np.float32(0.6)]
    for number, image in enumerate(shown):
        photos.write(tmp_path / f"{number}.png", image)
    (tmp_path / "broken.jpg").touch()
    read = [photos.read(tmp_path / f"{number}.png").image for number in range(3)]
    wanted = np.mean([told(tiny, image, "mixed") for image in read], 0)
    (part, _) = guides.compare_to_guide(tmp_path, tiny, TERMS, "statistics")
    maps = freezing.freeze(tiny, ["mixed"], "float32")(photo[None])
    direct = objectives.match_statistics("mixed", tf.constant(wanted, tf.float32))
    np.testing.assert_allclose(part(maps), direct(maps), rtol=1e-3)
    with pytest.raises(DreamerError, match="guide_match=statistics"):
        guides.compare_to_guide(tmp_path, tiny, TERMS, "best")


def test_a_dream_gets_nearer(tiny: Any, photo: Image) -> None:
    goal = photo[::-1] * np.float32(0.5) + np.float32(0.4)
    recipe = Recipe().changed(
        {"layers": ["mixed", "relu"], "guide_match": "statistics", "octaves": 1, "jitter": 4}
    )
    made = build_pipeline(recipe, tiny, goal)
    first, *_, last = made.dream(photo, made.plan(photo.shape[:2]), every=1)
    assert 0.5 * first.score < last.score < 0
