"""Facts about a film: its size, frames, rate and sound.

imageio-ffmpeg brings no ffprobe, so packets are counted instead.
"""

import io
import re
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import IO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dreamer.arrays import Size
from dreamer.errors import DreamerError
from dreamer.files import clip_colors, ffmpeg, sound
from dreamer.files.clip_colors import Conversion


class Facts(NamedTuple):
    """Facts about a whole film, upright and with square pixels."""

    size: Size
    fps: Fraction
    """Constant rate at which the film is read, in frames per second."""
    frames: int
    """Number of frames at that rate."""
    start: float
    """Seconds from the beginning of the file to the first frame."""
    variable: bool
    """Whether the film's own frame rate varies."""
    sound: str | None
    """Codec of the film's sound; None if it has none."""
    fields: str
    """ffmpeg filters that bring the fields of interlaced frames together; empty for none."""
    upright: str
    """ffmpeg filters that make the colors BT.709, the pixels square, and RGB."""
    decoder: tuple[str, ...]
    """Options of ffmpeg that choose a decoder, before the source."""
    transparent: bool
    """Whether the film has opacity."""
    notes: tuple[str, ...]
    """Sentences that a user should read about the film."""

    @property
    def duration(self) -> float:
        """Return the duration in seconds."""
        return float(self.frames / self.fps)


# Not 16 bits, at which white comes out of YUV as 65283 of 65535 (ffmpeg 9.0).
PIXMAPS = ("-f", "image2pipe", "-c:v", "pam", "-pix_fmt", "rgba", "pipe:1")
"""Arguments that write frames as PAM pictures, each with a header that tells its size."""

_VIDEO = re.compile(r"Stream #0:\d+.*: Video: (?!.*\(attached pic\)).*")
_MAX_FPS = 120


class _Times(NamedTuple):
    """When frames are shown, in order, and how long the last one is, in units of `base` seconds."""

    base: Fraction
    shown: list[int]
    last: int


def probe(path: Path) -> Facts:
    """Find out the facts about a film.

    Its packets are counted without decoding them, unless the file is damaged.

    Raises DreamerError if it is not a film, or holds no pictures.
    """
    described = ffmpeg.describe_file(path)
    line = _VIDEO.search(described)
    if not line or "Input #0, tty" in described:
        raise _film_error(path, described)
    times, damaged = _read_times(path)
    if not times.shown:
        raise DreamerError(f"{path} holds no frames that can be read: give another film.")
    stream = _watch_stream(path) if _JOINABLE.search(described) else _Watched(None, cut=False)
    joined = stream.change
    if joined:
        times = times._replace(shown=times.shown[: joined.frame])
    fps, variable = _choose_rate(times, _parse_rates(line[0]))
    length = (times.shown[-1] - times.shown[0] + times.last) * times.base
    frames = max(1, round(length * fps)) if variable else len(times.shown)
    pictures = clip_colors.parse_stream(described, line[0])
    conversion = clip_colors.plan_conversion(pictures)
    upright = _build_upright_filter(conversion)
    decoder = ("-c:v", pictures.decoder) if pictures.decoder else ()
    start = float(times.shown[0] * times.base)
    notes = list(
        _describe_problems(path, described, fps, frames, variable=variable, damaged=damaged)
    )
    notes += [f"{path} {note}." for note in conversion.notes]
    if stream.cut and not damaged:
        notes.append(f"{path} ends in the middle of a frame: it was cut short.")
    if joined:
        height, width = joined.size
        there = f"after {float(frames / fps):.2f} s: it is read up to there"
        notes.append(f"{path} goes on in {width}×{height} {there}.")
    size, opaque = _read_first(path, decoder, upright)
    return Facts(
        *(size, fps, frames, start, variable, sound.codec(path)),
        *(",".join(conversion.fields), upright, decoder),
        pictures.alpha and not opaque,
        tuple(notes),
    )


