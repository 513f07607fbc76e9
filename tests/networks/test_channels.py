"""Channels by how strongly a photo excites them."""

from typing import Any

import numpy as np
import pytest

from dreamer.networks import channels
from dreamer.recipe.layer_spec import Choice

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
    assert channels.pick_channels(STRENGTH, choice) == channels_


def test_a_channel_that_answers_to_noise_is_not_asleep(tiny: Any) -> None:
    kernel, bias = tiny.model.get_layer("one").get_weights()
    tiny.model.get_layer("one").set_weights(
        [kernel, bias + np.eye(6)[1] * 1e6 - np.eye(6)[0] * 1e6]
    )
    try:
        assert channels.find_dead_channels(tiny, "one")[:2].tolist() == [True, False]
    finally:
        tiny.model.get_layer("one").set_weights([kernel, bias])
