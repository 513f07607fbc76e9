"""Pictures get the contrast and the color of photos."""

import numpy as np
import pytest

from dreamer.arrays import Image
from dreamer.imaging import oklab
from dreamer.imaging.develop import CHROMA, DARKEST, LIGHTEST, MIDDLE, STRONGEST, develop


def pale(spread: float, middle: float) -> Image:
    """A picture whose lightness has a spread, and whose colors are weak."""
    random = np.random.default_rng(2)
    light = random.normal(middle, spread, (64, 96, 1)).clip(0, 1)
    colors = random.normal(0, 0.02, (64, 96, 2))
    return oklab.to_rgb(np.concatenate([light, colors], -1).astype(np.float32))


@pytest.mark.parametrize(("spread", "middle"), [(0.08, 0.55), (0.06, 0.8), (0.1, 0.3)])
def test_lightness_reaches_from_dark_to_light(spread: float, middle: float) -> None:
    light = oklab.from_rgb(develop(pale(spread, middle)))[..., 0]
    assert DARKEST - 0.01 <= light.min() < light.max() <= LIGHTEST + 0.01
    assert MIDDLE[0] - 0.01 <= np.median(light) <= MIDDLE[1] + 0.01
    assert light.std() > 1.5 * spread


def test_contrast_has_a_limit_and_chroma_follows_it() -> None:
    image = pale(0.01, 0.57)
    before, after = oklab.from_rgb(image), oklab.from_rgb(develop(image))
    assert after[..., 0].std() / before[..., 0].std() == pytest.approx(STRONGEST, rel=0.02)
    chroma = [np.hypot(each[..., 1], each[..., 2]).mean() for each in (before, after)]
    assert chroma[1] / chroma[0] == pytest.approx(CHROMA * STRONGEST**0.5, rel=0.03)
    hue = [np.arctan2(each[..., 2], each[..., 1]) for each in (before, after)]
    turned = np.angle(np.exp(1j * (hue[1] - hue[0])))
    assert np.abs(turned).mean() < 0.02


def test_what_is_dark_stays_darker_than_what_is_light() -> None:
    means = [
        np.median(oklab.from_rgb(develop(pale(0.05, each)))[..., 0]) for each in (0.3, 0.57, 0.8)
    ]
    assert means == sorted(means)
    assert means[2] - means[0] > 0.1