def _film_error(path: Path, described: str) -> DreamerError:
    if not path.is_file():
        return DreamerError(f"There is no film {path}: check the name.")
    if "Input #0" in described and "Input #0, tty" not in described:
        return DreamerError(f"{path} holds no pictures, only sound: give a film.")
    words = [row for row in described.splitlines() if row.startswith("[")]
    said = re.sub(r"\[.*?\] ", "", words[-1]) if words else "its format is unknown"
    return DreamerError(f"{path} is no film that can be read ({said}): give another.")


def _describe_problems(
    path: Path, described: str, fps: Fraction, frames: int, *, variable: bool, damaged: bool
) -> Iterator[str]:
    if damaged:
        duration = re.search(r"Duration: (\d+):(\d+):(\d+\.\d+)", described)
        hours, minutes, seconds = (
            (float(part) for part in duration.groups()) if duration else (0, 0, 0)
        )
        whole = round((hours * 3600 + minutes * 60 + seconds) * fps)
        yield (
            f"{path} is cut short or damaged: {frames} of about {max(whole, frames)} frames can "
            "be read."
        )
    elif variable:
        yield f"The frame rate of {path} varies: it is read at {float(fps):.4g} frames a second."


def _read_times(path: Path) -> tuple[_Times, bool]:
    """Return when the frames are shown, and whether the file is damaged."""
    stream = (*ffmpeg.source(path), "-map", "0:V:0")
    listed = ("-f", "framecrc", "pipe:1")
    said, complaint = ffmpeg.run_tolerantly((*stream, "-c", "copy", *listed))
    times = _parse_times(said)
    if times and not complaint:
        return times, False
    # Not every packet of a damaged file can be decoded, so count what can.
    said, complaint = ffmpeg.run_tolerantly((*stream, "-fps_mode", "passthrough", *listed))
    return _parse_times(said) or _Times(Fraction(1), [], 0), bool(complaint)


_DISCARDED = 4
"""Flag of packets that are decoded but not shown."""


def _parse_times(listed: bytes) -> _Times | None:
    """Parse the times in a list of packets; None if a packet has none."""
    text = listed.decode("ascii", "replace")
    base = re.search(r"^#tb 0: (\d+/\d+)", text, re.MULTILINE)
    packets = [row.split(",") for row in text.splitlines() if row.startswith("0,")]
    shown = [row for row in packets if not _read_flags(row) & _DISCARDED]
    try:
        numbers = sorted((int(row[2]), int(row[3])) for row in shown)
    except ValueError:
        return None
    if not base or not numbers:
        return None
    last = numbers[-1][1] or (numbers[-1][0] - numbers[-2][0] if len(numbers) > 1 else 1)
    return _Times(Fraction(base[1]), [number for number, _ in numbers], last)


def _read_flags(packet: Sequence[str]) -> int:
    found = [int(part.split("=")[1], 16) for part in packet if part.strip().startswith("F=")]
    return found[0] if found else 0


def _parse_rates(line: str) -> list[Fraction]:
    """Parse the frame rates that ffmpeg prints, with two digits: its guess (tbr), then the mean."""
    found = (re.search(rf"([\d.]+k?) {name}\b", line) for name in ("tbr", "fps"))
    texts = [match[1] for match in found if match and "k" not in match[1]]
    rates = [Fraction(text) for text in texts if Fraction(text) > 0]
    return [ffmpeg.to_exact_rate(rate) for rate in rates if rate <= _MAX_FPS]


