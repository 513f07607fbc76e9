"""Film input: frames are read one at a time, upright and at a constant rate."""

import hashlib
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dreamer.arrays import Image, Size
from dreamer.errors import DreamerError
from dreamer.files import content, ffmpeg, photos, probe
from dreamer.files.framing import Box, Framed, Framing
from dreamer.files.photos import Photo
from dreamer.files.probe import Facts
from dreamer.files.sound import Sound

_FIELDS_LEAD = 2
"""Frames before the first one that are decoded with it where fields are brought together."""

FOLDER_FPS = Fraction(25)
"""Default frame rate of a folder of frames, in frames per second."""


WHOLE = Framing()
"""All of a clip, at its own size."""

SUFFIXES = (
    *(".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".ts", ".mts", ".m2ts"),
    *(".wmv", ".flv", ".ogv", ".3gp", ".mxf", ".vob", ".y4m", ".gif"),
)
"""Suffixes of files that are films; any other file is taken for what its content is."""


@dataclass(frozen=True)
class Clip:
    """The part of a film, or of a folder of frames, that is used."""

    path: Path
    facts: Facts
    first: int
    """Number of the first source frame that is used, counted from 0."""
    stop: int
    """Number of the source frame before which the part ends."""
    every: int
    """Step from one source frame that is used to the next."""
    size: Size
    """Height and width of the frames that `frames` yields."""
    background: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """Color, 0 to 1, on which transparent frames are shown."""
    box: Box | None = None
    """The part of the source's frames that is used; None for all of them."""

    @property
    def framed(self) -> Framed:
        """Return the place of the frames in those of the source."""
        return Framed(self.facts.size, self.box or Box(0, 0, *self.facts.size), self.size)

    @property
    def fps(self) -> Fraction:
        """Return the frame rate of the frames used, in frames per second."""
        return self.facts.fps / self.every

    @property
    def count(self) -> int:
        """Return the number of frames used."""
        return math.ceil((self.stop - self.first) / self.every)

    @property
    def sound(self) -> Sound | None:
        """Return the sound that belongs to the frames used, or None if the source has none."""
        if self.facts.sound is None:
            return None
        start = self.facts.start + float(self.first / self.facts.fps)
        whole = self.first == 0 and self.stop == self.facts.frames
        return Sound(self.path, start, whole)

    def frames(self, skip: int = 0) -> Iterator[Image]:
        """Yield the frames used, float32 `(h, w, 3)`, without the first `skip`; read one at a time.

        Raises DreamerError if the film ends before the last of them, or a folder's frames differ
        in size.
        """
        yielded = skip
        read = self._folder_frames(skip) if self.path.is_dir() else self._film_frames(skip)
        for image in read:
            yield self.framed.apply(Photo(image, None, "")).image
            yielded += 1
        if yielded < self.count:
            raise DreamerError(
                f"{self.path} can be read only up to frame {yielded} of {self.count}: end at that "
                "by --to, or repair it."
            )

    def opacities(self) -> Iterator[NDArray[np.float32]]:
        """Yield the opacity `(h, w)` of the frames used, 0 to 1; only of a transparent film."""
        for pixels in self._film_pixels(0):
            share = pixels[..., 3].astype(np.float32) / np.float32(255)
            yield self.framed.apply(Photo(np.dstack([share] * 3), None, "")).image[..., 0]

    def _folder_frames(self, skip: int) -> Iterator[Image]:
        files = list_frames(self.path)[self.first : self.stop : self.every][skip:]
        for file in files:
            image = photos.read(file).image
            if image.shape[:2] != self.facts.size:
                raise DreamerError(
                    f"{file} has another size than the frames before it: make them alike."
                )
            yield image

    def _film_frames(self, skip: int) -> Iterator[Image]:
        return (self._compose(pixels) for pixels in self._film_pixels(skip))

    def _film_pixels(self, skip: int) -> Iterator[NDArray[np.uint8]]:
        filters, seek = self._seek_frame(self.first + skip * self.every)
        step = [f"framestep={self.every}"] if self.every > 1 else []
        arguments = (
            *ffmpeg.source(self.path, *self.facts.decoder, *seek),
            *("-map", "0:V:0", "-vf", ",".join([*filters, *step, self.facts.upright])),
            *("-fps_mode", "passthrough", "-frames:v", str(self.count - skip)),
            *probe.PIXMAPS,
        )
        if skip < self.count:
            with ffmpeg.decoding(arguments) as pipe:
                yield from probe.read_pixmaps(pipe)

    def _compose(self, pixels: NDArray[np.uint8]) -> Image:
        """Return a frame in color, on the background where it is transparent."""
        levels = pixels.astype(np.float32) / np.float32(255)
        if not self.facts.transparent:
            return levels[..., :3]
        share = levels[..., 3:]
        return levels[..., :3] * share + np.asarray(self.background, np.float32) * (1 - share)

    def _seek_frame(self, number: int) -> tuple[list[str], tuple[str, ...]]:
        """Return the filters and options that make ffmpeg begin with the source frame `number`."""
        fields = [self.facts.fields] if self.facts.fields else []
        if self.facts.variable:
            constant = f"fps={self.facts.fps}"
            # Rounding may leave out frames at the end: the last one is repeated for them.
            kept = ["tpad=stop=-1:stop_mode=clone", f"trim=start_frame={number}"]
            return [*fields, constant, *kept], ()
        # Fields are brought together with those of the frames before.
        lead = min(number, _FIELDS_LEAD) if fields else 0
        trim = [f"trim=start_frame={lead}"] if lead else []
        if number == lead:
            return [*fields, *trim], ()
        # Half a frame early, so that rounded times do not skip it.
        seconds = self.facts.start + (number - lead - 0.5) / self.facts.fps
        return [*fields, *trim], ("-ss", f"{float(seconds):.6f}")


def select(
    path: Path,
    *,
    start: float = 0.0,
    stop: float | None = None,
    every: int = 1,
    framing: Framing = WHOLE,
    background: tuple[float, float, float] = (0.0, 0.0, 0.0),
    folder_fps: Fraction = FOLDER_FPS,
) -> Clip:
    """Select the part of a film, or of a folder of frames, to use.

    Args:
        path: any film that ffmpeg reads, or a folder.
        start: where the part begins, in seconds.
        stop: where it ends, in seconds; None for the end of the film.
        every: step from one frame that is used to the next.
        framing: which part of its frames is used, and at how many pixels.
        background: color, 0 to 1, on which transparent frames are shown.
        folder_fps: frames per second, if `path` is a folder.

    Raises DreamerError if `path` is not a film, or the part holds no frames.
    """
    facts = _read_folder_facts(path, folder_fps) if path.is_dir() else probe.probe(path)
    first = _find_frame(start, facts.fps)
    end = facts.frames if stop is None else min(facts.frames, _find_frame(stop, facts.fps))
    if first >= end:
        raise DreamerError(
            f"{path} has no frames from --from {start:g} on"
            + ("" if stop is None else f" up to --to {stop:g}")
            + f": it lasts {facts.duration:.2f} s."
        )
    clip = Clip(path, facts, first, end, every, facts.size, background)
    framed = framing.place(facts.size, lambda: next(clip.frames()))
    return replace(clip, size=framed.size, box=framed.box)


def _find_frame(seconds: float, fps: Fraction) -> int:
    """Return the number of the first frame that is shown at `parse_seconds` or later."""
    return math.ceil(float(seconds * fps) - 1e-3)


_SECONDS = re.compile(r"(?:(?:(\d+):)?([0-5]?\d):)?(\d+(?:\.\d*)?|\.\d+)s?")


def parse_seconds(text: str) -> float:
    """Parse a time, such as `75`, `75.5`, `75s`, `1:15` or `1:02:03.5`, into seconds.

    Raises DreamerError if the text is not a time.
    """
    match = _SECONDS.fullmatch(text.strip())
    if not match or (match[2] and float(match[3]) >= 60):
        raise DreamerError(f"{text!r} is no time in a film: write seconds, or minutes:seconds.")
    hours, minutes, rest = (float(part or 0) for part in match.groups())
    return hours * 3600 + minutes * 60 + rest


PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp")
"""Suffixes of the files that count as frames in a folder."""


def list_frames(folder: Path) -> list[Path]:
    """Return the frames in a folder, in numerical order: 99, 100, 1000.

    Raises DreamerError if the folder cannot be read.
    """
    try:
        found = [path for path in folder.iterdir() if path.suffix.lower() in PICTURES]
    except OSError as error:
        raise DreamerError(f"Cannot read the folder {folder}: {error.strerror}.") from None
    return sorted((path for path in found if not path.name.startswith(".")), key=_natural_key)


def _natural_key(path: Path) -> list[tuple[int, str]]:
    parts = re.findall(r"\d+|\D+", path.stem)
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in parts]


def _read_folder_facts(folder: Path, fps: Fraction) -> Facts:
    frames = list_frames(folder)
    if not frames:
        raise DreamerError(f"The folder {folder} holds no frames: give one of PNG or JPEG files.")
    size = photos.read(frames[0]).image.shape[:2]
    return Facts(size, fps, len(frames), 0.0, False, None, "", "", (), False, ())


def is_clip(path: Path) -> bool:
    """Tell whether `path` is a film or an animation, or a folder, which is one of frames."""
    return path.suffix.lower() in SUFFIXES or path.is_dir() or content.holds_film(path)


def hash_clip(path: Path) -> str:
    """Return the hash of a film; of a folder, that of the hashes of its frames."""
    try:
        if path.is_dir():
            hashes = "".join(hash_clip(each) for each in list_frames(path))
            return hashlib.sha256(hashes.encode()).hexdigest()
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise DreamerError(f"Cannot read {path}: {error.strerror}.") from None
