"""Films in: read a frame at a time, upright, at a constant rate."""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import IO

import numpy as np

from dreamer.arrays import Image, Size
from dreamer.errors import DreamerError
from dreamer.files import ffmpeg, photos, probing
from dreamer.files.photos import Photo
from dreamer.files.probing import Facts
from dreamer.files.sound import Sound

FOLDER_FPS = Fraction(25)
"""Frames a second of a folder of frames, where none are given."""


@dataclass(frozen=True)
class Clip:
    """The frames of a film, or of a folder, that are used."""

    path: Path
    facts: Facts
    first: int
    """Number of the source's frame that is used first."""
    stop: int
    """Number of the source's frame before which the use ends."""
    every: int
    size: Size
    """Height and width of the frames as they are given."""

    @property
    def fps(self) -> Fraction:
        """Frames a second of what is used."""
        return self.facts.fps / self.every

    @property
    def count(self) -> int:
        """How many frames are used."""
        return math.ceil((self.stop - self.first) / self.every)

    @property
    def sound(self) -> Sound | None:
        """The sound that belongs to the frames used, to be put under the film that they become."""
        if self.facts.sound is None:
            return None
        start = self.facts.start + float(self.first / self.facts.fps)
        whole = self.first == 0 and self.stop == self.facts.frames
        return Sound(self.path, start, whole)

    def frames(self, skip: int = 0) -> Iterator[Image]:
        """The frames used, float32 `(h, w, 3)`, but for the first `skip`; one is held at a time.

        Raises DreamerError where the film can no longer be read as it was probed.
        """
        given = skip
        read = self._folder_frames(skip) if self.path.is_dir() else self._film_frames(skip)
        for image in read:
            yield photos.resize(Photo(image, None, ""), self.size).image
            given += 1
        if given < self.count:
            raise DreamerError(
                f"{self.path} can be read only up to frame {given} of {self.count}: end at that "
                "by --to, or repair it."
            )

    def _folder_frames(self, skip: int) -> Iterator[Image]:
        files = pictures(self.path)[self.first : self.stop : self.every][skip:]
        for file in files:
            image = photos.read(file).image
            if image.shape[:2] != self.facts.size:
                raise DreamerError(
                    f"{file} has another size than the frames before it: make them alike."
                )
            yield image

    def _film_frames(self, skip: int) -> Iterator[Image]:
        filters, seek = self._place(self.first + skip * self.every)
        step = [f"framestep={self.every}"] if self.every > 1 else []
        arguments = (
            *ffmpeg.source(self.path, *seek),
            *("-map", "0:V:0", "-vf", ",".join([*filters, *step, self.facts.upright])),
            *("-fps_mode", "passthrough", "-frames:v", str(self.count - skip)),
            *probing.PIXMAPS,
        )
        if skip < self.count:
            with ffmpeg.decoding(arguments) as pipe:
                yield from _pixmaps(pipe)

    def _place(self, number: int) -> tuple[list[str], tuple[str, ...]]:
        """The filters and options with which the source's frame `number` comes first."""
        if self.facts.variable:
            constant = f"fps={self.facts.fps}"
            # What rounding has left out at the end is shown a little longer.
            return [constant, "tpad=stop=-1:stop_mode=clone", f"trim=start_frame={number}"], ()
        if not number:
            return [], ()
        # Half a frame early, so that no rounding of times skips it.
        seconds = self.facts.start + (number - 0.5) / self.facts.fps
        return [], ("-ss", f"{float(seconds):.6f}")


def _pixmaps(pipe: IO[bytes]) -> Iterator[Image]:
    """Pictures of 8 bits a colour, each behind its own header, as Netpbm describes them."""
    while pipe.readline() == b"P6\n":
        width, height = map(int, pipe.readline().split())
        pipe.readline()
        data = pipe.read(height * width * 3)
        if len(data) < height * width * 3:
            return
        pixels = np.frombuffer(data, np.uint8).reshape(height, width, 3)
        yield pixels.astype(np.float32) / np.float32(255)


def select(
    path: Path,
    *,
    start: float = 0.0,
    stop: float | None = None,
    every: int = 1,
    limit: int | str = "full",
    folder_fps: Fraction = FOLDER_FPS,
) -> Clip:
    """The part of a film, or of a folder of numbered frames, that is used.

    Args:
        path: whatever ffmpeg reads, or a folder.
        start: seconds at which the use begins.
        stop: seconds at which it ends; None for the film's own end.
        every: from one frame used to the next.
        limit: the longest side in pixels, or `"full"` for the film's own.
        folder_fps: frames a second of a folder.

    Raises DreamerError where that is no film, or where the part holds no frames.
    """
    facts = _folder_facts(path, folder_fps) if path.is_dir() else probing.probe(path)
    first = _number(start, facts.fps)
    end = facts.frames if stop is None else min(facts.frames, _number(stop, facts.fps))
    if first >= end:
        raise DreamerError(
            f"{path} has no frames from --from {start:g} on"
            + ("" if stop is None else f" up to --to {stop:g}")
            + f": it lasts {facts.duration:.2f} s."
        )
    return Clip(path, facts, first, end, every, photos.fitted(facts.size, limit))


def _number(seconds: float, fps: Fraction) -> int:
    """The first frame that is shown at `seconds` or later."""
    return math.ceil(float(seconds * fps) - 1e-3)


_SECONDS = re.compile(r"(?:(?:(\d+):)?([0-5]?\d):)?(\d+(?:\.\d*)?|\.\d+)s?")


def seconds(text: str) -> float:
    """Read `75`, `75.5`, `75s`, `1:15` or `1:02:03.5`.

    Raises DreamerError where the text is no time.
    """
    match = _SECONDS.fullmatch(text.strip())
    if not match or (match[2] and float(match[3]) >= 60):
        raise DreamerError(f"{text!r} is no time in a film: write seconds, or minutes:seconds.")
    hours, minutes, rest = (float(part or 0) for part in match.groups())
    return hours * 3600 + minutes * 60 + rest


PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp")
"""Suffixes of the files in a folder that are its frames."""


def pictures(folder: Path) -> list[Path]:
    """The frames in a folder, in the order in which a person counts: 99, 100, 1000.

    Raises DreamerError where it cannot be read.
    """
    try:
        found = [path for path in folder.iterdir() if path.suffix.lower() in PICTURES]
    except OSError as error:
        raise DreamerError(f"Cannot read the folder {folder}: {error.strerror}.") from None
    return sorted((path for path in found if not path.name.startswith(".")), key=_counted)


def _counted(path: Path) -> list[tuple[int, str]]:
    parts = re.findall(r"\d+|\D+", path.stem)
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in parts]


def _folder_facts(folder: Path, fps: Fraction) -> Facts:
    frames = pictures(folder)
    if not frames:
        raise DreamerError(f"The folder {folder} holds no frames: give one of PNG or JPEG files.")
    size = photos.read(frames[0]).image.shape[:2]
    return Facts(size, fps, len(frames), 0.0, False, None, "", ())
