"""The job behind `dream video`: a film made key by key, kept as it grows, and encoded meanwhile."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from dreamer.arrays import Image, Stored, from_stored
from dreamer.errors import DreamerError, speaking_of
from dreamer.files import (
    atomic,
    codecs,
    disk_space,
    ffmpeg,
    films,
    photos,
    png_frames,
    sound,
    work_folder,
)
from dreamer.files.chapters import Chapter
from dreamer.files.clips import is_clip
from dreamer.files.codecs import CodecName
from dreamer.files.film_spec import QUALITY, Film
from dreamer.files.sound import Sound
from dreamer.files.work_folder import WorkFolder
from dreamer.jobs import clip_source, film_path
from dreamer.jobs.clip_source import name_clip, read_part, take_clip
from dreamer.jobs.dream_photos import Dreaming, start_dreaming
from dreamer.jobs.events import (
    Done,
    Frame,
    Note,
    Outcome,
    Planned,
    Preview,
    Progress,
    Sink,
    Stop,
    Stopped,
    format_count,
)
from dreamer.jobs.film_source import Beside, Shot, take_photo
from dreamer.jobs.identity import describe_change
from dreamer.jobs.mask_and_guide_files import find_companions
from dreamer.jobs.music_source import Music, read_music
from dreamer.jobs.outputs import save_preset
from dreamer.jobs.requests import VideoRequest
from dreamer.jobs.resolve import Origin, name_goal, parse_noise, repeats_noise, resolve
from dreamer.jobs.sources import Destination, Naming, Source, find_sources, make_folder
from dreamer.jobs.workbench import Workbench
from dreamer.recipe import to_fields
from dreamer.recipe.field_types import Kind
from dreamer.recipe.film_fields import FREELY
from dreamer.recipe.layer_spec import shorten_layer
from dreamer.recipe.provenance import Provenance
from dreamer.recipe.schedule import Signals

if TYPE_CHECKING:
    from dreamer.pipelines.clip_film import ClipFilm
    from dreamer.pipelines.feedback_film import FeedbackFilm
    from dreamer.pipelines.frame_loop import Carried

    AnyFilm = FeedbackFilm | ClipFilm

PREVIEW_SECONDS = 5.0
"""Seconds, about, between two previews."""

LENGTH_OPTIONS = {"film.frames", "film.seconds"}
"""Fields by which a person says how long a film is; without, it is as long as its music."""

LENGTHS = ("frames", "seconds")
"""Fields of a film that another run may change, to go on with a longer film."""

PACE_KEYS = 10
"""The time left is judged by so many last keys."""

TOLD_AFTER = 3
"""So many keys are dreamt before the time left is told in a line."""

AROUND = 6
"""So many first and last frames are watched, to tell how a film ends."""


class Ask(NamedTuple):
    """How a film is made and written beside the recipe.

    Attributes:
        naming: of the file.
        recipe: whether the film carries its recipe.
        quality: 1 to 100.
        max_mb: megabytes that a GIF or WebP may have.
        codec: None for the usual one.
        audio: put under the film.
        keep_frames: whether the frames are kept as PNG.
        fresh: whether to start over instead of going on.
        verbose: whether figures are told, too.
    """

    naming: Naming
    recipe: bool
    quality: int | None
    max_mb: float | None
    codec: CodecName | None
    audio: Path | None
    keep_frames: bool
    fresh: bool
    verbose: bool


def run(request: VideoRequest, emit: Sink, stop: Stop, bench: Workbench) -> Outcome:
    """Make a film as a request asks for.

    Raises DreamerError where nothing can be done.
    """
    clip = request.source if request.source and is_clip(request.source) else None
    if clip:
        clip_source.check_for_clip(clip, request)
    else:
        clip_source.check_for_photo(request.source, request)
    origin = Origin(request.preset)
    companions = find_companions(request, origin.preset)
    kind = Kind.CLIP if clip else Kind.FILM
    wanted = resolve(request, kind, emit, origin, companions, film=True)
    if request.noise and "film.size" not in request.fields:
        wanted = _fit_noise(wanted, request.noise, emit)
    wanted, music = (wanted, None) if clip else _time_film(request, wanted, emit)
    target = _find_target(request)
    if request.save_preset:
        save_preset(request.save_preset, wanted.recipe, overwrite=request.overwrite)
    if request.dry_run:
        source = _find_source(request, wanted)
        return film_path.show(request, wanted, music, source, target, emit, stop)
    dreaming = start_dreaming(request, wanted, companions, emit, stop, bench)
    suffix = Path(request.preset).stem if request.preset else "film"
    ask = Ask(
        Naming(target, suffix, request.overwrite),
        not request.no_recipe,
        request.quality,
        request.max_mb,
        request.codec,
        request.audio,
        request.keep_frames,
        request.fresh,
        request.verbose,
    )
    if clip:
        beside, name = name_clip(clip)
        take = partial(take_clip, clip, read_part(request))
    else:
        source = _find_source(request, wanted)
        beside, name = source.folder, source.name
        take = partial(take_photo, source, Beside(music, request.others))
    try:
        _make_film(dreaming, ask, (beside, name), take)
    except Stopped:
        return Outcome(stopped=True)
    return Outcome()


def _time_film(
    request: VideoRequest, wanted: Provenance, emit: Sink
) -> tuple[Provenance, Music | None]:
    """Read the music of a film of a photo, which decides its length where nobody does.

    Raises DreamerError for options that mean nothing, or music that cannot be read.
    """
    for option in ("avoid", "themes"):
        if f"film.{option}" in request.fields and wanted.recipe.film.associate is None:
            raise DreamerError(f"--{option} is for films that associate: give --associate, too.")
    music = read_music(request.music, wanted.recipe.film, emit)
    if music and not request.fields.keys() & LENGTH_OPTIONS:
        wanted = wanted._replace(recipe=music.give_length(wanted.recipe, "--music"))
    _note_unseen(request, wanted, music.signals if music else None, emit)
    return wanted, music


def _find_target(request: VideoRequest) -> Destination:
    """Find out whether `--output` names a film or a folder. Raises DreamerError where neither."""
    output = request.output
    if output and (output.suffix or not output.is_dir()):
        with speaking_of("--output"):
            films.format_of(output)
        with speaking_of("--codec"):
            films.format_of(output, request.codec)
    folder = bool(output and output.is_dir())
    return Destination(None if folder else output, output if folder else None)


def _find_source(request: VideoRequest, wanted: Provenance) -> Source:
    """Find the photo, or the noise, that a film starts from."""
    return find_sources(
        [request.source] if request.source else [],
        request.noise,
        wanted.recipe.seed,
        damaged=request.allow_damaged,
    ).all[0]


def _fit_noise(wanted: Provenance, noise: str, emit: Sink) -> Provenance:
    """Return a film of just the pixels that `--noise` names, unless it is repeated."""
    _, (height, width) = parse_noise(noise)
    if repeats_noise(wanted, noise):
        return wanted
    if height % 2 or width % 2:
        even = f"{width // 2 * 2}×{height // 2 * 2}"
        emit(Note(f"A film has even sides: {even} instead of {width}×{height}."))
    sized = {"film": {"size": max(height, width)}}
    return wanted._replace(recipe=wanted.recipe.changed(sized, "--noise"))


def _note_unseen(
    request: VideoRequest, wanted: Provenance, signals: Signals | None, emit: Sink
) -> None:
    layers = request.fields.get("layers", ())
    asked = [*request.of, *request.unwanted, *(layers if isinstance(layers, tuple) else ())]
    film = wanted.recipe.film
    if unseen := film.unseen(asked or wanted.recipe.layers, signals):
        emit(
            Note(
                f"{' and '.join(map(shorten_layer, unseen))} will hardly be seen, because the film "
                f"fades in over its first {film.intro:g} s: give a later key, or --intro 0."
            )
        )


def _make_film(
    dreaming: Dreaming,
    ask: Ask,
    named: tuple[Path, str],
    take: Callable[[Dreaming], Shot],
) -> None:
    """Make one film.

    Args:
        dreaming: of the job.
        ask: how it is written.
        named: the film's folder, where none was asked for, and how its name begins.
        take: reads the source.

    Raises Stopped, where the job was asked to stop, behind the frame that was being made.
    """
    dreaming.emit(Progress(None, "loading the network …"))
    beside, begins = named
    kind = codecs.CODECS[ask.codec or CodecName.H264].suffixes[0]
    name = atomic.fit_name(begins, f"-{ask.naming.suffix}{kind}")
    path = ask.naming.name_resumable(beside, name, _is_unfinished)
    form = films.format_of(path, ask.codec)
    shot = take(dreaming)
    make_folder(path.parent)
    folder, count = work_folder.folder_for(path), shot.recipe.film.length
    disk_space.check(folder, disk_space.estimate_bytes(shot.size, count, form.room))
    under = Sound(ask.audio) if ask.audio else shot.sound
    if under:
        with speaking_of("--audio"):
            sound.check(under)
    kept = _name_kept_frames(path, ask) if ask.keep_frames else None
    reveal = shot.reveal if form.opacity else None
    if "background" in shot.facts:
        shown = f"it is shown on {shot.facts['background']} (--background)"
        dreaming.note(f"The clip is transparent: {'that is kept' if reveal else shown}.")
    film = shot.build()
    film.check()
    provenance = _describe(dreaming, shot, film)
    spec = Film(
        path,
        shot.size,
        ffmpeg.to_exact_rate(shot.recipe.film.fps),
        made=provenance if ask.recipe else None,
        quality=ask.quality or QUALITY,
        sound=under,
        max_mb=ask.max_mb,
        codec=ask.codec,
        loop=count if shot.recipe.film.loop else 0,
        opacity=reveal is not None,
    )
    identity = _identify(film, provenance)
    # The working folder goes only where its block ends as usual.
    dropped = False
    with work_folder.open_folder(folder, identity, describe_change, fresh=ask.fresh) as work:
        store = FolderStore(work, film)
        spec = replace(spec, chapters=store.list_chapters)
        making = Making(dreaming, spec, film, store, reveal)
        try:
            making.write(overwrite=ask.naming.overwrite)
        except Stopped:
            if not dreaming.stop.drops:
                raise
            dropped = True
            work.finish()
        else:
            last = making.store.last().memory
            ending = film.describe_ending(making.around, last)
            work.finish(kept, making.warm_up)
    if dropped:
        raise Stopped
    for note in (*ending.notes, *(ending.figures if ask.verbose else ())):
        dreaming.note(note)
    text = f"{path}  {format_count(count, 'frame')}, {spec.fps} per second"
    dreaming.emit(Done(text, path, timed=True))


def _is_unfinished(film: Path) -> bool:
    return work_folder.unfinished(work_folder.folder_for(film))


def _name_kept_frames(path: Path, ask: Ask) -> Path:
    """Return the folder for frames that are kept. Raises DreamerError where it is in use."""
    kept = path.with_name(atomic.fit_name(path.stem, "-frames"))
    png_frames.check(kept)
    if kept.exists() and not (ask.naming.overwrite or _is_unfinished(path)):
        raise atomic.exists_error(kept)
    return kept


def _describe(dreaming: Dreaming, shot: Shot, film: AnyFilm) -> Provenance:
    """Describe the recipe as it was asked for, with what the network decided written out."""
    from dreamer.pipelines.image import describe_run

    made = describe_run(film.pipeline, film.plan, shot.sha256, dreaming.started)
    written = {name: getattr(made.recipe, name) for name in ("layers", "precision", "of")}
    if shot.recipe.film.associate:
        # What is raised is another at each frame.
        del written["layers"]
    if made.recipe.motif_pixels:
        written["motif_pixels"] = made.recipe.motif_pixels
    facts = {**made.facts, **shot.facts, "encoder_threads": ffmpeg.THREADS}
    return Provenance(shot.recipe.changed(written), facts)


def _identify(film: AnyFilm, provenance: Provenance) -> dict[str, Any]:
    """Return everything that decides the frames."""
    fields = to_fields(provenance.recipe)
    if not film.needs_length:
        own = fields.get("film", {})
        fields["film"] = {name: own[name] for name in own if name not in LENGTHS}
    fields.pop("about", None)
    return {"recipe": fields, **provenance.facts}


class FolderStore:
    """The keys of a film in its working folder; see `frame_loop.Store`."""

    def __init__(self, work: WorkFolder, film: AnyFilm) -> None:
        self._work, self._film = work, film
        self._last: Carried[Any] | None = None

    @property
    def count(self) -> int:
        """Return how many keys are kept."""
        return self._work.frames_done

    def append(self, carried: Carried[Any]) -> None:
        """Keep the next key."""
        from dreamer.pipelines.frame_loop import pack

        self._work.append(carried.frame, pack(carried))
        self._last = carried

    def read(self, number: int) -> Stored:
        """Return the frame of a key by its number, from 0."""
        return next(self._work.frames(number))

    def list_chapters(self) -> list[Chapter]:
        """Return the film's chapters so far."""
        return [Chapter(*each) for each in self._film.list_chapters(self.last().memory)]

    def last(self) -> Carried[Any]:
        """Return the last key with its memory."""
        from dreamer.pipelines.frame_loop import unpack

        if self._last is None:
            frame = self.read(self.count - 1)
            self._last = unpack(frame, self._work.state or {}, self._film.recall)
        return self._last


