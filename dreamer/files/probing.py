"""What a film holds: its size, frames, rate and sound. There is no ffprobe; packets are counted."""

import re
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from dreamer.arrays import Size
from dreamer.errors import DreamerError
from dreamer.files import ffmpeg, sound


class Facts(NamedTuple):
    """A film as a whole, upright and with square pixels."""

    size: Size
    fps: Fraction
    """Of the constant rate at which it is read."""
    frames: int
    """At that rate."""
    start: float
    """Seconds from the beginning of the file to the first frame."""
    variable: bool
    """Whether its own rate is not constant."""
    sound: str | None
    """The codec of its sound; None where it has none."""
    upright: str
    """The filter that makes its pixels square, and RGB."""
    notes: tuple[str, ...]
    """What a person should know."""

    @property
    def duration(self) -> float:
        """In seconds."""
        return float(self.frames / self.fps)


# Not 16 bits: white of YUV then comes out as 65283 of 65535 (ffmpeg 9.0).
PIXMAPS = ("-f", "image2pipe", "-c:v", "ppm", "-pix_fmt", "rgb24", "pipe:1")
"""The arguments that write frames each behind a header that tells its size."""

_VIDEO = re.compile(r"Stream #0:\d+.*: Video: (?!.*\(attached pic\)).*")
_FASTEST = 120
_LARGEST_SD = 576


class _Times(NamedTuple):
    """When frames are shown, in units of `base` seconds, in order; how long the last one is."""

    base: Fraction
    shown: list[int]
    last: int


def probe(path: Path) -> Facts:
    """Look through a film once, without decoding it.

    Raises DreamerError where it is none, or holds no pictures.
    """
    described = ffmpeg.described(path)
    line = _VIDEO.search(described)
    if not line or "Input #0, tty" in described:
        raise _no_film(path, described)
    times, damaged = _times(path)
    if not times.shown:
        raise DreamerError(f"{path} holds no frames that can be read: give another film.")
    fps, variable = _rate(times, _printed(line[0]))
    length = (times.shown[-1] - times.shown[0] + times.last) * times.base
    frames = max(1, round(length * fps)) if variable else len(times.shown)
    upright = _upright(line[0])
    start = float(times.shown[0] * times.base)
    notes = list(_notes(path, described, fps, frames, variable=variable, damaged=damaged))
    size = _size(path, upright)
    return Facts(size, fps, frames, start, variable, sound.codec(path), upright, tuple(notes))


def _no_film(path: Path, described: str) -> DreamerError:
    if not path.is_file():
        return DreamerError(f"There is no film {path}: check the name.")
    if "Input #0" in described and "Input #0, tty" not in described:
        return DreamerError(f"{path} holds no pictures, only sound: give a film.")
    words = [row for row in described.splitlines() if row.startswith("[")]
    said = re.sub(r"\[.*?\] ", "", words[-1]) if words else "its format is unknown"
    return DreamerError(f"{path} is no film that can be read ({said}): give another.")


def _notes(
    path: Path, described: str, fps: Fraction, frames: int, *, variable: bool, damaged: bool
) -> Iterator[str]:
    if damaged:
        told = re.search(r"Duration: (\d+):(\d+):(\d+\.\d+)", described)
        hours, minutes, seconds = (float(part) for part in told.groups()) if told else (0, 0, 0)
        whole = round((hours * 3600 + minutes * 60 + seconds) * fps)
        yield (
            f"{path} is cut short or damaged: {frames} of about {max(whole, frames)} frames can "
            "be read."
        )
    elif variable:
        yield f"The frame rate of {path} varies: it is read at {float(fps):.4g} frames a second."


