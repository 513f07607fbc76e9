"""One call of `dream video`: a film made key by key, kept as it grows, and encoded beside."""

from __future__ import annotations

import itertools
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import typer

from dreamer import frames
from dreamer import recipe as recipes
from dreamer.arrays import Image, Size, Stored, from_stored
from dreamer.cli import show
from dreamer.cli.session import Session
from dreamer.cli.show import Interrupt
from dreamer.cli.sources import Source, make_folder
from dreamer.errors import speaking_of
from dreamer.files import atomic, diskspace, ffmpeg, films, framefolder, photos, sound, workfolder
from dreamer.files.filmspec import QUALITY, Film
from dreamer.files.metadata import Made
from dreamer.files.photos import Photo
from dreamer.files.sound import Sound
from dreamer.files.workfolder import WorkFolder
from dreamer.frames import Carried
from dreamer.layers import brief
from dreamer.recipe import Recipe

if TYPE_CHECKING:
    from dreamer.filming import Filming
    from dreamer.riding import Riding

PREVIEW_SECONDS = 5.0
"""A preview picture is written about so often."""

LENGTHS = ("frames", "seconds")
"""Of the film's fields, those that another run may change to go on with a longer film."""


class Shot(NamedTuple):
    """A source that was read, before any network is loaded.

    Attributes:
        size: height and width of the frames.
        recipe: as it goes into the film.
        sha256: of the source.
        facts: what else decides the frames.
        sound: the source's own.
        make: loads the network; gives what makes the frames.
    """

    size: Size
    recipe: Recipe
    sha256: str
    facts: dict[str, Any]
    sound: Sound | None
    make: Callable[[], Filming | Riding]


def photo(source: Source, call: Session) -> Shot:
    """A photo, which is fed back."""
    recipe = call.wanted.recipe
    first = photos.first_frame(source.read(), recipe.film.size)
    size = first.image.shape[0], first.image.shape[1]
    return Shot(size, recipe, first.sha256, {}, None, partial(_filming, first, call))


def _filming(photo: Photo, call: Session) -> Filming:
    # TensorFlow is imported by this one, and must have been started before.
    _ = call.threads
    from dreamer import filming

    assembly = call.assemble(filming.frame_recipe(call.wanted.recipe), photo)
    mask = call.read_mask(photo.image.shape[:2])
    made = filming.Filming(assembly, photo.image, mask)
    made.check()
    return made


@dataclass(frozen=True)
class FilmSession:
    """What a call of `dream video` does beyond the recipe."""

    call: Session
    keep_frames: bool
    fresh: bool
    sound: Path | None
    max_mb: float | None

    def dream(self, beside: Path, name: str, take: Callable[[Session], Shot]) -> None:
        """Film one source; Ctrl-C ends the film after the frame that is being made.

        Args:
            beside: the film's folder, where none was asked for.
            name: how its name begins.
            take: reads the source.
        """
        with show.film_progress(quiet=self.call.quiet) as bar:
            name = atomic.fitting(name, f"-{self.call.suffix}.mp4")
            self._dream(self.call.resumable(beside, name, _unfinished), take, bar)

    def _dream(
        self,
        path: Path,
        take: Callable[[Session], Shot],
        bar: Callable[[int, int, float], None],
    ) -> None:
        started = time.perf_counter()
        how = films.format_of(path)
        shot = take(self.call)
        make_folder(path.parent)
        folder, count = workfolder.of(path), shot.recipe.film.length
        diskspace.check(folder, diskspace.needed(shot.size, count, how.room))
        under = Sound(self.sound) if self.sound else shot.sound
        if under:
            with speaking_of("--audio"):
                sound.check(under)
        kept = None
        if self.keep_frames:
            kept = path.with_name(atomic.fitting(path.stem, "-frames"))
            framefolder.check(kept)
            if kept.exists() and not (self.call.overwrite or _unfinished(path)):
                raise atomic.exists(kept)
        making = shot.make()
        film = Film(
            path,
            shot.size,
            ffmpeg.rate(shot.recipe.film.fps),
            made=None if self.call.no_recipe else self._made(shot, making),
            quality=self.call.quality or QUALITY,
            sound=under,
            max_mb=self.max_mb,
        )
        with (
            workfolder.opened(folder, self._identity(shot, making), fresh=self.fresh) as work,
            show.interruptible() as interrupt,
        ):
            keys = _Keys(work, making, interrupt)
            closing = _Closing()
            self._write(film, keys, closing, bar)
            notes = making.closing(closing.around, work.state or {})
            work.finish(kept, keys.warm_up)
        for note in notes:
            self.call.note(note)
        if not self.call.quiet:
            seconds = time.perf_counter() - started
            show.say(f"{path}  {count} frames, {film.fps} a second, made in {seconds:.0f} s")

    def _write(
        self, film: Film, keys: _Keys, closing: _Closing, bar: Callable[[int, int, float], None]
    ) -> None:
        """Encode the frames as they are made. Ends the command where Ctrl-C was pressed."""
        # A run that was killed at its very end has left the film there.
        mine = self.call.overwrite or keys.kept > 0
        so_far = atomic.so_far(film.path)
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
                writer.path = so_far
                framefolder.remove(so_far)
        for note in writer.notes:
            self.call.note(note)
        if stopped:
            self.call.note(
                f"Stopped after frame {writer.frames} of {keys.count}: {writer.path} holds the "
                "film so far. Run the same command again to go on."
            )
            raise typer.Exit(show.INTERRUPTED)
        if keys.kept:
            framefolder.remove(so_far)

    def _made(self, shot: Shot, making: Filming | Riding) -> Made:
        """The recipe as it was asked for, with what the network decided written out."""
        made = making.assembly.made(shot.sha256, making.plan, self.call.threads)
        written = {name: getattr(made.recipe, name) for name in ("layers", "precision")}
        if made.recipe.motif_pixels:
            written["motif_pixels"] = made.recipe.motif_pixels
        facts = {**made.facts, **shot.facts, "encoder_threads": ffmpeg.THREADS}
        return Made(shot.recipe.changed(written), facts)

    def _identity(self, shot: Shot, making: Filming | Riding) -> dict[str, Any]:
        """Everything that decides the frames."""
        made = self._made(shot, making)
        fields = recipes.to_fields(made.recipe)
        if not making.needs_length:
            film = fields.get("film", {})
            fields["film"] = {name: film[name] for name in film if name not in LENGTHS}
        fields.pop("about", None)
        return {"recipe": fields, **made.facts}


