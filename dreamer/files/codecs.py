"""MP4, WebM and MOV films, which are encoded while they are made."""

import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from dreamer.arrays import Stored, to_bytes
from dreamer.files import ffmpeg, metadata, sound
from dreamer.files.film_spec import Film


class Codec(NamedTuple):
    """The way in which frames are encoded into films of one format."""

    pixels: str
    """Pixel format in which frames are passed to ffmpeg."""
    layout: str
    """Pixel format of the film."""
    encoder: Callable[[int], tuple[str, ...]]
    """Takes a quality of 1 to 100, and returns the encoder's arguments."""
    container: tuple[str, ...]
    """Arguments about the file around the encoded frames."""


def interpolate_quality(worst: float, best: float, quality: int) -> str:
    """Map a quality of 1 to 100 linearly to an encoder's own scale, from `worst` to `best`."""
    return f"{worst + (best - worst) * (quality - 1) / 99:.1f}"


def _x264(quality: int) -> tuple[str, ...]:
    return ("-c:v", "libx264", "-preset", "medium", "-crf", interpolate_quality(40, 12, quality))


def _vp9(quality: int) -> tuple[str, ...]:
    crf = str(round(float(interpolate_quality(60, 14, quality))))
    speed = ("-deadline", "good", "-cpu-used", "4", "-row-mt", "1")
    return ("-c:v", "libvpx-vp9", "-crf", crf, "-b:v", "0", *speed)


_PRORES = {40: "1", 70: "2", 100: "3"}
"""ProRes profiles by the highest quality that gets them: LT, standard, HQ, all 10-bit 4:2:2."""


def _prores(quality: int) -> tuple[str, ...]:
    profile = next(name for most, name in _PRORES.items() if quality <= most)
    return ("-c:v", "prores_ks", "-profile:v", profile, "-vendor", "apl0")


# The first flag lets a browser begin at once; without the second, custom tags are lost.
_QUICKTIME = ("-movflags", "+faststart+use_metadata_tags")

CODECS: Mapping[str, Codec] = {
    ".mp4": Codec("rgb24", "yuv420p", _x264, _QUICKTIME),
    ".webm": Codec("rgb24", "yuv420p", _vp9, ()),
    ".mov": Codec("rgb48le", "yuv422p10le", _prores, _QUICKTIME),
}
"""Codecs by suffix."""

_TO_BYTES: Mapping[str, Callable[[Stored], bytes]] = {
    "rgb24": lambda frame: to_bytes(frame).tobytes(),
    "rgb48le": lambda frame: frame.astype("<u2").tobytes(),
}
_SAME_BYTES = ("-fflags", "+bitexact")


def _build_color_filters(layout: str) -> str:
    """Return the filters that convert to BT.709 and tag it, so that players need not guess."""
    scale = "scale=out_color_matrix=bt709:out_range=tv:flags=bicubic+accurate_rnd+full_chroma_int"
    tags = "setparams=color_primaries=bt709:color_trc=bt709:colorspace=bt709:range=tv"
    return f"{scale},format={layout},{tags}"


@contextmanager
def open_stream(film: Film, part: Path, notes: list[str]) -> Iterator[Callable[[Stored], None]]:
    """Encode frames into `part` as they come, and add the sound at the end.

    Yields the function that encodes a frame.
    """
    codec = CODECS[part.suffix]
    written = 0
    with tempfile.TemporaryDirectory() as folder:
        tags = Path(folder) / "tags"
        tags.write_text(metadata.as_ffmetadata(film.made), "utf-8")
        arguments = (
            *ffmpeg.raw_input_arguments(film.size, film.fps, codec.pixels),
            *ffmpeg.source(tags, "-f", "ffmetadata"),
            *("-map", "0:v", "-map_metadata", "1", "-vf", _build_color_filters(codec.layout)),
            *(*codec.encoder(film.quality), "-threads", str(ffmpeg.THREADS)),
            *("-flags:v", "+bitexact", *_SAME_BYTES, *codec.container, ffmpeg.target(part)),
        )
        with ffmpeg.encoding(arguments, str(film.path)) as push:

            def write(frame: Stored) -> None:
                nonlocal written
                push(_TO_BYTES[codec.pixels](frame))
                written += 1

            yield write
        if film.sound:
            options = (*_SAME_BYTES, *codec.container)
            notes += sound.put_under(part, film.sound, written / film.fps, options)
