"""Masks: the dream where they are white, the photo where they are black, softly between."""

import numpy as np
import pytest

from dreamer.arrays import Image
from dreamer.imaging.masks import apply_mask


def half(photo: Image) -> np.ndarray:
    mask = np.zeros(photo.shape[:2], np.float32)
    mask[:, 50:] = 1
    return mask


def test_a_mask_keeps_the_photo_where_it_is_black(photo: Image) -> None:
    dream = 1 - photo
    masked = apply_mask(half(photo), 0)(dream, photo)
    np.testing.assert_array_equal(masked[:, :50], photo[:, :50])
    np.testing.assert_allclose(masked[:, 50:], dream[:, 50:], atol=1e-6)


def test_a_feathered_edge_runs_from_photo_to_dream(photo: Image) -> None:
    """A step blurred by a Gaussian is its integral: 16 % one standard deviation before it."""
    black, white = np.zeros_like(photo), np.ones_like(photo)
    sigma = 0.1 * min(photo.shape[:2])
    soft = apply_mask(half(photo), 0.1)(white, black)[20, :, 0]
    assert (np.diff(soft) >= -1e-6).all()
    assert np.interp(49.5 - sigma, np.arange(len(soft)), soft) == pytest.approx(0.16, abs=0.01)


def test_without_a_mask_the_dream_shows_everywhere(photo: Image) -> None:
    np.testing.assert_array_equal(apply_mask(None, 0.1)(1 - photo, photo), 1 - photo)
