"""Pictures whose colors are told by code points (ITU-T H.273), brought to sRGB.

PNG has a chunk for them, AVIF and HEIC a box. High dynamic range is pressed together as ffmpeg does
it for clips (see `clip_colors`), so that a film and a frame of it look alike.
"""

import struct
from collections.abc import Callable, Mapping
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

_Light = NDArray[np.float32]
"""Of a picture, linear, `(…, 3)`; white is 1."""

WHITE = 203
"""Light of white in a picture with high dynamic range, in cd/m² (ITU-R BT.2408)."""

BRIGHTEST = 1000
"""Light, in cd/m², that becomes white; what is brighter is cut."""

STRAIGHT = 0.85
"""Share of white up to which light is kept as it is; above, it is pressed together."""


class Colors(NamedTuple):
    """The code points of a picture's primaries and of its transfer curve."""

    primaries: int
    transfer: int


_PRIMARIES: Mapping[int, tuple[str, tuple[float, ...]]] = {
    9: ("BT.2020", (0.708, 0.292, 0.170, 0.797, 0.131, 0.046)),
    12: ("Display P3", (0.680, 0.320, 0.265, 0.690, 0.150, 0.060)),
}
"""Names and chromaticities of red, green and blue, all with the white of D65."""

_SRGB = (0.640, 0.330, 0.300, 0.600, 0.150, 0.060)
_D65 = (0.3127, 0.3290)
_HIGH: Mapping[int, str] = {16: "PQ", 18: "HLG"}


def find(data: bytes) -> Colors | None:
    """Find the code points in the bytes of a picture; None if it is sRGB, or does not say."""
    if data.startswith(b"\x89PNG"):
        place, length = data.find(b"cICP", 0, data.find(b"IDAT")), 1
    else:
        # The box comes before the picture's data, within the first boxes of the file.
        place, length = data.find(b"colrnclx", 0, 1 << 16), 2
    if place < 0:
        return None
    begin = place + (4 if length == 1 else 8)
    primaries, transfer = struct.unpack_from(">BB" if length == 1 else ">HH", data, begin)
    colors = Colors(primaries, transfer)
    return colors if primaries in _PRIMARIES or transfer in _HIGH else None


def describe(colors: Colors) -> str:
    """Return in a few words what is done to a picture of these colors."""
    high = _HIGH.get(colors.transfer)
    name = _PRIMARIES.get(colors.primaries, ("BT.709",))[0]
    return f"converted from {f'{high} in ' if high else ''}{name} to sRGB"


def convert(levels: NDArray[np.float32], colors: Colors) -> NDArray[np.float32]:
    """Convert colors `(…, 3)` of 0 to 1, as they are coded, to sRGB."""
    light = _EOTF.get(colors.transfer, _from_srgb)(levels)
    if colors.primaries in _PRIMARIES:
        light = light @ _find_matrix(colors.primaries).T
    if colors.transfer in _HIGH:
        light = _press(light)
    return encode_srgb(light.clip(0, 1))


@cache
def _find_matrix(primaries: int) -> NDArray[np.float32]:
    """Return the matrix from linear colors of other primaries to those of sRGB."""
    own = _make_xyz(_PRIMARIES[primaries][1])
    return np.asarray(np.linalg.inv(_make_xyz(_SRGB)) @ own, np.float32)


def _make_xyz(chromaticities: tuple[float, ...]) -> NDArray[np.float64]:
    """Return the matrix from linear colors to CIE XYZ."""
    x, y = np.array([*chromaticities, *_D65]).reshape(4, 2).T
    columns = np.stack([x / y, np.ones(4), (1 - x - y) / y])
    return np.asarray(columns[:, :3] * np.linalg.solve(columns[:, :3], columns[:, 3]))


def _from_pq(levels: NDArray[np.float32]) -> _Light:
    """Return the light of SMPTE ST 2084."""
    root = levels.clip(0, 1) ** (32 / 2523)
    base = np.maximum(root - 0.8359375, 0) / (18.8515625 - 18.6875 * root)
    return np.asarray(base ** (16384 / 2610) * (10000 / WHITE), np.float32)


def _from_hlg(levels: NDArray[np.float32]) -> _Light:
    """Return the light of ARIB STD-B67 on a display of `BRIGHTEST`.

    A display's gamma is applied to each color by itself, as ffmpeg does it, and not to the whole
    luminance.
    """
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    scene = np.where(levels <= 0.5, levels**2 / 3, (np.exp((levels - c) / a) + b) / 12)
    return np.asarray(scene**1.2 * (BRIGHTEST / WHITE), np.float32)


def _from_srgb(levels: NDArray[np.float32]) -> _Light:
    low = levels / 12.92
    return np.asarray(np.where(levels <= 0.04045, low, ((levels + 0.055) / 1.055) ** 2.4), "f4")


def encode_srgb(light: _Light) -> NDArray[np.float32]:
    """Return linear light, 0 to 1, as sRGB codes it."""
    high = 1.055 * np.maximum(light, 0.0031308) ** (1 / 2.4) - 0.055
    return np.asarray(np.where(light <= 0.0031308, light * 12.92, high), np.float32)


_EOTF: Mapping[int, Callable[[NDArray[np.float32]], _Light]] = {
    8: lambda levels: levels,
    16: _from_pq,
    18: _from_hlg,
}
"""Functions from coded colors to light, by transfer; others are taken for that of sRGB."""


def _press(light: _Light) -> _Light:
    """Press light of up to `BRIGHTEST` together to 1 by a Möbius curve, keeping its hue."""
    peak, j = BRIGHTEST / WHITE, STRAIGHT
    a = -(j**2) * (peak - 1) / (j**2 - 2 * j + peak)
    b = (j**2 - 2 * j * peak + peak) / (peak - 1)
    top = np.maximum(light.max(-1, keepdims=True), 1e-6)
    curved = (b**2 + 2 * b * j + j**2) / (b - a) * (top + a) / (top + b)
    return np.asarray(light * np.where(top <= j, 1, curved / top), np.float32)
