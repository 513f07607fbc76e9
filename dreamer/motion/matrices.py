"""Homographies: where each point of a picture goes.

A matrix takes a point `(x, y, 1)` of the picture to its place in the moved picture, in pixels, x to
the right and y down. The first pixel reaches from 0 to 1, so its centre is at 0.5 and the middle of
the picture at half its width and height. `a @ b` moves by `b` and then by `a`.
"""

import math

import numpy as np
from numpy.typing import NDArray

from dreamer.arrays import Size

Matrix = NDArray[np.float64]
"""float64 `(3, 3)`."""

Point = tuple[float, float]
"""x and y, in pixels."""


def pan(x: float, y: float) -> Matrix:
    """To the right and down, in pixels."""
    return np.array([[1, 0, x], [0, 1, y], [0, 0, 1]], np.float64)


def zoom(factor: float, centre: Point) -> Matrix:
    """Larger by `factor`, around `centre`; above 1 one moves in."""
    return _around(centre, np.diag([factor, factor, 1.0]))


def rotation(degrees: float, centre: Point) -> Matrix:
    """Counter-clockwise as it is seen, around `centre`."""
    cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return _around(centre, np.array([[cosine, sine, 0], [-sine, cosine, 0], [0, 0, 1]]))


def tilt(degrees_x: float, degrees_y: float, field_of_view: float, size: Size) -> Matrix:
    """The picture turned in space around its middle, as an eye in front of it sees it.

    Args:
        degrees_x: around the horizontal axis; above 0 the upper edge goes away from the eye.
        degrees_y: around the vertical axis; above 0 the right edge goes away from the eye.
        field_of_view: the angle that the picture's diagonal fills, in degrees; the larger it is,
            the stronger the perspective.
        size: the picture's height and width.
    """
    height, width = size
    distance = math.hypot(height, width) / 2 / math.tan(math.radians(field_of_view) / 2)
    # One turn around an axis between the two, so that neither comes first (Rodrigues' formula).
    degrees = math.hypot(degrees_x, degrees_y)
    x, y = -degrees_x / (degrees or 1), -degrees_y / (degrees or 1)
    cross = np.array([[0, 0, y], [0, 0, -x], [-y, x, 0]])
    turn = math.radians(degrees)
    turned = np.eye(3) + math.sin(turn) * cross + (1 - math.cos(turn)) * cross @ cross
    projected = np.vstack([turned[:2], turned[2] / distance])
    # The picture is flat: its points have no third coordinate before the turn.
    projected[:, 2] = [0, 0, 1]
    return _around((width / 2, height / 2), projected)


def _around(centre: Point, matrix: Matrix) -> Matrix:
    x, y = centre
    return pan(x, y) @ matrix @ pan(-x, -y)
