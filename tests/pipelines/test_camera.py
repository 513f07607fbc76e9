"""The motion of a film: the same at every frame rate, closed in a loop."""

from functools import reduce
from typing import Any

import numpy as np
import pytest
from tiny_films import feedback_of

from dreamer.analysis import music
from dreamer.arrays import Image
from dreamer.pipelines.camera import Camera
from dreamer.pipelines.feedback_film import FeedbackFilm
from dreamer.recipe import Recipe


def camera_of(film: FeedbackFilm) -> Camera:
    return Camera(film.recipe, film.size)


@pytest.mark.parametrize(
    "film",
    [
        {"motion": "zoom"},
        {"motion": "tunnel", "speed": "0:(0.5), 1s:(2)"},
        {"motion": "orbit", "intro": 0.5},
        {"motion": "still", "zoom": 1.01, "angle": 0.5, "pan_x": 0.002, "written_fps": 30},
    ],
)
def test_a_moment_is_the_same_at_every_frame_rate(
    tiny: Any, photo: Image, film: dict[str, Any]
) -> None:
    whole = []
    for fps in (15, 30, 60):
        camera = camera_of(feedback_of(tiny, photo, fps=fps, **film))
        steps = [camera.matrix(frame, frame + 1) for frame in range(fps)]
        whole.append(reduce(lambda before, step: step @ before, steps))
    # A speed that changes within a frame is taken at its edge.
    tolerance = 0.03 if "speed" in film or "intro" in film else 1e-6
    for each in whole:
        np.testing.assert_allclose(each, whole[-1], atol=tolerance * 96)


@pytest.mark.parametrize(
    "motion", ["glide", "zoom", "spiral", "drift", "tunnel", "breathe", "orbit"]
)
def test_every_motion_has_the_period_of_its_loop(tiny: Any, photo: Image, motion: str) -> None:
    film = feedback_of(tiny, photo, loop=True, motion=motion, fps=12, seconds=2)
    camera = camera_of(film)
    for frame in (-3, -1, 0, 5):
        np.testing.assert_allclose(
            camera.matrix(frame, frame + 1), camera.matrix(frame + 24, frame + 25), atol=1e-9
        )


@pytest.mark.parametrize("bpm", [60, 97, 120, 174])
def test_what_a_beat_pushes_moves_most_on_the_beat(bpm: float) -> None:
    film = {"zoom": "1 + 0.01*beat", "motion": "still", "fps": 24, "intro": 0, "seconds": 10}
    signals = music.keep_time(bpm, 10)
    camera = Camera(Recipe().changed({"film": film}), (90, 120), signals)
    speed = [np.log(np.linalg.det(camera.matrix(n - 1, n))) for n in range(1, 240)]
    peaks = [n + 1 for n in range(1, 238) if speed[n - 1] < speed[n] >= speed[n + 1]]
    beats = [24 * beat for beat in signals.beats if 1 < 24 * beat < 236]
    assert len(peaks) >= len(beats) - 1
    assert all(min(abs(peak - beat) for peak in peaks) <= 1 for beat in beats)
