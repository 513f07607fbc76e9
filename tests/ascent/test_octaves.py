"""Octaves: their sizes, and how pictures pass between them."""

from itertools import pairwise

import numpy as np
import pytest
import tensorflow as tf
from scipy import ndimage

from dreamer.arrays import Image
from dreamer.ascent import octaves
from dreamer.imaging import noise


def test_octaves_by_motif_depend_on_proportions_alone() -> None:
    small = octaves.plan_by_motif((400, 600), 100, (0.5, 0.1), 1.4)
    large = octaves.plan_by_motif((1200, 1800), 100, (0.5, 0.1), 1.4)
    assert large[: len(small)] == small
    assert large[0] == (200, 300)
    assert large[-1] == (1000, 1500)
    assert all(1.3 < b[0] / a[0] < 1.5 for a, b in pairwise(large))
    assert octaves.plan_by_motif((90, 120), 100, (0.5, 0.1), 1.4) == [(90, 120)]
    assert octaves.plan_by_motif((270, 360), 100, (0.5, 0.1), 1.4) == [(200, 267), (270, 360)]
    assert octaves.plan_by_motif((210, 280), 100, (0.5, 0.1), 1.4) == [(200, 267)]
    assert octaves.plan_by_motif((900, 1200), 100, (0.3, 0.3), 1.4) == [(333, 444)]


def test_a_small_picture_has_the_octaves_of_a_larger_one() -> None:
    larger = octaves.plan_by_motif((480, 640), 100, (0.5, 0.1), 1.4)
    assert octaves.plan_by_motif((240, 320), 100, (0.5, 0.1), 1.4, 480) == larger[:3]
    assert octaves.plan_by_motif((480, 640), 100, (0.5, 0.1), 1.4, 480) == larger
    # To twice its size at most; where not even that is enough, it stays as it is.
    assert octaves.plan_by_motif((90, 120), 100, (0.5, 0.1), 1.4, 480) == [(90, 120)]
    assert octaves.plan_by_motif((120, 160), 100, (0.5, 0.1), 1.4, 480) == [(200, 267)]


@pytest.mark.parametrize("size", [(31, 27), (101, 90)])
def test_zoom_is_scipys(size: tuple[int, int], photo: Image) -> None:
    theirs = ndimage.zoom(photo, (size[0] / 72, size[1] / 96, 1), order=1)
    ours = octaves.resize(tf.constant(photo[None]), size, "zoom")[0]
    np.testing.assert_allclose(ours, theirs, atol=1e-5)


def test_octaves_by_count_end_at_the_picture() -> None:
    assert octaves.plan_by_count((300, 451), 3, 1.4) == [(153, 230), (214, 322), (300, 451)]


@pytest.fixture(scope="module")
def large() -> Image:
    """A picture of 290 by 384 pixels that does not repeat."""
    return noise.draw_noise("fractal", (290, 384), 0)


def test_a_wrapped_picture_is_scaled_alike_wherever_it_begins(large: Image) -> None:
    picture = tf.constant(large[None])
    for size in ((435, 576), (145, 192)):
        straight = octaves.resize(picture, size, "wrapped")
        rolled = octaves.resize(tf.roll(picture, (58, 128), (1, 2)), size, "wrapped")
        shift = (58 * size[0] // 290, 128 * size[1] // 384)
        np.testing.assert_allclose(rolled, tf.roll(straight, shift, (1, 2)), atol=1e-4)
        inner = octaves.resize(picture, size, "lanczos3")[:, 9:-9, 9:-9]
        np.testing.assert_allclose(straight[:, 9:-9, 9:-9], inner, atol=1e-4)
