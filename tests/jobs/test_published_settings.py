"""Presets in the units of this engine."""

import pytest

from dreamer.jobs import presets

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


TENCE = {
    "class-median": (8000, 5, 4),
    "filters-raw-edges": (1, 0, 4),
    "filters-raw-strokes": (2, 3, 12),
    "filters-raw-textures": (6, 3, 6),
    "filters-raw-patterns": (10, 3, 6),
    "filters-raw-parts": (40, 5, 4),
    "filters-raw-things": (80, 5, 4),
}
"""Fabien Tencé's learning rates for VGG16, on pictures of 0 to 255, and his median filters."""


@pytest.mark.parametrize("name", TENCE)
def test_published_settings_are_in_this_engine_s_units(name: str) -> None:
    wanted = presets.load(name).recipe
    rate, median, every = TENCE[name]
    assert (wanted.median, wanted.median_every) == (median, every)
    # Both the picture and its gradient are with respect to colors of 0 to 1 here.
    assert wanted.rate == pytest.approx(rate / 255**2, rel=1e-9)
    assert (wanted.normalization, wanted.optimizer, wanted.clip) == ("none", "ascent", True)
    assert wanted.visualization.init == "gaussian"
    assert wanted.visualization.init_spread == pytest.approx(10 / 255)
    assert wanted.visualization.parametrization == "pixels"
    assert wanted.steps == (1000 if name.startswith("class") else 200)
