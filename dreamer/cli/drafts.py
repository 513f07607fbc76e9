"""Drafts: a dream stopped before the costly octaves, and how it is gone on with."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from dreamer import redraw
from dreamer.errors import DreamerError
from dreamer.files import drafts
from dreamer.files.metadata import Made
from dreamer.files.photos import Photo

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


def begun(draft: Made, photo: Photo, plan: Plan, assembly: Assembly) -> Begun:
    """The dream that a draft holds. Raises DreamerError where photo or recipe are others."""
    from dreamer.ascent.engine import Begun

    facts, octaves = draft.facts, draft.facts.get("draft")
    if facts.get("photo_sha256") != photo.sha256:
        raise DreamerError("The draft was made of another photo: give that one.")
    fits = facts.get("sizes") == [list(size) for size in plan.sizes]
    holds = redraw.kept(draft.recipe, assembly.recipe, (plan.stages, plan.stages))
    if not (fits and isinstance(octaves, int) and 0 < octaves <= min(holds, len(plan.sizes))):
        raise DreamerError(
            "A draft is finished by its own recipe: leave out the options that change it."
        )
    return Begun(octaves, drafts.unpack(draft.state, plan.sizes[octaves - 1], "The draft"))
