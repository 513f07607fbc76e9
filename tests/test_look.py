"""Looks: pure functions from a dream and its photo to a dream."""

import numpy as np
import pytest

from dreamer.arrays import Image
from dreamer.ascent import look


@pytest.fixture
def dream(photo: Image) -> Image:
    rough = np.random.default_rng(5).normal(0, 0.1, photo.shape)
    return (photo + rough).clip(0, 1).astype(np.float32)


def test_opacity_runs_from_photo_to_dream(dream: Image, photo: Image) -> None:
    np.testing.assert_array_equal(look.opacity(0)(dream, photo), photo)
    np.testing.assert_allclose(look.opacity(1)(dream, photo), dream, atol=1e-6)
    half = look.opacity(0.5)(dream, photo)
    np.testing.assert_allclose(half, (dream + photo) / 2, atol=1e-6)


def test_a_mask_keeps_the_photo_where_it_is_black(dream: Image, photo: Image) -> None:
    mask = np.zeros(photo.shape[:2], np.float32)
    mask[:, 50:] = 1
    masked = look.masked(mask)(dream, photo)
    np.testing.assert_array_equal(masked[:, :50], photo[:, :50])
    np.testing.assert_allclose(masked[:, 50:], dream[:, 50:], atol=1e-6)


def test_the_photos_colours_can_be_kept(dream: Image, photo: Image) -> None:
    kept, wanted = look.to_lab(look.keep_colours(dream, photo)), look.to_lab(photo)
    lightness = look.to_lab(dream)[..., 0]
    # Some pairs of lightness and colour are no screen colour, and are clipped.
    assert np.median(np.abs(kept[..., 1:] - wanted[..., 1:])) < 0.5
    assert np.median(np.abs(kept[..., 0] - lightness)) < 0.5


def test_saturation_scales_chroma(dream: Image, photo: Image) -> None:
    np.testing.assert_allclose(look.saturation(1)(dream, photo), dream, atol=5e-3)
    grey = look.saturation(0)(dream, photo)
    assert np.ptp(grey, axis=-1).max() < 0.01


def test_a_palette_gives_its_colours(dream: Image, photo: Image) -> None:
    colours = ["#203060", "#4080c0", "#a0c0e0"]
    blue = look.to_lab(look.palette(colours)(dream, photo))
    swatch = np.array([[[0x40, 0x80, 0xC0]]], np.float32) / 255
    assert abs(blue[..., 2].mean() - look.to_lab(swatch)[0, 0, 2]) < 20
    assert blue[..., 2].mean() < -10
    assert look.to_lab(dream)[..., 2].mean() > blue[..., 2].mean() + 10


def test_main_colours_are_found_and_repeat() -> None:
    image = np.zeros((60, 90, 3), np.float32)
    image[:, :30], image[:, 30:60], image[:, 60:] = (1, 0, 0), (0, 0.6, 0), (0, 0, 1)
    found = look.main_colours(image, 3)
    assert set(found) == {"#ff0000", "#009900", "#0000ff"}
    assert look.main_colours(image, 3) == found


@pytest.mark.parametrize("wanted", [5, 12, 25])
def test_strength_is_the_colour_change(wanted: float, dream: Image, photo: Image) -> None:
    assert abs(look.colour_change(look.strength(wanted)(dream, photo), photo) - wanted) < 0.5


def test_strength_of_no_dream_is_harmless(photo: Image) -> None:
    np.testing.assert_array_equal(look.strength(20)(photo, photo), photo)
