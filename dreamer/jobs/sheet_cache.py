"""Pictures of channels that a stopped run has left, and that the next one goes on from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from dreamer.files.cell_store import Cell, CellStore
from dreamer.imaging import contact_sheet
from dreamer.jobs.events import Stopped
from dreamer.jobs.visualization import Visualization
from dreamer.recipe import Recipe

if TYPE_CHECKING:
    from dreamer.pipelines.layer_growth import Grown
    from dreamer.pipelines.targets import Target


def grow_missing(
    job: Visualization,
    recipe: Recipe,
    targets: Sequence[Target],
    store: CellStore,
    option: str = "",
) -> list[Cell]:
    """Return the pictures of a recipe; those that are not in the store are grown and kept there.

    Args:
        job: grows them.
        recipe: by which they grow.
        targets: what they grow for.
        store: of cells.
        option: what tells this recipe's cells from those of another.
    """
    from dreamer.pipelines.targets import repeat_targets

    def read(target: Target) -> list[Cell | None]:
        named = repeat_targets([target], recipe.visualization.diverse)
        return [store.get(f"{option} {each.label}".strip()) for each in named]

    def keep(one: Grown) -> None:
        label = f"{option} {one.label}".strip()
        facts = one.score, one.first_score, one.step, one.stopped
        store.put(Cell(label, contact_sheet.lay_on_paper(one.picture, one.alpha), *facts))

    if missing := [target for target in targets if None in read(target)]:
        try:
            job.grow(recipe, missing, finished=keep, option=option)
        except Stopped:
            if job.run.stop.drops:
                store.remove()
            else:
                job.note("What is finished is kept: the same command goes on with the rest.")
            raise
    return [cell for target in targets for cell in read(target) if cell is not None]
