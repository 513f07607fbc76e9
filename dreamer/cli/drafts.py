"""Drafts: a dream stopped before the costly octaves, and how it is gone on with."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from dreamer import redraw
from dreamer.errors import DreamerError
from dreamer.files import drafts
from dreamer.files.metadata import Made
from dreamer.files.photos import Photo
from dreamer.recipe import flag

if TYPE_CHECKING:
    from dreamer.ascent.engine import Begun, Progress
    from dreamer.assemble import Assembly, Plan


def check(draft: bool, finish: Path | None, output: Path | None, no_recipe: bool) -> None:
    """Raise DreamerError for options that do not go together."""
    if draft and (no_recipe or (output and output.suffix.lower() not in ("", ".png"))):
        raise DreamerError("A draft is a .png with its recipe, so that --finish can go on from it.")
    if draft and finish:
        raise DreamerError("Give --draft or --finish, not both.")


def drafted(made: Made, state: Progress) -> Made:
    """What a draft carries besides."""
    octaves, images = state.begun()
    return made._replace(facts={**made.facts, "draft": octaves}, state=drafts.pack(images))


class Stopped(NamedTuple):
    """Where Ctrl-C ended a dream, in words, and the end of the octave before; None in the first."""

    place: str
    ended: Progress | None


def resumed(stopped: Stopped, path: Path) -> str:
    """How a stopped dream is gone on with, to be added to a sentence."""
    if stopped.ended is None or path.suffix.lower() != ".png":
        return ""
    return f"; --finish {path} goes on from the end of octave {stopped.ended.octave}"


def begun(draft: Made, photo: Photo, plan: Plan, assembly: Assembly) -> Begun:
    """The dream that a draft holds, or a picture that Ctrl-C has stopped.

    Raises DreamerError that says why it cannot be gone on with.
    """
    from dreamer.ascent.engine import Begun

    facts, octaves = draft.facts, draft.facts.get("draft")
    if octaves is None and "stopped" in facts:
        raise DreamerError(
            "--finish: this picture was stopped before the end of its first octave, or is no PNG, "
            "so there is nothing to go on from: give its own command again."
        )
    if octaves is None:
        raise DreamerError(
            "--finish: this picture is finished. To dream by its recipe again, give it by --preset."
        )
    if facts.get("photo_sha256") != photo.sha256:
        raise DreamerError("--finish: the draft was made of another photo: give that one.")
    holds = redraw.kept(draft.recipe, assembly.recipe, (plan.stages, plan.stages))
    fits = facts.get("sizes") == [list(size) for size in plan.sizes] and isinstance(octaves, int)
    if not fits or not 0 < octaves <= min(holds, len(plan.sizes)):
        changed = redraw.changed(draft.recipe, assembly.recipe) - {"about", "tile"}
        others = " and ".join(map(flag, sorted(changed)[:2])) or "the options that change it"
        raise DreamerError(f"--finish goes on by the draft's own recipe: leave out {others}.")
    return Begun(octaves, drafts.unpack(draft.state, plan.sizes[octaves - 1], "The draft"))