@dataclass
class Making:
    """A film while it is made: its frames are encoded as they come.

    Attributes:
        dreaming: of the job.
        spec: of the file.
        film: makes the frames.
        store: keeps the keys.
        reveal: gives frames their opacity, if it is kept.
    """

    dreaming: Dreaming
    spec: Film
    film: AnyFilm
    store: FolderStore
    reveal: Callable[[Iterator[Stored]], Iterator[Stored]] | None = None
    _told: int = 1
    _pace: Pace = field(default_factory=lambda: Pace())
    _first: list[Stored] = field(default_factory=list)
    _last: deque[Stored] = field(default_factory=lambda: deque(maxlen=AROUND))

    def __post_init__(self) -> None:
        self.warm_up = self.film.loop.warm_up if self.film.loop else 0
        self._kept = max(0, self.store.count - self.warm_up)
        if self.store.count:
            self._told = max(1, len(self.store.list_chapters()))

    @property
    def around(self) -> list[Image]:
        """Return as many last frames as first ones, in order of time."""
        return [from_stored(frame) for frame in (*self._last, *self._first)]

    def write(self, *, overwrite: bool) -> None:
        """Encode the frames as they are made. Raises Stopped where the job was asked to stop."""
        # A run that was killed at its very end has left the film there.
        mine = overwrite or self._kept > 0
        path, stop = self.spec.path, self.dreaming.stop
        so_far = atomic.partial_path(path)
        with films.open_writer(self.spec, overwrite=mine) as writer:
            self.dreaming.emit(Planned(self._describe_plan()))
            self._write_frames(writer)
            stopped = writer.frames < self.film.film.length
            if stopped and (stop.drops or not writer.frames):
                if not stop.drops:
                    self.dreaming.note(
                        "Stopped before the first frame. Run the same command to go on."
                    )
                raise Stopped
            if stopped:
                writer.path = so_far
                png_frames.remove(so_far)
        for note in writer.notes:
            self.dreaming.note(note)
        if stopped:
            self.dreaming.note(
                f"Stopped after frame {writer.frames} of {self.film.film.length}: {writer.path} "
                "holds the film so far. Run the same command again to go on."
            )
            raise Stopped
        if self._kept:
            png_frames.remove(so_far)

    def _write_frames(self, writer: films.Writer) -> None:
        from dreamer.pipelines.frame_loop import play

        count, preview = self.film.film.length, _PreviewFile(self.spec.path)
        frames = play(self.film, self.store, self._note_key, lambda: self.dreaming.stop.asked)
        if self.reveal:
            frames = self.reveal(frames)
        try:
            for frame in frames:
                writer.write(frame)
                self._watch(frame)
                if preview.is_due():
                    preview.show(frame)
                    self.dreaming.emit(Preview(from_stored(frame[..., :3])))
                each = self._pace.seconds
                pace, left = (1 / each, each * self._keys_left) if each else (None, None)
                self.dreaming.emit(Frame(writer.frames, count, pace, left))
        finally:
            preview.remove()

    def _note_key(self) -> None:
        """Report a key that has been dreamt, where no frame will, and the time that is left."""
        self._pace.note()
        chapters = self.store.list_chapters()
        for begin, title in chapters[self._told :]:
            self.dreaming.note(f"At {begin:.0f} s: {title}.")
        self._told = max(self._told, len(chapters))
        if (made := self.store.count) <= self.warm_up:
            text = f"leading into the loop, key {made} of {self.warm_up}"
            self.dreaming.emit(Progress(made / (self.warm_up + self.film.keys), text))
        if self._pace.count == TOLD_AFTER and self._pace.seconds:
            self.dreaming.emit(self._expect(self._pace.seconds * self._keys_left))

    def _watch(self, frame: Stored) -> None:
        """Keep the first and the last frames."""
        if len(self._first) < AROUND:
            self._first.append(frame)
        self._last.append(frame)

    def _describe_plan(self) -> str:
        """Describe what is about to be done, in one line."""
        made, film, pipeline = self.film, self.film.film, self.film.pipeline
        height, width = made.size
        octaves = ", ".join(f"{w}×{h}" for h, w in made.plan.sizes)
        there = f"; {self._kept} dreamt frames are there already" if self._kept > 1 else ""
        loop = ", a loop" if film.loop else ""
        frames = format_count(film.length, "frame")
        steps = format_count(pipeline.recipe.steps, "step")
        return (
            f"{self.spec.path.name}: {frames} of {width}×{height}, {film.fps:g} per "
            f"second{loop}; {made.motion}, {pipeline.network.name} {self._name_goal()}, "
            f"{steps} at {octaves}{there}"
        )

    def _name_goal(self) -> str:
        recipe = self.film.pipeline.recipe
        asked = self.film.film.associate
        if asked is None:
            return name_goal(recipe)
        words = asked.split(",")
        if asked == FREELY:
            return "in free association"
        return f"{', '.join(words)} in turn" if len(words) > 1 else f"in association from {asked}"

    @property
    def _keys_left(self) -> int:
        return self.film.keys - self.store.count + self.warm_up

    def _expect(self, seconds: float) -> Planned:
        """Return the time that the rest takes, in words too, and its disk."""
        disk = disk_space.estimate_bytes(self.film.size, self._keys_left, 0)
        about = f"{seconds / 60:.0f} min" if seconds > 90 else f"{seconds:.0f} s"
        text = (
            f"About {about} to go; {disk / 1e6:.0f} MB for its frames beside it, until it is "
            "finished"
        )
        return Planned(text, seconds, disk)


