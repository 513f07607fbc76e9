"""Motion: what moves where, the same at every frame rate, and a warp that feedback can repeat."""

import math
from functools import reduce

import cv2
import numpy as np
import pytest
from numpy.testing import assert_allclose
from numpy.typing import NDArray

from dreamer.arrays import Image
from dreamer.motion import splines
from dreamer.motion.matrices import Matrix, pan, rotation, tilt, zoom
from dreamer.motion.paths import MOTIONS, Step, repeated, step
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


def place(matrix: Matrix, x: float, y: float) -> tuple[float, float]:
    moved = matrix @ (x, y, 1)
    return moved[0] / moved[2], moved[1] / moved[2]


def product(matrices: list[Matrix]) -> Matrix:
    return reduce(lambda before, after: after @ before, matrices)


def test_where_points_go() -> None:
    assert place(zoom(2, (10, 20)), 11, 22) == pytest.approx((12, 24))
    assert place(rotation(90, (10, 20)), 15, 20) == pytest.approx((10, 15))
    assert place(pan(3, -4), 1, 2) == pytest.approx((4, -2))
    assert place(tilt(5, 7, 60, SIZE), *MIDDLE) == pytest.approx(MIDDLE)
    # The eye sees a corner under half the field of view, whose depth the tilt has not changed.
    distance = 60 / math.tan(math.radians(30))
    assert place(tilt(0, 10, 60, SIZE), 58, 36)[0] - 48 == pytest.approx(
        10 * math.cos(math.radians(10)) * distance / (distance + 10 * math.sin(math.radians(10)))
    )
    top = [place(tilt(5, 0, 60, SIZE), x, 0)[0] for x in (0, 96)]
    bottom = [place(tilt(5, 0, 60, SIZE), x, 72)[0] for x in (0, 96)]
    assert top[1] - top[0] < 96 < bottom[1] - bottom[0]


@pytest.mark.parametrize("name", MOTIONS)
def test_another_frame_rate_is_at_the_same_place_at_the_same_second(name: str) -> None:
    ways = [
        product(
            [step(MOTIONS[name], i / fps, (i + 1) / fps, SIZE) for i in range(round(2.6 * fps))]
        )
        for fps in (15, 30, 60)
    ]
    assert_allclose(ways[1], ways[0], rtol=1e-9, atol=1e-9)
    assert_allclose(ways[2], ways[0], rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", MOTIONS)
@pytest.mark.parametrize("frames", [20, 100, 377])
def test_a_loop_closes(name: str, frames: int) -> None:
    motion, fps = MOTIONS[name], 25
    steps = [step(motion, i / fps, (i + 1) / fps, SIZE, frames / fps) for i in range(frames)]
    around = step(motion, frames / fps, (frames + 1) / fps, SIZE, frames / fps)
    assert_allclose(around, steps[0], atol=1e-9)
    seconds = frames / fps
    whole = rotation(motion.turn * seconds, MIDDLE) @ zoom(motion.zoom**seconds, MIDDLE)
    assert_allclose(product(steps) / whole[0, 0], whole / whole[0, 0], atol=1e-9)


@pytest.mark.parametrize("period", [None, 1.0, 4.0, 30.0])
@pytest.mark.parametrize("name", MOTIONS)
def test_named_motions_are_gentle_and_never_rest(name: str, period: float | None) -> None:
    for second in np.arange(0, 30, 0.7):
        matrix = step(MOTIONS[name], second, second + 1 / 30, SIZE, period)
        corners = [(0, 0), (96, 0), (0, 72), (96, 72)]
        ways = [math.dist(place(matrix, *corner), corner) for corner in corners]
        if name == "still":
            assert max(ways) == pytest.approx(0, abs=1e-12)
        else:
            assert 0.0001 < max(ways) / math.hypot(*SIZE) * 30 < 0.45


@pytest.mark.parametrize(
    "asked",
    [
        Step(),
        Step(zoom=1.04),
        Step(angle=-3),
        Step(pan=(0.01, 0.02)),
        Step(zoom=1.04, angle=2, pan=(-0.01, 0.02), centre=(0.3, 0.6)),
        Step(zoom=0.9, angle=90, pan=(0.1, 0)),
    ],
)
def test_a_step_can_be_parted(asked: Step) -> None:
    whole = repeated(asked, 1, SIZE)
    centre = asked.centre[0] * 96, asked.centre[1] * 72
    # Deforum moves first, and turns and zooms then.
    moved = pan(asked.pan[0] * 96, asked.pan[1] * 72)
    assert_allclose(
        whole, zoom(asked.zoom, centre) @ rotation(asked.angle, centre) @ moved, atol=1e-9
    )
    for parts in (2, 7):
        part = repeated(asked, 1 / parts, SIZE)
        assert_allclose(np.linalg.matrix_power(part, parts), whole, atol=1e-9)
    assert_allclose(repeated(asked, 3, SIZE), np.linalg.matrix_power(whole, 3), atol=1e-9)


def test_a_tilt_can_nearly_be_parted() -> None:
    asked = Step(zoom=1.02, tilt=(0.3, -0.4))
    part = repeated(asked, 0.5, SIZE)
    assert_allclose(part @ part, repeated(asked, 1, SIZE), atol=3e-3)


def wave(x: NDArray[np.float64], y: NDArray[np.float64]) -> Image:
    """A smooth picture, known at every place."""
    colours = [0.5 + 0.2 * np.cos(0.9 * x + p) + 0.2 * np.sin(0.3 * x - 0.8 * y) for p in range(3)]
    return np.stack(colours, -1).astype(np.float32)


def centres() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    x, y = np.meshgrid(np.arange(96) + 0.5, np.arange(72) + 0.5)
    return x, y


@pytest.mark.parametrize("name", MATRICES)
def test_a_known_picture_is_moved_to_its_place(name: str) -> None:
    x, y = centres()
    inverse = np.linalg.inv(MATRICES[name])
    from_x, from_y, depth = np.einsum("ij,jhw->ihw", inverse, np.stack([x, y, np.ones_like(x)]))
    wanted = wave(from_x / depth, from_y / depth)
    moved = warp(wave(x, y), MATRICES[name], "reflect")
    assert moved.dtype == np.float32
    inner = (slice(12, -12), slice(12, -12))
    assert_allclose(moved[inner], wanted[inner], atol=1e-3)


@pytest.mark.parametrize("turn", [0, 1e-5])
def test_a_hundredth_of_a_pixel_is_moved(turn: float) -> None:
    x, _ = centres()
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
    x, _ = centres()
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
