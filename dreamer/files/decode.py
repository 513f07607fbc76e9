"""Decoding of picture files to sRGB pixels."""

import io
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
import scipy  # Its parts are imported where they are first used.
from numpy.typing import NDArray
from PIL import Image as Pillow
from PIL import ImageCms, ImageOps

from dreamer.arrays import Size
from dreamer.files import coded_colors, deep_tiff, open_exr, pictures, sixteen_bit
from dreamer.files.deep_tiff import DeepPicture

Pixels = NDArray[np.float32]
"""float32 `(h, w, 4)` of 0 to 1: sRGB and opacity."""


class Decoded(NamedTuple):
    """Pixels, and what is to be known of them.

    Attributes:
        pixels: of the picture.
        notes: what was done to get them, in a few words each.
        own: the full picture's height and width.
        dpi: its dots per inch; None if it does not say.
    """

    pixels: Pixels
    notes: tuple[str, ...]
    own: Size
    dpi: float | None = None


def decode(
    data: bytes, name: str, longest: int | None = None, *, damaged: bool | None = None
) -> Decoded:
    """Decode the first frame of a picture, upright and in sRGB.

    Grayscale, palettes, 16 bits, CMYK, color profiles and opacity are supported.

    Args:
        data: the bytes of the file.
        name: names the picture in errors.
        longest: the longest side, in pixels, at which the picture will be used, if reduced; a
            large JPEG is then decoded only at about twice that.
        damaged: whether a file that ends too early is read as far as it goes; None where nobody
            can ask for that.

    Raises DreamerError if the data are not a picture, or are damaged.
    """
    if deep := deep_tiff.read(data, name) or open_exr.read(data, name):
        return _convert_deep(deep)
    with pictures.open_picture(data, name, longest, damaged=damaged) as opened:
        notes = _note_frames(opened.frames)
        notes += ["damaged, and read as far as it goes"] if opened.damaged else []
        if longest is None and opened.picture.size != opened.size:
            share = round(opened.size[0] / opened.picture.size[0])
            notes.append(f"read at 1/{share} of its sides, because it is very large")
        # These outrank a profile, which is there for programs that do not know them.
        colors = coded_colors.find(data)
        given = None if colors else opened.picture.info.get("icc_profile")
        profile = _Profile(opened.picture.mode, given)
        deep_png = opened.deep and opened.picture.format == "PNG"
        whole = sixteen_bit.read(data) if deep_png else None
        if whole is None:
            pixels = _to_pixels(opened.picture, profile)
        else:
            notes.append("16 bits a color (see --depth)")
            pixels = profile.convert_deep(whole.astype(np.float32) / np.float32(65535))
            pixels = _turn_upright(pixels, opened.orientation)
        if colors:
            # Row by row, to save memory on large pictures.
            for row in pixels:
                row[:, :3] = coded_colors.convert(row[:, :3], colors)
            notes.append(coded_colors.describe(colors))
        width, height = opened.size
        own = (width, height) if opened.orientation in _SIDEWAYS else (height, width)
        return Decoded(pixels, (*notes, *profile.notes), own, _find_dpi(opened.picture.info))


def _find_dpi(about: Mapping[Any, Any]) -> float | None:
    """Return the dots per inch of a picture, which may say them for each axis."""
    dpi, *_ = about.get("dpi", (0,))
    return float(dpi) if dpi > 1 else None


def from_pillow(picture: Pillow.Image) -> Pixels:
    """Convert a Pillow image to pixels, upright and in sRGB."""
    return _to_pixels(picture, _Profile(picture.mode, picture.info.get("icc_profile")))


def _convert_deep(deep: DeepPicture) -> Decoded:
    """Return a picture of more than 8 bits, upright and in sRGB."""
    profile = _Profile("RGB", deep.profile)
    pixels = _turn_upright(profile.convert_deep(deep.pixels), deep.orientation)
    notes = _note_frames(deep.frames)
    kind = "floating point, light above white is cut" if deep.floating else "16 bits a color"
    notes.append(f"{kind} (see --depth)")
    height, width = pixels.shape[:2]
    return Decoded(pixels, (*notes, *profile.notes), (height, width), deep.dpi)


def _note_frames(count: int) -> list[str]:
    return [f"the first of {count} frames"] if count > 1 else []


def _turn_upright(pixels: Pixels, orientation: int) -> Pixels:
    return np.ascontiguousarray(_UPRIGHT.get(orientation, _UPRIGHT[1])(pixels))


_SIDEWAYS = range(5, 9)
"""EXIF orientations of pictures that lie on their side."""

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
"""Functions that turn arrays upright, by EXIF orientation, as `ImageOps.exif_transpose` does."""


def _to_pixels(picture: Pillow.Image, profile: "_Profile") -> Pixels:
    picture = ImageOps.exif_transpose(picture)
    if picture.mode.startswith("I") or picture.mode == "F":
        # Pillow's own conversion clips 16-bit gray to 255 instead of scaling it.
        gray = np.nan_to_num(np.asarray(picture, np.float32))
        top = 65535 if picture.mode.startswith("I") else max(float(gray.max()), 1.0)
        gray = (gray[..., None] / np.float32(top)).clip(0, 1)
        return np.concatenate([gray, gray, gray, np.ones_like(gray)], axis=-1)
    return np.asarray(profile.convert(picture).convert("RGBA"), np.float32) / np.float32(255)


_NODES = 52
"""Nodes per axis of the table that converts deep colors; the 51 steps between them divide 255."""


class _Profile:
    """The conversion from a picture's color profile to sRGB; does nothing if there is none."""

    def __init__(self, mode: str, profile: bytes | None) -> None:
        self.notes: list[str] = []
        self._transform: ImageCms.ImageCmsTransform | None = None
        # Pillow does not convert pictures with opacity, which has no color anyway, nor palettes.
        self._mode = {"RGBA": "RGB", "LA": "L", "P": "RGB", "PA": "RGB"}.get(mode, mode)
        if profile and self._mode in ("RGB", "CMYK", "L"):
            self._read(profile)
        if mode == "CMYK" and self._transform is None:
            self.notes.append("CMYK without a profile, so its colors are approximate")

    def _read(self, profile: bytes) -> None:
        try:
            own = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            named = ImageCms.getProfileDescription(own).strip()
            srgb = ImageCms.createProfile("sRGB")
            self._transform = ImageCms.buildTransform(own, srgb, self._mode, "RGB")
        except (ImageCms.PyCMSError, OSError):
            self.notes.append("its color profile cannot be used, so it is taken as sRGB")
            return
        if "srgb" not in named.casefold():
            self.notes.append(f"converted from {named or 'its color profile'} to sRGB")

    def convert(self, picture: Pillow.Image) -> Pillow.Image:
        """Convert an 8-bit picture to sRGB."""
        if self._transform is None:
            return picture
        if picture.mode in ("P", "PA"):
            picture = picture.convert("RGBA")
        converted = ImageCms.applyTransform(picture.convert(self._mode), self._transform)
        if converted is not None and picture.mode in ("RGBA", "LA"):
            converted.putalpha(picture.getchannel("A"))
        return converted or picture

    def convert_deep(self, pixels: Pixels) -> Pixels:
        """Convert pixels of any depth to sRGB.

        Pillow converts only 8 bits, so what lies in between is convert_deep linearly.
        """
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
                out[:, channel] = scipy.ndimage.map_coordinates(
                    table[..., channel], places, order=1
                )
        return converted
