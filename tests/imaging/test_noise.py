"""Noise: seeded, and filling the picture."""

import numpy as np
import pytest

from dreamer.imaging import noise


@pytest.mark.parametrize("kind", noise.KINDS)
def test_noise_is_seeded_and_fills_the_picture(kind: str) -> None:
    drawn = noise.draw_noise(kind, (48, 64), 3)
    assert drawn.shape == (48, 64, 3)
    assert drawn.dtype == np.float32
    assert drawn.std() > 0.02
    assert 0.2 < drawn.mean() < 0.8
    np.testing.assert_array_equal(drawn, noise.draw_noise(kind, (48, 64), 3))
    assert noise.hash_description(kind, (48, 64), 3) != noise.hash_description(kind, (48, 64), 4)