def _times(path: Path) -> tuple[_Times, bool]:
    """When the frames are shown, and whether the file is damaged."""
    stream = (*ffmpeg.source(path), "-map", "0:V:0")
    listed = ("-f", "framecrc", "pipe:1")
    said, complaint = ffmpeg.tried((*stream, "-c", "copy", *listed))
    times = _parsed(said)
    if times and not complaint:
        return times, False
    # What is in the file may not be what can be decoded.
    said, complaint = ffmpeg.tried((*stream, "-fps_mode", "passthrough", *listed))
    return _parsed(said) or _Times(Fraction(1), [], 0), bool(complaint)


_DISCARDED = 4


def _parsed(listed: bytes) -> _Times | None:
    """Times from a list of packets; None where a packet has none."""
    text = listed.decode("ascii", "replace")
    base = re.search(r"^#tb 0: (\d+/\d+)", text, re.MULTILINE)
    packets = [row.split(",") for row in text.splitlines() if row.startswith("0,")]
    shown = [row for row in packets if not _flags(row) & _DISCARDED]
    try:
        numbers = sorted((int(row[2]), int(row[3])) for row in shown)
    except ValueError:
        return None
    if not base or not numbers:
        return None
    last = numbers[-1][1] or (numbers[-1][0] - numbers[-2][0] if len(numbers) > 1 else 1)
    return _Times(Fraction(base[1]), [number for number, _ in numbers], last)


def _flags(packet: Sequence[str]) -> int:
    found = [int(part.split("=")[1], 16) for part in packet if part.strip().startswith("F=")]
    return found[0] if found else 0


def _printed(line: str) -> list[Fraction]:
    """The rates that ffmpeg tells, with two digits, of the stream and of most of its frames."""
    found = (re.search(rf"([\d.]+k?) {name}\b", line) for name in ("tbr", "fps"))
    texts = [match[1] for match in found if match and "k" not in match[1]]
    rates = [Fraction(text) for text in texts if Fraction(text) > 0]
    return [ffmpeg.rate(rate) for rate in rates if rate <= _FASTEST]


def _rate(times: _Times, printed: Sequence[Fraction]) -> tuple[Fraction, bool]:
    """The rate at which to read, and whether the film's own varies."""
    spans = [after - before for before, after in pairwise(times.shown)]
    typical = sorted(spans)[len(spans) // 2] if spans else times.last
    middle = ffmpeg.rate(min(Fraction(_FASTEST), 1 / (max(typical, 1) * times.base)))
    mean = Fraction(len(spans), sum(spans) or 1) / times.base if spans else middle
    near = [Fraction(round(mean)), Fraction(round(mean) * 1000, 1001), mean]
    for rate in (*printed, *near):
        if rate > 0 and _constant(times, rate):
            return ffmpeg.rate(rate), False
    return (printed[0] if printed else middle), True


def _constant(times: _Times, rate: Fraction) -> bool:
    """Whether every frame is where the rate puts it, but for the rounding of its time."""
    step = 1 / (rate * times.base)
    return all(
        abs(shown - times.shown[0] - number * step) <= 1 for number, shown in enumerate(times.shown)
    )


def _upright(line: str) -> str:
    """The filter that makes pixels square, and RGB; ffmpeg itself turns a film upright."""
    size = re.search(r", \d+x(\d+)", line)
    tagged = re.search(r"\((?:tv|pc)?[^()]*(?:bt|smpte|fcc|gbr|ycgco)[^()]*\)", line)
    # By custom, an untagged picture larger than standard definition is BT.709.
    large = size and int(size[1]) > _LARGEST_SD
    matrix = ":in_color_matrix=bt709" if large and not tagged else ""
    return f"scale=iw*sar:ih:flags=bicubic+accurate_rnd+full_chroma_int{matrix},setsar=1"


def _size(path: Path, upright: str) -> Size:
    one = ("-map", "0:V:0", "-vf", upright, "-frames:v", "1", *PIXMAPS)
    said, _ = ffmpeg.tried((*ffmpeg.source(path), *one))
    header = re.match(rb"P6\n(\d+) (\d+)\n", said)
    if not header:
        raise DreamerError(f"{path} holds no frames that can be read: give another film.")
    return int(header[2]), int(header[1])
