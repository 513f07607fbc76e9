"""What is drawn over a picture."""

import numpy as np

from dreamer.arrays import Image
from dreamer.imaging.overlay import draw_grid, draw_lines


def test_a_grid_crosses_the_whole_picture(photo: Image) -> None:
    drawn = draw_grid(photo)
    changed = (drawn != photo).any(-1)
    assert changed.any(0).all()
    assert changed.any(1).all()
    assert changed.mean() < 0.5


def test_lines_are_legible_on_any_picture(photo: Image) -> None:
    for picture in (photo, np.ones_like(photo), np.zeros_like(photo)):
        drawn = draw_lines(picture, ["birds 40%", "zoom 1.02"])
        assert drawn.shape == picture.shape
        assert drawn[:30].max() > 0.9
        assert np.percentile(drawn[:26], 20) < 0.5
        np.testing.assert_allclose(drawn[-20:], picture[-20:], atol=1 / 255)
