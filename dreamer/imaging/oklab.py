"""Oklab (Ottosson 2020): lightness of 0 to 1, and a and b of about −0.3 to 0.3.

Hues stay what they are when chroma is scaled, which is not so in CIELAB.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from dreamer.arrays import Image

Lab = NDArray[np.float32]
"""float32 `(h, w, 3)`: lightness, a and b."""

_TO_CONES = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
_TO_LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)
_FROM_LAB = np.linalg.inv(_TO_LAB).astype(np.float32)
_FROM_CONES = np.linalg.inv(_TO_CONES).astype(np.float32)
_ROUNDS = 2
"""How often chroma is reduced to what sRGB holds; what is left is below a level of 8 bits."""


def from_rgb(image: Image) -> Lab:
    """Convert a picture, clipped to 0 to 1 first."""
    cones = cv2.transform(_decode(image.clip(0, 1)), _TO_CONES.astype(np.float32))
    return np.asarray(cv2.transform(_root(cones), _TO_LAB.astype(np.float32)), np.float32)


def to_rgb(lab: Lab, knee: float = 1.0) -> Image:
    """Convert to a picture; where sRGB has no such color, chroma gives way, and nothing clips.

    Args:
        lab: the colors.
        knee: the share of the chroma that sRGB holds at which it begins to give way. Below 1,
            all colors keep some distance from its limit, where they would look flat.
    """
    lab = lab.copy()
    np.clip(lab[..., 0], 0, 1, out=lab[..., 0])
    light = _to_light(lab)
    gray = lab[..., 0] ** 3
    red, green, blue = cv2.split(light)
    high, low = cv2.max(cv2.max(red, green), blue), cv2.min(cv2.min(red, green), blue)
    beyond = (high - gray > knee * (1 - gray)) | (gray - low > knee * gray)
    if beyond.any():
        light[beyond] = _to_light(_reduce_chroma(lab[beyond][:, None], knee))[:, 0]
    return _encode(light.clip(0, 1))


def _reduce_chroma(lab: Lab, knee: float) -> Lab:
    """Reduce the chroma of colors that sRGB does not hold, or hardly."""
    gray = lab[..., :1] ** 3
    for number in range(_ROUNDS):
        # How far from gray each color may go before a channel leaves 0 to 1.
        away = _to_light(lab) - gray
        room = np.where(away > 0, 1 - gray, gray) / np.maximum(np.abs(away), 1e-6)
        share = room.min(-1, keepdims=True)
        last = number == _ROUNDS - 1
        lab[..., 1:] *= _give_way(share, knee) if last and knee < 1 else np.minimum(share, 1)
    return lab


def _give_way(room: NDArray[np.float32], knee: float) -> NDArray[np.float32]:
    """Return the share of its chroma that a color keeps, which has room for so much of it."""
    chroma = 1 / np.maximum(room, 1e-6)
    rest = np.float32(1 - knee)
    bent = 1 - rest * np.exp((knee - np.maximum(chroma, knee)) / rest)
    return np.asarray(np.where(chroma > knee, bent / chroma, 1), np.float32)


def _to_light(lab: Lab) -> Image:
    cones = cv2.transform(lab, _FROM_LAB)
    return np.asarray(cv2.transform(cones * cones * cones, _FROM_CONES), np.float32)


def _root(light: Image) -> Image:
    return np.asarray(cv2.pow(np.maximum(light, 0), 1 / 3), np.float32)


def _decode(image: Image) -> Image:
    """Return the linear light of sRGB."""
    bright = cv2.pow((image + np.float32(0.055)) / np.float32(1.055), 2.4)
    return np.asarray(np.where(image <= 0.04045, image / np.float32(12.92), bright), np.float32)


def _encode(light: Image) -> Image:
    bright = cv2.pow(np.maximum(light, 0.0031308), 1 / 2.4) * np.float32(1.055) - np.float32(0.055)
    return np.asarray(np.where(light <= 0.0031308, light * np.float32(12.92), bright), np.float32)
