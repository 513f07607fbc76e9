"""From the phases of a stride to pixels."""

import numpy as np
import pytest
import tensorflow as tf

from dreamer.ascent.interleave import interleave_phases


@pytest.mark.parametrize("stride", [2, 3])
def test_interleaved_phases_are_pixels(stride: int) -> None:
    phases = tf.random.stateless_normal([2, 5, 7, 3 * stride**2], [1, 2])
    pixels = tf.nn.depth_to_space(phases, stride)
    np.testing.assert_array_equal(interleave_phases(phases, stride), pixels)
