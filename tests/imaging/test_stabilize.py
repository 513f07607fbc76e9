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


def test_a_frame_dissolves_in_its_large_shapes() -> None:
    image = np.random.default_rng(0).random((64, 96, 3), np.float32)
    image[:, 48:] = image[:, 48:] / 4 + 0.75
    half, whole = (stabilize.dissolve(image, share) for share in (0.5, 1))
    np.testing.assert_array_equal(stabilize.dissolve(image, 0), image)
    np.testing.assert_allclose(half, (image + whole) / 2, atol=1e-6)
    assert stabilize.measure_detail(whole) < 0.1 * stabilize.measure_detail(image)
    assert whole[:, :40].mean() == pytest.approx(0.5, abs=0.03)
    assert whole[:, 56:].mean() == pytest.approx(0.875, abs=0.03)


def test_moods_pass_into_one_another_and_come_around() -> None:
    moods = [np.log(stabilize.wander(400, second, 3, 7)) * 2 for second in (0, 2.5, 5, 5.01, 10)]
    for mood in moods:
        assert mood.std() == pytest.approx(3, rel=0.15)
    assert np.corrcoef(moods[2], moods[3])[0, 1] > 0.999
    assert abs(np.corrcoef(moods[0], moods[2])[0, 1]) < 0.2
    assert np.corrcoef(moods[0], moods[1])[0, 1] == pytest.approx(0.5**0.5, abs=0.1)
    np.testing.assert_array_equal(stabilize.wander(9, 3, 0, 7), np.ones(9))
    for first, last in ((0.0, 12.0), (-0.5, 11.5)):
        around = [stabilize.wander(9, second, 3, 7, around=12) for second in (first, last)]
        np.testing.assert_allclose(*around, rtol=1e-5)


def test_what_dissolves_meets_itself_where_it_wraps() -> None:
    image = np.random.default_rng(0).random((64, 96, 3), np.float32)
    rolled = stabilize.dissolve(np.roll(image, 32, 1), 1, wrap=True)
    np.testing.assert_allclose(
        np.roll(stabilize.dissolve(image, 1, wrap=True), 32, 1), rolled, atol=0.02
    )
