"""What an eye is likely to choose."""

import numpy as np

from dreamer.arrays import Image
from dreamer.imaging.appeal import measure_appeal


def test_a_dream_that_shows_and_keeps_the_photos_color_comes_first(photo: Image) -> None:
    random = np.random.default_rng(0)
    motif = random.normal(size=(*photo.shape[:2], 1)).astype(np.float32)
    faint, clear = (photo + share * motif for share in (0.01, 0.08))
    cast = clear + np.float32([0.2, -0.1, 0.1])
    scores = [measure_appeal(each.clip(0, 1), photo) for each in (faint, clear, cast)]
    assert scores[1] > scores[0]
    assert scores[1] > scores[2]
    assert np.isfinite(measure_appeal(photo, photo))
