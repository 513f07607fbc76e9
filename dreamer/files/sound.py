"""The sound of films: found, copied or encoded, and added to new films."""

import re
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dreamer.errors import DreamerError
from dreamer.files import ffmpeg


class Sound(NamedTuple):
    """A sound to add to a film: a file, and where in it the film begins, in seconds.

    It is cut to the film's length, unless `whole` says that it belongs to all of the film.
    """

    path: Path
    start: float = 0.0
    whole: bool = False


class Track(NamedTuple):
    """The sound that a container takes: codecs that are copied, and audio others are encoded."""

    copied: frozenset[str]
    encoder: tuple[str, ...]


_AAC = ("-c:a", "aac", "-b:a", "192k")
TRACKS: Mapping[str, Track] = {
    ".mp4": Track(frozenset({"aac", "mp3", "alac", "ac3", "eac3", "opus", "flac"}), _AAC),
    ".mov": Track(
        frozenset({"aac", "mp3", "alac", "ac3", "eac3", "pcm_s16le", "pcm_s24le"}),
        ("-c:a", "pcm_s16le"),
    ),
    ".mkv": Track(
        frozenset({"aac", "mp3", "alac", "ac3", "eac3", "opus", "vorbis", "flac", "pcm_s16le"}),
        ("-c:a", "flac"),
    ),
    ".webm": Track(frozenset({"opus", "vorbis"}), ("-c:a", "libopus", "-b:a", "160k")),
}
"""Sound that films take, by suffix; other films hold none."""

_STREAM = re.compile(r"Stream #0:\d+.*: Audio: (\w+)")


def codec(path: Path) -> str | None:
    """Return the codec of a file's first sound track; None if it has none, or cannot be read."""
    found = _STREAM.search(ffmpeg.describe_file(path))
    return found[1] if found else None


def check(sound: Sound) -> str:
    """Return the codec of a sound.

    Raises DreamerError if the file does not exist, or holds no sound.
    """
    if not sound.path.is_file():
        raise DreamerError(f"There is no sound file {sound.path}: check its name.")
    found = codec(sound.path)
    if found is None:
        raise DreamerError(f"{sound.path} holds no sound that can be read: give another file.")
    return found


LONGEST = 7200
"""Seconds of a file that are read for analysis."""


def decode(path: Path, rate: int) -> NDArray[np.float32]:
    """Return a file's sound as one channel at a rate of samples per second, −1 to 1.

    Raises DreamerError if it is empty.
    """
    arguments = ("-map", "0:a:0", "-ac", "1", "-ar", str(rate), "-t", str(LONGEST))
    data = ffmpeg.run((*ffmpeg.source(path), *arguments, "-f", "f32le", "pipe:1"), str(path))
    samples = np.frombuffer(data, "<f4").astype(np.float32)
    if len(samples) < rate // 2:
        raise DreamerError(f"{path} holds less than half a second of sound: give another file.")
    return samples


def put_under(film: Path, sound: Sound, length: Fraction, options: tuple[str, ...]) -> list[str]:
    """Add sound to a film.

    Args:
        film: the film without sound, which is replaced.
        sound: copied as it is if the container allows that.
        length: of the film, in seconds.
        options: ffmpeg's, for the container.

    Returns:
        A note if the sound had to be re-encoded; otherwise nothing.
    """
    track, found = TRACKS[film.suffix], check(sound)
    copied = found in track.copied
    combined = film.with_stem(f"{film.stem}-sound")
    # The ffmpeg of a killed run may still be writing to the old file.
    combined.unlink(missing_ok=True)
    # Even a start of 0 would drop the packets that a codec needs to get going.
    start = ("-ss", f"{sound.start:.6f}") if sound.start else ()
    cut = () if sound.whole else ("-t", f"{float(length):.6f}")
    sources = (*ffmpeg.source(film), *ffmpeg.source(sound.path, *start, *cut))
    streams = ("-map", "0:v", "-map", "1:a:0", "-map_metadata", "0", "-c:v", "copy")
    # Otherwise what precedes the start, back to the picture before it, is copied too.
    exact = ("-copypriorss:a", "0") if sound.start else ()
    audio = ("-c:a", "copy", *exact) if copied else (*track.encoder, "-flags:a", "+bitexact")
    try:
        ffmpeg.run((*sources, *streams, *audio, *options, ffmpeg.target(combined)), str(film))
        combined.replace(film)
    finally:
        combined.unlink(missing_ok=True)
    name = track.encoder[1].removeprefix("lib")
    return [] if copied else [f"{film.suffix} cannot hold {found} sound: it is encoded as {name}."]
