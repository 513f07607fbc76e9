"""Optical flow: where each point of a film's frame was in the frame before, and whether it was."""

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from dreamer.arrays import Image
from dreamer.motion.warp import gathered

Field = NDArray[np.float32]
"""float32 `(h, w, 2)`: x and y, in pixels."""

Share = NDArray[np.float32]
"""float32 `(h, w)`, 0 to 1."""

TOLERANCE = 0.5
"""Squared pixels by which forward and backward flow may differ where nothing moves."""

SLACK = 0.01
"""By how much more, as a share of their squared lengths."""

REACH = 1
"""Pixels by which what was hidden is widened: flow is wrong before its two ways disagree."""

FEATHER = 1.0
"""Standard deviation, in pixels, of the soft edge of what was hidden."""

STILL, MOVING = 0.25, 1.0
"""Pixels from one frame to the next: below the one a place is still, above the other it moves."""

FOLLOWED = 0.25
"""Where less of a frame was in the frame before, there is a cut between them."""


class Flow(NamedTuple):
    """How a frame came from the one before.

    Attributes:
        back: from each pixel to its place in the frame before.
        visible: how surely it could be seen there.
    """

    back: Field
    visible: Share

    @property
    def cut(self) -> bool:
        """Whether the two frames have nothing to do with one another."""
        return float(self.visible.mean()) < FOLLOWED

    @property
    def moving(self) -> Share:
        """1 where the picture moves, 0 where it is still."""
        length = np.hypot(self.back[..., 0], self.back[..., 1])
        way = ((length - STILL) / (MOVING - STILL)).clip(0, 1)
        return np.asarray(way * way * (3 - 2 * way), np.float32)


def between(before: Image, after: Image) -> Flow:
    """The flow from one frame to the next.

    Dense inverse search (Kroeger et al. 2016) in both directions. What the two do not agree on was
    hidden, by the tolerances of Sundaram, Brox and Keutzer (2010), or lay beyond the edge.
    """
    old, new = (_grey(image) for image in (before, after))
    back, forward = _searched(new, old), _searched(old, new)
    x, y = _places(back)
    height, width = x.shape
    returning = cv2.remap(forward, x - 0.5, y - 0.5, cv2.INTER_LINEAR)
    apart = np.square(back + returning).sum(-1)
    allowed = TOLERANCE + SLACK * (np.square(back).sum(-1) + np.square(returning).sum(-1))
    inside = (x >= 0) & (x <= width) & (y >= 0) & (y <= height)
    return Flow(back, _feathered((apart <= allowed) & inside))


def carried(image: Image, flow: Flow) -> Image:
    """What belongs to the frame before, brought to where the things in it are now.

    The resampling can be repeated without blur; see `warp.gathered`.
    """
    return gathered(image, *_places(flow.back))


def aged(age: Share, flow: Flow) -> Share:
    """Numbers of the frame before, `(h, w)`, brought along; 0 where nothing was."""
    x, y = _places(flow.back)
    brought = cv2.remap(age, x - 0.5, y - 0.5, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(flow.visible * brought)


def _grey(image: Image) -> NDArray[np.uint8]:
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    return np.asarray((grey.clip(0, 1) * 255).round(), np.uint8)


def _searched(start: NDArray[np.uint8], end: NDArray[np.uint8]) -> Field:
    search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    return np.asarray(search.calc(start, end, None), np.float32)


def _places(back: Field) -> tuple[Share, Share]:
    """Where each pixel's centre was; the first pixel reaches from 0 to 1."""
    height, width = back.shape[:2]
    x = back[..., 0] + (np.arange(width, dtype=np.float32) + np.float32(0.5))
    y = back[..., 1] + (np.arange(height, dtype=np.float32)[:, None] + np.float32(0.5))
    return x, y


def _feathered(seen: NDArray[np.bool_]) -> Share:
    """1 where seen, 0 where not and close to it, with a soft edge on the outer side."""
    reach = REACH + round(2 * FEATHER)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1,) * 2)
    narrowed = cv2.erode(seen.astype(np.float32), disc, borderValue=1)
    return np.asarray(cv2.GaussianBlur(narrowed, (0, 0), FEATHER), np.float32)