def _choose_rate(times: _Times, printed: Sequence[Fraction]) -> tuple[Fraction, bool]:
    """Return the rate at which to read, and whether the film's own rate varies."""
    spans = [after - before for before, after in pairwise(times.shown)]
    typical = sorted(spans)[len(spans) // 2] if spans else times.last
    middle = ffmpeg.to_exact_rate(min(Fraction(_MAX_FPS), 1 / (max(typical, 1) * times.base)))
    mean = Fraction(len(spans), sum(spans) or 1) / times.base if spans else middle
    near = [Fraction(round(mean)), Fraction(round(mean) * 1000, 1001), mean]
    for rate in (*printed, *near):
        if rate > 0 and _is_constant(times, rate):
            return ffmpeg.to_exact_rate(rate), False
    return (printed[0] if printed else middle), True


def _is_constant(times: _Times, rate: Fraction) -> bool:
    """Tell whether every frame is where the rate puts it, up to the rounding of its time."""
    step = 1 / (rate * times.base)
    return all(
        abs(shown - times.shown[0] - number * step) <= 1 for number, shown in enumerate(times.shown)
    )


def _build_upright_filter(conversion: Conversion) -> str:
    """Return the filters that convert colors and make pixels square; ffmpeg turns films upright."""
    matrix = f":in_color_matrix={conversion.matrix}" if conversion.matrix else ""
    square = f"scale=iw*sar:ih:flags=bicubic+accurate_rnd+full_chroma_int{matrix}"
    return ",".join((*conversion.colors, square, "setsar=1"))


_JOINABLE = re.compile(r"Input #0, mpeg(?:ts|,)")
"""Containers whose files can be joined one behind the other."""

_SHOWN = re.compile(r"\] n: *(\d+) .* s:(\d+)x(\d+)")


class _Change(NamedTuple):
    """Where a film changes its size: the number of the first frame that has another, and that."""

    frame: int
    size: Size


class _Watched(NamedTuple):
    """What a stream without an index shows only when all of it is decoded.

    Attributes:
        change: where it goes on in another size.
        cut: whether it ends in the middle of a frame, or of one of its packets.
    """

    change: _Change | None
    cut: bool


_PACKETS = (188, 192, 204)
"""Bytes of the packets of which transport streams consist."""

_BROKEN = re.compile(r"corrupt|damaged|concealing|error while decoding", re.IGNORECASE)


def _watch_stream(path: Path) -> _Watched:
    """Decode every frame of recordings that may have been joined, or cut."""
    every = ("-map", "0:V:0", "-vf", "showinfo=checksum=0", "-fps_mode", "passthrough")
    said = ffmpeg.describe_run((*ffmpeg.source(path), *every, "-f", "null", "-"))
    sizes = [(int(found[3]), int(found[2])) for found in _SHOWN.finditer(said)]
    change = next((_Change(i, size) for i, size in enumerate(sizes) if size != sizes[0]), None)
    partial = "mpegts" in said and all(path.stat().st_size % each for each in _PACKETS)
    # Where recordings were joined, the decoder complains, too.
    return _Watched(change, change is None and (partial or bool(_BROKEN.search(said))))


def _read_first(path: Path, decoder: Sequence[str], upright: str) -> tuple[Size, bool]:
    """Return the size of the first frame, and whether it is opaque everywhere."""
    one = ("-map", "0:V:0", "-vf", upright, "-frames:v", "1", *PIXMAPS)
    said, _ = ffmpeg.run_tolerantly((*ffmpeg.source(path, *decoder), *one))
    first = next(read_pixmaps(io.BytesIO(said)), None)
    if first is None:
        raise DreamerError(f"{path} holds no frames that can be read: give another film.")
    return first.shape[:2], bool((first[..., 3] == 255).all())


_HEADER_LINES = 7
_HEADER = re.compile(rb"P7\nWIDTH (\d+)\nHEIGHT (\d+)\nDEPTH 4\nMAXVAL 255\nTUPLTYPE \w+\nENDHDR\n")


def read_pixmaps(pipe: IO[bytes]) -> Iterator[NDArray[np.uint8]]:
    """Yield pictures `(h, w, 4)` of 8 bits per color and opacity, as `PIXMAPS` writes them."""
    while header := _HEADER.fullmatch(b"".join(pipe.readline() for _ in range(_HEADER_LINES))):
        width, height = int(header[1]), int(header[2])
        data = pipe.read(height * width * 4)
        if len(data) < height * width * 4:
            return
        yield np.frombuffer(data, np.uint8).reshape(height, width, 4)
