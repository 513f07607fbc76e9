"""Films that are encoded while they are made: MP4, WebM and MOV."""

import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from dreamer.arrays import Stored, to_bytes
from dreamer.files import ffmpeg, metadata, sound
from dreamer.files.filmspec import Film


class Codec(NamedTuple):
    """How frames become a film."""

    pixels: str
    """The format in which frames enter."""
    layout: str
    """The format in which the film keeps them."""
    encoder: Callable[[int], tuple[str, ...]]
    """The encoder's arguments, by quality of 1 to 100."""
    container: tuple[str, ...]


def between(worst: float, best: float, quality: int) -> str:
    """The encoder's own number for a quality of 1 to 100."""
    return f"{worst + (best - worst) * (quality - 1) / 99:.1f}"


def _x264(quality: int) -> tuple[str, ...]:
    return ("-c:v", "libx264", "-preset", "medium", "-crf", between(40, 12, quality))


def _vp9(quality: int) -> tuple[str, ...]:
    crf = str(round(float(between(60, 14, quality))))
    speed = ("-deadline", "good", "-cpu-used", "4", "-row-mt", "1")
    return ("-c:v", "libvpx-vp9", "-crf", crf, "-b:v", "0", *speed)


_PRORES = {40: "1", 70: "2", 100: "3"}
"""Up to a quality: LT, standard, HQ; all of them are 4:2:2 of 10 bits."""


def _prores(quality: int) -> tuple[str, ...]:
    profile = next(name for most, name in _PRORES.items() if quality <= most)
    return ("-c:v", "prores_ks", "-profile:v", profile, "-vendor", "apl0")


# Tags of one's own are kept only by the second flag; the first lets a browser begin at once.
_QUICKTIME = ("-movflags", "+faststart+use_metadata_tags")

CODECS: Mapping[str, Codec] = {
    ".mp4": Codec("rgb24", "yuv420p", _x264, _QUICKTIME),
    ".webm": Codec("rgb24", "yuv420p", _vp9, ()),
    ".mov": Codec("rgb48le", "yuv422p10le", _prores, _QUICKTIME),
}
"""By suffix."""

_PIXELS: Mapping[str, Callable[[Stored], bytes]] = {
    "rgb24": lambda frame: to_bytes(frame).tobytes(),
    "rgb48le": lambda frame: frame.astype("<u2").tobytes(),
}
_SAME_BYTES = ("-fflags", "+bitexact")


def _colours(layout: str) -> str:
    """The filters that convert to BT.709 and say so; players guess where a film does not."""
    scale = "scale=out_color_matrix=bt709:out_range=tv:flags=bicubic+accurate_rnd+full_chroma_int"
    tags = "setparams=color_primaries=bt709:color_trc=bt709:colorspace=bt709:range=tv"
    return f"{scale},format={layout},{tags}"


@contextmanager
def streamed(film: Film, part: Path, notes: list[str]) -> Iterator[Callable[[Stored], None]]:
    """Encode frames into `part` as they come, beside the dream; sound is put under at the end."""
    codec = CODECS[part.suffix]
    written = 0
    with tempfile.TemporaryDirectory() as folder:
        tags = Path(folder) / "tags"
        tags.write_text(metadata.as_ffmetadata(film.made), "utf-8")
        arguments = (
            *ffmpeg.raw(film.size, film.fps, codec.pixels),
            *ffmpeg.source(tags, "-f", "ffmetadata"),
            *("-map", "0:v", "-map_metadata", "1", "-vf", _colours(codec.layout)),
            *(*codec.encoder(film.quality), "-threads", str(ffmpeg.THREADS)),
            *("-flags:v", "+bitexact", *_SAME_BYTES, *codec.container, ffmpeg.target(part)),
        )
        with ffmpeg.encoding(arguments, str(film.path)) as push:

            def write(frame: Stored) -> None:
                nonlocal written
                push(_PIXELS[codec.pixels](frame))
                written += 1

            yield write
        if film.sound:
            options = (*_SAME_BYTES, *codec.container)
            notes += sound.put_under(part, film.sound, written / film.fps, options)
