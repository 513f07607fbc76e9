"""From a picture file's bytes to sRGB colours."""

import io
from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow
from PIL import ImageCms, ImageOps
from scipy import ndimage

from dreamer.arrays import Size
from dreamer.files import deep, pictures

Pixels = NDArray[np.float32]
"""float32 `(h, w, 4)` of 0 to 1: sRGB and opacity."""


class Decoded(NamedTuple):
    """Pixels, what had to be done to get them in a few words each, and the whole's own size."""

    pixels: Pixels
    notes: tuple[str, ...]
    own: Size


def decode(data: bytes, name: str, longest: int | None = None) -> Decoded:
    """A picture's first frame, upright and in sRGB; `name` stands in the errors.

    Where it is looked at in small, a large JPEG is decoded to about twice `longest` only.

    Greyscale, palettes, 16 bits, CMYK, colour profiles and opacity are understood.

    Raises DreamerError where the data are no picture, or a damaged one.
    """
    with pictures.opened(data, name, longest) as opened:
        notes = [f"the first of {opened.frames} frames"] if opened.frames > 1 else []
        profile = _Profile(opened.picture)
        whole = deep.read(data) if opened.deep else None
        if whole is None:
            pixels = _shallow(opened.picture, profile)
        else:
            notes.append("16 bits a colour (see --depth)")
            pixels = profile.interpolated(whole.astype(np.float32) / np.float32(65535))
            if opened.picture.format == "PNG":  # OpenCV has turned a TIFF already.
                pixels = np.ascontiguousarray(_UPRIGHT.get(opened.orientation, _UPRIGHT[1])(pixels))
        width, height = opened.size
        own = (width, height) if opened.orientation in _TURNED else (height, width)
        return Decoded(pixels, (*notes, *profile.notes), own)


def held(picture: Pillow.Image) -> Pixels:
    """The same of a picture that Pillow holds."""
    return _shallow(picture, _Profile(picture))


_TURNED = range(5, 9)
"""The EXIF orientations of a picture that lies on its side."""

_UPRIGHT: Mapping[int, Callable[[Pixels], Pixels]] = {
    1: lambda x: x,
    2: lambda x: x[:, ::-1],
    3: lambda x: x[::-1, ::-1],
    4: lambda x: x[::-1],
    5: lambda x: x.swapaxes(0, 1),
    6: lambda x: x.swapaxes(0, 1)[:, ::-1],
    7: lambda x: x[::-1, ::-1].swapaxes(0, 1),
    8: lambda x: x.swapaxes(0, 1)[::-1],
}
"""By EXIF orientation; `ImageOps.exif_transpose` for arrays."""


def _shallow(picture: Pillow.Image, profile: "_Profile") -> Pixels:
    picture = ImageOps.exif_transpose(picture)
    if picture.mode.startswith("I") or picture.mode == "F":
        # Pillow's own conversion clips 16-bit grey to 255 instead of scaling it.
        grey = np.nan_to_num(np.asarray(picture, np.float32))
        top = 65535 if picture.mode.startswith("I") else max(float(grey.max()), 1.0)
        grey = (grey[..., None] / np.float32(top)).clip(0, 1)
        return np.concatenate([grey, grey, grey, np.ones_like(grey)], axis=-1)
    return np.asarray(profile.applied(picture).convert("RGBA"), np.float32) / np.float32(255)


_NODES = 52
"""Along each axis of the table through which deep colours are converted; divides 255."""


class _Profile:
    """The way from a picture's own colour profile to sRGB; none where it has none."""

    def __init__(self, picture: Pillow.Image) -> None:
        self.notes: list[str] = []
        self._transform: ImageCms.ImageCmsTransform | None = None
        # Opacity has no colour, and Pillow converts no picture that has one.
        self._mode = {"RGBA": "RGB", "LA": "L"}.get(picture.mode, picture.mode)
        profile = picture.info.get("icc_profile")
        if profile and self._mode in ("RGB", "CMYK", "L"):
            self._read(profile)
        if picture.mode == "CMYK" and self._transform is None:
            self.notes.append("CMYK without a profile, so its colours are approximate")

    def _read(self, profile: bytes) -> None:
        try:
            own = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            named = ImageCms.getProfileDescription(own).strip()
            srgb = ImageCms.createProfile("sRGB")
            self._transform = ImageCms.buildTransform(own, srgb, self._mode, "RGB")
        except (ImageCms.PyCMSError, OSError):
            self.notes.append("its colour profile cannot be used, so it is taken as sRGB")
            return
        if "srgb" not in named.casefold():
            self.notes.append(f"converted from {named or 'its colour profile'} to sRGB")

    def applied(self, picture: Pillow.Image) -> Pillow.Image:
        """A picture of 8 bits in sRGB."""
        if self._transform is None:
            return picture
        converted = ImageCms.applyTransform(picture.convert(self._mode), self._transform)
        if converted is not None and picture.mode in ("RGBA", "LA"):
            converted.putalpha(picture.getchannel("A"))
        return converted or picture

    def interpolated(self, pixels: Pixels) -> Pixels:
        """Pixels of any depth in sRGB: Pillow converts 8 bits, so between its colours a line."""
        if self._transform is None or self._mode != "RGB":
            return pixels
        levels = np.linspace(0, 255, _NODES).astype(np.uint8)
        grid = np.stack(np.meshgrid(levels, levels, levels, indexing="ij"), axis=-1)
        nodes = Pillow.fromarray(grid.reshape(-1, _NODES, 3))
        table = np.asarray(ImageCms.applyTransform(nodes, self._transform), np.float32) / 255
        table = table.reshape(_NODES, _NODES, _NODES, 3)
        converted = pixels.copy()
        # Row by row, because the coordinates of a whole photo would fill the memory.
        for row, out in zip(pixels, converted, strict=True):
            places = row[:, :3].T * np.float32(_NODES - 1)
            for channel in range(3):
                out[:, channel] = ndimage.map_coordinates(table[..., channel], places, order=1)
        return converted
