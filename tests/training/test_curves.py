"""How numbers change over a training."""

import itertools

import numpy as np
import pytest

from dreamer.training import train


def test_the_learning_rate_warms_up_and_falls() -> None:
    stage = train.STAGES[0]
    assert train.learning_rate(stage, 0, 0) < 0.1 * stage.rate
    falling = [train.learning_rate(stage, share, 1000) for share in np.linspace(0, 1.2, 9)]
    assert all(a >= b for a, b in itertools.pairwise(falling))
    assert falling[0] == pytest.approx(stage.rate)
    assert falling[-1] == pytest.approx(stage.rate / 100)
