"""Pictures in memory: conversion from and to arrays and Pillow images."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

from dreamer.arrays import Image
from dreamer.errors import DreamerError
from dreamer.files import decode, photos
from dreamer.files.decode import Pixels
from dreamer.files.photos import Photo

AnyPicture = NDArray[np.generic] | Pillow.Image
"""A Pillow image, or an array `(h, w, 3)`, `(h, w, 4)` or `(h, w)`: uint8, or floats of 0 to 1."""


def to_photo(picture: AnyPicture, name: str) -> Photo:
    """Convert a picture to a photo.

    Raises DreamerError, which begins with `name`, if it is not a picture or is too small.
    """
    if isinstance(picture, Pillow.Image):
        return photos.of_pixels(decode.from_pillow(picture), name)
    return photos.of_pixels(_to_pixels(picture, name), name)


def to_type_of(like: AnyPicture, image: Image, alpha: NDArray[np.float32] | None) -> Any:
    """Convert a picture, clipped to 0 to 1, to the type of another one.

    Args:
        like: the picture whose type is wanted.
        image: float32 `(h, w, 3)`.
        alpha: opacity `(h, w)`, if any.
    """
    planes = image if alpha is None else np.dstack([image, alpha])
    if isinstance(like, Pillow.Image):
        return Pillow.fromarray(photos.quantize(planes, np.uint8))
    if like.dtype == np.uint8:
        return photos.quantize(planes, np.uint8)
    return planes.clip(0, 1).astype(like.dtype)


def _to_pixels(array: object, name: str) -> Pixels:
    if not isinstance(array, np.ndarray):
        raise DreamerError(
            f"{name} is a {type(array).__name__}: give an array or a Pillow image, as by "
            "PIL.Image.open."
        )
    floats = array.dtype.kind == "f"
    if not (floats or array.dtype == np.uint8):
        raise DreamerError(f"{name} is of {array.dtype}: give uint8 of 0 to 255, or floats.")
    if not (array.ndim == 2 or (array.ndim == 3 and array.shape[2] in (3, 4))):
        raise DreamerError(
            f"{name} has the shape {array.shape}: give (h, w, 3), (h, w, 4) or (h, w)."
        )
    if floats and not (np.isfinite(array).all() and array.min() >= 0 and array.max() <= 1):
        raise DreamerError(f"{name} has colors outside 0 to 1, as floats run: divide it by 255.")
    planes = array.astype(np.float32) / np.float32(1 if floats else 255)
    colors = planes[..., :3] if planes.ndim == 3 else np.dstack([planes] * 3)
    alpha = planes[..., 3:] if planes.shape[2:] == (4,) else np.ones((*planes.shape[:2], 1))
    return np.concatenate([colors, alpha.astype(np.float32)], axis=-1)
