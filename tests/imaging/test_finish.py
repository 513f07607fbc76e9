"""Finishes: pure functions from a dream and its photo to a dream."""

import numpy as np
import pytest

from dreamer.arrays import Image
from dreamer.imaging import finish


@pytest.fixture
def dream(photo: Image) -> Image:
    rough = np.random.default_rng(5).normal(0, 0.1, photo.shape)
    return (photo + rough).clip(0, 1).astype(np.float32)


def test_opacity_runs_from_photo_to_dream(dream: Image, photo: Image) -> None:
    np.testing.assert_array_equal(finish.blend(0)(dream, photo), photo)
    np.testing.assert_allclose(finish.blend(1)(dream, photo), dream, atol=1e-6)
    half = finish.blend(0.5)(dream, photo)
    np.testing.assert_allclose(half, (dream + photo) / 2, atol=1e-6)


def test_the_photos_colors_can_be_kept(dream: Image, photo: Image) -> None:
    kept, wanted = finish.to_lab(finish.keep_colors(dream, photo)), finish.to_lab(photo)
    lightness = finish.to_lab(dream)[..., 0]
    # Some pairs of lightness and color are no screen color, and are clipped.
    assert np.median(np.abs(kept[..., 1:] - wanted[..., 1:])) < 0.5
    assert np.median(np.abs(kept[..., 0] - lightness)) < 0.5


def test_saturation_scales_chroma(dream: Image, photo: Image) -> None:
    np.testing.assert_allclose(finish.scale_saturation(1)(dream, photo), dream, atol=5e-3)
    gray = finish.scale_saturation(0)(dream, photo)
    assert np.ptp(gray, axis=-1).max() < 0.01


def test_a_palette_gives_its_colors(dream: Image, photo: Image) -> None:
    colors = ["#203060", "#4080c0", "#a0c0e0"]
    blue = finish.to_lab(finish.match_palette(colors)(dream, photo))
    swatch = np.array([[[0x40, 0x80, 0xC0]]], np.float32) / 255
    assert abs(blue[..., 2].mean() - finish.to_lab(swatch)[0, 0, 2]) < 20
    assert blue[..., 2].mean() < -10
    assert finish.to_lab(dream)[..., 2].mean() > blue[..., 2].mean() + 10


@pytest.mark.parametrize("wanted", [5, 12, 25])
def test_strength_is_the_color_change(wanted: float, dream: Image, photo: Image) -> None:
    assert (
        abs(finish.measure_color_change(finish.scale_change(wanted)(dream, photo), photo) - wanted)
        < 0.5
    )


def test_strength_of_no_dream_is_harmless(photo: Image) -> None:
    np.testing.assert_array_equal(finish.scale_change(20)(photo, photo), photo)
