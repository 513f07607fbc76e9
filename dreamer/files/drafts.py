"""A draft's state: the dream at an octave's end, to the last bit, in a few bytes."""

import zlib

import numpy as np

from dreamer.arrays import Image, Size
from dreamer.errors import DreamerError

_BYTES = 4
"""Of a float32."""


def pack(images: Image) -> bytes:
    """Compress float32 `(h, w, 3)` without loss: equal bytes of all numbers side by side."""
    planes = np.ascontiguousarray(images, "<f4").reshape(-1, 1).view(np.uint8)
    return zlib.compress(planes.T.tobytes())


def unpack(data: bytes, size: Size, source: str) -> Image:
    """What `pack` was given; it may come from a stranger, so nothing larger is unpacked.

    Raises DreamerError, naming `source`, where the data are not those of a picture of `size`.
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
