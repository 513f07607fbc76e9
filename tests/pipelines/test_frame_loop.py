"""The frame loop with stubs: what lies between keys, loops that close, and how that is measured."""

from typing import Any, NamedTuple, Self

import numpy as np
import pytest
from numpy.typing import NDArray

from dreamer.arrays import Image, Stored, from_stored, to_stored
from dreamer.pipelines import frame_loop
from dreamer.pipelines.frame_loop import Carried, Loop

RANDOM = np.random.default_rng(5)
PHOTO = RANDOM.random((12, 16, 3), np.float32)


def roll(image: Image, begin: float, end: float) -> Image:
    return np.roll(image, round(end - begin), 1)


@pytest.mark.parametrize("cadence", [1, 2, 3, 5])
@pytest.mark.parametrize("count", [1, 2, 7, 11])
def test_between_keys_the_picture_goes_its_known_way(cadence: int, count: int) -> None:
    keys = [to_stored(roll(PHOTO, 0, k)) for k in range(0, count, cadence)]
    film = list(frame_loop.fill_between(keys, cadence, count, roll))
    assert len(film) == count
    for number, frame in enumerate(film):
        np.testing.assert_array_equal(frame, to_stored(roll(PHOTO, 0, number)))


def test_a_loops_frames_between_the_last_key_and_the_first_are_there() -> None:
    keys = [to_stored(roll(PHOTO, 0, k)) for k in (0, 4, 8, 12)]
    film = list(frame_loop.fill_between([*keys, keys[0]], 4, 16, roll))
    assert len(film) == 16
    np.testing.assert_array_equal(film[-1], to_stored(roll(PHOTO, 0, 15)))


def test_between_two_different_keys_both_are_mixed() -> None:
    black, white = to_stored(PHOTO * 0), to_stored(PHOTO * 0 + 1)
    film = [from_stored(f).mean() for f in frame_loop.fill_between([black, white], 4, 5, roll)]
    np.testing.assert_allclose(film, [0, 0.25, 0.5, 0.75, 1], atol=1e-4)


class Mean(NamedTuple):
    """What is remembered of the frames so far."""

    mean: NDArray[np.float32]

    def blend(self, other: Self, share: float) -> Self:
        return self._replace(mean=self.mean + np.float32(share) * (other.mean - self.mean))

    def to_plain(self) -> dict[str, Any]:
        return {"mean": self.mean}


def wander(carried: Carried[Mean], number: int) -> Carried[Mean]:
    """A step that never comes back by itself, and remembers."""
    noise = np.random.default_rng(number + 1000).random(PHOTO.shape, np.float32)
    frame = to_stored(0.8 * roll(from_stored(carried.frame), 0, 1) + 0.2 * noise)
    mean = carried.memory.mean * np.float32(0.9) + np.float32(0.1) * frame.mean()
    return Carried(frame, Mean(np.asarray(mean, np.float32)))


def test_a_loop_ends_on_what_led_into_its_first_key() -> None:
    loop = Loop(period=20, blend=6, warm_up=9)
    made: dict[int, Carried[Mean]] = {}
    begin = Carried(to_stored(PHOTO), Mean(np.zeros(1, np.float32)))
    step = frame_loop.close_loop(wander, loop, lambda number: made[number].frame)
    made[-9] = begin
    for number, carried in enumerate(frame_loop.make_keys(step, begin, -8, 20), start=-8):
        made[number] = carried
    np.testing.assert_array_equal(made[19].frame, made[-1].frame)
    around = [from_stored(made[n].frame) for n in (15, 16, 17, 18, 19, 0, 1, 2, 3, 4)]
    plain, moved = frame_loop.measure_closure(around, 20, roll)
    assert plain == pytest.approx(1, abs=0.1)
    assert moved == pytest.approx(1, abs=0.1)
    # Before the blend the film goes its own way.
    assert np.abs(made[12].frame.astype(float) - made[12 - 20 + 12].frame).mean() > 1000


def test_what_is_blended_was_never_dreamt_after() -> None:
    """A fade of finished frames would lose contrast; here each key has the step's own."""
    loop = Loop(period=20, blend=6, warm_up=9)
    made: dict[int, Stored] = {}

    def flash(carried: Carried[Mean], number: int) -> Carried[Mean]:
        return Carried(to_stored(np.full_like(PHOTO, number % 2)), Mean(np.zeros(1, np.float32)))

    step = frame_loop.close_loop(flash, loop, lambda number: made[number])
    begin = Carried(to_stored(PHOTO), Mean(np.zeros(1, np.float32)))
    for number, carried in enumerate(frame_loop.make_keys(step, begin, -9, 20), start=-9):
        made[number] = carried.frame
        assert set(np.unique(carried.frame)) <= {0, 65535}


def test_a_jump_shows_in_the_closure() -> None:
    steady = [roll(PHOTO, 0, n) for n in range(12)]
    assert frame_loop.measure_closure(steady, 12, roll)[0] == pytest.approx(1, abs=0.2)
    jump = [*steady[:6], *(0.3 * frame for frame in steady[6:])]
    plain, moved = frame_loop.measure_closure(jump, 12, roll)
    assert plain > 1.1
    assert moved > 100
