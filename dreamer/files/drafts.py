"""The state of a draft: the dream at the end of an octave, compressed without loss."""

import zlib

import numpy as np

from dreamer.arrays import Image, Size
from dreamer.errors import DreamerError

_BYTES = 4
"""Bytes of a float32."""


def pack(images: Image) -> bytes:
    """Compress float32 `(h, w, 3)` without loss.

    The first bytes of all numbers come first, then the second ones and so on, because these
    compress better side by side.
    """
    planes = np.ascontiguousarray(images, "<f4").reshape(-1, 1).view(np.uint8)
    return zlib.compress(planes.T.tobytes())


def unpack(data: bytes, size: Size, source: str) -> Image:
    """Restore the picture that `pack` was given.

    The data may come from a stranger, so no more than a picture of `size` is unpacked.

    Raises DreamerError, naming `source`, if the data do not hold a picture of `size`.
    """
    length = size[0] * size[1] * 3 * _BYTES
    stream = zlib.decompressobj()
    try:
        raw = stream.decompress(data, length + 1)
    except zlib.error:
        raw = b""
    if len(raw) == length:
        planes = np.frombuffer(raw, np.uint8).reshape(_BYTES, -1)
        images = np.ascontiguousarray(planes.T).view("<f4").reshape(*size, 3)
        if np.isfinite(images).all():
            return images.astype(np.float32)
    raise DreamerError(f"{source} holds no state that fits its recipe: make the draft again.")
