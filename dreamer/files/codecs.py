"""The codecs of films: which files they go into, how they are encoded, and what they need."""

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import NamedTuple

from dreamer.arrays import Size
from dreamer.errors import DreamerError


class CodecName(StrEnum):
    """The ways in which films are encoded, as they are asked for."""

    H264 = "h264"
    VP9 = "vp9"
    AV1 = "av1"
    PRORES = "prores"
    PRORES_4444 = "prores4444"
    DNXHR = "dnxhr"
    HAP = "hap"
    HAP_Q = "hapq"
    FFV1 = "ffv1"


class Codec(NamedTuple):
    """The way in which frames are encoded."""

    suffixes: tuple[str, ...]
    """Suffixes of the films that hold it, the usual one first."""
    depth: int
    """Bits per color in which frames are passed to ffmpeg."""
    layout: str
    """Pixel format of the film."""
    encoder: Callable[[int, int], tuple[str, ...]]
    """Takes a quality of 1 to 100, and the number of frames of a loop, 0 of another film; returns
    the arguments of the encoder."""
    multiple: int = 1
    """Height and width must be multiples of this."""
    smallest: Size = (1, 1)
    """Least height and width."""
    room: float = 1
    """Most bytes of disk per pixel of a frame."""
    with_opacity: str = ""
    """Pixel format of a film with opacity; empty where the codec has none."""


def interpolate_quality(worst: float, best: float, quality: int) -> str:
    """Map a quality of 1 to 100 linearly to an encoder's own scale, from `worst` to `best`."""
    return f"{worst + (best - worst) * (quality - 1) / 99:.1f}"


_STEADY = "ipratio=1:pbratio=1:mbtree=0:aq-mode=0:qcomp=1"
"""Every frame as good as every other, so that nothing pulses at key frames."""

_SEAM, _BITS = 4, 5
"""Frames on each side of a loop's seam, and the factor on their bits.

Elsewhere a frame repeats the errors of the one before; from the last frame to the first, which is
coded by itself, errors change, and that must not be seen as a step.
"""


def _x264(quality: int, loop: int) -> tuple[str, ...]:
    crf = interpolate_quality(41, 13, quality)
    near = min(_SEAM, loop // 2)
    seam = f":zones=0,{near - 1},b={_BITS}/{loop - near},{loop - 1},b={_BITS}" if near else ""
    rate = ("-crf", crf, "-x264-params", _STEADY + seam)
    return ("-c:v", "libx264", "-preset", "medium", *rate)


def _vp9(quality: int, loop: int) -> tuple[str, ...]:
    crf = str(round(float(interpolate_quality(60, 14, quality))))
    speed = ("-deadline", "good", "-cpu-used", "4", "-row-mt", "1")
    return ("-c:v", "libvpx-vp9", "-crf", crf, "-b:v", "0", *speed)


def _av1(quality: int, loop: int) -> tuple[str, ...]:
    crf = str(round(float(interpolate_quality(60, 14, quality))))
    return ("-c:v", "libsvtav1", "-preset", "6", "-crf", crf, "-svtav1-params", "lp=2")


_PRORES = {40: "1", 70: "2", 100: "3"}
"""ProRes profiles by the highest quality that gets them: LT, standard, HQ, all 10-bit 4:2:2."""


def _prores(quality: int, loop: int) -> tuple[str, ...]:
    profile = next(name for most, name in _PRORES.items() if quality <= most)
    return ("-c:v", "prores_ks", "-profile:v", profile, "-vendor", "apl0")


def _always(*arguments: str) -> Callable[[int, int], tuple[str, ...]]:
    """Return the encoder of a codec that has one quality only."""
    return lambda quality, loop: ("-c:v", *arguments)


CODECS: Mapping[CodecName, Codec] = {
    CodecName.H264: Codec((".mp4", ".mov", ".mkv"), 8, "yuv420p", _x264, 2),
    CodecName.VP9: Codec((".webm", ".mkv"), 8, "yuv420p", _vp9, 2, with_opacity="yuva420p"),
    CodecName.AV1: Codec((".mp4", ".webm", ".mkv"), 16, "yuv420p10le", _av1, 2),
    CodecName.PRORES: Codec((".mov",), 16, "yuv422p10le", _prores, 2, room=2),
    CodecName.PRORES_4444: Codec(
        (".mov",),
        16,
        "yuv444p10le",
        _always("prores_ks", "-profile:v", "4", "-vendor", "apl0"),
        room=3,
        with_opacity="yuva444p10le",
    ),
    CodecName.DNXHR: Codec(
        (".mov",),
        16,
        "yuv422p10le",
        _always("dnxhd", "-profile:v", "dnxhr_hqx"),
        multiple=2,
        smallest=(120, 256),
        room=2,
    ),
    CodecName.HAP: Codec((".mov",), 8, "rgba", _always("hap"), 4, room=0.6),
    CodecName.HAP_Q: Codec(
        (".mov",), 8, "rgba", _always("hap", "-format", "hap_q"), multiple=4, room=1.1
    ),
    CodecName.FFV1: Codec(
        (".mkv",),
        16,
        "gbrp16le",
        _always("ffv1", "-level", "3", "-g", "1"),
        room=8,
        with_opacity="gbrap16le",
    ),
}
"""Codecs by name. The first one that a suffix stands first in is the usual one of such films."""

SUFFIXES = tuple(dict.fromkeys(suffix for each in CODECS.values() for suffix in each.suffixes))
"""Suffixes of the films that are encoded here."""


def choose(suffix: str, name: CodecName | None = None) -> Codec:
    """Return the codec of films with a suffix: the one that is asked for, or the usual one.

    Raises DreamerError if such films do not hold it.
    """
    if name is None:
        return next(each for each in CODECS.values() if each.suffixes[0] == suffix)
    codec = CODECS[name]
    if suffix not in codec.suffixes:
        raise DreamerError(
            f"{name} goes into a film that ends in {' or '.join(codec.suffixes)}: end its name so, "
            "or leave --codec out."
        )
    return codec
