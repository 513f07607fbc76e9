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


@pytest.mark.parametrize(
    ("name", "init", "deviation"),
    [("filters-2016", "uniform", 20 / 12**0.5), ("filters-2017", "gaussian", 10)],
)
def test_twenty_steps_of_filters_are_those_of_the_articles(
    name: str, init: str, deviation: float
) -> None:
    wanted = presets.load(name).recipe
    own = wanted.visualization
    assert (wanted.steps, wanted.normalization, wanted.clip) == (20, "rms", False)
    # The gradient's length does not depend on the range of colors, and a step does.
    assert wanted.rate == pytest.approx(1 / 255)
    assert (own.init, own.init_spread) == (init, pytest.approx(deviation / 255, rel=1e-4))
    assert (own.shown, own.spread, own.parametrization) == ("normalized", 0.1, "pixels")


def test_a_unit_grows_under_a_blur_that_narrows() -> None:
    wanted = presets.load("filters-unit").recipe
    assert (wanted.blur, wanted.blur_end, wanted.blur_every) == (2.5, 0.78, 1)
    assert (wanted.normalization, wanted.rate) == ("mean-abs", pytest.approx(11 / 255))
    assert wanted.visualization.unit
    assert wanted.visualization.leaky == 0.01
