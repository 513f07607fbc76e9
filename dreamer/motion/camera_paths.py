"""Camera paths: how the picture moves from one moment of a film to another.

A named motion is defined per second. It zooms and turns steadily while its pose swings. A step
leads from one pose to the next, so that steps multiply to the same matrix however many there are,
and a swing that closes, closes exactly.
"""

import cmath
import math
from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from dreamer.arrays import Size
from dreamer.motion.homographies import Matrix, pan, rotation, tilt, zoom

FIELD_OF_VIEW = 60.0
"""Default field of view of a tilt, in degrees."""


class Pose(NamedTuple):
    """The placement of a picture in the frame.

    Attributes:
        zoom: factor, around the center.
        pan: to the right and down, as shares of width and height.
        tilt: around the horizontal and the vertical axis, in degrees.
        turn: around the center, counterclockwise, in degrees.
    """

    zoom: float = 1.0
    pan: tuple[float, float] = (0.0, 0.0)
    tilt: tuple[float, float] = (0.0, 0.0)
    turn: float = 0.0

    def matrix(self, size: Size) -> Matrix:
        """Return the matrix that brings a picture of `size` into this pose."""
        height, width = size
        return (
            pan(self.pan[0] * width, self.pan[1] * height)
            @ tilt(*self.tilt, FIELD_OF_VIEW, size)
            @ rotation(self.turn, (width / 2, height / 2))
            @ zoom(self.zoom, (width / 2, height / 2))
        )


Swing = Callable[[float, float], float]
"""Takes the period of a swing in seconds, and the share of it to begin at; returns a sine."""


class Motion(NamedTuple):
    """A named motion.

    Attributes:
        zoom: factor per second.
        turn: degrees per second, counterclockwise.
        pose: takes a `Swing`, which is for one moment, and returns the pose at that moment.
    """

    zoom: float = 1.0
    turn: float = 0.0
    pose: Callable[[Swing], Pose] = lambda swing: Pose()


MOTIONS: Mapping[str, Motion] = {
    "glide": Motion(
        zoom=1.14,
        pose=lambda swing: Pose(zoom=math.exp(0.055 * swing(5, 0.75)), turn=1.3 * swing(7, 0)),
    ),
    "zoom": Motion(zoom=1.35),
    "spiral": Motion(zoom=1.35, turn=12),
    "drift": Motion(pose=lambda swing: Pose(pan=(0.07 * swing(12, 0), 0.06 * swing(17, 0)))),
    "tunnel": Motion(
        zoom=1.9, pose=lambda swing: Pose(pan=(0.12 * swing(7, 0), 0.09 * swing(11, 0)))
    ),
    "breathe": Motion(pose=lambda swing: Pose(zoom=math.exp(0.09 * swing(6, 0)))),
    "orbit": Motion(pose=lambda swing: Pose(tilt=(12 * swing(9, 0), 12 * swing(9, 0.25)))),
    "still": Motion(),
}
"""Motions by name. `glide`, `zoom`, `spiral` and `tunnel` move in forever; the others come back.

The recipe accepts the same names (see `film_fields.Motion`)."""


def step(
    motion: Motion, begin: float, end: float, size: Size, period: float | None = None
) -> Matrix:
    """Return the matrix that moves the picture from one moment of a film to another.

    Args:
        motion: a value of `MOTIONS`.
        begin: the moment of the picture that is moved, in seconds.
        end: the moment to which it is moved, in seconds.
        size: height and width in pixels.
        period: the length of a loop in seconds, if any. Every swing then goes back and forth a
            whole number of times, so that over the loop the steps multiply to the motion's steady
            zoom and turn alone, or to the identity if it has none.
    """
    height, width = size
    middle, seconds = (width / 2, height / 2), end - begin
    steady = zoom(motion.zoom**seconds, middle) @ rotation(motion.turn * seconds, middle)
    before, after = (motion.pose(_make_swing(at, period)).matrix(size) for at in (begin, end))
    return after @ steady @ np.linalg.inv(before)


def _make_swing(second: float, period: float | None) -> Swing:
    def swing(every: float, start: float) -> float:
        if period is None:
            return math.sin(2 * math.pi * (second / every + start))
        count = max(1, round(period / every))
        # A swing that has to be quicker goes less far, to keep its speed.
        reach = min(1.0, period / count / every)
        return reach * math.sin(2 * math.pi * (second / period * count + start))

    return swing


class Step(NamedTuple):
    """The motion of one frame, in the convention of Deforum: pan, then turn and zoom.

    Attributes:
        zoom: factor, above 0; the camera moves in above 1.
        angle: degrees, counterclockwise.
        pan: to the right and down, as shares of width and height.
        center: of zoom and turn, as shares of width and height.
        tilt: around the horizontal and the vertical axis, in degrees.
        field_of_view: of the tilt, in degrees.
    """

    zoom: float = 1.0
    angle: float = 0.0
    pan: tuple[float, float] = (0.0, 0.0)
    center: tuple[float, float] = (0.5, 0.5)
    tilt: tuple[float, float] = (0.0, 0.0)
    field_of_view: float = FIELD_OF_VIEW


def repeat_step(asked: Step, frames: float, size: Size) -> Matrix:
    """Return the matrix of a step that is repeated; half of it twice is the whole.

    This is exact for zoom, turn and pan together, and nearly so for a tilt of a few degrees.

    Args:
        asked: the step of one frame, at the frame rate that it is written for.
        frames: how many of those frames pass, whole or not.
        size: height and width in pixels.
    """
    height, width = size
    # In complex numbers, a step takes p to ratio·(p + pan); y points down, so turns are negative.
    log = complex(math.log(asked.zoom), -math.radians(math.remainder(asked.angle, 360)))
    moved = cmath.exp(log) * complex(asked.pan[0] * width, asked.pan[1] * height)
    # The sum of a geometric series whose ratio may be 1.
    moved *= complex(np.expm1(log * frames) / np.expm1(log)) if log else frames
    ratio = log * frames
    center = asked.center[0] * width, asked.center[1] * height
    return (
        tilt(asked.tilt[0] * frames, asked.tilt[1] * frames, asked.field_of_view, size)
        @ pan(moved.real, moved.imag)
        @ rotation(-math.degrees(ratio.imag), center)
        @ zoom(math.exp(ratio.real), center)
    )
