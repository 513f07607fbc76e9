"""Ascent at one size: runs, traces, and where they end."""

from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from helpers import climb, make, normalized, tiny_network

from dreamer.arrays import Image
from dreamer.ascent import objectives, optimizers, regularizers, transforms
from dreamer.ascent.ascent import Stopping, octave_seed
from dreamer.ascent.objectives import Objective
from dreamer.ascent.steps import amount, numbers, ramp, term
from dreamer.networks import freezing


def test_ascent_stops_when_the_objective_no_longer_rises(tiny: Any, photo: Image) -> None:
    long = climb(make(tiny, rate=0.0, stopping=Stopping(patience=3)), photo, 60)
    assert not bool(long.alive[0])
    assert int(long.waited[0]) == 3
    assert bool(climb(make(tiny, stopping=Stopping(patience=3)), photo, 3).alive[0])


@pytest.mark.parametrize("name", optimizers.OPTIMIZERS)
def test_where_a_run_is_cut_never_changes_a_pixel(name: str, tiny: Any, photo: Image) -> None:
    ascent = make(
        tiny,
        transform=transforms.jitter(5),
        update=normalized("laplacian"),
        optimizer=optimizers.OPTIMIZERS[name],
        regularize=regularizers.chain(
            regularizers.every(2, regularizers.blur(amount("blur"))), regularizers.clip
        ),
        numbers=numbers(0.01, {"blur": ramp(0.5, 1.0)}),
    )
    whole, seed = climb(ascent, photo, 7), octave_seed(0, 0, 0)
    state = ascent.begin(tf.constant(photo[None]))
    for first, stop in ((0, 1), (1, 4), (4, 7)):
        state = ascent.run(state, seed, first, stop, 7)
    np.testing.assert_array_equal(whole.images, state.images)


def test_shifts_average_gradients_each_with_its_own_numbers(tiny: Any, photo: Image) -> None:
    once, twice = (make(tiny, transform=transforms.jitter(8), shifts=n) for n in (1, 2))
    images, seed = tf.constant(photo[None]), octave_seed(0, 0, 0)
    _, first, _ = once.value_and_gradient(images, seed, once.numbers)
    scores, mean, strengths = twice.value_and_gradient(images, seed, twice.numbers)
    other = 2 * mean - first
    assert scores.shape == (1,)
    assert {each.shape[0] for each in strengths.values()} == {1}
    assert float(tf.norm(other - first)) > 0.1 * float(tf.norm(first))
    assert float(tf.norm(other)) == pytest.approx(float(tf.norm(first)), rel=0.5)


def test_one_trace_serves_every_size_and_number_of_steps(tiny: Any, photo: Image) -> None:
    ascent = make(tiny)
    for size in (40, 56, 64):
        climb(ascent, photo[:size, :size], steps=size // 20)
    assert ascent._run.experimental_get_tracing_count() == 1  # type: ignore[attr-defined]


def test_ascent_stops_above_the_limit_picture_by_picture(tiny: Any, photo: Image) -> None:
    pictures = np.stack([photo, photo * 0.2])
    scores = climb(make(tiny), pictures, 1).scores.numpy()
    limited = climb(make(tiny, stopping=Stopping(float(scores.mean()))), pictures, 1).images.numpy()
    stays, moves = scores.argmax(), scores.argmin()
    np.testing.assert_array_equal(limited[stays], pictures[stays])
    assert np.abs(limited[moves] - pictures[moves]).max() > 0


def test_a_shift_by_the_stride_commutes_with_ascent(photo: Image) -> None:
    net = tiny_network("valid")

    def wrapped(objective: Objective) -> Any:
        inner = freezing.freeze(net, objective.layers, "float32")

        def features(image: tf.Tensor) -> Any:
            around = tf.concat([image[:, -16:], image, image[:, :16]], 1)
            around = tf.concat([around[:, :, -16:], around, around[:, :, :16]], 2)
            # What is left of the valid maps is one period: 96 / 2 by 72 / 2 cells.
            return {k: v[:, 6:42, 6:54] for k, v in inner(around).items()}

        return features

    goal = objectives.layer("mixed")
    ascent = make(net, objective=goal, features=wrapped(goal))
    straight = np.roll(climb(ascent, photo, 4).images, (4, 6), (1, 2))
    shifted = climb(ascent, np.roll(photo, (4, 6), (0, 1)), 4).images
    np.testing.assert_allclose(straight, shifted, atol=1e-5)


def test_another_number_is_another_dream_and_traces_nothing_anew(tiny: Any, photo: Image) -> None:
    objective = objectives.apply_gains(objectives.term(0, "mixed", chosen=False))
    given = {"rate": 0.01, "terms": [term(1.0)], "gains": {"mixed": np.ones(14)}}
    ascent = make(tiny, objective=objective, numbers=numbers(**given))
    seed, start = octave_seed(0, 0, 0), ascent.begin(tf.constant(photo[None]))
    usual = ascent.run(start, seed, 0, 3, 3)
    plain = make(tiny, objective=objectives.layer("mixed"), rate=0.01)
    np.testing.assert_array_equal(usual.images, plain.run(start, seed, 0, 3, 3).images)
    strengths = usual.strengths["mixed"].numpy()
    assert strengths.shape == (1, 14)
    strongest = strengths[0].argmax()
    others = {"rate": 0.0, "terms": [term(-1.0)], "gains": {"mixed": np.eye(14)[strongest]}}
    for name, value in others.items():
        other = ascent.run(start, seed, 0, 3, 3, numbers(**{**given, name: value}))
        assert np.abs(other.images - usual.images).max() > 1e-3
    assert ascent._run.experimental_get_tracing_count() == 1  # type: ignore[attr-defined]
