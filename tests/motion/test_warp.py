"""A warp that feedback can repeat."""

import math

import cv2
import numpy as np
import pytest
from numpy.testing import assert_allclose
from numpy.typing import NDArray

from dreamer.arrays import Image
from dreamer.motion import splines
from dreamer.motion.homographies import pan, rotation, tilt, zoom
from dreamer.motion.warp import BORDERS, Still, warp

SIZE = (72, 96)
MIDDLE = (48.0, 36.0)
MATRICES = {
    "zoom": zoom(1.03, MIDDLE),
    "zoom out": zoom(0.97, MIDDLE),
    "pan": pan(0.3, -1.6),
    "turn": rotation(2, MIDDLE),
    "tilt": tilt(2, -3, 60, SIZE),
    "all": tilt(1, 2, 50, SIZE) @ rotation(-4, MIDDLE) @ zoom(1.1, (20, 30)) @ pan(2, 1),
}


def wave(x: NDArray[np.float64], y: NDArray[np.float64]) -> Image:
    """A smooth picture, known at every place."""
    colors = [0.5 + 0.2 * np.cos(0.9 * x + p) + 0.2 * np.sin(0.3 * x - 0.8 * y) for p in range(3)]
    return np.stack(colors, -1).astype(np.float32)


def centers() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    x, y = np.meshgrid(np.arange(96) + 0.5, np.arange(72) + 0.5)
    return x, y


@pytest.mark.parametrize("name", MATRICES)
def test_a_known_picture_is_moved_to_its_place(name: str) -> None:
    x, y = centers()
    inverse = np.linalg.inv(MATRICES[name])
    from_x, from_y, depth = np.einsum("ij,jhw->ihw", inverse, np.stack([x, y, np.ones_like(x)]))
    wanted = wave(from_x / depth, from_y / depth)
    moved = warp(wave(x, y), MATRICES[name], "reflect")
    assert moved.dtype == np.float32
    inner = (slice(12, -12), slice(12, -12))
    assert_allclose(moved[inner], wanted[inner], atol=1e-3)


@pytest.mark.parametrize("turn", [0, 1e-5])
def test_a_hundredth_of_a_pixel_is_moved(turn: float) -> None:
    x, _ = centers()
    slope = np.repeat(x[..., None], 3, -1).astype(np.float32) / 128
    moved = warp(slope, pan(1 / 128, 0) @ rotation(turn, MIDDLE), "replicate")
    way = (slope - moved)[10:-10, 10:-10] * 128
    assert_allclose(way.mean(), 1 / 128, rtol=0.02)
    assert_allclose(way, 1 / 128, atol=3e-4)


def test_zoom_and_pan_agree_with_the_general_way(photo: Image) -> None:
    matrix = zoom(1.07, (30, 50)) @ pan(0.4, -3.3)
    close = matrix @ rotation(1e-6, MIDDLE)
    assert_allclose(warp(photo, close, "reflect"), warp(photo, matrix, "reflect"), atol=2e-4)


def sharpness(image: Image) -> float:
    return float(np.hypot(*np.gradient(image.mean(-1))).mean())


@pytest.mark.parametrize("kind", ["pan", "turn", "zoom"])
def test_feedback_neither_blurs_nor_rings(photo: Image, kind: str) -> None:
    random = np.random.default_rng(5)
    make = {
        "pan": lambda r: pan(*(r * 3)),
        "turn": lambda r: rotation(r[0] * 2, MIDDLE),
        "zoom": lambda r: zoom(math.exp(r[0] * 0.02), MIDDLE),
    }[kind]
    steps = [make(r) for r in random.uniform(-1, 1, (150, 2))]
    picture = photo
    for matrix in steps + [np.linalg.inv(matrix) for matrix in reversed(steps)]:
        picture = warp(picture, matrix, "wrap" if kind == "pan" else "reflect")
    inner = (slice(12, -12), slice(16, -16))
    # Noise up to the finest pixels is the hardest case: cubic remaps explode, linear ones keep 0.3.
    assert 0.8 < sharpness(picture[inner]) / sharpness(photo[inner]) < 1.02
    assert np.sqrt(np.mean((picture[inner] - photo[inner]) ** 2)) < 0.4 * photo.std()


