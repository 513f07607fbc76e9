"""Normalizations of the gradient: properties over the table, and the pyramid."""

import numpy as np
import pytest
import tensorflow as tf
from scipy import ndimage

from dreamer.ascent import normalizations
from dreamer.ascent.steps import Step, numbers


@pytest.mark.parametrize("name", normalizations.NORMALIZATIONS)
def test_every_normalization_keeps_shape_direction_and_pictures_apart(name: str) -> None:
    normalize = normalizations.NORMALIZATIONS[name]
    gradient = np.random.default_rng(2).normal(size=(2, 37, 50, 3)).astype(np.float32)
    gradient[1] *= 100
    both = normalize(tf.constant(gradient)).numpy()
    assert both.shape == gradient.shape
    assert np.isfinite(both).all()
    assert np.sum(both * gradient) > 0
    alone = normalize(tf.constant(gradient[1:])).numpy()
    np.testing.assert_allclose(both[1:], alone, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("name", [n for n in normalizations.NORMALIZATIONS if n != "none"])
def test_a_normalization_forgets_the_gradients_length(name: str) -> None:
    gradient = np.random.default_rng(2).normal(size=(1, 40, 40, 3)).astype(np.float32)
    normalize = normalizations.NORMALIZATIONS[name]
    once, thrice = normalize(tf.constant(gradient)), normalize(tf.constant(3 * gradient))
    np.testing.assert_allclose(once, thrice, rtol=1e-4, atol=1e-5)


def test_a_vanishing_gradient_stays_finite() -> None:
    for name, normalize in normalizations.NORMALIZATIONS.items():
        assert np.isfinite(normalize(tf.zeros([1, 33, 20, 3]))).all(), name


@pytest.mark.parametrize("size", [(33, 20), (16, 16), (5, 7), (64, 47)])
def test_the_pyramid_keeps_sizes_and_flat_pictures(size: tuple[int, int]) -> None:
    picture = tf.random.stateless_normal([2, *size, 3], [1, 2])
    low = normalizations._halve(picture)
    assert low.shape[1:3] == ((size[0] + 1) // 2, (size[1] + 1) // 2)
    flat = normalizations._double(normalizations._halve(tf.ones_like(picture)), picture)
    np.testing.assert_allclose(flat, tf.ones_like(picture), atol=1e-5)


def test_laplacian_normalization_brings_every_scale_to_the_same_strength() -> None:
    random = np.random.default_rng(0)
    coarse = ndimage.gaussian_filter(random.normal(size=(128, 128, 3)), (8, 8, 0))
    fine = random.normal(size=(128, 128, 3))
    gradient = tf.constant((coarse / coarse.std() + 0.1 * fine)[None].astype(np.float32))
    flat = normalizations.NORMALIZATIONS["laplacian"](gradient).numpy()[0]

    def share(image: np.ndarray, sigma: float) -> float:
        return float((ndimage.gaussian_filter(image, (sigma, sigma, 0)).var()) / image.var())

    assert share(gradient[0].numpy(), 1) > 0.95
    assert 0.5 < share(flat, 1) < 0.9
    assert 0.5 < flat.std() < 1.5


def test_the_cascade_is_the_mean_of_three_blurs() -> None:
    gradient = np.random.default_rng(0).normal(size=(40, 50, 3)).astype(np.float32)
    ours = normalizations.blur_cascade(0.5)(
        tf.constant(gradient[None]), Step(tf.constant(4), tf.constant(10), numbers())
    )
    blurs = [ndimage.gaussian_filter(gradient, (s, s, 0), truncate=4) for s in (0.75, 1.5, 3)]
    np.testing.assert_allclose(ours[0], np.mean(blurs, 0), atol=3e-3)


def test_fine_detail_and_its_color_can_weigh_less() -> None:
    gradient = tf.random.stateless_normal([2, 96, 128, 3], [1, 2])
    whole = normalizations.NORMALIZATIONS["laplacian"](gradient)
    less = normalizations.weighted_laplacian(0.4, 0.07)(gradient)
    np.testing.assert_allclose(np.sqrt((less.numpy() ** 2).mean((1, 2, 3))), 1, atol=1e-3)

    def bands(image: tf.Tensor) -> list[tuple[float, float]]:
        """The spread of luma and of chroma in each octave of frequency, the finest first."""
        found = []
        for _ in range(3):
            low = normalizations._halve(image)
            band = (image - normalizations._double(low, image)).numpy()
            luma = band @ np.float32([0.2126, 0.7152, 0.0722])
            found.append((luma.std(), (band - luma[..., None]).std()))
            image = low
        return found

    ratios = np.array(bands(less)) / np.array(bands(whole))
    luma, chroma = (ratios / ratios[2, 0]).T
    # Bands overlap, and what is next to a weak one leaks into it.
    np.testing.assert_allclose(luma, (0.58, 0.85, 1), atol=0.03)
    np.testing.assert_allclose(chroma, (0.17, 0.45, 0.68), atol=0.03)
    same = normalizations.weighted_laplacian(1, 1)(gradient)
    assert np.corrcoef(same.numpy().ravel(), whole.numpy().ravel())[0, 1] > 0.9999