class Pace:
    """The time from one dreamt key to the next, with all that is done between them.

    The first key does not count: what it is dreamt with is made ready meanwhile.
    """

    def __init__(self) -> None:
        self._times: deque[float] = deque(maxlen=PACE_KEYS + 1)
        self.count = 0

    def note(self) -> None:
        """Note that a key has been dreamt now."""
        self._times.append(time.perf_counter())
        self.count += 1

    @property
    def seconds(self) -> float | None:
        """Return the mean time of the last keys; None before the second one."""
        if len(self._times) < 2:
            return None
        return (self._times[-1] - self._times[0]) / (len(self._times) - 1)


class _PreviewFile:
    """A picture beside the film that shows where it stands, every few seconds."""

    def __init__(self, film: Path) -> None:
        named = film.with_name(atomic.fit_name(film.stem, ".preview.png"))
        self._path = atomic.find_free_name(named)
        self._shown = time.monotonic()

    def is_due(self) -> bool:
        """Tell whether it is time for the next one."""
        return time.monotonic() - self._shown > PREVIEW_SECONDS

    def show(self, frame: Stored) -> None:
        """Show a frame."""
        photos.write_preview(self._path, from_stored(frame))
        self._shown = time.monotonic()

    def remove(self) -> None:
        """Remove the picture: the film is there now, or none is made."""
        self._path.unlink(missing_ok=True)
