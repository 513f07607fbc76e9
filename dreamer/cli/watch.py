"""`--watch`: the picture redrawn on each save of its recipe."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dreamer import redraw
from dreamer.cli import show
from dreamer.cli.sources import make_folder
from dreamer.errors import DreamerError
from dreamer.files import photos
from dreamer.files.photos import Photo
from dreamer.recipe import Recipe

if TYPE_CHECKING:
    from dreamer.ascent.engine import Begun
    from dreamer.assemble import Assembly, Plan
    from dreamer.cli.session import Session
    from dreamer.cli.sources import Source

POLL_SECONDS = 0.1
"""How often it is looked whether the file was saved."""


@dataclass
class _Drawn:
    """What a redraw can go on from: the dream at the end of each octave so far."""

    assembly: Assembly
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

    def saved(self) -> bool:
        """Whether it was saved since it was `seen`."""
        return self._stamp() not in (None, self._seen)

    def seen(self) -> None:
        """It is read now."""
        self._seen = self._stamp()


def watch(
    session: Session, sources: Sequence[Source], path: Path, recipe: Callable[[], Recipe]
) -> None:
    """Draw and redraw until Ctrl-C; what is wrong in the file is printed, and it goes on.

    Args:
        session: of this call.
        sources: the one photo.
        path: the preset that is watched.
        recipe: reads it, with the options.
    """
    if len(sources) > 1:
        raise DreamerError("--watch redraws one picture: give one photo.")
    photo, target, drawn, file = sources[0].read(), session.name(sources[0]), None, _Watched(path)
    make_folder(target.parent)
    session.note(f"Watching {path}: each save redraws {target}; Ctrl-C ends it.")
    try:
        while True:
            file.seen()
            try:
                drawn = _redraw(session, photo, recipe(), drawn, target, file.saved)
            except DreamerError as error:
                show.complain(str(error))
            while not file.saved():
                time.sleep(POLL_SECONDS)
    except KeyboardInterrupt:
        session.note("")


def _redraw(
    session: Session,
    photo: Photo,
    recipe: Recipe,
    drawn: _Drawn | None,
    target: Path,
    stale: Callable[[], bool],
) -> _Drawn:
    """The picture by `recipe`, from the first octave on that a change touches, until `stale`."""
    started = time.perf_counter()
    size = photos.fitted(photo.image.shape[:2], recipe.size, enlarge=recipe.enlarge)
    fitted = photos.resize(photo, size)
    assembly = session.assemble(recipe, fitted, drawn.assembly if drawn else None)
    plan, mask = assembly.plan(size, strict=session.strict), session.read_mask(size)
    holds = 0
    if drawn:
        stages = drawn.plan.stages, plan.stages
        holds = redraw.kept(drawn.assembly.recipe, assembly.recipe, stages)
    now = _Drawn(assembly, plan, drawn.states[:holds] if drawn else [])
    first, last = len(now.states) + 1, plan.draft if session.draft else len(plan.sizes)
    begun = now.states[:last][-1] if now.states else None
    for state in assembly.dream(fitted.image, plan, mask, begun):
        if state.ends_octave and state.octave > len(now.states):
            now.states.append(state.begun())
        if state.ends_octave and state.octave == last:
            session.write(target, state, fitted, assembly, plan, overwrite=True)
            begins = f"from octave {first} of {last}" if first <= last else "only its look"
            session.note(f"{target}  {time.perf_counter() - started:.1f} s, {begins}")
            break
        if stale():
            break
    return now
