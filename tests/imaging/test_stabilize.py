"""What keeps a film alive and steady."""

import numpy as np
import pytest

from dreamer.imaging import stabilize


def test_channels_that_were_strong_weigh_less() -> None:
    strengths = np.array([8, 4, 2, 0.5, 0], np.float32)
    gains = stabilize.habituate(strengths, 1.0)
    assert (np.diff(gains[:4]) > 0).all()
    assert np.square(gains).mean() == pytest.approx(1, rel=1e-4)
    np.testing.assert_allclose(stabilize.habituate(strengths, 0), 1)
