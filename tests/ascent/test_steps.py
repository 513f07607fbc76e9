"""Numbers that change over the steps of an octave."""

import numpy as np
import pytest
import tensorflow as tf

from dreamer.ascent.steps import Step, amount, numbers, ramp, read_ramp, specify, term


def test_an_amount_runs_from_start_to_end() -> None:
    amounts = {"blur": ramp(4.0, 2.0), "decay": ramp(4.0)}
    given = numbers(rate=ramp(4.0, 2.0), regularizers=amounts)
    taken = [Step(tf.constant(i), tf.constant(5), given) for i in range(5)]
    falling = [float(amount("blur")(step)) for step in taken]
    np.testing.assert_allclose(falling, [4, 3.5, 3, 2.5, 2])
    np.testing.assert_allclose([float(read_ramp(given.rate, step)) for step in taken], falling)
    assert float(amount("decay")(taken[3])) == 4
    assert float(amount("blur")(Step(tf.constant(0), tf.constant(1), given))) == 4


def test_numbers_of_one_run_fit_the_graph_of_another() -> None:
    """Batches, and channels of a term, may be more or fewer; parts may not."""
    one = numbers(0.1, terms=[term(2.0, [1], [0.5])], mixes=np.ones((2, 5)))
    other = numbers(0.3, terms=[term(1.0, [4, 2, 7])], mixes=np.zeros((3, 5)), others=np.eye(3))
    for given in (one, other):
        tf.nest.assert_same_structure(specify(one), given)
        pairs = zip(tf.nest.flatten(specify(one)), tf.nest.flatten(given), strict=True)
        assert all(spec.is_compatible_with(tensor) for spec, tensor in pairs)
    without = numbers(0.1, regularizers={"blur": ramp(1)}, terms=[term(2.0)])
    with pytest.raises((ValueError, TypeError)):
        tf.nest.assert_same_structure(specify(one), without)


def test_a_channel_weighs_one_unless_told() -> None:
    np.testing.assert_array_equal(term(1.0, [3, 5]).channel_weights, [1, 1])
    np.testing.assert_array_equal(term(1.0, [3, 5], [2, -1]).channel_weights, [2, -1])
    assert term(1.0).channels.shape == (0,)
