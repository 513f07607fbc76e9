"""Optical flow: where each point of a frame was in the frame before, if it was visible there."""

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from dreamer.arrays import Image
from dreamer.motion.warp import sample

Field = NDArray[np.float32]
"""Displacements, float32 `(h, w, 2)`: x and y, in pixels."""

Share = NDArray[np.float32]
"""A number for each pixel, float32 `(h, w)`, 0 to 1."""

TOLERANCE = 0.5
"""Squared pixels by which forward and backward flow may differ where nothing moves."""

SLACK = 0.01
"""Addition to `TOLERANCE`, as a share of the squared lengths of both flows."""

REACH = 1
"""Pixels by which hidden areas are widened: at their edges, flow is wrong without disagreeing."""

FEATHER = 1.0
"""Standard deviation, in pixels, of the soft edge of hidden areas."""

STILL, MOVING = 0.25, 1.0
"""Pixels per frame: below the first a place counts as still, above the second as moving."""

FOLLOWED = 0.25
"""Share of a frame that must have been visible in the frame before; below it there is a cut."""


class Flow(NamedTuple):
    """The flow from one frame to the next.

    Attributes:
        back: from each pixel to its place in the frame before.
        visible: how surely it was visible there.
    """

    back: Field
    visible: Share

    @property
    def cut(self) -> bool:
        """Tell whether there is a cut between the two frames."""
        return float(self.visible.mean()) < FOLLOWED

    @property
    def moving(self) -> Share:
        """Return 1 where the picture moves, and 0 where it is still."""
        length = np.hypot(self.back[..., 0], self.back[..., 1])
        ramp = ((length - STILL) / (MOVING - STILL)).clip(0, 1)
        return np.asarray(ramp * ramp * (3 - 2 * ramp), np.float32)


def compute_flow(before: Image, after: Image) -> Flow:
    """Compute the flow from one frame to the next.

    Dense inverse search (Kroeger et al. 2016) runs in both directions. Where these disagree, by the
    criterion of Sundaram, Brox and Keutzer (2010), or lead beyond the edge, a point was hidden.
    """
    old, new = (_to_gray(image) for image in (before, after))
    back, forward = _search(new, old), _search(old, new)
    x, y = _find_sources(back)
    height, width = x.shape
    returning = cv2.remap(forward, x - 0.5, y - 0.5, cv2.INTER_LINEAR)
    disagreement = np.square(back + returning).sum(-1)
    allowed = TOLERANCE + SLACK * (np.square(back).sum(-1) + np.square(returning).sum(-1))
    inside = (x >= 0) & (x <= width) & (y >= 0) & (y <= height)
    return Flow(back, _feather((disagreement <= allowed) & inside))


def carry(image: Image, flow: Flow) -> Image:
    """Move a picture that belongs to the frame before to where its contents are now.

    The resampling can be repeated without blur; see `warp.sample`.
    """
    return sample(image, *_find_sources(flow.back))


def carry_age(age: Share, flow: Flow) -> Share:
    """Move numbers of the frame before, `(h, w)`, along with it; 0 where a point was hidden."""
    x, y = _find_sources(flow.back)
    brought = cv2.remap(age, x - 0.5, y - 0.5, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(flow.visible * brought)


def _to_gray(image: Image) -> NDArray[np.uint8]:
    gray = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    return np.asarray((gray.clip(0, 1) * 255).round(), np.uint8)


def _search(start: NDArray[np.uint8], end: NDArray[np.uint8]) -> Field:
    search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    return np.asarray(search.calc(start, end, None), np.float32)


def _find_sources(back: Field) -> tuple[Share, Share]:
    """Return where the center of each pixel was; the first pixel reaches from 0 to 1."""
    height, width = back.shape[:2]
    x = back[..., 0] + (np.arange(width, dtype=np.float32) + np.float32(0.5))
    y = back[..., 1] + (np.arange(height, dtype=np.float32)[:, None] + np.float32(0.5))
    return x, y


def _feather(seen: NDArray[np.bool_]) -> Share:
    """Return 1 where seen, and 0 where not and near there, with a soft edge on the outer side."""
    reach = REACH + round(2 * FEATHER)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1,) * 2)
    narrowed = cv2.erode(seen.astype(np.float32), disc, borderValue=1)
    return np.asarray(cv2.GaussianBlur(narrowed, (0, 0), FEATHER), np.float32)
