"""Homographies: 3×3 matrices that move the points of a picture.

A matrix takes a point `(x, y, 1)` of the picture to its place in the moved picture, in pixels, x to
the right and y down. The first pixel reaches from 0 to 1, so its center is at 0.5 and the center of
the picture at half its width and height. `a @ b` moves by `b` and then by `a`.
"""

import math

import numpy as np
from numpy.typing import NDArray

from dreamer.arrays import Size

Matrix = NDArray[np.float64]
"""A homography, float64 `(3, 3)`."""

Point = tuple[float, float]
"""A point's x and y, in pixels."""


def pan(x: float, y: float) -> Matrix:
    """Return the matrix that moves a picture to the right by `x` and down by `y` pixels."""
    return np.array([[1, 0, x], [0, 1, y], [0, 0, 1]], np.float64)


def zoom(factor: float, center: Point) -> Matrix:
    """Return the matrix that enlarges a picture by `factor` around `center`."""
    return _around(center, np.diag([factor, factor, 1.0]))


def rotation(degrees: float, center: Point) -> Matrix:
    """Return the matrix that turns a picture counterclockwise, as seen, around `center`."""
    cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return _around(center, np.array([[cosine, sine, 0], [-sine, cosine, 0], [0, 0, 1]]))


def tilt(degrees_x: float, degrees_y: float, field_of_view: float, size: Size) -> Matrix:
    """Return the matrix that turns a picture in space around its center, as the eye sees it.

    Args:
        degrees_x: around the horizontal axis; above 0, the upper edge goes away from the eye.
        degrees_y: around the vertical axis; above 0, the right edge goes away from the eye.
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


def _around(center: Point, matrix: Matrix) -> Matrix:
    x, y = center
    return pan(x, y) @ matrix @ pan(-x, -y)
