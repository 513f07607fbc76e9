"""Optical flow on pictures that were moved by a known motion."""

import cv2
import numpy as np
import pytest

from dreamer.arrays import Image
from dreamer.imaging import noise
from dreamer.motion import flow, homographies
from dreamer.motion.warp import sample, warp

MIDDLE = (80, 60)


@pytest.fixture(scope="module")
def scene() -> Image:
    grain = noise.draw_noise("fractal", (120, 160), 5)
    return np.asarray(cv2.GaussianBlur(grain, (0, 0), 1))


@pytest.mark.parametrize(
    "matrix",
    [
        homographies.pan(0.5, -0.25),
        homographies.pan(-7, 4),
        homographies.rotation(2, MIDDLE),
        homographies.zoom(1.03, MIDDLE),
    ],
)
def test_the_flow_leads_back_along_a_known_motion(
    matrix: homographies.Matrix, scene: Image
) -> None:
    found = flow.compute_flow(scene, warp(scene, matrix, "reflect"))
    x, y = np.meshgrid(np.arange(160) + 0.5, np.arange(120) + 0.5)
    points = np.linalg.inv(matrix) @ np.stack([x.ravel(), y.ravel(), np.ones(x.size)])
    wanted = points[:2].T.reshape(120, 160, 2) - np.stack([x, y], -1)
    wrong = np.hypot(*(found.back - wanted).transpose(2, 0, 1))
    sure = found.visible > 0.5
    assert sure[20:-20, 20:-20].mean() > 0.99
    assert wrong[sure].mean() < 0.12
    assert not found.cut


def test_what_was_hidden_or_beyond_the_edge_is_not_visible(scene: Image) -> None:
    front = scene[::-1, ::-1] * np.float32([1, 0.5, 0.2])

    def frame(number: int) -> Image:
        shown = warp(scene, homographies.pan(4 * number, 0), "reflect")
        left = 90 - 10 * number
        shown[40:80, left : left + 40] = front[40:80, 20:60]
        return shown

    found = flow.compute_flow(frame(0), frame(1))
    assert found.visible[42:78, 122:130].max() < 0.05
    assert found.visible[:, :3].max() < 0.05
    assert found.visible[50:70, 95:105].min() > 0.8
    assert found.visible[:30, 20:].mean() > 0.98


def test_a_cut_is_told_from_motion_and_from_light(scene: Image) -> None:
    other = noise.draw_noise("fractal", (120, 160), 6)
    assert flow.compute_flow(scene, other).cut
    assert flow.compute_flow(scene, scene[::-1].copy()).cut
    assert not flow.compute_flow(scene, scene * np.float32(0.7)).cut
    assert not flow.compute_flow(scene, warp(scene, homographies.pan(12, 3), "reflect")).cut


def test_still_and_moving_parts_are_told_apart(scene: Image) -> None:
    for shift, moving in ((0, 0), (0.1, 0), (3, 1)):
        found = flow.compute_flow(scene, warp(scene, homographies.pan(shift, 0), "reflect"))
        assert found.moving[20:-20, 20:-20].mean() == pytest.approx(moving, abs=0.02)


def test_carrying_it_a_hundred_times_does_not_blur() -> None:
    sharp = np.random.default_rng(0).random((96, 96, 3), np.float32)
    sharp = cv2.GaussianBlur(sharp, (0, 0), 1)
    size, random = sharp.shape[:2], np.random.default_rng(1)
    shifts = random.uniform(-0.7, 0.7, (50, 2)).astype(np.float32)
    carried = sharp
    for shift in np.concatenate([shifts, -shifts]):
        back = np.broadcast_to(shift, (*size, 2))
        carried = flow.carry(carried, flow.Flow(back, np.ones(size, np.float32)))

    def fine(image: Image) -> float:
        inner = image[24:-24, 24:-24]
        return float(np.abs(np.diff(inner, axis=0)).mean() + np.abs(np.diff(inner, axis=1)).mean())

    assert fine(carried) == pytest.approx(fine(sharp), rel=0.05)


def test_gathering_agrees_with_warping(scene: Image) -> None:
    matrix = homographies.rotation(3, MIDDLE)
    x, y = np.meshgrid(np.arange(160) + 0.5, np.arange(120) + 0.5)
    points = np.linalg.inv(matrix) @ np.stack([x.ravel(), y.ravel(), np.ones(x.size)])
    places = (each.reshape(120, 160).astype(np.float32) for each in points[:2])
    np.testing.assert_allclose(sample(scene, *places), warp(scene, matrix, "replicate"), atol=1e-4)


def test_the_number_of_threads_changes_nothing(scene: Image) -> None:
    moved, threads = warp(scene, homographies.pan(3, 1), "reflect"), cv2.getNumThreads()
    try:
        backs = []
        for count in (1, 4):
            cv2.setNumThreads(count)
            backs.append(flow.compute_flow(scene, moved).back)
    finally:
        cv2.setNumThreads(threads)
    np.testing.assert_array_equal(*backs)
