"""Dreams that are trained on."""

from collections.abc import Callable

import numpy as np
import pytest

from dreamer.training import dreams

SIZE = 40


def test_the_pool_replaces_its_oldest_dreams() -> None:
    pool = dreams.Pool(1, capacity=3)
    for value in range(5):
        pool.add(np.full((1, 1, 1, 3), value))
    assert pool.pictures[:, 0, 0, 0].tolist() == [3, 4, 2]


@pytest.mark.parametrize("objective", dreams.OBJECTIVES.values())
def test_dream_objectives_weigh_channels(
    objective: Callable[[int, np.random.Generator], np.ndarray],
) -> None:
    weights = objective(30, np.random.default_rng(0))
    assert weights.shape == (30,)
    assert weights.min() >= 0
    assert weights.max() > 0


def test_dreams_raise_what_they_are_asked_for() -> None:
    def ascend(shown: np.ndarray, weights: np.ndarray) -> np.ndarray:
        return np.asarray((shown - 128) * weights[:, None, None, :])

    start = np.random.default_rng(1).normal(128, 5, (2, SIZE, SIZE, 3)).astype("float32")
    weights = np.array([[1, 0, 0], [0, 0, 1]], "float32")
    *_, last = states = dreams.dream(ascend, start, weights, np.random.default_rng(0))
    assert [state.shape for state in states] == [start.shape] * len(dreams.OCTAVES)
    raised = last.std((1, 2)) / start.std((1, 2))
    assert raised[weights == 1].min() > 2
    assert raised[weights == 0].max() < 1.1


def test_laplacian_normalization_evens_out_strength() -> None:
    gradient = np.random.default_rng(0).normal(0, 1, (33, 47, 3)).astype("float32")
    weak, strong = (dreams.laplacian_normalize(gradient * k) for k in (1e-3, 1e3))
    assert weak.shape == gradient.shape
    np.testing.assert_allclose(weak, strong, rtol=1e-3, atol=1e-5)
