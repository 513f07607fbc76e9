"""Films that ffmpeg encodes while they are made."""

import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from dreamer.arrays import Stored, to_bytes
from dreamer.files import chapters, codecs, ffmpeg, metadata, sound
from dreamer.files.film_spec import Film

_QUICKTIME = ("-movflags", "+faststart+use_metadata_tags")
_CONTAINERS: Mapping[str, tuple[str, ...]] = {".mp4": _QUICKTIME, ".mov": _QUICKTIME}
"""Arguments about the file around the encoded frames, by suffix.

The first flag lets a browser begin at once; without the second, custom tags are lost.
"""


_TO_BYTES: Mapping[int, Callable[[Stored], bytes]] = {
    8: lambda frame: to_bytes(frame).tobytes(),
    16: lambda frame: frame.astype("<u2").tobytes(),
}
"""Functions from frames to what ffmpeg reads, by bits per color."""

_PIXELS: Mapping[tuple[int, bool], str] = {
    (8, False): "rgb24",
    (8, True): "rgba",
    (16, False): "rgb48le",
    (16, True): "rgba64le",
}
"""Pixel formats of that, by bits per color and whether there is opacity."""

_SAME_BYTES = ("-fflags", "+bitexact")


def build_color_filters(layout: str) -> str:
    """Return the filters that convert to BT.709 and tag it, so that players need not guess."""
    if not layout.startswith("yuv"):
        return f"format={layout}"
    scale = "scale=out_color_matrix=bt709:out_range=tv:flags=bicubic+accurate_rnd+full_chroma_int"
    tags = "setparams=color_primaries=bt709:color_trc=bt709:colorspace=bt709:range=tv"
    return f"{scale},format={layout},{tags}"


@contextmanager
def open_stream(film: Film, part: Path, notes: list[str]) -> Iterator[Callable[[Stored], None]]:
    """Encode frames into `part` as they come, and add the sound at the end.

    Yields the function that encodes a frame.
    """
    codec = codecs.choose(part.suffix, film.codec)
    container = _CONTAINERS.get(part.suffix, ())
    layout = codec.with_opacity if film.opacity else codec.layout
    pixels, written = _PIXELS[codec.depth, film.opacity], 0
    with tempfile.TemporaryDirectory() as folder:
        tags = Path(folder) / "tags"
        tags.write_text(metadata.as_ffmetadata(film.made), "utf-8")
        arguments = (
            *ffmpeg.raw_input_arguments(film.size, film.fps, pixels),
            *ffmpeg.source(tags, "-f", "ffmetadata"),
            *("-map", "0:v", "-map_metadata", "1", "-vf", build_color_filters(layout)),
            *(*codec.encoder(film.quality, film.loop), "-threads", str(ffmpeg.THREADS)),
            *("-flags:v", "+bitexact", *_SAME_BYTES, *container, ffmpeg.target(part)),
        )
        with ffmpeg.encoding(arguments, str(film.path)) as push:

            def write(frame: Stored) -> None:
                nonlocal written
                push(_TO_BYTES[codec.depth](frame))
                written += 1

            yield write
        if film.sound:
            options = (*_SAME_BYTES, *container)
            notes += sound.put_under(part, film.sound, written / film.fps, options)
        if part.suffix in chapters.SUFFIXES and (found := film.chapters()):
            seconds = float(written / film.fps)
            chapters.put_in(part, found, seconds, (*_SAME_BYTES, *container))
