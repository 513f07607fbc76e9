"""Tiles: nothing shows how a picture is cut."""

from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from helpers import make
from hypothesis import given, settings
from hypothesis import strategies as st

from dreamer.arrays import Image
from dreamer.ascent import objectives
from dreamer.ascent.ascent import octave_seed
from dreamer.ascent.tiling import GRID, Tiles
from dreamer.imaging import noise

SEED = octave_seed(1, 0, 0)


def slope(net: Any, image: Image, tiles: Tiles | None, reduction: str) -> Any:
    """Score, gradient and strengths of one picture, as a step takes them."""
    ascent = make(net, objective=objectives.layer("mixed", reduction=reduction), tiles=tiles)
    run = tf.function(ascent.value_and_gradient)
    found = run(tf.constant(image[None]), SEED, ascent.numbers)
    return float(found[0][0]), found[1].numpy()[0], found[2]["mixed"].numpy()[0]


def cosine(a: Image, b: Image) -> float:
    return float((a * b).sum() / np.sqrt((a**2).sum() * (b**2).sum()))


@pytest.fixture(scope="module")
def large() -> Image:
    """A picture of 290 by 384 pixels that does not repeat."""
    return noise.draw_noise("fractal", (290, 384), 0)


@pytest.mark.parametrize("wrap", [False, True])
@pytest.mark.parametrize("reduction", ["mean-square", "sum"])
def test_tiles_give_the_whole_gradient(reduction: str, wrap: bool, tiny: Any, large: Image) -> None:
    cut, whole = (
        slope(tiny, large, Tiles(side, GRID, wrap, reduction == "sum"), reduction)
        for side in (160, None)
    )
    assert cosine(cut[1], whole[1]) > 0.999
    assert np.linalg.norm(cut[1]) == pytest.approx(np.linalg.norm(whole[1]), rel=0.01)
    assert cut[0] == pytest.approx(whole[0], rel=0.05)
    assert np.corrcoef(cut[2], whole[2])[0, 1] > 0.99


def test_a_picture_in_tiles_is_dreamt_up_to_its_last_row(tiny: Any, large: Image) -> None:
    plain = slope(tiny, large, None, "mean-square")
    cut = slope(tiny, large, Tiles(160, GRID), "mean-square")
    assert cut[1].shape == plain[1].shape
    assert cut[0] == pytest.approx(plain[0], rel=0.05)
    inner = np.abs(cut[1][32:-32, 32:-32]).mean()
    for border in (cut[1][:8], cut[1][-8:], cut[1][:, :8], cut[1][:, -8:]):
        assert np.abs(border).mean() == pytest.approx(inner, rel=0.3)


@settings(max_examples=8, deadline=None, derandomize=True, database=None)
@given(st.integers(5, 9), st.integers(5, 9), st.sampled_from([128, 160, 224]), st.integers(0, 99))
def test_a_pattern_of_any_size_is_the_whole_of_its_tiles(
    slopes: Any, rows: int, columns: int, side: int, seed: int
) -> None:
    image = noise.draw_noise("fractal", (rows * GRID, columns * GRID), seed)
    cut, whole = (slopes(tile, image, octave_seed(seed, 0, 0)) for tile in (side, None))
    assert cosine(cut, whole) > 0.9999
    assert np.linalg.norm(cut) == pytest.approx(np.linalg.norm(whole), rel=1e-3)


@pytest.fixture(scope="module")
def slopes(tiny: Any) -> Any:
    """The gradient on a seamless picture of any size, traced once for each side of its tiles."""
    runs: dict[int | None, Any] = {}

    def run(side: int | None, image: Image, seed: tf.Tensor) -> Image:
        if side not in runs:
            ascent = make(tiny, tiles=Tiles(side, GRID, wrap=True))
            spec = tf.TensorSpec([1, None, None, 3])
            runs[side] = tf.function(
                lambda images, seed: ascent.value_and_gradient(images, seed, ascent.numbers)[1],
                input_signature=[spec, tf.TensorSpec([2], tf.int32)],
            )
        return runs[side](tf.constant(image[None]), seed).numpy()[0]

    return run
