"""Films out: one writer for every suffix, each frame encoded as it is made."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from dreamer.arrays import Image, Size, Stored, from_stored, to_stored
from dreamer.errors import DreamerError, unknown
from dreamer.files import animations, atomic, codecs, framefolder, photos, sound
from dreamer.files.beside import Beside, beside
from dreamer.files.filmspec import Film
from dreamer.files.sound import Sound


class Format(NamedTuple):
    """How the films of one suffix are written."""

    writing: Callable[[Film, Path, list[str]], AbstractContextManager[Callable[[Stored], None]]]
    even: bool
    """Whether height and width must be even."""
    room: float
    """Bytes of disk that a pixel of a frame takes at most, while the film is made."""


@contextmanager
def _folder(film: Film, part: Path, notes: list[str]) -> Iterator[Callable[[Stored], None]]:
    """Frames as numbered PNG files, the first with the recipe inside."""
    part.mkdir()
    count = 0

    def write(frame: Stored) -> None:
        nonlocal count
        made = None if count else film.made
        photos.write(framefolder.frame(part, count), from_stored(frame), made=made)
        count += 1

    yield write


FORMATS: Mapping[str, Format] = {
    ".mp4": Format(codecs.streamed, even=True, room=1),
    ".webm": Format(codecs.streamed, even=True, room=1),
    ".mov": Format(codecs.streamed, even=True, room=2),
    ".gif": Format(animations.spooled, even=False, room=4),
    ".webp": Format(animations.spooled, even=False, room=4),
    "": Format(_folder, even=False, room=4),
}
"""By suffix; a path without one is a folder of PNG files."""


def format_of(path: Path) -> Format:
    """How the film `path` is written. Raises DreamerError for a suffix that is unknown."""
    if path.suffix.lower() not in FORMATS:
        known = ", ".join(filter(None, FORMATS))
        remedy = f"end the film's name in one of {known}, or in none for a folder of PNG files."
        raise unknown("film format", path.suffix, FORMATS, remedy)
    return FORMATS[path.suffix.lower()]


@dataclass
class Writer:
    """Takes a film's frames; what a person should know of the finished film is in `notes`."""

    path: Path
    """The name that the film gets at the end; it may be changed until then."""
    size: Size
    """Of the film: that of the frames, or a pixel less."""
    push: Callable[[Stored], None]
    notes: list[str]
    beside: Beside
    frames: int = 0

    def write(self, frame: Image | Stored) -> None:
        """Add a frame `(h, w, 3)`: float32 of 0 to 1, or as stored.

        It is encoded beside the dream: an error shows at the next call, or at the end.
        """
        height, width = self.size
        within = frame[:height, :width]
        stored = within.dtype == np.uint16
        copy = within.astype(np.uint16) if stored else to_stored(within.astype(np.float32))
        try:
            self.beside.do(lambda: self.push(copy))
        except OSError as error:
            raise _refused(self.path, error) from error
        self.frames += 1


@contextmanager
def writing(film: Film, *, overwrite: bool = False) -> Iterator[Writer]:
    """Write a film, which takes its name only once it is complete and on disk.

    Leaving the block waits until the film is finished; leaving it by an exception leaves nothing.

    Args:
        film: what to write.
        overwrite: whether an existing film may be replaced.

    Raises DreamerError where the film cannot be written, with the encoder's own last words.
    """
    how = format_of(film.path)
    if film.path.exists() and not overwrite:
        raise atomic.exists(film.path)
    framefolder.check(film.path)
    notes: list[str] = []
    size = _even(film.size, notes) if how.even else film.size
    film = replace(film, size=size, sound=_sound(film, notes))
    # Hidden, so that no file of a person's is called so.
    ending = f".part{film.path.suffix.lower()}"
    part = film.path.with_name(atomic.fitting(f".{film.path.stem}", ending))
    foreign = False
    try:
        framefolder.remove(part)
        with how.writing(film, part, notes) as push, beside() as thread:
            writer = Writer(film.path, size, push, notes, thread)
            try:
                yield writer
            except OSError:
                # The writer's own errors are sentences already.
                foreign = True
                raise
            thread.wait()
            if not writer.frames:
                raise DreamerError(f"There are no frames for {film.path}: ask for at least one.")
        publish = framefolder.publish if part.is_dir() else atomic.publish
        publish(part, writer.path, overwrite=overwrite)
    except OSError as error:
        if foreign:
            raise
        raise _refused(film.path, error) from error
    finally:
        with suppress(OSError):
            framefolder.remove(part)


def _refused(path: Path, error: OSError) -> DreamerError:
    return DreamerError(f"Cannot write {path}: {error.strerror or error}.")


def _even(size: Size, notes: list[str]) -> Size:
    height, width = (side // 2 * 2 for side in size)
    if (height, width) != size:
        notes.append(
            f"The film has {width}×{height} pixels: its format needs even sides, and a row or "
            f"column of the {size[1]}×{size[0]} is cut off."
        )
    return height, width


def _sound(film: Film, notes: list[str]) -> Sound | None:
    """A film's sound, where its format holds any; what is wrong with it shows before the film."""
    if film.sound is None:
        return None
    if film.path.suffix.lower() not in sound.TRACKS:
        notes.append(f"{film.path} holds no sound: give it the suffix .mp4 for that.")
        return None
    sound.check(film.sound)
    return film.sound
