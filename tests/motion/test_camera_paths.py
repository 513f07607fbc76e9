"""Named motions: the same at every frame rate, closed in a loop."""

import math
from functools import reduce

import numpy as np
import pytest
from numpy.testing import assert_allclose

from dreamer.motion.camera_paths import MOTIONS, Step, repeat_step, step
from dreamer.motion.homographies import Matrix, pan, rotation, zoom

SIZE = (72, 96)
MIDDLE = (48.0, 36.0)


def place(matrix: Matrix, x: float, y: float) -> tuple[float, float]:
    moved = matrix @ (x, y, 1)
    return moved[0] / moved[2], moved[1] / moved[2]


def product(matrices: list[Matrix]) -> Matrix:
    return reduce(lambda before, after: after @ before, matrices)


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
        Step(zoom=1.04, angle=2, pan=(-0.01, 0.02), center=(0.3, 0.6)),
        Step(zoom=0.9, angle=90, pan=(0.1, 0)),
    ],
)
def test_a_step_can_be_parted(asked: Step) -> None:
    whole = repeat_step(asked, 1, SIZE)
    center = asked.center[0] * 96, asked.center[1] * 72
    # Deforum moves first, and turns and zooms then.
    moved = pan(asked.pan[0] * 96, asked.pan[1] * 72)
    assert_allclose(
        whole, zoom(asked.zoom, center) @ rotation(asked.angle, center) @ moved, atol=1e-9
    )
    for parts in (2, 7):
        part = repeat_step(asked, 1 / parts, SIZE)
        assert_allclose(np.linalg.matrix_power(part, parts), whole, atol=1e-9)
    assert_allclose(repeat_step(asked, 3, SIZE), np.linalg.matrix_power(whole, 3), atol=1e-9)


def test_a_tilt_can_nearly_be_parted() -> None:
    asked = Step(zoom=1.02, tilt=(0.3, -0.4))
    part = repeat_step(asked, 0.5, SIZE)
    assert_allclose(part @ part, repeat_step(asked, 1, SIZE), atol=3e-3)
