"""One call of `dream video`: a film made key by key, kept as it grows, and encoded beside."""

from __future__ import annotations

import itertools
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from dreamer import frames
from dreamer import recipe as recipes
from dreamer.arrays import Stored, from_stored
from dreamer.cli import show
from dreamer.cli.session import Session
from dreamer.cli.show import Interrupt
from dreamer.cli.sources import Source, make_folder
from dreamer.files import atomic, diskspace, ffmpeg, films, framefolder, photos, sound, workfolder
from dreamer.files.filmspec import QUALITY, Film
from dreamer.files.metadata import Made
from dreamer.files.photos import Photo
from dreamer.files.sound import Sound
from dreamer.files.workfolder import WorkFolder
from dreamer.frames import Carried
from dreamer.recipe import Recipe

if TYPE_CHECKING:
    from dreamer.filming import Filming

PREVIEW_SECONDS = 5.0
"""A preview picture is written about so often."""

LENGTHS = ("frames", "seconds")
"""Of the film's fields, those that another run may change to go on with a longer film."""


@dataclass(frozen=True)
class FilmSession:
    """What a call of `dream video` does beyond the recipe."""

    call: Session
    keep_frames: bool
    fresh: bool
    sound: Path | None
    max_mb: float | None

    def dream(self, source: Source) -> None:
        """Film one photo; Ctrl-C ends the film after the frame that is being made."""
        with show.film_progress(quiet=self.call.quiet) as bar:
            self._dream(source, bar)

    def _dream(self, source: Source, bar: Callable[[int, int, float], None]) -> None:
        started = time.perf_counter()
        path = self._name(source)
        how = films.format_of(path)
        photo = self._first(source)
        make_folder(path.parent)
        atomic.check_writable(path.parent)
        folder, size = _work_folder(path), photo.image.shape[:2]
        count = self._recipe.film.length
        diskspace.check(folder, diskspace.needed(size, count, how.room))
        under = Sound(self.sound) if self.sound else None
        if under:
            sound.check(under)
        filming = self._filming(photo)
        film = Film(
            path,
            size,
            ffmpeg.rate(filming.film.fps),
            made=None if self.call.no_recipe else self._made(photo, filming),
            quality=self.call.quality or QUALITY,
            sound=under,
            max_mb=self.max_mb,
        )
        with (
            workfolder.opened(folder, self._identity(photo, filming), fresh=self.fresh) as work,
            show.interruptible() as interrupt,
        ):
            keys = _Keys(work, filming, interrupt)
            closing = _Closing(filming)
            self._write(film, keys, closing, bar)
            kept = path.with_name(f"{path.stem}-frames") if self.keep_frames else None
            work.finish(kept, keys.warm_up)
        for note in closing.notes():
            self.call.note(note)
        if not self.call.quiet:
            seconds = time.perf_counter() - started
            typer.echo(f"{path}  {count} frames, {film.fps} a second, made in {seconds:.0f} s")

    def _write(
        self, film: Film, keys: _Keys, closing: _Closing, bar: Callable[[int, int, float], None]
    ) -> None:
        """Encode the frames as they are made. Ends the command where Ctrl-C was pressed."""
        # A run that was killed at its very end has left the film there.
        mine = self.call.overwrite or keys.kept > 0
        with films.writing(film, overwrite=mine) as writer:
            self.call.note(keys.announcement(film.path))
            preview, told = _Preview(film.path), False
            try:
                for frame in keys.frames():
                    writer.write(frame)
                    closing.see(frame)
                    preview.see(frame)
                    bar(writer.frames, keys.count, keys.pace)
                    if keys.dreamt >= 2 and not told:
                        self.call.note(keys.expectation())
                        told = True
            finally:
                preview.remove()
            stopped = writer.frames < keys.count
            if stopped and not writer.frames:
                self.call.note("Stopped before the first frame. Run the same command to go on.")
                raise typer.Exit(show.INTERRUPTED)
            if stopped:
                writer.path = film.path.with_name(f"{film.path.stem}.partial{film.path.suffix}")
                framefolder.remove(writer.path)
        for note in writer.notes:
            self.call.note(note)
        if stopped:
            self.call.note(
                f"Stopped after frame {writer.frames} of {keys.count}: {writer.path} holds the "
                "film so far. Run the same command again to go on."
            )
            raise typer.Exit(show.INTERRUPTED)

    def _name(self, source: Source) -> Path:
        """Where the film goes: an unfinished one of that name is gone on with."""
        folder = self.call.folder or source.folder
        path = self.call.target or folder / f"{source.name}-{self.call.suffix}.mp4"
        if (
            path.exists()
            and not self.call.overwrite
            and not workfolder.unfinished(_work_folder(path))
        ):
            if self.call.target:
                raise atomic.exists(path)
            return atomic.free_name(path)
        return path

    def _first(self, source: Source) -> Photo:
        photo = source.read()
        height, width = photos.fitted(photo.image.shape[:2], self._recipe.film.size, enlarge=True)
        # Most formats need even sides.
        return photos.resize(photo, (height // 2 * 2, width // 2 * 2))

    @cached_property
    def _recipe(self) -> Recipe:
        return self.call.wanted.recipe

    def _filming(self, photo: Photo) -> Filming:
        # TensorFlow is imported by this one, and must have been started before.
        _ = self.call.threads
        from dreamer import filming

        assembly = self.call.assemble(filming.frame_recipe(self._recipe), photo)
        mask = self.call.read_mask(photo.image.shape[:2])
        made = filming.Filming(assembly, photo.image, mask)
        made.check()
        return made

    def _made(self, photo: Photo, filming: Filming) -> Made:
        """The recipe as it was asked for, with what the network decided written out."""
        made = filming.assembly.made(photo.sha256, filming.plan, self.call.threads)
        written = {name: getattr(made.recipe, name) for name in ("layers", "precision")}
        if made.recipe.motif_pixels:
            written["motif_pixels"] = made.recipe.motif_pixels
        facts = {**made.facts, "encoder_threads": ffmpeg.THREADS}
        return Made(self._recipe.changed(written), facts)

    def _identity(self, photo: Photo, filming: Filming) -> dict[str, Any]:
        """Everything that decides the frames."""
        made = self._made(photo, filming)
        fields = recipes.to_fields(made.recipe)
        if not filming.needs_length:
            film = fields.get("film", {})
            fields["film"] = {name: film[name] for name in film if name not in LENGTHS}
        fields.pop("about", None)
        return {"recipe": fields, **made.facts}


def _work_folder(path: Path) -> Path:
    """Where an unfinished film's frames are kept."""
    return path.with_name(f"{path.stem}.unfinished")


class _Keys:
    """The keys of a film: those that are kept from a run that was stopped, then new ones."""

    def __init__(self, work: WorkFolder, filming: Filming, interrupt: Interrupt) -> None:
        self._work, self._filming, self._interrupt = work, filming, interrupt
        self.count = filming.film.length
        self.warm_up = filming.loop.warm_up if filming.loop else 0
        self.kept = max(0, work.frames_done - self.warm_up)
        self.dreamt = 0
        self._paces: list[float] = []

    @property
    def pace(self) -> float:
        """Frames dreamt a second."""
        return len(self._paces) / max(sum(self._paces), 1e-9)

    def announcement(self, path: Path) -> str:
        """What is about to be done, in one line."""
        filming, film = self._filming, self._filming.film
        height, width = filming.photo.shape[:2]
        layers = " ".join(filming.assembly.recipe.layers)
        octaves = ", ".join(f"{w}×{h}" for h, w in filming.plan.sizes)
        going_on = f"; {self.kept} dreamt frames are there already" if self.kept > 1 else ""
        loop = ", a loop" if film.loop else ""
        return (
            f"{path.name}: {film.length} frames of {width}×{height}, {film.fps:g} a second{loop}; "
            f"{film.motion}, {filming.assembly.network.name} {layers}, {film.steps} steps at "
            f"{octaves}{going_on}"
        )

    def expectation(self) -> str:
        """Time and disk that the rest takes, from the frames so far."""
        left = self._filming.keys - self._work.frames_done + self.warm_up
        seconds = left * min(self._paces)
        disk = diskspace.needed(self._filming.photo.shape[:2], left, 0)
        return (
            f"About {seconds / 60:.0f} min" if seconds > 90 else f"About {seconds:.0f} s"
        ) + f" to go; {disk / 1e6:.0f} MB for its frames beside it, until it is finished"

    def frames(self) -> Iterator[Stored]:
        """The film's frames, those between the keys included."""
        film = self._filming.film
        return frames.between(self._shown(), film.cadence, film.length, self._filming.move)

    def _shown(self) -> Iterator[Stored]:
        """The keys; in a loop the first one again, which the last ones pass into."""
        first = None
        for key in self._keys():
            first = key if first is None else first
            yield key
        if self._filming.loop and first is not None and not self._interrupt.asked:
            yield first

    def _keys(self) -> Iterator[Stored]:
        work, filming, warm_up = self._work, self._filming, self.warm_up
        if not work.frames_done:
            work.append(*filming.begin)
        step: frames.Step = filming.step
        if filming.loop:
            step = frames.looped(step, filming.loop, self._kept)
        yield from itertools.islice(work.frames(warm_up), filming.keys)
        last = Carried(self._kept(work.frames_done - 1 - warm_up), work.state or {})
        began = time.perf_counter()
        for carried in frames.keys(step, last, work.frames_done - warm_up, filming.keys):
            work.append(*carried)
            self.dreamt += 1
            self._paces.append(time.perf_counter() - began)
            if work.frames_done > warm_up:
                yield carried.frame
            if self._interrupt.asked:
                return
            began = time.perf_counter()

    def _kept(self, number: int) -> Stored:
        return next(self._work.frames(number + self.warm_up))


class _Preview:
    """A picture beside the film that shows where it stands, every few seconds."""

    def __init__(self, film: Path) -> None:
        self._path = film.with_name(f"{film.stem}.preview.png")
        self._shown = time.monotonic()

    def see(self, frame: Stored) -> None:
        """Show this frame, if it is time."""
        if time.monotonic() - self._shown > PREVIEW_SECONDS:
            photos.write(self._path, from_stored(frame))
            self._shown = time.monotonic()

    def remove(self) -> None:
        """The film is there now, or none is made."""
        self._path.unlink(missing_ok=True)


class _Closing:
    """Watches a film's first and last frames: does a loop close?"""

    SPAN = 6

    def __init__(self, filming: Filming) -> None:
        self._filming = filming
        self._first: list[Stored] = []
        self._last: deque[Stored] = deque(maxlen=self.SPAN)

    def see(self, frame: Stored) -> None:
        """Take note of the next frame."""
        if len(self._first) < self.SPAN:
            self._first.append(frame)
        self._last.append(frame)

    def notes(self) -> list[str]:
        """How much larger the step from the last frame to the first is than those around it."""
        if not self._filming.loop or len(self._first) < self.SPAN:
            return []
        around = [from_stored(frame) for frame in (*self._last, *self._first)]
        plain, moved = frames.closure(around, self._filming.film.length, self._filming.move)
        return [
            f"From the last frame to the first: {plain:.2f} times the median of the ten steps "
            f"around it, {moved:.2f} times after motion compensation"
        ]
