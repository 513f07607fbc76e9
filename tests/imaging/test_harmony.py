"""Colors that belong to the photo, in Oklab."""

import numpy as np
import pytest

from dreamer.arrays import Image
from dreamer.imaging import oklab
from dreamer.imaging.harmony import KNEE, NARROWEST, harmonize


def painted(seed: int, mean: tuple[float, float], spread: tuple[float, float]) -> Image:
    """A picture whose a and b have a mean, and spreads along two turned axes."""
    random = np.random.default_rng(seed)
    turn = np.array([[0.8, -0.6], [0.6, 0.8]])
    colors = random.normal(size=(64, 96, 2)) * spread @ turn.T + mean
    light = random.uniform(0.45, 0.75, (64, 96, 1))
    return oklab.to_rgb(np.concatenate([light, colors], -1).astype(np.float32))


def test_known_colors_are_where_oklab_has_them() -> None:
    colors = np.float32([[[1, 1, 1], [1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0, 0]]])
    wanted = [
        [1, 0, 0],
        [0.62796, 0.22486, 0.12585],
        [0.86644, -0.23389, 0.17950],
        [0.45201, -0.03246, -0.31153],
        [0, 0, 0],
    ]
    np.testing.assert_allclose(oklab.from_rgb(colors)[0], wanted, atol=1e-4)
    np.testing.assert_allclose(oklab.to_rgb(oklab.from_rgb(colors)), colors, atol=1e-4)


def test_where_srgb_has_no_such_color_chroma_gives_way() -> None:
    lab = np.float32([[[0.7, 0.3, 0.1], [0.3, -0.2, 0.2], [0.95, 0.2, -0.2]]])
    back = oklab.from_rgb(oklab.to_rgb(lab))
    np.testing.assert_allclose(back[..., 0], lab[..., 0], atol=0.01)
    hue = [np.arctan2(each[..., 2], each[..., 1]) for each in (lab, back)]
    np.testing.assert_allclose(hue[0], hue[1], atol=0.08)
    assert (np.hypot(*np.moveaxis(back[..., 1:], -1, 0)) < 0.3).all()


def test_a_knee_leaves_soft_colors_and_keeps_others_from_the_limit() -> None:
    chroma = np.linspace(0, 0.2, 60, dtype=np.float32)
    lab = np.stack([np.full(60, 0.5, np.float32), chroma * 0.8, chroma * 0.6], -1)[None]
    hard, soft = oklab.to_rgb(lab), oklab.to_rgb(lab, 0.8)
    kept = np.hypot(*oklab.from_rgb(soft)[0, :, 1:].T)
    assert (np.diff(kept) > -1e-3).all()
    np.testing.assert_allclose(soft[0, :20], hard[0, :20], atol=1e-4)
    assert hard.min() < 1 / 255
    assert soft.min() > 1 / 255


def test_nothing_changes_by_none_of_it() -> None:
    dream, photo = painted(0, (0.05, -0.05), (0.1, 0.04)), painted(1, (-0.02, 0.04), (0.02, 0.02))
    same = oklab.to_rgb(oklab.from_rgb(dream), KNEE)
    np.testing.assert_allclose(harmonize(0)(dream, photo), same, atol=1e-4)
    soft = 0.5 + 0.3 * (dream - 0.5)
    np.testing.assert_allclose(harmonize(0)(soft, photo), soft, atol=1e-4)


def test_colors_get_the_mean_and_the_spread_of_the_photos() -> None:
    dream, photo = painted(0, (0.03, -0.03), (0.05, 0.02)), painted(1, (-0.02, 0.04), (0.03, 0.02))
    lab, own = (oklab.from_rgb(each)[..., 1:].reshape(-1, 2) for each in (dream, photo))
    made = oklab.from_rgb(harmonize(1)(dream, photo))[..., 1:].reshape(-1, 2)
    np.testing.assert_allclose(made.mean(0), own.mean(0), atol=0.002)
    np.testing.assert_allclose(np.cov(made.T), np.cov(own.T), rtol=0.1, atol=2e-5)
    half = oklab.from_rgb(harmonize(0.5)(dream, photo))[..., 1:].reshape(-1, 2)
    np.testing.assert_allclose(half.mean(0), (0.35 * lab.mean(0) + 0.65 * own.mean(0)), atol=0.003)


def test_lightness_stays() -> None:
    dream, photo = painted(0, (0.05, -0.05), (0.1, 0.04)), painted(1, (-0.1, 0.1), (0.05, 0.02))
    made = oklab.from_rgb(harmonize(0.4)(dream, photo))[..., 0]
    np.testing.assert_allclose(made, oklab.from_rgb(dream)[..., 0], atol=0.01)


def test_a_photo_of_one_hue_leaves_the_dream_others() -> None:
    dream, photo = painted(0, (0.0, 0.0), (0.05, 0.05)), painted(1, (0.05, 0.0), (0.05, 0.0))
    made = oklab.from_rgb(harmonize(1)(dream, photo))[..., 1:].reshape(-1, 2)
    spreads = np.sqrt(np.linalg.eigvalsh(np.cov(made.T)))
    assert spreads[0] / spreads[1] == pytest.approx(NARROWEST, rel=0.1)


def test_a_gray_photo_leaves_a_tint() -> None:
    dream = painted(0, (0.03, -0.03), (0.05, 0.02))
    gray = np.full_like(dream, 0.5)
    chroma = [
        np.hypot(*np.moveaxis(oklab.from_rgb(each)[..., 1:], -1, 0)).mean()
        for each in (harmonize(0.4)(dream, gray), dream)
    ]
    assert 0.3 < chroma[0] / chroma[1] < 0.8
