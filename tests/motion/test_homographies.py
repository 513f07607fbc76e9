"""Homographies: what moves where."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from dreamer.motion.homographies import Matrix, pan, rotation, tilt, zoom

SIZE = (72, 96)
MIDDLE = (48.0, 36.0)


def place(matrix: Matrix, x: float, y: float) -> tuple[float, float]:
    moved = matrix @ (x, y, 1)
    return moved[0] / moved[2], moved[1] / moved[2]


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


few = settings(max_examples=30, deadline=None, derandomize=True, database=None)
POINTS = st.tuples(st.floats(0, 96), st.floats(0, 72))
FACTORS = st.floats(0.25, 4)
DEGREES = st.floats(-180, 180)
SHIFTS = st.floats(-50, 50)
TILTS = st.floats(-20, 20)


@st.composite
def moves(draw: Any) -> Matrix:
    """Draw one of the named moves, around any point."""
    return draw(
        st.one_of(
            st.builds(pan, SHIFTS, SHIFTS),
            st.builds(zoom, FACTORS, POINTS),
            st.builds(rotation, DEGREES, POINTS),
            st.builds(tilt, TILTS, TILTS, st.floats(20, 90), st.just(SIZE)),
        )
    )


@few
@given(POINTS, SHIFTS, SHIFTS, DEGREES, FACTORS)
def test_a_move_and_its_opposite_leave_all_in_place(
    center: tuple[float, float], x: float, y: float, degrees: float, factor: float
) -> None:
    for there, back in (
        (pan(x, y), pan(-x, -y)),
        (zoom(factor, center), zoom(1 / factor, center)),
        (rotation(degrees, center), rotation(-degrees, center)),
    ):
        np.testing.assert_allclose(back @ there, np.eye(3), atol=1e-9)
        np.testing.assert_allclose(np.linalg.inv(there), back, atol=1e-9)


@few
@given(moves(), POINTS)
def test_an_inverse_leads_every_point_back(move: Matrix, point: tuple[float, float]) -> None:
    back = place(np.linalg.inv(move), *place(move, *point))
    np.testing.assert_allclose(back, point, atol=1e-6)


@few
@given(moves(), moves(), POINTS)
def test_a_product_is_one_move_after_the_other(
    first: Matrix, second: Matrix, point: tuple[float, float]
) -> None:
    between = place(first, *point)
    depth = (second @ first @ (*point, 1))[2]
    # A point behind the eye is in no picture.
    assume(depth > 0.2)
    np.testing.assert_allclose(place(second @ first, *point), place(second, *between), rtol=1e-6)


@few
@given(POINTS, st.tuples(DEGREES, DEGREES), st.tuples(FACTORS, FACTORS), st.tuples(SHIFTS, SHIFTS))
def test_moves_of_one_kind_add_up(
    center: tuple[float, float],
    degrees: tuple[float, float],
    factors: tuple[float, float],
    shifts: tuple[float, float],
) -> None:
    (one, other), (large, larger), (right, down) = degrees, factors, shifts
    turned = rotation(one, center) @ rotation(other, center)
    np.testing.assert_allclose(turned, rotation(one + other, center), atol=1e-9)
    enlarged = zoom(large, center) @ zoom(larger, center)
    np.testing.assert_allclose(enlarged, zoom(large * larger, center), atol=1e-9)
    np.testing.assert_allclose(pan(right, 0) @ pan(0, down), pan(right, down), atol=1e-9)


@few
@given(POINTS, st.floats(5, 150))
def test_what_moves_nothing_is_the_identity(center: tuple[float, float], view: float) -> None:
    for still in (pan(0, 0), zoom(1, center), rotation(0, center), tilt(0, 0, view, SIZE)):
        np.testing.assert_allclose(still, np.eye(3), atol=1e-9)


@few
@given(moves())
def test_the_center_of_a_tilt_and_of_a_turn_stays(move: Matrix) -> None:
    for around in (zoom(3, MIDDLE), rotation(77, MIDDLE), tilt(9, -14, 60, SIZE)):
        np.testing.assert_allclose(place(around, *MIDDLE), MIDDLE, atol=1e-9)
    moved = place(move, *MIDDLE)
    np.testing.assert_allclose(place(rotation(50, moved) @ move, *MIDDLE), moved, atol=1e-6)
