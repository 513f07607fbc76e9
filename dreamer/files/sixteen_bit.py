"""Pictures of 16 bits per color, which Pillow would reduce to 8."""

import struct
from collections.abc import Callable, Mapping
from typing import BinaryIO

import cv2
import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL.PngImagePlugin import putchunk

from dreamer.files import metadata
from dreamer.files.metadata import Embedded

Deep = NDArray[np.uint16]
"""uint16 `(h, w, 3)` or, with opacity, `(h, w, 4)`; 0 to 65535."""


def read(data: bytes) -> Deep | None:
    """Decode a color PNG of 16 bits, `(h, w, 4)`; None if OpenCV finds no such picture.

    Pillow must have opened the file before, so that its size is known to be safe.
    """
    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels is None or pixels.dtype != np.uint16 or pixels.ndim != 3:
        return None
    code = {3: cv2.COLOR_BGR2RGBA, 4: cv2.COLOR_BGRA2RGBA}[pixels.shape[2]]
    return np.asarray(cv2.cvtColor(pixels, code), np.uint16)


_SIGNATURE_AND_HEADER = 33


def _save_png(pixels: Deep, file: BinaryIO, made: Embedded | None, dpi: float | None) -> None:
    swapped = np.dstack([pixels[..., 2::-1], pixels[..., 3:]])
    data = cv2.imencode(".png", swapped)[1].tobytes()
    # Right after the header, text is found without reading the pixels.
    file.write(data[:_SIGNATURE_AND_HEADER])
    if dpi is not None:
        # In dots per meter, as the format has it.
        putchunk(file, b"pHYs", struct.pack(">IIB", *[round(dpi / 0.0254)] * 2, 1))
    for kind, content, *_ in metadata.as_text_chunk(made).chunks:
        putchunk(file, kind, content)
    file.write(data[_SIGNATURE_AND_HEADER:])


def _save_tiff(pixels: Deep, file: BinaryIO, made: Embedded | None, dpi: float | None) -> None:
    tifffile.imwrite(
        file,
        pixels,
        photometric="rgb",
        extrasamples=["unassalpha"] * (pixels.shape[2] - 3),
        compression="zlib",
        description=None if made is None else made.text,
        metadata=None,
        software=False,
        resolution=None if dpi is None else (dpi, dpi),
        resolutionunit=None if dpi is None else "INCH",
    )


WRITERS: Mapping[str, Callable[[Deep, BinaryIO, Embedded | None, float | None], None]] = {
    ".png": _save_png,
    ".tif": _save_tiff,
    ".tiff": _save_tiff,
}
"""Writers of 16-bit pictures, by suffix."""
