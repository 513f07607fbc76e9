"""Film output: one writer for every suffix, which takes one frame at a time."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from dreamer.arrays import Image, Size, Stored, from_stored, to_stored
from dreamer.errors import DreamerError, unknown
from dreamer.files import animations, atomic, codecs, photos, png_frames, sound
from dreamer.files.background import BackgroundThread, run_background_thread
from dreamer.files.codecs import CodecName
from dreamer.files.film_spec import Film
from dreamer.files.film_stream import open_stream
from dreamer.files.sound import Sound


class Format(NamedTuple):
    """The way in which films of one suffix are written."""

    writing: Callable[[Film, Path, list[str]], AbstractContextManager[Callable[[Stored], None]]]
    room: float
    """Most bytes of disk per pixel of a frame while the film is made."""
    multiple: int = 1
    """Height and width must be multiples of this."""
    smallest: Size = (1, 1)
    """Least height and width."""
    opacity: bool = False
    """Whether it holds frames with opacity."""


@contextmanager
def _write_folder(film: Film, part: Path, notes: list[str]) -> Iterator[Callable[[Stored], None]]:
    """Write frames as numbered PNG files, the first with the recipe inside."""
    part.mkdir()
    count = 0

    def write(frame: Stored) -> None:
        nonlocal count
        made = None if count else film.made
        image = from_stored(frame)
        alpha = image[..., 3] if film.opacity else None
        photos.write(png_frames.frame(part, count), image[..., :3], alpha, made=made)
        count += 1

    yield write


_OTHERS: Mapping[str, Format] = {
    ".gif": Format(animations.open_animation, room=4),
    ".webp": Format(animations.open_animation, room=4),
    "": Format(_write_folder, room=4, opacity=True),
}
"""Formats of films that no codec encodes, by suffix; a path without one is a folder of PNGs."""

SUFFIXES = (*codecs.SUFFIXES, *_OTHERS)
"""The suffixes of films."""


def format_of(path: Path, codec: CodecName | None = None) -> Format:
    """Return the format of the film `path`.

    Raises DreamerError if its suffix is unknown, or the codec does not go into such films.
    """
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        known = ", ".join(filter(None, SUFFIXES))
        remedy = f"end the film's name in one of {known}, or in none for a folder of PNG files."
        raise unknown("film format", path.suffix, SUFFIXES, remedy)
    if suffix in _OTHERS and codec is None:
        return _OTHERS[suffix]
    chosen = codecs.choose(suffix, codec)
    holds = bool(chosen.with_opacity)
    return Format(open_stream, chosen.room, chosen.multiple, chosen.smallest, holds)


@dataclass
class Writer:
    """The writer of a film; its `notes` say what a user should know about the finished film."""

    path: Path
    """Name that the film gets at the end; it may be changed until then."""
    size: Size
    """Height and width of the film: those of the frames, or a few pixels less."""
    push: Callable[[Stored], None]
    notes: list[str]
    beside: BackgroundThread
    frames: int = 0

    def write(self, frame: Image | Stored) -> None:
        """Add a frame `(h, w, 3)`, or `(h, w, 4)` with opacity: float32 of 0 to 1, or as stored.

        It is encoded in the background: an error is raised by the next call, or at the end.
        """
        height, width = self.size
        within = frame[:height, :width]
        stored = within.dtype == np.uint16
        copy = within.astype(np.uint16) if stored else to_stored(within.astype(np.float32))
        try:
            self.beside.do(lambda: self.push(copy))
        except OSError as error:
            raise _write_error(self.path, error) from error
        self.frames += 1


@contextmanager
def open_writer(film: Film, *, overwrite: bool = False) -> Iterator[Writer]:
    """Write a film, which takes its name only once it is complete and on disk.

    Leaving the block waits until the film is finished; leaving it by an exception leaves no file.

    Args:
        film: what to write.
        overwrite: whether an existing film may be replaced.

    Raises DreamerError, with the last lines of the encoder, if the film cannot be written.
    """
    kind = format_of(film.path, film.codec)
    if film.path.exists() and not overwrite:
        raise atomic.exists_error(film.path)
    png_frames.check(film.path)
    notes: list[str] = []
    size = _cut_sides(film, kind, notes)
    film = replace(film, size=size, sound=_check_sound(film, notes))
    # Hidden, because no user would give a film such a name.
    ending = f".part{film.path.suffix.lower()}"
    part = film.path.with_name(atomic.fit_name(f".{film.path.stem}", ending))
    from_block = False
    try:
        png_frames.remove(part)
        with kind.writing(film, part, notes) as push, run_background_thread() as thread:
            writer = Writer(film.path, size, push, notes, thread)
            try:
                yield writer
            except OSError:
                # Not from the writer, which raises only DreamerError.
                from_block = True
                raise
            thread.wait()
            if not writer.frames:
                raise DreamerError(f"There are no frames for {film.path}: ask for at least one.")
    except BaseException as error:
        with suppress(OSError):
            png_frames.remove(part)
        if isinstance(error, OSError) and not from_block:
            raise _write_error(film.path, error) from error
        raise
    if not part.is_dir():
        atomic.publish(part, writer.path, overwrite=overwrite)
        return
    try:
        png_frames.publish(part, writer.path, overwrite=overwrite)
    except OSError as error:
        raise _write_error(film.path, error) from error
    finally:
        with suppress(OSError):
            png_frames.remove(part)


def _write_error(path: Path, error: OSError) -> DreamerError:
    return DreamerError(f"Cannot write {path}: {error.strerror or error}.")


def _cut_sides(film: Film, kind: Format, notes: list[str]) -> Size:
    """Return the size of a film whose format needs sides of a multiple.

    Raises DreamerError if that is less than the format's least size.
    """
    height, width = (side // kind.multiple * kind.multiple for side in film.size)
    if height < kind.smallest[0] or width < kind.smallest[1]:
        least = f"{kind.smallest[1]}×{kind.smallest[0]}"
        raise DreamerError(
            f"{film.path.name} would have {width}×{height} pixels, and {film.codec} needs {least} "
            "at least: give a larger --size, or another --codec."
        )
    if (height, width) != film.size:
        need = (
            "even sides" if kind.multiple == 2 else f"sides that are multiples of {kind.multiple}"
        )
        notes.append(
            f"The film has {width}×{height} pixels: its format needs {need}, and the rest of "
            f"the {film.size[1]}×{film.size[0]} is cut off."
        )
    return height, width


def _check_sound(film: Film, notes: list[str]) -> Sound | None:
    """Return a film's sound, checked before the film is made; None if the format holds no sound."""
    if film.sound is None:
        return None
    if film.path.suffix.lower() not in sound.TRACKS:
        notes.append(f"{film.path} holds no sound: give it the suffix .mp4 for that.")
        return None
    sound.check(film.sound)
    return film.sound
