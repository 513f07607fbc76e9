"""Parametrizations: what the steps change."""

import numpy as np
import pytest
import tensorflow as tf

from dreamer.ascent.parametrizations import PARAMETRIZATIONS

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


@pytest.mark.parametrize("name", PARAMETRIZATIONS)
@pytest.mark.parametrize("size", [(16, 16), (17, 30)])
def test_a_parametrization_is_undone(name: str, size: tuple[int, int]) -> None:
    encode, decode = PARAMETRIZATIONS[name]
    pictures = np.random.default_rng(0).uniform(0.05, 0.95, (2, *size, 3)).astype(np.float32)
    np.testing.assert_allclose(decode(encode(tf.constant(pictures))), pictures, atol=1e-4)


def test_a_wave_of_the_spectrum_is_scaled_like_those_of_photographs() -> None:
    spectrum = np.zeros((3, 32, 32, 3), np.float32)
    for place, (row, column) in enumerate([(0, 2), (0, 8), (8, 0)]):
        spectrum[place, row, column, 0] = 0.02
    long, short, down = np.asarray(PARAMETRIZATIONS["fourier"].decode(tf.constant(spectrum))) - 0.5
    np.testing.assert_allclose(long.std(), 4 * short.std(), rtol=1e-2)
    np.testing.assert_allclose(down.transpose(1, 0, 2), short, atol=1e-6)
    assert np.abs(np.fft.rfft(long[0, :, 0])).argmax() == 2
