"""Distillation: piecewise and chained errors."""

from collections.abc import Callable

import keras
import numpy as np

from dreamer.training import muon
from dreamer.training.distillation import Distillation, NormalizedError

SIZE = 40


def test_a_student_learns_piecewise(
    networks: Callable[[], tuple[keras.Model, keras.Model]],
) -> None:
    teacher, student = networks()
    model = Distillation(student, teacher, piecewise=True)
    model.compile(optimizer=muon.Muon(2e-2))
    rng = np.random.default_rng(0)
    image = rng.normal(0, 60, (2, SIZE, SIZE, 3)).astype("float32")

    def error_after(steps: int) -> float:
        for _ in range(steps):
            model.train_on_batch(image, np.zeros(2))
        return sum(float(np.mean(error)) for error in model(image).values())

    first = error_after(1)
    assert error_after(11) < 0.8 * first
    assert not teacher.trainable_variables


def test_the_first_error_is_the_same_chained_and_piecewise(
    networks: Callable[[], tuple[keras.Model, keras.Model]],
) -> None:
    teacher, student = networks()
    image = np.random.default_rng(0).normal(0, 60, (1, SIZE, SIZE, 3)).astype("float32")
    chained, piecewise = (
        Distillation(student, teacher, piecewise=kind)(image) for kind in (False, True)
    )
    assert chained.keys() == piecewise.keys()
    assert {"maxpool0", "maxpool1", "mixed3a_3x3_bottleneck"} < chained.keys()
    np.testing.assert_allclose(chained["maxpool0"], piecewise["maxpool0"], rtol=1e-5)
    assert float(chained["mixed3a_1x1"][0]) != float(piecewise["mixed3a_1x1"][0])


def test_the_error_is_zero_for_equals_and_one_for_silence() -> None:
    truth = np.abs(np.random.default_rng(0).normal(0, 50, (3, 4, 5, 6))).astype("float32")
    np.testing.assert_allclose(NormalizedError()(truth, truth), np.zeros(3))
    np.testing.assert_allclose(NormalizedError()(truth * 0, truth), np.ones(3), rtol=1e-5)
