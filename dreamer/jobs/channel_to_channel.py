"""The way from one channel to another, as a row of pictures or as a film."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from dreamer.errors import DreamerError
from dreamer.jobs.ascent_film import film_ascent
from dreamer.jobs.events import Done
from dreamer.jobs.visualization import Visualization
from dreamer.recipe import Recipe

if TYPE_CHECKING:
    from dreamer.pipelines.layer_growth import Grown
    from dreamer.pipelines.targets import Target


def check_between(targets: Sequence[Target], *, alone: bool) -> None:
    """Raise DreamerError where these are not two channels, or something else is asked for, too."""
    if not alone:
        raise DreamerError("--between shows one way: leave --vary and --each out.")
    if len(targets) != 2 or targets[0].layer != targets[1].layer:
        raise DreamerError(
            "--between goes from one channel to another of the same layer: name two, as "
            "mixed4d:139,62."
        )


def write_between(
    job: Visualization,
    recipe: Recipe,
    targets: Sequence[Target],
    count: int,
    path: Path,
    film: Path | None,
) -> None:
    """Write the way from one channel to another: `count` pictures in a row, or frames of a film."""
    visualizer, provenance = job.visualizer(recipe), job.describe(recipe)
    found: list[Grown] = []
    overwrite = job.run.overwrite
    with film_ascent(film, visualizer.size, provenance, overwrite=overwrite) as frame:
        for done, grown in visualizer.between(targets[0], targets[1], count):
            if grown:
                found.append(grown)
                frame(lambda: found[-1].picture)
            job.advance(done, f"{targets[0].label} → {targets[1].label}")
    if film:
        job.run.emit(Done(str(film), film))
    else:
        pictures = [(each.picture, each.label) for each in found]
        job.write_sheet(path, pictures, count, provenance)
