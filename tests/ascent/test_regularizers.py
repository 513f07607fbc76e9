"""Regularizers: properties over the table, and each against the same work by hand."""

import numpy as np
import pytest
import tensorflow as tf
from scipy import ndimage

from dreamer.arrays import Image
from dreamer.ascent import regularizers, steps
from dreamer.ascent.steps import Step


def test_the_blur_is_scipys() -> None:
    image = np.random.default_rng(0).uniform(size=(31, 40, 3)).astype(np.float32)
    ours = regularizers.gaussian(tf.constant(image[None]), 1.7)[0]
    theirs = ndimage.gaussian_filter(image, (1.7, 1.7, 0), mode="reflect", truncate=6 / 1.7)
    np.testing.assert_allclose(ours, theirs, atol=1e-5)
    np.testing.assert_allclose(regularizers.gaussian(tf.constant(image[None]), 0.0)[0], image)


def first_step(amounts: dict[str, float]) -> Step:
    """The first of two steps, at which regularizers have these amounts."""
    ramps = {name: steps.ramp(amount) for name, amount in amounts.items()}
    return Step(tf.constant(0), tf.constant(2), steps.numbers(regularizers=ramps))


def regularized(name: str, amount: float, image: Image, gradient: Image | None = None) -> Image:
    apply = regularizers.REGULARIZERS[name](steps.amount(name))
    around = image if gradient is None else gradient
    step = first_step({name: amount})
    return apply(tf.constant(image[None]), tf.constant(around[None]), step).numpy()[0]


@pytest.mark.parametrize("name", regularizers.REGULARIZERS)
def test_every_regularizer_calms_a_picture_and_keeps_its_shape(name: str, photo: Image) -> None:
    calmed = regularized(name, {"median": 3, "blur": 1}.get(name, 0.05), photo)
    assert calmed.shape == photo.shape
    assert np.abs(calmed - photo).max() > 0
    rough, smooth = (np.abs(np.diff(x, axis=0)).mean() for x in (photo - 0.5, calmed - 0.5))
    assert smooth < rough or np.abs(calmed - 0.5).mean() < np.abs(photo - 0.5).mean()


@pytest.mark.parametrize("size", [3, 5, 7])
def test_the_median_is_scipys(size: int, photo: Image) -> None:
    theirs = ndimage.median_filter(photo, (size, size, 1), mode="nearest")
    np.testing.assert_allclose(regularized("median", size, photo), theirs, atol=1e-6)


def test_decay_goes_a_share_of_the_way(photo: Image) -> None:
    np.testing.assert_allclose(regularized("decay", 0.25, photo), photo * 0.75 + 0.125, atol=1e-6)


def test_the_clippings_turn_the_least_to_gray(photo: Image) -> None:
    gradient = np.random.default_rng(0).normal(size=photo.shape).astype(np.float32)
    worths = {
        "small_norm": np.linalg.norm(photo - 0.5, axis=-1),
        "small_contribution": np.abs(((photo - 0.5) * gradient).sum(-1)),
    }
    for name, worth in worths.items():
        for share in (0.0, 0.3, 0.999):
            clipped = regularized(name, share, photo, gradient)
            gray = (clipped == 0.5).all(-1) & (photo != 0.5).any(-1)
            assert abs(gray.mean() - share) < 0.005
            assert max(worth[gray], default=0) <= worth[~gray].min() + 1e-6
            np.testing.assert_array_equal(clipped[~gray], photo[~gray])


def test_each_picture_of_a_batch_is_clipped_for_itself(photo: Image) -> None:
    pictures = np.stack([photo, photo * 0.1 + 0.45])
    clip = regularizers.small_norm(steps.amount("small_norm"))
    step = first_step({"small_norm": 0.3})
    both = clip(tf.constant(pictures), tf.constant(pictures), step).numpy()
    for each, alone in zip(both, pictures, strict=True):
        np.testing.assert_array_equal(each, regularized("small_norm", 0.3, alone))


def test_total_variation_falls_and_edges_stay(photo: Image) -> None:
    edge = np.repeat(np.where(np.arange(40) < 20, 0.2, 0.8).astype(np.float32)[:, None], 30, 1)
    edge = np.dstack([edge] * 3)
    noisy = edge + np.random.default_rng(0).normal(0, 0.05, edge.shape).astype(np.float32)
    calm = noisy
    for _ in range(60):
        calm = regularized("total_variation", 0.005, calm)
    assert (calm - edge).std() < 0.7 * (noisy - edge).std()
    assert calm[25].mean() - calm[14].mean() > 0.5


def test_every_skips_an_octaves_last_step() -> None:
    halve = regularizers.every(3, lambda images, gradient, step: images / 2)
    one = tf.ones([1, 1, 1, 3])
    done = [
        float(halve(one, one, Step(tf.constant(i), tf.constant(9), steps.numbers()))[0, 0, 0, 0])
        < 1
        for i in range(9)
    ]
    assert [i for i, blurred in enumerate(done) if blurred] == [2, 5]
