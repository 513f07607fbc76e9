"""TIFF files of more than 8 bits per color, whole numbers or floating point, by tifffile.

Pillow reduces them to 8 bits or does not open them, and OpenCV mistakes planes for pixels.
"""

import io
from typing import NamedTuple

import numpy as np
import tifffile
from numpy.typing import NDArray

from dreamer.arrays import MOST_PIXELS
from dreamer.errors import DreamerError

_SIGNATURES = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_ORIENTATION, _PROFILE = 274, 34675
_ASSOCIATED = 1
"""The kind of opacity by which colors have been multiplied already."""


class DeepPicture(NamedTuple):
    """A picture as it is stored.

    Attributes:
        pixels: float32 `(h, w, 4)` of 0 to 1, color and opacity.
        orientation: as in EXIF, 1 to 8.
        profile: its color profile; None if there is none.
        frames: the number of pictures in the file.
        floating: whether it is stored in floating point.
        dpi: its dots per inch; None if it does not say.
    """

    pixels: NDArray[np.float32]
    orientation: int
    profile: bytes | None
    frames: int
    floating: bool
    dpi: float | None = None


def read(data: bytes, name: str) -> DeepPicture | None:
    """Read the first picture of a TIFF; None if it has 8 bits, or colors other than RGB or gray.

    Raises DreamerError, which begins with `name`, if it is damaged or too large.
    """
    if data[:4] not in _SIGNATURES:
        return None
    try:
        with tifffile.TiffFile(io.BytesIO(data)) as file:
            page = file.pages.first
            gray = page.photometric == tifffile.PHOTOMETRIC.MINISBLACK
            if not (gray or page.photometric == tifffile.PHOTOMETRIC.RGB):
                return None
            if page.dtype is None or page.dtype.itemsize < 2 or page.dtype.kind not in "uf":
                return None
            if page.imagelength * page.imagewidth > MOST_PIXELS:
                raise DreamerError(
                    f"{name} has {page.imagewidth}×{page.imagelength} pixels, and at most "
                    f"{MOST_PIXELS} can be opened: reduce it first."
                )
            stored = page.asarray()
            if page.planarconfig == tifffile.PLANARCONFIG.SEPARATE and stored.ndim == 3:
                stored = np.moveaxis(stored, 0, -1)
            associated = _ASSOCIATED in map(int, page.extrasamples)
            orientation, profile = (
                page.tags[code].value if code in page.tags else None
                for code in (_ORIENTATION, _PROFILE)
            )
            frames = len(file.pages)
            across = float(page.get_resolution(tifffile.RESUNIT.INCH)[0])
    except DreamerError:
        raise
    # Whatever is wrong with a file from a stranger.
    except Exception as error:
        raise DreamerError(f"{name} is damaged ({error}): export it again.") from None
    floating = stored.dtype.kind == "f"
    top = np.float32(1 if floating else np.iinfo(stored.dtype).max)
    levels = np.nan_to_num(stored.astype(np.float32) / top).clip(0, 1)
    pixels = _spread(levels if levels.ndim == 3 else levels[..., None], gray=gray)
    if associated:
        share = pixels[..., 3:]
        pixels[..., :3] = (pixels[..., :3] / np.maximum(share, 1e-6)).clip(0, 1)
    dpi = across if across > 1 else None
    return DeepPicture(pixels, int(orientation or 1), profile, frames, floating, dpi)


def _spread(levels: NDArray[np.float32], *, gray: bool) -> NDArray[np.float32]:
    """Return color and opacity, `(h, w, 4)`, of what may be gray, or without opacity."""
    own = 1 if gray else 3
    color = np.broadcast_to(levels[..., :own], (*levels.shape[:2], 3))
    has_opacity = levels.shape[-1] > own
    opacity = levels[..., own : own + 1] if has_opacity else np.ones_like(levels[..., :1])
    return np.concatenate([color, opacity], axis=-1)
