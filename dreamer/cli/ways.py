"""The way from one channel to another, as a row or as a film."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from dreamer.cli import growth, show
from dreamer.cli.visualisation import Visualisation
from dreamer.errors import DreamerError
from dreamer.recipe import Recipe

if TYPE_CHECKING:
    from dreamer.targets import Target
    from dreamer.visualise import Grown


def check(targets: Sequence[Target], *, alone: bool) -> None:
    """Raise DreamerError where these are not two channels, or something else is asked for, too."""
    if not alone:
        raise DreamerError("--between shows one way: leave --vary and --each out.")
    if len(targets) != 2 or targets[0].layer != targets[1].layer:
        raise DreamerError(
            "--between goes from one channel to another of the same layer: name two, as "
            "mixed4d:139,62."
        )


def between(
    call: Visualisation,
    recipe: Recipe,
    targets: Sequence[Target],
    count: int,
    path: Path,
    film: Path | None,
) -> None:
    """Write the way from one channel to another: `count` pictures in a row, or frames of a film."""
    visualiser, made = call.visualiser(recipe), call.made(recipe)
    found: list[Grown] = []
    with (
        call.progress() as update,
        growth.filmed(film, visualiser.size, made, overwrite=call.overwrite) as frame,
    ):
        for done, grown in visualiser.between(targets[0], targets[1], count):
            if grown:
                found.append(grown)
                frame(lambda: found[-1].picture)
            update(done, f"{targets[0].label} → {targets[1].label}")
    if film:
        show.say(str(film))
    else:
        call.write_sheet(path, [(each.picture, each.label) for each in found], count, made)
