"""Opening picture files, which may come from a stranger."""

import importlib.util
import io
import math
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from PIL import ExifTags, UnidentifiedImageError
from PIL import Image as Pillow

from dreamer.errors import DreamerError

FORMATS = ("PNG", "JPEG", "WEBP", "TIFF", "GIF", "BMP", "PPM", "AVIF")
"""What is opened. Pillow knows more, and hands some of them to other programs."""

SUFFIXES = (
    *(".png", ".apng", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".gif", ".bmp", ".ppm", ".pgm"),
    *(".avif", ".heic", ".heif"),
)
"""Of the files in a folder that are taken for pictures."""

_HEIC = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
_ANIMATED = ("GIF", "WEBP", "PNG", "AVIF", "TIFF")


class Opened(NamedTuple):
    """A picture, all of it read, and what is known of it only before that.

    Attributes:
        picture: its first frame; one of 16 bits a colour has been brought down to 8.
        frames: their number.
        deep: whether it has 16 bits a colour, and more than one colour.
        orientation: as EXIF has it, 1 to 8.
        size: its own width and height, of which `picture` may have a part only.
    """

    picture: Pillow.Image
    frames: int
    deep: bool
    orientation: int
    size: tuple[int, int]


@contextmanager
def opened(data: bytes, name: str, longest: int | None = None) -> Iterator[Opened]:
    """A picture from a file's bytes.

    Args:
        data: those.
        name: stands in the errors.
        longest: side in pixels, where it is looked at in small: of a large JPEG, no more is
            decoded than for twice that.
    """
    if not data:
        raise DreamerError(f"{name} is empty (0 bytes): give another file.")
    # Formats that are named before they are loaded are unknown to Pillow.
    Pillow.init()
    formats = [*FORMATS, *_heif(data, name)]
    try:
        with warnings.catch_warnings():
            # Medium-format photos are larger than what is warned of; twice that is refused.
            warnings.simplefilter("ignore", Pillow.DecompressionBombWarning)
            picture = Pillow.open(io.BytesIO(data), formats=formats)
        with picture:
            frames = getattr(picture, "n_frames", 1) if picture.format in _ANIMATED else 1
            deep = any(";16" in str(tile.args) for tile in picture.tile)
            orientation = picture.getexif().get(ExifTags.Base.Orientation, 1)
            size = picture.size
            if longest:
                share = 2 * longest / max(size)
                picture.draft(None, (math.ceil(size[0] * share), math.ceil(size[1] * share)))
            picture.load()
            yield Opened(picture, frames, deep, orientation, size)
    except UnidentifiedImageError:
        raise DreamerError(
            f"{name} is not a picture in a known format: give a PNG, JPEG, WebP or TIFF file."
        ) from None
    except Pillow.DecompressionBombError:
        raise DreamerError(f"{name} is too large to be opened safely: reduce it first.") from None
    except DreamerError:
        raise
    # Of a damaged file, Pillow raises all kinds, some of them only when its pixels are converted.
    except Exception as error:
        raise DreamerError(f"{name} is damaged ({error}): export it again.") from None


def _heif(data: bytes, name: str) -> list[str]:
    """The format's name for a HEIC file, which needs a library that is not always there."""
    if data[4:8] != b"ftyp" or data[8:12] not in _HEIC:
        return []
    if importlib.util.find_spec("pillow_heif") is None:
        raise DreamerError(
            f"{name} is HEIC, which needs one more library: pip install pillow-heif, or export "
            "it as a JPEG."
        )
    import pillow_heif

    pillow_heif.register_heif_opener()
    return ["HEIF"]
