"""Muon: orthogonal steps."""

import keras
import numpy as np
import pytest

from dreamer.training import muon


@pytest.mark.parametrize("shape", [(30, 12), (12, 30), (16, 16)])
def test_orthogonal_brings_singular_values_near_one(shape: tuple[int, int]) -> None:
    matrix = np.random.default_rng(0).normal(size=shape).astype("float32")
    singular = np.linalg.svd(np.asarray(muon.orthogonal(matrix)), compute_uv=False)
    assert singular.min() > 0.3
    assert singular.max() < 1.3


def test_muon_solves_a_regression_with_correlated_inputs() -> None:
    rng = np.random.default_rng(0)
    mixing = rng.normal(size=(16, 16)) * np.logspace(0, -2, 16)
    x = (rng.normal(size=(256, 16)) @ mixing.T).astype("float32")
    y = x @ rng.normal(size=(16, 8)).astype("float32")
    model = keras.Sequential([keras.Input((16,)), keras.layers.Dense(8)])
    model.compile(optimizer=muon.Muon(0.3), loss="mse")
    losses = []
    for step in range(80):
        model.optimizer.learning_rate = 0.3 * (1 - step / 80)
        losses.append(float(model.train_on_batch(x, y)))
    assert float(np.square(np.asarray(model(x)) - y).mean()) < 0.01 * losses[0]
