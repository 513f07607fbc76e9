"""Dreams through several octaves."""

from typing import Any

import numpy as np
import pytest
from helpers import make

from dreamer.arrays import Image
from dreamer.ascent import octaves
from dreamer.ascent.multiscale import Octave, Passage, dream
from dreamer.imaging import finish


def passage(steps: int, carry: str) -> Passage:
    return Passage(steps, octaves.CARRIES[carry], "lanczos3", 0, 0, finish.leave_unchanged)


@pytest.mark.parametrize("name", octaves.CARRIES)
def test_a_dream_without_a_step_is_the_photo(name: str, tiny: Any, photo: Image) -> None:
    ascent = make(tiny, rate=0.0)
    plan = [Octave(size, ascent) for size in ((36, 48), (51, 68), (72, 96))]
    *_, last = dream(photo, plan, passage(1, name))
    if name == "plain":
        assert np.abs(last.picture() - photo).mean() < 0.1
    else:
        np.testing.assert_allclose(last.picture(), photo, atol=1e-5)


def test_small_octaves_leave_their_detail_on_the_full_photo(tiny: Any, photo: Image) -> None:
    plan = [Octave((36, 48), make(tiny))]
    states = list(dream(photo, plan, passage(3, "detail")))
    picture = states[-1].picture()
    assert picture.shape == photo.shape
    change = picture - photo
    assert change.std() > 0.01
    energy = np.abs(np.fft.fft2(change, axes=(0, 1))) ** 2
    frequency = np.maximum(*np.meshgrid(*map(np.abs, map(np.fft.fftfreq, (72, 96))), indexing="ij"))
    assert energy[frequency > 0.35].sum() < 0.02 * energy.sum()
    assert [s.done for s in states] == sorted(s.done for s in states)
    assert states[-1].done == 1
    assert states[-1].ends_octave
