"""Channels by how strongly a photo excites them."""

from typing import Any

import numpy as np
import pytest

from dreamer import assemble
from dreamer.arrays import Image
from dreamer.errors import DreamerError
from dreamer.files.photos import Photo
from dreamer.layers import Choice
from dreamer.nets import channels, network
from dreamer.recipe import Recipe

STRENGTH = np.array([0, 5, 1, 9, 3, 0, 2], np.float32)


@pytest.mark.parametrize(
    ("choice", "channels_"),
    [
        (Choice("strongest", 2), [3, 1]),
        (Choice("weakest", 2), [2, 6]),
        (Choice("average", 3), [1, 4, 6]),
        (Choice("strongest", 99), [3, 1, 4, 6, 2]),
    ],
)
def test_channels_are_chosen_among_those_that_answer(choice: Choice, channels_: list[int]) -> None:
    assert channels.choose(STRENGTH, choice) == channels_


@pytest.fixture
def shot(photo: Image) -> Photo:
    return Photo(photo, None, "")


def test_what_was_chosen_is_written_into_the_recipe(tiny: Any, shot: Photo) -> None:
    maps = network.freeze(tiny, ["mixed"], "float32")(shot.image[None])["mixed"]
    strongest = (-np.square(maps).mean((0, 1, 2))).argsort()[:2]
    recipe = Recipe().changed({"layers": ["mixed:strongest2=3", "relu"], "octaves": 1, "steps": 1})
    settled = channels.settled(recipe, tiny, shot)
    assert settled.layers == (f"mixed:{strongest[0]},{strongest[1]}=3", "relu")
    made = assemble.assemble(settled, tiny)
    *_, last = made.dream(shot.image, made.plan(shot.image.shape[:2]))
    assert np.abs(last.picture() - shot.image).max() > 0.001
    assert channels.settled(settled, tiny, shot) is settled


def test_without_a_photo_nothing_is_chosen(tiny: Any) -> None:
    made = assemble.assemble(Recipe().changed({"layers": ["mixed:weakest1"]}), tiny)
    with pytest.raises(DreamerError, match="mixed:weakest1 is chosen on a photo"):
        _ = made.objective


def test_a_photo_that_excites_nothing_is_refused(tiny: Any, monkeypatch: Any, shot: Photo) -> None:
    monkeypatch.setattr(channels, "strengths", lambda *_: np.zeros(4, np.float32))
    with pytest.raises(DreamerError, match="excites nothing in mixed"):
        channels.settled(Recipe(layers=("mixed:strongest1",)), tiny, shot)


def test_a_channel_that_answers_to_noise_is_not_asleep(tiny: Any) -> None:
    kernel, bias = tiny.model.get_layer("one").get_weights()
    tiny.model.get_layer("one").set_weights(
        [kernel, bias + np.eye(6)[1] * 1e6 - np.eye(6)[0] * 1e6]
    )
    try:
        assert channels.asleep(tiny, "one")[:2].tolist() == [True, False]
    finally:
        tiny.model.get_layer("one").set_weights([kernel, bias])
