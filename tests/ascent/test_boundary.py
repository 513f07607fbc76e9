"""What lies beyond a picture's edges."""

import numpy as np
import pytest

from dreamer.arrays import Image
from dreamer.ascent import boundary


def seams(image: Image) -> list[float]:
    """How much the first row and column differ from the last, in usual differences."""
    jumps = []
    for axis in (0, 1):
        across = np.abs(np.diff(image, axis=axis, append=np.take(image, [0], axis)))
        rows = across.mean((1 - axis, 2))
        jumps.append(float(rows[-1] / np.median(rows)))
    return jumps


def test_a_photos_edges_are_made_to_meet(photo: Image) -> None:
    ramp = np.linspace(0.5, 1, 58, dtype=np.float32)[:, None, None]
    cropped = photo[5:-9, 7:-12] * ramp
    joined = boundary.make_periodic(cropped)
    assert min(seams(cropped)) > 2
    assert max(seams(joined)) < 1.5
    assert joined.mean() == pytest.approx(cropped.mean(), abs=0.01)
    fine = [np.diff(each[20:30, 20:40], axis=0) for each in (joined, cropped)]
    np.testing.assert_allclose(*fine, atol=0.03)
    np.testing.assert_array_equal(boundary.make_periodic(joined), joined)
