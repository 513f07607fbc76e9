"""Paths: how the picture moves from one moment of a film to another.

A named motion is defined per second. It grows and turns steadily while its pose swings, and a step
leads out of one pose into the next, so that steps multiply to the same matrix however many there
are, and a swing that closes, closes exactly.
"""

import cmath
import math
from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from dreamer.arrays import Size
from dreamer.motion.matrices import Matrix, pan, rotation, tilt, zoom

FIELD_OF_VIEW = 60.0
"""Of a tilt, in degrees, where none is given."""


class Pose(NamedTuple):
    """How a picture lies in the frame.

    Attributes:
        zoom: factor around the middle.
        pan: to the right and down, as shares of width and height.
        tilt: around the horizontal and the vertical axis, in degrees.
    """

    zoom: float = 1.0
    pan: tuple[float, float] = (0.0, 0.0)
    tilt: tuple[float, float] = (0.0, 0.0)

    def matrix(self, size: Size) -> Matrix:
        """From the picture as it is to the picture in this pose."""
        height, width = size
        return (
            pan(self.pan[0] * width, self.pan[1] * height)
            @ tilt(*self.tilt, FIELD_OF_VIEW, size)
            @ zoom(self.zoom, (width / 2, height / 2))
        )


Swing = Callable[[float, float], float]
"""From the seconds of a whole swing and the share of it to begin at to the sine of the moment."""


class Motion(NamedTuple):
    """A named motion.

    Attributes:
        zoom: factor a second.
        turn: degrees a second, counter-clockwise.
        pose: how the picture swings meanwhile.
    """

    zoom: float = 1.0
    turn: float = 0.0
    pose: Callable[[Swing], Pose] = lambda swing: Pose()


MOTIONS: Mapping[str, Motion] = {
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
"""By name. `zoom`, `spiral` and `tunnel` move in for ever, the others come back."""


def step(
    motion: Motion, begin: float, end: float, size: Size, period: float | None = None
) -> Matrix:
    """How the picture moves from one second of a film to another.

    Args:
        motion: a value of `MOTIONS`.
        begin: the moment of the picture that is moved, in seconds.
        end: the moment that it is moved to.
        size: height and width in pixels.
        period: the seconds of a loop, in which every swing goes back and forth a whole number of
            times; over it the steps multiply to the motion's zoom and turn of so many seconds
            around the middle, and to nothing where it has none.
    """
    height, width = size
    middle, seconds = (width / 2, height / 2), end - begin
    steady = zoom(motion.zoom**seconds, middle) @ rotation(motion.turn * seconds, middle)
    before, after = (motion.pose(_swing(at, period)).matrix(size) for at in (begin, end))
    return after @ steady @ np.linalg.inv(before)


def _swing(second: float, period: float | None) -> Swing:
    def swing(every: float, start: float) -> float:
        if period is None:
            return math.sin(2 * math.pi * (second / every + start))
        count = max(1, round(period / every))
        # A swing that has to be quicker goes less far, so that the speed stays.
        reach = min(1.0, period / count / every)
        return reach * math.sin(2 * math.pi * (second / period * count + start))

    return swing


class Step(NamedTuple):
    """What is asked for in each frame, in the convention of Deforum: pan, then turn and zoom.

    Attributes:
        zoom: factor, above 0; above 1 one moves in.
        angle: degrees, counter-clockwise.
        pan: to the right and down, as shares of width and height.
        centre: of zoom and turn, as shares of width and height.
        tilt: around the horizontal and the vertical axis, in degrees.
        field_of_view: of the tilt, in degrees.
    """

    zoom: float = 1.0
    angle: float = 0.0
    pan: tuple[float, float] = (0.0, 0.0)
    centre: tuple[float, float] = (0.5, 0.5)
    tilt: tuple[float, float] = (0.0, 0.0)
    field_of_view: float = FIELD_OF_VIEW


def repeated(asked: Step, frames: float, size: Size) -> Matrix:
    """A step made so many times; 0.5 of it twice is the whole.

    That is exact for zoom, turn and pan together, and nearly so for a tilt of some degrees.

    Args:
        asked: the step of one frame, at the rate that it is written for.
        frames: how many of those frames pass, whole or not.
        size: height and width in pixels.
    """
    height, width = size
    # As complex numbers a step takes p to ratio·(p + pan); y goes down, so a turn is negative.
    log = complex(math.log(asked.zoom), -math.radians(math.remainder(asked.angle, 360)))
    moved = cmath.exp(log) * complex(asked.pan[0] * width, asked.pan[1] * height)
    # The sum of a geometric series whose ratio may be 1.
    moved *= complex(np.expm1(log * frames) / np.expm1(log)) if log else frames
    ratio = log * frames
    centre = asked.centre[0] * width, asked.centre[1] * height
    return (
        tilt(asked.tilt[0] * frames, asked.tilt[1] * frames, asked.field_of_view, size)
        @ pan(moved.real, moved.imag)
        @ rotation(-math.degrees(ratio.imag), centre)
        @ zoom(math.exp(ratio.real), centre)
    )