def _unfinished(film: Path) -> bool:
    return workfolder.unfinished(workfolder.of(film))


class _Keys:
    """The keys of a film: those that are kept from a run that was stopped, then new ones."""

    def __init__(self, work: WorkFolder, making: Filming | Riding, interrupt: Interrupt) -> None:
        self._work, self._making, self._interrupt = work, making, interrupt
        self.count = making.film.length
        self.warm_up = making.loop.warm_up if making.loop else 0
        self.kept = max(0, work.frames_done - self.warm_up)
        self.dreamt = 0
        self._paces: list[float] = []

    @property
    def pace(self) -> float:
        """Frames dreamt a second."""
        return len(self._paces) / max(sum(self._paces), 1e-9)

    def announcement(self, path: Path) -> str:
        """What is about to be done, in one line."""
        making, film = self._making, self._making.film
        height, width = making.size
        recipe = making.assembly.recipe
        layers, steps = " ".join(map(brief, recipe.layers)), recipe.steps
        octaves = ", ".join(f"{w}×{h}" for h, w in making.plan.sizes)
        going_on = f"; {self.kept} dreamt frames are there already" if self.kept > 1 else ""
        loop = ", a loop" if film.loop else ""
        return (
            f"{path.name}: {film.length} frames of {width}×{height}, {film.fps:g} a second{loop}; "
            f"{making.motion}, {making.assembly.network.name} {layers}, {steps} steps at "
            f"{octaves}{going_on}"
        )

    def expectation(self) -> str:
        """Time and disk that the rest takes, from the frames so far."""
        left = self._making.keys - self._work.frames_done + self.warm_up
        seconds = left * min(self._paces)
        disk = diskspace.needed(self._making.size, left, 0)
        return (
            f"About {seconds / 60:.0f} min" if seconds > 90 else f"About {seconds:.0f} s"
        ) + f" to go; {disk / 1e6:.0f} MB for its frames beside it, until it is finished"

    def frames(self) -> Iterator[Stored]:
        """The film's frames, those between the keys included."""
        return self._making.frames(self._shown())

    def _shown(self) -> Iterator[Stored]:
        """The keys; in a loop the first one again, which the last ones pass into."""
        first = None
        for key in self._keys():
            first = key if first is None else first
            yield key
        if self._making.loop and first is not None and not self._interrupt.asked:
            yield first

    def _keys(self) -> Iterator[Stored]:
        work, making, warm_up = self._work, self._making, self.warm_up
        if not work.frames_done:
            work.append(*making.begin)
        step: frames.Step = making.step
        if making.loop:
            step = frames.looped(step, making.loop, self._kept)
        yield from itertools.islice(work.frames(warm_up), making.keys)
        last = Carried(self._kept(work.frames_done - 1 - warm_up), work.state or {})
        began = time.perf_counter()
        for carried in frames.keys(step, last, work.frames_done - warm_up, making.keys):
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
        named = film.with_name(atomic.fitting(film.stem, ".preview.png"))
        self._path = atomic.free_name(named)
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
    """Watches a film's first and last frames."""

    SPAN = 6

    def __init__(self) -> None:
        self._first: list[Stored] = []
        self._last: deque[Stored] = deque(maxlen=self.SPAN)

    def see(self, frame: Stored) -> None:
        """Take note of the next frame."""
        if len(self._first) < self.SPAN:
            self._first.append(frame)
        self._last.append(frame)

    @property
    def around(self) -> list[Image]:
        """As many last frames as first ones, in order of time."""
        return [from_stored(frame) for frame in (*self._last, *self._first)]
