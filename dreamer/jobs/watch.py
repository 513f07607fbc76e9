"""A picture that is redrawn each time its recipe is saved."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dreamer.errors import DreamerError
from dreamer.files.framing import frame_photo
from dreamer.files.photos import Photo
from dreamer.jobs.dream_photos import Ask, Dreaming, Work
from dreamer.jobs.events import Done, Failed, Outcome
from dreamer.jobs.framing import find_framing
from dreamer.jobs.sources import Source, make_folder
from dreamer.recipe import Recipe, changes

if TYPE_CHECKING:
    from dreamer.ascent.multiscale import Begun
    from dreamer.pipelines.image import ImagePipeline
    from dreamer.pipelines.plan import Plan

POLL_SECONDS = 0.1
"""How often it is checked whether the file was saved."""


@dataclass
class _Drawn:
    """What a redraw can go on from: the dream at the end of each octave so far."""

    pipeline: ImagePipeline
    plan: Plan
    states: list[Begun]


class _Watched:
    """A file that is edited. An editor may take it away for a moment when it saves."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen = self._stamp()

    def _stamp(self) -> tuple[int, int] | None:
        try:
            status = self._path.stat()
        except OSError:
            return None
        return status.st_mtime_ns, status.st_size

    def is_stale(self) -> bool:
        """Tell whether the file was saved since `note_read`."""
        return self._stamp() not in (None, self._seen)

    def note_read(self) -> None:
        """Note that the file is read now."""
        self._seen = self._stamp()


def watch(
    dreaming: Dreaming,
    ask: Ask,
    sources: Sequence[Source],
    path: Path,
    read_recipe: Callable[[], Recipe],
) -> Outcome:
    """Draw and redraw until the job is asked to stop; what is wrong in the file is told.

    Args:
        dreaming: of the job.
        ask: how the picture is written.
        sources: the one photo.
        path: the preset that is watched.
        read_recipe: reads it, with the options.
    """
    if len(sources) > 1:
        raise DreamerError("--watch redraws one picture: give one photo.")
    photo, target = sources[0].read(), ask.naming.name(sources[0])
    drawn, file = None, _Watched(path)
    make_folder(target.parent)
    dreaming.note(f"Watching {path}: each save redraws {target}; Ctrl-C ends it.")
    while not dreaming.stop.asked:
        file.note_read()
        try:
            drawn = _redraw(dreaming, ask, (photo, target), read_recipe(), drawn, file)
        except DreamerError as error:
            dreaming.emit(Failed(str(error)))
        while not file.is_stale() and not dreaming.stop.asked:
            time.sleep(POLL_SECONDS)
    return Outcome()


def _redraw(
    dreaming: Dreaming,
    ask: Ask,
    what: tuple[Photo, Path],
    recipe: Recipe,
    drawn: _Drawn | None,
    file: _Watched,
) -> _Drawn:
    """Draw the picture from the first octave on that a change touches, until the file is stale."""
    photo, target = what
    fitted, framed = frame_photo(photo, find_framing(recipe))
    pipeline = dreaming.build(recipe, fitted)
    plan, mask = pipeline.plan(framed.size, strict=ask.strict), dreaming.mask(framed)
    holds = 0
    if drawn:
        stages = drawn.plan.stages, plan.stages
        holds = changes.count_kept(drawn.pipeline.recipe, pipeline.recipe, stages)
    now = _Drawn(pipeline, plan, drawn.states[:holds] if drawn else [])
    work = Work(dreaming, ask, fitted, framed, pipeline, plan)
    first = len(now.states) + 1
    begun = now.states[: work.last][-1] if now.states else None
    for state in pipeline.dream(fitted.image, plan, mask, begun):
        if state.ends_octave and state.octave > len(now.states):
            now.states.append(state.begun())
        if state.ends_octave and state.octave == work.last:
            work.write(target, state, overwrite=True)
            parts = f"from octave {first} of {work.last}" if first <= work.last else "only finished"
            dreaming.emit(Done(f"{target}  {parts}", target, timed=True))
            break
        if file.is_stale() or dreaming.stop.asked:
            break
    return now
