"""Opening of picture files, which may come from a stranger."""

import importlib.util
import io
import math
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import NamedTuple

from PIL import ExifTags, UnidentifiedImageError
from PIL import Image as Pillow
from PIL import ImageFile as pillow_files
from PIL.ImageFile import ImageFile
from PIL.JpegImagePlugin import JpegImageFile

from dreamer.errors import DreamerError

FORMATS = ("PNG", "JPEG", "WEBP", "TIFF", "GIF", "BMP", "PPM", "AVIF")
"""Formats that are opened; Pillow knows more, and hands some of them to other programs."""

SUFFIXES = (
    *(".png", ".apng", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".gif", ".bmp", ".ppm", ".pgm"),
    *(".avif", ".heic", ".heif", ".exr"),
)
"""Suffixes of the files in a folder that are taken for pictures."""

_HEIC = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
_JPEG_SHARES = (2, 4, 8)
"""Divisors of the sides at which a JPEG can be decoded in less memory."""

_ANIMATED = ("GIF", "WEBP", "PNG", "AVIF", "TIFF")


class Opened(NamedTuple):
    """A picture that has been read, and facts that Pillow knows only before that.

    Attributes:
        picture: the first frame; colors of 16 bits have been reduced to 8.
        frames: the number of frames.
        deep: whether the file has 16 bits per color, or per level of gray.
        orientation: EXIF orientation, 1 to 8.
        size: width and height of the file's picture; `picture` may be a reduced copy.
        damaged: whether something of it is missing.
    """

    picture: Pillow.Image
    frames: int
    deep: bool
    orientation: int
    size: tuple[int, int]
    damaged: bool = False


@contextmanager
def open_picture(
    data: bytes, name: str, longest: int | None = None, *, damaged: bool | None = None
) -> Iterator[Opened]:
    """Open a picture from a file's bytes.

    Args:
        data: the bytes of the file.
        name: names the picture in errors.
        longest: the longest side, in pixels, at which the picture will be used, if reduced; a
            large JPEG is then decoded only at about twice that.
        damaged: whether a file that ends too early is read as far as it goes; None where nobody
            can ask for that.

    Raises DreamerError if the data are not a picture, or too large, or damaged.
    """
    if not data:
        raise DreamerError(f"{name} is empty (0 bytes): give another file.")
    # Pillow does not know formats by name before their plugins are loaded.
    Pillow.init()
    formats = [*FORMATS, *_register_heif(data, name)]
    try:
        with ExitStack() as stack:
            missing = bool(damaged) and not _is_whole(data, formats)
            if missing:
                stack.enter_context(_reading_truncated())
            picture, own = _open(data, formats)
            stack.enter_context(picture)
            frames = getattr(picture, "n_frames", 1) if picture.format in _ANIMATED else 1
            deep = any(";16" in str(tile.args) for tile in picture.tile)
            orientation = picture.getexif().get(ExifTags.Base.Orientation, 1)
            size = own
            if longest:
                share = 2 * longest / max(size)
                picture.draft(None, (math.ceil(size[0] * share), math.ceil(size[1] * share)))
            picture.load()
            yield Opened(picture, frames, deep, orientation, size, missing)
    except UnidentifiedImageError:
        raise DreamerError(
            f"{name} is not a picture in a known format: give a PNG, JPEG, WebP or TIFF file."
        ) from None
    except Pillow.DecompressionBombError:
        raise DreamerError(
            f"{name} is too large to be opened safely: reduce it first, to at most "
            f"{2 * (Pillow.MAX_IMAGE_PIXELS or 0) // 1_000_000} megapixels, or export it as a JPEG."
        ) from None
    except DreamerError:
        raise
    # On damaged files Pillow raises all kinds of errors, some only when pixels are converted.
    except Exception as error:
        hint = ", or use what is there by --allow-damaged" if damaged is False else ""
        raise DreamerError(f"{name} is damaged ({error}): export it again{hint}.") from None


def _is_whole(data: bytes, formats: list[str]) -> bool:
    """Tell whether a picture that can be opened can be decoded to its end."""
    picture, _ = _open(data, formats)
    try:
        picture.load()
    # On damaged files Pillow raises all kinds of errors.
    except Exception:
        return False
    return True


@contextmanager
def _reading_truncated() -> Iterator[None]:
    """Let Pillow read files that end too early as far as they go."""
    usual = pillow_files.LOAD_TRUNCATED_IMAGES
    pillow_files.LOAD_TRUNCATED_IMAGES = True
    try:
        yield
    finally:
        pillow_files.LOAD_TRUNCATED_IMAGES = usual


def _open(data: bytes, formats: list[str]) -> tuple[ImageFile, tuple[int, int]]:
    """Open a picture that is safe to decode, and return its own width and height.

    A JPEG that is not is opened at a half, a quarter or an eighth of them.
    """
    try:
        with warnings.catch_warnings():
            # Medium-format photos exceed the size of the warning; at twice that, Pillow refuses.
            warnings.simplefilter("ignore", Pillow.DecompressionBombWarning)
            picture: ImageFile = Pillow.open(io.BytesIO(data), formats=formats)
    except Pillow.DecompressionBombError:
        if not data.startswith(b"\xff\xd8"):
            raise
    else:
        return picture, picture.size
    picture = JpegImageFile(io.BytesIO(data))
    own, most = picture.size, 2 * (Pillow.MAX_IMAGE_PIXELS or 0)
    for share in _JPEG_SHARES:
        if math.prod(own) <= most * share**2:
            picture.draft(None, (own[0] // share, own[1] // share))
            return picture, own
    raise Pillow.DecompressionBombError


def _register_heif(data: bytes, name: str) -> list[str]:
    """Register the HEIC format if the file is HEIC, and return its name, if any.

    Raises DreamerError if the optional library for it is missing.
    """
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
