"""Palettes are obeyed."""

from collections.abc import Sequence

import cv2
import numpy as np
import pytest

from dreamer.arrays import Image
from dreamer.imaging import finish, oklab, palettes

NIGHT = ("#0b1033", "#e0447c", "#ffd26b")
SETS = [NIGHT, ("#203040", "#f0e0d0"), ("#401010", "#802020", "#10a040", "#f0f0a0", "#2040c0")]


@pytest.fixture
def neon() -> Image:
    """A picture of all hues and of all lightness."""
    random = np.random.default_rng(4).random((9, 12, 3)).astype(np.float32)
    return np.asarray(cv2.resize(random, (144, 108), interpolation=cv2.INTER_CUBIC)).clip(0, 1)


def measure_hull(image: Image, codes: Sequence[str]) -> float:
    """The share of pixels within ΔE 12 of the hull of a palette, in CIELAB."""
    swatches = finish.parse_swatches(codes)
    pixels = finish.to_lab(image).reshape(-1, 3)[::7] / 100
    nearest = palettes._find_nearest(pixels, swatches / 100)
    return float((np.linalg.norm(pixels - nearest, axis=-1) < 0.12).mean())


@pytest.mark.parametrize("style", ["map", "poster"])
@pytest.mark.parametrize("codes", SETS)
def test_colors_stay_in_the_hull_and_each_is_seen(
    style: str, codes: Sequence[str], neon: Image
) -> None:
    made = palettes.STYLES[style](codes)(neon, neon)
    assert measure_hull(made, codes) >= 0.95 > measure_hull(neon, codes)
    pixels = finish.to_lab(made).reshape(-1, 3)
    for swatch in finish.parse_swatches(codes):
        assert (np.linalg.norm(pixels - swatch, axis=1) < 15).mean() >= 0.03


def test_a_mapped_picture_keeps_its_order_of_lightness(neon: Image) -> None:
    mapped = palettes.map_colors(NIGHT)(neon, neon)
    before, after = (oklab.from_rgb(each)[..., 0].ravel() for each in (neon, mapped))
    assert np.corrcoef(before.argsort().argsort(), after.argsort().argsort())[0, 1] > 0.95


def test_a_photos_palette_stands_for_its_mean_and_covariance(neon: Image) -> None:
    muted = oklab.from_rgb(neon)
    muted[..., 1:] = muted[..., 1:] * 0.4 + (0.03, -0.02)
    photo = oklab.to_rgb(muted)
    codes = palettes.describe_photo(photo)
    assert len(set(codes)) == 5
    own = oklab.from_rgb(photo)[..., 1:].reshape(-1, 2)
    points = palettes.parse(codes)[:, 1:]
    np.testing.assert_allclose(points.mean(0), own.mean(0), atol=0.003)
    spreads = (np.cov(each.T, bias=True) for each in (points, own))
    np.testing.assert_allclose(*spreads, atol=2e-4)
    made = palettes.match_covariance(codes)(neon, neon)
    colors = oklab.from_rgb(made)[..., 1:].reshape(-1, 2)
    np.testing.assert_allclose(colors.mean(0), own.mean(0), atol=0.01)


@pytest.mark.parametrize("codes", [("#804020",), ("#804020", "#804020"), ("#000000", "#ffffff")])
@pytest.mark.parametrize("style", palettes.STYLES)
def test_palettes_of_little_work_too(style: str, codes: Sequence[str], neon: Image) -> None:
    made = palettes.STYLES[style](codes)(neon, neon)
    assert np.isfinite(made).all()
    assert 0 <= made.min() <= made.max() <= 1


def test_the_nearest_point_of_a_hull_is_found() -> None:
    colors = np.float32([[0, 0, 0], [1, 0, 0], [0, 1, 0]])
    points = np.array([[0.2, 0.2, 0.5], [2.0, -1.0, 0.0], [0.5, 0.5, 0.0], [-1.0, -1.0, 3.0]])
    wanted = [[0.2, 0.2, 0], [1, 0, 0], [0.5, 0.5, 0], [0, 0, 0]]
    np.testing.assert_allclose(palettes._find_nearest(points, colors), wanted, atol=1e-4)
