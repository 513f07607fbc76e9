"""Photo input and picture output."""

import hashlib
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

from dreamer.arrays import MOST_PIXELS, SMALLEST_SIDE, Image, Size
from dreamer.errors import DreamerError
from dreamer.files import atomic, content, metadata, sixteen_bit
from dreamer.files.decode import Pixels, decode
from dreamer.files.metadata import Embedded

_Level = TypeVar("_Level", np.uint8, np.uint16)

QUALITY = 92
"""Default quality of a JPEG or WebP, 1 to 100."""

DEPTH = 8
"""Default bits per color of a picture that is written."""

MASK_SLACK = 0.02
"""Relative difference allowed between the aspect ratios of a mask and its picture."""


class Photo(NamedTuple):
    """A picture as read: sRGB colors, opacity `(h, w)` of 0 to 1 if any, and the file's hash.

    `notes` say in a few words each what was done to it; `original` is the height and width of the
    picture in its file, where it was read at another size, and `dpi` the dots per inch that it says
    it has.
    """

    image: Image
    alpha: NDArray[np.float32] | None
    sha256: str
    notes: tuple[str, ...] = ()
    original: Size | None = None
    dpi: float | None = None

    @property
    def size(self) -> Size:
        """Return height and width."""
        return self.image.shape[0], self.image.shape[1]


def read(path: Path, role: str = "photo", *, damaged: bool | None = None) -> Photo:
    """Read a photo, upright and in sRGB; see `decode.decode`.

    Args:
        path: of the file.
        role: what errors call it.
        damaged: whether a file that ends too early is read as far as it goes; None where nobody
            can ask for that.

    Raises DreamerError if it cannot be used.
    """
    return _read(path, None, role, damaged=damaged)[0]


def read_small(path: Path, longest: int) -> tuple[Photo, Size]:
    """Read a photo, reduced to a longest side in pixels; also return its own height and width.

    This is much faster than `read` for a large JPEG, because not all of it is decoded.
    """
    photo, own = _read(path, longest, "photo")
    return resize(photo, fit_size(own, longest)), own


def _read(
    path: Path, longest: int | None, role: str, *, damaged: bool | None = None
) -> tuple[Photo, Size]:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DreamerError(f"Cannot read the {role} {path}: {error.strerror}; check it.") from None
    name = f"The {role} {path}"
    try:
        pixels, notes, own, dpi = decode(data, name, longest, damaged=damaged)
    except DreamerError:
        if content.is_film(data[: content.HEAD_BYTES]):
            raise DreamerError(f"{path} is a film: `dream video` dreams on those.") from None
        raise
    sha256 = hashlib.sha256(data).hexdigest()
    photo = of_pixels(pixels, name)._replace(sha256=sha256, notes=notes, original=own, dpi=dpi)
    return photo, own


def of_pixels(pixels: Pixels, name: str) -> Photo:
    """Make a photo from pixels; it is not from a file, so its hash is empty.

    Raises DreamerError, which begins with `name`, if it is too small.
    """
    height, width = pixels.shape[:2]
    if min(height, width) < SMALLEST_SIDE:
        raise DreamerError(
            f"{name} has {width}×{height} pixels: each side must have at least {SMALLEST_SIDE}."
        )
    alpha = None if (pixels[..., 3] == 1).all() else pixels[..., 3]
    return Photo(np.ascontiguousarray(pixels[..., :3]), alpha, "")


def fit_size(size: Size, limit: int | str, *, enlarge: bool = False) -> Size:
    """Fit a size to a longest side, keeping its proportions.

    Args:
        size: height and width in pixels.
        limit: the longest side in pixels, or `"full"` for the size as it is.
        enlarge: whether a size below `limit` is brought up to it.

    Raises DreamerError if the size would have to change and is still too large.
    """
    share = 1.0 if limit == "full" else int(limit) / max(size)
    if share >= 1 and not enlarge:
        return size
    height, width = max(1, round(size[0] * share)), max(1, round(size[1] * share))
    if height * width > MOST_PIXELS:
        raise DreamerError(f"{width}×{height} pixels are too many: give a smaller --size.")
    return height, width


def resize(photo: Photo, size: Size) -> Photo:
    """Resize a photo, by area if it shrinks and bicubically if it grows."""
    if size == photo.image.shape[:2]:
        return photo
    shrinks = math.prod(size) < math.prod(photo.image.shape[:2])
    interpolation = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC

    def scale(plane: NDArray[np.float32]) -> NDArray[np.float32]:
        scaled = cv2.resize(plane, size[::-1], interpolation=interpolation)
        return np.asarray(scaled.clip(0, 1), np.float32)

    if photo.alpha is None:
        return photo._replace(image=scale(photo.image))
    # A color counts as much as it is seen: what is behind a hole must not bleed out of it.
    share, seen = scale(photo.alpha), scale(photo.image * photo.alpha[..., None])
    thin = share[..., None] < 1 / 512
    image = np.where(thin, scale(photo.image), seen / np.where(thin, 1, share[..., None])).clip(
        0, 1
    )
    return photo._replace(image=image.astype(np.float32), alpha=share)


