"""Channels that are chosen on the photo."""

from typing import Any

import numpy as np
import pytest

from dreamer.arrays import Image
from dreamer.errors import DreamerError
from dreamer.files.photos import Photo
from dreamer.networks import freezing
from dreamer.pipelines import channel_choice
from dreamer.pipelines.channel_choice import choose_channels
from dreamer.pipelines.image import build_pipeline
from dreamer.recipe import Recipe


@pytest.fixture
def shot(photo: Image) -> Photo:
    return Photo(photo, None, "")


def test_what_was_chosen_is_written_into_the_recipe(tiny: Any, shot: Photo) -> None:
    maps = freezing.freeze(tiny, ["mixed"], "float32")(shot.image[None])["mixed"]
    strongest = (-np.square(maps).mean((0, 1, 2))).argsort()[:2]
    recipe = Recipe().changed({"layers": ["mixed:strongest2=3", "relu"], "octaves": 1, "steps": 1})
    settled = choose_channels(recipe, tiny, shot)
    assert settled.layers == (f"mixed:{strongest[0]},{strongest[1]}=3", "relu")
    made = build_pipeline(settled, tiny)
    *_, last = made.dream(shot.image, made.plan(shot.image.shape[:2]))
    assert np.abs(last.picture() - shot.image).max() > 0.001
    assert choose_channels(settled, tiny, shot) is settled


def test_a_photo_that_excites_nothing_is_refused(tiny: Any, monkeypatch: Any, shot: Photo) -> None:
    monkeypatch.setattr(channel_choice, "measure_strengths", lambda *_: np.zeros(4, np.float32))
    with pytest.raises(DreamerError, match="excites nothing in mixed"):
        choose_channels(Recipe(layers=("mixed:strongest1",)), tiny, shot)
