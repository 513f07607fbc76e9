"""The job behind `dream video --dry-run`: where a film would go, in seconds and undreamt."""

from __future__ import annotations

from dreamer.files import atomic, codecs, ffmpeg, films
from dreamer.files.codecs import CodecName
from dreamer.files.film_spec import Film
from dreamer.files.framing import frame_photo
from dreamer.files.sound import Sound
from dreamer.jobs.events import Done, Frame, Note, Outcome, Sink, Stop, format_count
from dreamer.jobs.framing import find_film_framing
from dreamer.jobs.music_source import Music
from dreamer.jobs.requests import VideoRequest
from dreamer.jobs.sources import Destination, Naming, Source, make_folder
from dreamer.recipe.provenance import Provenance

SUFFIX = "path"
"""What the name of such a film ends in."""


def show(
    request: VideoRequest,
    wanted: Provenance,
    music: Music | None,
    source: Source,
    target: Destination,
    emit: Sink,
    stop: Stop,
) -> Outcome:
    """Write a film that shows its path; where the job is asked to stop, as far as it got."""
    from dreamer.pipelines.dry_run import DryRun

    recipe = wanted.recipe
    first, framed = frame_photo(source.read(), find_film_framing(recipe, enlarge=True))
    kind = codecs.CODECS[CodecName.H264].suffixes[0]
    name = atomic.fit_name(source.name, f"-{SUFFIX}{kind}")
    naming = Naming(target, SUFFIX, request.overwrite)
    path = naming.name_resumable(source.folder, name, lambda path: False)
    make_folder(path.parent)
    sound = Sound(request.audio) if request.audio else music.sound if music else None
    spec = Film(path, framed.size, ffmpeg.to_exact_rate(recipe.film.fps), sound=sound)
    dry = DryRun(recipe, first.image, request.of, music.signals if music else None)
    with films.open_writer(spec, overwrite=request.overwrite) as writer:
        for frame in dry.frames():
            writer.write(frame)
            emit(Frame(writer.frames, recipe.film.length, None, None))
            if stop.asked:
                break
    for note in writer.notes:
        emit(Note(note))
    emit(Done(f"{path}  {format_count(writer.frames, 'frame')}, undreamt", path, timed=True))
    return Outcome(stopped=stop.asked)
