"""Framing: which part of a photo or a clip is used, and at how many pixels."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from dreamer.arrays import MOST_PIXELS, Image, Size
from dreamer.errors import DreamerError
from dreamer.files import photos
from dreamer.files.photos import Photo

_Pixels = TypeVar("_Pixels", bound=NDArray[Any])

MEASURED = 256
"""The longest side, in pixels, at which it is measured where a picture says most."""

LEVELS = 32
"""Levels of gray that are told apart there."""


class Box(NamedTuple):
    """A part of a picture, in pixels."""

    top: int
    left: int
    height: int
    width: int

    def cut(self, pixels: _Pixels) -> _Pixels:
        """Return this part of an array `(h, w, …)`."""
        rows = slice(self.top, self.top + self.height)
        return pixels[rows, self.left : self.left + self.width]  # type: ignore[return-value]

    def scale(self, own: Size, other: Size) -> Box:
        """Return the same part of a copy of the picture, of another size."""
        down, across = other[0] / own[0], other[1] / own[1]
        return Box(
            round(self.top * down),
            round(self.left * across),
            max(1, round(self.height * down)),
            max(1, round(self.width * across)),
        )


class Framed(NamedTuple):
    """The place of a picture in its source: the source's size, the part, and the pixels."""

    own: Size
    box: Box
    size: Size

    @property
    def is_part(self) -> bool:
        """Tell whether something of the source is cut off."""
        return self.own != (self.box.height, self.box.width)

    def apply(self, photo: Photo) -> Photo:
        """Cut and scale the source."""
        if self.is_part:
            alpha = None if photo.alpha is None else self.box.cut(photo.alpha)
            height, width = self.own
            note = f"{self.box.width}×{self.box.height} of its {width}×{height}"
            notes = (*photo.notes, note)
            photo = photo._replace(image=self.box.cut(photo.image), alpha=alpha, notes=notes)
        return photos.resize(photo, self.size)

    def apply_to_mask(self, mask: Photo, name: str) -> NDArray[np.float32]:
        """Return a mask of the source, or of the part that is used, at the picture's size.

        Raises DreamerError, which begins with `name`, if it has the proportions of neither.
        """
        if self.is_part and photos.has_proportions(mask.size, self.own):
            mask = self._replace(box=self.box.scale(self.own, mask.size)).apply(mask)
        return photos.as_mask(mask, self.size, name)


class Framing(NamedTuple):
    """What is asked for of a picture's part and pixels.

    Attributes:
        limit: the longest side in pixels, `"full"` for the source's own size, or exactly
            `"WIDTHxHEIGHT"`.
        aspect: the proportions, as `"16:9"`; None for the source's, or those of an exact size.
        crop: `"X,Y,WIDTH,HEIGHT"` in pixels of the source; or, where the proportions leave a
            choice, `"center"` or `"entropy"`, the part that says most; None for the center.
        enlarge: whether a source below `limit` is brought up to it.
        even: whether the sides are even, where the size is not exact.
    """

    limit: int | str = "full"
    aspect: str | None = None
    crop: str | None = None
    enlarge: bool = False
    even: bool = False

    @property
    def exact(self) -> Size | None:
        """Return height and width, where both are asked for."""
        width, separator, height = str(self.limit).partition("x")
        return (int(height), int(width)) if separator else None

    def place(self, own: Size, look: Callable[[], Image], original: Size | None = None) -> Framed:
        """Find the part of a source, and its pixels.

        Args:
            own: the source's height and width.
            look: gives its picture, if it must be looked at.
            original: the height and width in which `crop` is given, if the source was read smaller.

        Raises DreamerError if the part lies outside, or the size has too many pixels.
        """
        box = self._crop(own, original or own)
        if ratio := self._ratio():
            box = self._fit_ratio(box, ratio, look)
        if exact := self.exact:
            if math.prod(exact) > MOST_PIXELS:
                raise DreamerError(f"{self.limit} pixels are too many: give a smaller --size.")
            return Framed(own, box, exact)
        size = photos.fit_size((box.height, box.width), self.limit, enlarge=self.enlarge)
        if self.even:
            size = max(size[0] // 2, 1) * 2, max(size[1] // 2, 1) * 2
        return Framed(own, box, size)

    def _ratio(self) -> float | None:
        """Return width by height, where they are asked for."""
        if self.exact:
            return self.exact[1] / self.exact[0]
        if self.aspect is None:
            return None
        width, _, height = self.aspect.partition(":")
        return float(width) / float(height)

    def _crop(self, own: Size, original: Size) -> Box:
        whole = Box(0, 0, *own)
        if self.crop in (None, "center", "entropy"):
            return whole
        left, top, width, height = map(int, str(self.crop).split(","))
        if top + height > original[0] or left + width > original[1]:
            raise DreamerError(
                f"--crop {self.crop} reaches beyond the picture, which has "
                f"{original[1]}×{original[0]} pixels: give X,Y,WIDTH,HEIGHT within it."
            )
        return Box(top, left, height, width).scale(original, own)

    def _fit_ratio(self, box: Box, ratio: float, look: Callable[[], Image]) -> Box:
        """Return the largest part of a box that has a ratio of width to height."""
        width = max(1, min(box.width, round(box.height * ratio)))
        height = max(1, min(box.height, round(box.width / ratio)))
        top, left = (box.height - height) // 2, (box.width - width) // 2
        if self.crop == "entropy":
            picture = box.cut(look())
            top = _find_busiest(picture, height, axis=0)
            left = _find_busiest(picture, width, axis=1)
        return Box(box.top + top, box.left + left, height, width)


def _find_busiest(picture: Image, length: int, axis: int) -> int:
    """Return where a window along an axis begins whose grays have the largest Shannon entropy.

    Of several that are alike, the one nearest to the middle is taken.
    """
    whole: int = picture.shape[axis]
    share = min(1.0, MEASURED / max(picture.shape[:2]))
    gray = cv2.resize(picture.mean(-1), None, fx=share, fy=share, interpolation=cv2.INTER_AREA)
    lines = (gray if axis == 0 else gray.T).clip(0, 1) * (LEVELS - 1) + 0.5
    counts = np.stack([np.bincount(line, minlength=LEVELS) for line in lines.astype(int)])
    window = min(len(counts), max(1, round(length / whole * len(counts))))
    total = np.vstack([np.zeros(LEVELS, int), counts.cumsum(0)])
    shares = (total[window:] - total[:-window]) / (window * lines.shape[1])
    entropy = -(shares * np.log2(np.where(shares > 0, shares, 1))).sum(1)
    near = np.abs(np.arange(len(entropy)) - (len(entropy) - 1) / 2)
    best = min(range(len(entropy)), key=lambda start: (-round(entropy[start], 6), near[start]))
    return round(best / max(1, len(entropy) - 1) * (whole - length))


def frame_photo(photo: Photo, framing: Framing) -> tuple[Photo, Framed]:
    """Cut and scale a photo as is asked for; see `Framing.place`."""
    framed = framing.place(photo.size, lambda: photo.image, photo.original)
    return framed.apply(photo), framed
