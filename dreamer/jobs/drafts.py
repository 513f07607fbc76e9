"""Drafts: a dream that was stopped before its costly octaves, and how it is finished."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from dreamer.errors import DreamerError
from dreamer.files import drafts
from dreamer.files.photos import Photo
from dreamer.recipe import changes
from dreamer.recipe.names import name_option
from dreamer.recipe.provenance import Provenance

if TYPE_CHECKING:
    from dreamer.ascent.multiscale import Begun, Progress
    from dreamer.pipelines.image import ImagePipeline
    from dreamer.pipelines.plan import Plan


def check_options(draft: bool, finish: Path | None, output: Path | None, no_recipe: bool) -> None:
    """Raise DreamerError for options that do not go together."""
    if draft and (no_recipe or (output and output.suffix.lower() not in ("", ".png"))):
        raise DreamerError("A draft is a .png with its recipe, so that --finish can go on from it.")
    if draft and finish:
        raise DreamerError("Give --draft or --finish, not both.")


def add_state(provenance: Provenance, state: Progress) -> Provenance:
    """Add to what a picture carries the state from which it can be finished."""
    octaves, images = state.begun()
    facts = {**provenance.facts, "draft": octaves}
    return provenance._replace(facts=facts, state=drafts.pack(images))


def describe_resume(ended: Progress | None, path: Path) -> str:
    """Describe how a stopped dream is gone on with, to be added to a sentence."""
    if ended is None or path.suffix.lower() != ".png":
        return ""
    return f"; --finish {path} goes on from the end of octave {ended.octave}"


def read_state(draft: Provenance, photo: Photo, plan: Plan, pipeline: ImagePipeline) -> Begun:
    """Read the dream that a draft holds, or a picture that was stopped.

    Raises DreamerError that says why it cannot be gone on with.
    """
    from dreamer.ascent.multiscale import Begun

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
    holds = changes.count_kept(draft.recipe, pipeline.recipe, (plan.stages, plan.stages))
    fits = facts.get("sizes") == [list(size) for size in plan.sizes] and isinstance(octaves, int)
    if not fits or not 0 < octaves <= min(holds, len(plan.sizes)):
        changed = changes.find_changed(draft.recipe, pipeline.recipe) - {"tile"}
        others = " and ".join(map(name_option, sorted(changed)[:2]))
        raise DreamerError(
            "--finish goes on by the draft's own recipe: leave out "
            f"{others or 'the options that change it'}."
        )
    return Begun(octaves, drafts.unpack(draft.state, plan.sizes[octaves - 1], "The draft"))