def as_mask(mask: Photo, size: Size, name: str) -> NDArray[np.float32]:
    """Convert a photo to a mask, `(h, w)` of 0 to 1, at a picture's size; transparent is black.

    Raises DreamerError, which begins with `name`, if its proportions differ from the picture's.
    """
    check_proportions(name, mask.image.shape[:2], size)
    mask = resize(mask, size)
    white = mask.image.mean(-1)
    return np.asarray(white if mask.alpha is None else white * mask.alpha, np.float32)


def check_proportions(name: str, own: Size, size: Size) -> None:
    """Raise DreamerError if a mask of size `own` and a picture of `size` differ in proportions."""
    if not has_proportions(own, size):
        raise DreamerError(
            f"{name} has other proportions ({own[1]}×{own[0]}) than the picture "
            f"({size[1]}×{size[0]}): crop it to the photo's."
        )


def has_proportions(own: Size, size: Size) -> bool:
    """Tell whether two sizes have the same proportions, but for rounding."""
    return abs(own[1] / own[0] * size[0] / size[1] - 1) <= MASK_SLACK


class Style(NamedTuple):
    """How a picture is written beside its pixels: quality 1 to 100, and dots per inch if any."""

    quality: int = QUALITY
    dpi: float | None = None

    @property
    def resolution(self) -> dict[str, Any]:
        """Return what tells Pillow the dots per inch."""
        return {} if self.dpi is None else {"dpi": (self.dpi, self.dpi)}


def _save_png(picture: Pillow.Image, file: BinaryIO, made: Embedded | None, style: Style) -> None:
    picture.save(file, "PNG", pnginfo=metadata.as_text_chunk(made), **style.resolution)


def _save_jpeg(picture: Pillow.Image, file: BinaryIO, made: Embedded | None, style: Style) -> None:
    # With 4:2:0 subsampling, the saturated fine detail of a dream smears.
    picture.convert("RGB").save(
        file,
        "JPEG",
        quality=style.quality,
        subsampling=0,
        exif=metadata.as_exif(made),
        **style.resolution,
    )


def _save_webp(picture: Pillow.Image, file: BinaryIO, made: Embedded | None, style: Style) -> None:
    picture.save(file, "WEBP", quality=style.quality, method=4, exif=metadata.as_exif(made))


def _save_tiff(picture: Pillow.Image, file: BinaryIO, made: Embedded | None, style: Style) -> None:
    picture.save(
        file,
        "TIFF",
        compression="tiff_adobe_deflate",
        exif=metadata.as_exif(made),
        **style.resolution,
    )


WRITERS: Mapping[str, Callable[[Pillow.Image, BinaryIO, Embedded | None, Style], None]] = {
    ".png": _save_png,
    ".jpg": _save_jpeg,
    ".jpeg": _save_jpeg,
    ".webp": _save_webp,
    ".tif": _save_tiff,
    ".tiff": _save_tiff,
}
"""Writers of 8-bit pictures, by suffix."""

USUAL = Style()


def write(
    path: Path,
    image: Image,
    alpha: NDArray[np.float32] | None = None,
    made: Embedded | None = None,
    *,
    style: Style = USUAL,
    depth: int = DEPTH,
    overwrite: bool = True,
) -> None:
    """Write a picture, whole or not at all.

    Args:
        path: its suffix, a key of `WRITERS`, decides the format.
        image: float32 `(h, w, 3)`; values outside 0 to 1 are clipped.
        alpha: opacity `(h, w)`, left out in a JPEG.
        made: the recipe to put inside.
        style: quality, and dots per inch.
        depth: bits per color: 8, or 16 if `sixteen_bit.WRITERS` has the suffix.
        overwrite: whether an existing file may be replaced.

    Raises DreamerError if the file cannot be written, or the format cannot hold the picture.
    """
    planes = image if alpha is None else np.dstack([image, alpha])
    suffix = path.suffix.lower()
    try:
        with atomic.open_replacing(path, overwrite=overwrite) as file:
            if depth == 16:
                sixteen_bit.WRITERS[suffix](quantize(planes, np.uint16), file, made, style.dpi)
            else:
                shallow = Pillow.fromarray(quantize(planes, np.uint8))
                WRITERS[suffix](shallow, file, made, style)
    except ValueError as error:
        raise DreamerError(
            f"{path.suffix} cannot hold this picture ({error}): write a .png instead."
        ) from None


def write_preview(path: Path, image: Image) -> None:
    """Write a PNG that is shown only for a while: in a quarter of the time, and a bit larger."""
    picture = Pillow.fromarray(quantize(image, np.uint8))
    with atomic.open_replacing(path) as file:
        picture.save(file, "PNG", compress_level=1)


def quantize(planes: Image, kind: type[_Level]) -> NDArray[_Level]:
    """Convert colors of 0 to 1 to whole numbers, row by row to save memory on large pictures."""
    top, result = np.iinfo(kind).max, np.empty(planes.shape, kind)
    for row, colors in enumerate(planes):
        result[row] = colors.clip(0, 1) * top + 0.5
    return result
