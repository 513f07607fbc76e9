"""Comparing two pictures: profiles, and what differs."""

from typing import Any

import numpy as np
import pytest

from dreamer.analysis import comparison
from dreamer.analysis.comparison import Compared
from dreamer.arrays import Image
from dreamer.networks import freezing


def test_layers_are_compared_channel_by_channel(tiny: Any, photo: Image) -> None:
    other = photo[:50, ::-1] * np.float32(0.3)
    first, second = comparison.compare(tiny, ["relu", "mixed"], (photo, other))
    assert (first.layer, second.layer) == ("relu", "mixed")
    maps = [
        np.asarray(freezing.freeze(tiny, ["mixed"], "float32")(image[None])["mixed"][0])
        for image in (photo, other)
    ]
    profiles = [np.sqrt(np.square(each).mean((0, 1))) for each in maps]
    np.testing.assert_allclose(second.profiles, profiles, rtol=1e-4, atol=1e-6)
    assert second.correlation == pytest.approx(np.corrcoef(*profiles)[0, 1], abs=1e-4)
    assert second.strongest(1, 3) == list(np.argsort(-profiles[1], kind="stable")[:3])
    difference = second.profiles[1] - second.profiles[0]
    assert second.apart(1, 1) == [difference.argmax()]
    lights = second.lights(second.apart(0, 1)[0])
    assert max(light.max() for light in lights) == pytest.approx(1)
    assert [light.shape for light in lights] == [each.shape[:2] for each in maps]


def test_a_picture_is_like_itself_and_a_dead_layer_like_none(tiny: Any, photo: Image) -> None:
    (same,) = comparison.compare(tiny, ["mixed"], (photo, photo))
    assert same.correlation == pytest.approx(1)
    flat = np.zeros((2, 5), np.float32)
    assert Compared("dead", (flat[None], flat[None]), flat).correlation == 0
