"""What passes between rooms: pictures, and what networks make of them."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.float32]
"""float32 `(h, w, 3)`, RGB, 0 to 1. While a dream grows, values may leave 0 to 1."""

Size = tuple[int, int]
"""Height and width in pixels."""

SMALLEST_SIDE = 16
"""The shortest side, in pixels, that a photo may have."""

MOST_PIXELS = 200_000_000
"""Of a picture that is enlarged, or drawn from noise."""

Activations = Mapping[str, Any]
"""float32 TensorFlow tensors by layer: feature maps `(n, h, w, c)`, or units `(n, c)`."""

Stored = NDArray[np.uint16]
"""A film's frame as it is stored, encoded and fed back: `(h, w, 3)`, RGB, 0 to 65535."""


def to_stored(image: Image) -> Stored:
    """Round a picture to the form in which frames are stored; what leaves 0 to 1 is clipped."""
    return (image.clip(0, 1) * np.float32(65535) + np.float32(0.5)).astype(np.uint16)


def from_stored(frame: Stored) -> Image:
    """The picture that a stored frame holds; `to_stored` gives the same frame back."""
    return frame.astype(np.float32) / np.float32(65535)


def to_bytes(frame: Stored) -> NDArray[np.uint8]:
    """A stored frame rounded to 8 bits a color."""
    # Exact division by 257, without a division.
    return ((frame.astype(np.uint32) * 255 + 32895) >> 16).astype(np.uint8)
