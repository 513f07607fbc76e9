"""Sound under a film."""

import re
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

from dreamer.errors import DreamerError
from dreamer.files import ffmpeg


class Sound(NamedTuple):
    """What is put under a film: a file with sound, and where in it the film begins, in seconds.

    It is cut to the film's length, unless `whole` says that it belongs to all of the film.
    """

    path: Path
    start: float = 0.0
    whole: bool = False


class Track(NamedTuple):
    """What a container takes: codecs that are copied, and how any other is encoded."""

    copied: frozenset[str]
    encoder: tuple[str, ...]


_AAC = ("-c:a", "aac", "-b:a", "192k")
TRACKS: Mapping[str, Track] = {
    ".mp4": Track(frozenset({"aac", "mp3", "alac", "ac3", "eac3", "opus", "flac"}), _AAC),
    ".mov": Track(
        frozenset({"aac", "mp3", "alac", "ac3", "eac3", "pcm_s16le", "pcm_s24le"}),
        ("-c:a", "pcm_s16le"),
    ),
    ".webm": Track(frozenset({"opus", "vorbis"}), ("-c:a", "libopus", "-b:a", "160k")),
}
"""By the suffix of a film that can hold sound."""

_STREAM = re.compile(r"Stream #0:\d+.*: Audio: (\w+)")


def codec(path: Path) -> str | None:
    """The codec of a file's first sound track; None where it has none, or cannot be read."""
    found = _STREAM.search(ffmpeg.described(path))
    return found[1] if found else None


def check(sound: Sound) -> str:
    """The codec of a sound. Raises DreamerError where the file holds none."""
    if not sound.path.is_file():
        raise DreamerError(f"There is no sound file {sound.path}: check its name.")
    found = codec(sound.path)
    if found is None:
        raise DreamerError(f"{sound.path} holds no sound that can be read: give another file.")
    return found


def put_under(film: Path, sound: Sound, length: Fraction, options: tuple[str, ...]) -> list[str]:
    """Write `film` again with sound under it.

    Args:
        film: the pictures; the new file takes its place.
        sound: copied as it is where the container allows it.
        length: of the film, in seconds.
        options: of the container.

    Returns:
        A note where the sound had to be encoded anew.
    """
    track, found = TRACKS[film.suffix], check(sound)
    copied = found in track.copied
    both = film.with_stem(f"{film.stem}-sound")
    # One that a killed run has left may still be written to.
    both.unlink(missing_ok=True)
    # Even a start of 0 would drop the packets from which a codec gets going.
    start = ("-ss", f"{sound.start:.6f}") if sound.start else ()
    cut = () if sound.whole else ("-t", f"{float(length):.6f}")
    sources = (*ffmpeg.source(film), *ffmpeg.source(sound.path, *start, *cut))
    streams = ("-map", "0:v", "-map", "1:a:0", "-map_metadata", "0", "-c:v", "copy")
    # Else what lies between the start and the picture before it is copied, too.
    exact = ("-copypriorss:a", "0") if sound.start else ()
    how = ("-c:a", "copy", *exact) if copied else (*track.encoder, "-flags:a", "+bitexact")
    try:
        ffmpeg.run((*sources, *streams, *how, *options, ffmpeg.target(both)), str(film))
        both.replace(film)
    finally:
        both.unlink(missing_ok=True)
    name = track.encoder[1].removeprefix("lib")
    return [] if copied else [f"{film.suffix} cannot hold {found} sound: it is encoded as {name}."]
