"""L-BFGS over an octave, against SciPy's own search."""

import threading
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from helpers import make
from scipy import optimize

from dreamer.arrays import Image
from dreamer.ascent import lbfgs
from dreamer.ascent.ascent import octave_seed

START = np.array([-1.2, 1.0, 0.7, -0.4])


def rosenbrock(x: np.ndarray) -> tuple[float, np.ndarray]:
    return float(optimize.rosen(x)), np.asarray(optimize.rosen_der(x))


def test_its_steps_are_scipys() -> None:
    steps = list(lbfgs._steps(rosenbrock, START, 12))
    theirs = optimize.minimize(
        rosenbrock, START, jac=True, method="L-BFGS-B", options={"maxiter": 12, "maxcor": 5}
    )
    assert len(steps) == 12
    np.testing.assert_array_equal(steps[-1][0], theirs.x)
    assert [value for _, value in steps] == sorted((value for _, value in steps), reverse=True)


def test_who_stops_looking_stops_the_search() -> None:
    before, calls = threading.active_count(), []

    def counted(x: np.ndarray) -> tuple[float, np.ndarray]:
        calls.append(x)
        return rosenbrock(x)

    search = lbfgs._steps(counted, START, 10_000)
    next(search)
    search.close()
    assert threading.active_count() == before
    assert len(calls) < 40


def test_what_fails_in_the_search_is_raised() -> None:
    def broken(x: np.ndarray) -> tuple[float, np.ndarray]:
        raise MemoryError("too large")

    with pytest.raises(MemoryError, match="too large"):
        list(lbfgs._steps(broken, START, 5))


@pytest.mark.parametrize("size", [(6, 8, 3), (7, 5, 3)])
def test_the_filter_is_its_own_transpose(size: tuple[int, int, int]) -> None:
    smooth = lbfgs._like_photographs(size)
    a, b = np.random.default_rng(0).normal(size=(2, *size))
    np.testing.assert_allclose((smooth(a) * b).sum(), (a * smooth(b)).sum(), rtol=1e-9)


def test_the_objective_rises_with_every_step_and_within_bounds(tiny: Any, photo: Image) -> None:
    ascent, start = make(tiny), tf.constant(photo[None])
    seed = octave_seed(0, 0, 0)
    climbs = list(lbfgs.climb_in_steps(ascent, start, seed, 8, ascent.numbers, clip=True))
    assert [taken for _, taken in climbs] == list(range(1, 9))
    scores = [float(climb.scores[0]) for climb, _ in climbs]
    assert scores == sorted(scores)
    assert scores[-1] > 1.5 * scores[0]
    last = np.asarray(climbs[-1][0].images)
    assert last.min() >= 0
    assert last.max() <= 1