def test_no_frequency_is_amplified() -> None:
    frequency = np.fft.rfftfreq(512)
    taps = np.arange(1 - splines.REACH, splines.REACH + 1)
    kernel = splines.prefilter(0.0).astype(np.float64)
    reach = np.arange(len(kernel)) - len(kernel) // 2
    coefficients = np.exp(-2j * np.pi * np.outer(frequency, reach)) @ kernel
    for shift in np.linspace(0, 1, 17):
        values = np.exp(2j * np.pi * np.outer(frequency, taps)) @ splines.basis(shift - taps)
        assert abs(values * coefficients).max() < 1 + 1e-6


@pytest.mark.parametrize("border", BORDERS)
@pytest.mark.parametrize("name", MATRICES)
def test_a_plain_picture_stays_plain(name: str, border: str) -> None:
    plain = np.full((*SIZE, 3), (0.2, 0.5, 0.9), np.float32)
    moved = warp(plain, MATRICES[name], border, plain.__getitem__)
    assert_allclose(moved, plain, atol=1e-5)


PADS = {"reflect": "symmetric", "wrap": "wrap", "replicate": "edge"}


@pytest.mark.parametrize("border", PADS)
@pytest.mark.parametrize(("right", "down"), [(7, -5), (60, 40), (-130, 0)])
@pytest.mark.parametrize("turn", [0, 180])
def test_beyond_the_edge(photo: Image, border: str, right: int, down: int, turn: float) -> None:
    widths = ((80, 80), (140, 140), (0, 0))
    wide = np.pad(photo, widths, PADS[border])  # type: ignore[call-overload]
    wanted = wide[80 - down : 152 - down, 140 - right : 236 - right]
    moved = warp(photo, rotation(turn, MIDDLE) @ pan(right, down), border)
    assert_allclose(moved, wanted[::-1, ::-1] if turn else wanted, atol=5e-3)


def test_the_photo_shows_behind_the_picture(photo: Image) -> None:
    behind = photo[::-1]
    moved = warp(photo, pan(20, 0) @ rotation(1e-9, MIDDLE), "photo", behind.__getitem__)
    assert_allclose(moved[:, :19], behind[:, :19], atol=1e-6)
    assert_allclose(moved[1:-1, 22:], photo[1:-1, 2:-20], atol=5e-3)


@pytest.mark.parametrize("name", MATRICES)
def test_a_still_picture_is_moved_where_it_is_seen(photo: Image, name: str) -> None:
    wanted = np.random.default_rng(1).random(SIZE) < 0.1
    found = Still(photo).moved(MATRICES[name])
    assert_allclose(found(wanted), warp(photo, MATRICES[name], "reflect")[wanted], atol=5e-3)
    assert found(np.zeros(SIZE, bool)).shape == (0, 3)


@pytest.mark.parametrize("turn", [0, 1])
def test_a_shrinking_picture_does_not_alias(turn: float) -> None:
    x, _ = centers()
    stripes = np.repeat(0.5 + 0.5 * np.cos(2 * np.pi * 0.45 * x)[..., None], 3, -1)
    small = warp(stripes.astype(np.float32), zoom(0.5, MIDDLE) @ rotation(turn, MIDDLE), "wrap")
    assert_allclose(small[24:-24, 30:-30], 0.5, atol=0.05)


@pytest.mark.parametrize("size", [(16, 16), (17, 131), (130, 19)])
@pytest.mark.parametrize("border", BORDERS)
def test_any_size_gives_finite_pixels_and_the_same_again(
    size: tuple[int, int], border: str
) -> None:
    picture = np.random.default_rng(0).random((*size, 3), np.float32)
    middle = size[1] / 2, size[0] / 2
    for matrix in (zoom(0.02, middle), zoom(60, middle), tilt(70, 60, 120, size), pan(1e4, 1e4)):
        behind = Still(picture).moved(matrix)
        moved = warp(picture, matrix, border, behind)
        assert moved.shape == picture.shape
        assert np.isfinite(moved).all()
        assert -0.5 < moved.min() <= moved.max() < 1.5
        assert np.array_equal(moved, warp(picture, matrix, border, behind))


def test_the_number_of_threads_changes_nothing(photo: Image) -> None:
    picture = np.tile(photo, (3, 2, 1))
    before = cv2.getNumThreads()
    try:
        moved = []
        for threads in (1, 4):
            cv2.setNumThreads(threads)
            moved.append([warp(picture, MATRICES[name], "reflect") for name in MATRICES])
    finally:
        cv2.setNumThreads(before)
    assert all(np.array_equal(a, b) for a, b in zip(*moved, strict=True))
