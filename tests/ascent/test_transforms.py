"""Transforms: seeded, bounded, and passed back through by gradients."""

import numpy as np
import pytest
import tensorflow as tf
from scipy import ndimage

from dreamer.arrays import Image
from dreamer.ascent import transforms
from dreamer.ascent.ascent import octave_seed


def test_jitter_is_seeded_and_stays_within_its_bound() -> None:
    ramp = tf.reshape(tf.range(900.0), [1, 30, 30, 1]) * tf.ones([3])
    roll = transforms.jitter(2)
    seeds = [octave_seed(0, 0, i) for i in range(40)]
    tops = [int(roll(ramp, seed)[0, 10, 10, 0]) - 310 for seed in seeds]
    assert len(set(tops)) > 10
    assert all(abs(round(t / 30)) <= 2 and abs(t - 30 * round(t / 30)) <= 2 for t in tops)
    np.testing.assert_array_equal(roll(ramp, seeds[0]), roll(ramp, seeds[0]))


def test_a_mirrored_shift_continues_the_picture_and_favors_its_border() -> None:
    ramp = tf.reshape(tf.range(900.0), [1, 30, 30, 1]) * tf.ones([3])
    seeds = [octave_seed(0, 0, i) for i in range(20)]
    shift = transforms.shift_mirrored(3, 8)
    shown = [shift(ramp, seed)[0, :, :, 0].numpy() for seed in seeds]
    around = np.pad(np.arange(900.0).reshape(30, 30), 11, "symmetric")
    assert {each.shape for each in shown} == {(46, 46)}
    places = [
        (down, right)
        for each in shown
        for down in range(7)
        for right in range(7)
        if np.array_equal(each, around[down : down + 46, right : right + 46])
    ]
    assert len(places) == 20
    assert len({*places}) > 10
    with tf.GradientTape() as tape:
        tape.watch(ramp)
        total = tf.reduce_sum(transforms.shift_mirrored(0, 8)(ramp, SEED)[..., 0])
    slope = tape.gradient(total, ramp)[0, :, :, 0].numpy()
    assert slope[15, 15] == 1
    assert slope[3, 15] == 2
    # A picture that is smaller than its margin is continued by its own size.
    assert transforms.shift_mirrored(9, 90)(ramp, SEED).shape == (1, 90, 90, 3)


def test_random_squares_of_each_picture_are_bounded_and_whole_where_asked() -> None:
    ramp = tf.stack([tf.reshape(tf.range(1200.0), [30, 40, 1])] * 3, 0)
    seeds = [octave_seed(0, 0, i) for i in range(20)]
    cut = transforms.crop(0.2, 0.5)
    for seed in seeds:
        shown = cut(ramp, seed).numpy()
        assert shown.shape == (3, 15, 15, 1)
        steps = np.diff(shown[:, 0, :, 0])
        assert steps.min() > 0.35
        assert steps.max() < 1.01
        assert len({float(each[0, 0, 0]) for each in shown}) == 3
    whole = transforms.crop(1, 1)(ramp[:, :, :30], SEED)
    np.testing.assert_allclose(whole, ramp[:, :, :30], atol=1e-3)


def test_noise_is_as_strong_as_asked_for() -> None:
    gray = tf.fill([1, 50, 50, 3], 0.5)
    noisy = transforms.add_noise(0.1)(gray, SEED).numpy()
    assert noisy.std() == pytest.approx(0.1, rel=0.05)
    np.testing.assert_array_equal(noisy, transforms.add_noise(0.1)(gray, SEED))


pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
SEED = tf.constant([3, 5])


def test_a_turn_wraps_around_and_is_what_scipy_makes_of_it(photo: Image) -> None:
    turned = transforms.turn_and_scale(40, 0.3)(tf.constant(photo[None]), SEED)[0]
    angle, factor = tf.random.stateless_uniform([2], SEED, [-40.0, 0.7], [40.0, 1.3]).numpy()
    angle = np.deg2rad(angle)
    matrix = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) / factor
    middle = np.array(photo.shape[:2]) // 2
    for color in range(3):
        expected = ndimage.affine_transform(
            photo[..., color], matrix, middle - matrix @ middle, order=1, mode="grid-wrap"
        )
        np.testing.assert_allclose(turned[..., color], expected, atol=1e-4)


@pytest.mark.parametrize(
    "transform",
    [transforms.jitter(5), transforms.pad(3), transforms.turn_and_scale(20, 0.2)],
)
def test_a_gradient_passes_back_through_a_transform(transform: transforms.Transform) -> None:
    """What is linear, and its gradient: ⟨T x − T 0, y⟩ = ⟨x, Tᵀ y⟩."""
    random = np.random.default_rng(1)
    x = tf.constant(random.normal(size=(2, 20, 24, 3)), tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(x)
        there = transform(x, SEED) - transform(tf.zeros_like(x), SEED)
        y = tf.constant(random.normal(size=there.shape), tf.float32)
        product = tf.reduce_sum(there * y)
    back = tape.gradient(product, x)
    np.testing.assert_allclose(product, tf.reduce_sum(x * back), rtol=1e-4)
