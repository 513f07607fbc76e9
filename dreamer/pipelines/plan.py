"""The plan of a picture: in which sizes, types and tiles a recipe dreams."""

from collections.abc import Sequence
from dataclasses import dataclass

from dreamer.arrays import Size
from dreamer.ascent import normalizations, octaves
from dreamer.errors import DreamerError
from dreamer.networks import runtime
from dreamer.pipelines import tile_plan
from dreamer.pipelines.goal import Goal
from dreamer.recipe import Precision
from dreamer.recipe.changes import Stages

COSTLY_OCTAVES = 2
"""How many of the last octaves `mixed` dreams in bfloat16, the composition being decided; a draft
leaves them out."""


FINEST = 0.03
"""The least share of the short side that motifs fill where a recipe dreams up to the full size."""

GENTLER = 0.7
"""Factor on the size of the steps from one such octave to the next."""


@dataclass(frozen=True)
class Plan:
    """What one picture will go through.

    Attributes:
        sizes: working sizes from small to large.
        dtypes: the type of the activations in each.
        dropped: sizes that were left out because the network cannot read so small a picture.
        tile: the side of the tiles of those larger than its square; None where there are none.
        further: how many of the last octaves only add detail, each more gently than the one before.
    """

    sizes: Sequence[Size]
    dtypes: Sequence[str]
    dropped: Sequence[Size]
    tile: int | None = None
    further: int = 0

    @property
    def rates(self) -> list[float]:
        """Return the factor on the size of the steps of each octave.

        Details that are small in the picture change it as much as large ones do, and would cover it
        like a wallpaper.
        """
        usual = len(self.sizes) - self.further
        return [1.0] * usual + [GENTLER ** (i + 1) for i in range(self.further)]

    @property
    def stages(self) -> Stages:
        """Return sizes and types side by side."""
        return list(zip(self.sizes, self.dtypes, strict=True))

    @property
    def draft(self) -> int:
        """Return how many octaves a draft takes: those before the costly ones, at least one."""
        return max(1, len(self.sizes) - COSTLY_OCTAVES)


def plan_octaves(goal: Goal, size: Size, *, strict: bool = False) -> Plan:
    """Plan the octaves for a picture of this height and width.

    Args:
        goal: what is raised.
        size: of the picture.
        strict: whether octaves that are too small for the network raise DreamerError.

    Raises DreamerError where none is left.
    """
    recipe = goal.recipe
    smallest = max(goal.network.spec.smallest, normalizations.SMALLEST_SIDE)
    if recipe.octaves:
        wanted = octaves.plan_by_count(size, recipe.octaves, recipe.octave_scale, recipe.resample)
    else:
        wanted = octaves.plan_by_motif(
            size, goal.motif, recipe.motif, recipe.octave_scale, recipe.enlarged
        )
    further = []
    if recipe.to_full_size:
        further = octaves.plan_further(size, wanted[-1], goal.motif, FINEST, recipe.octave_scale)
    sizes = octaves.filter_sizes([*wanted, *further], smallest)
    dropped = [each for each in wanted if each not in sizes]
    if dropped and (strict or not sizes):
        raise DreamerError(
            f"The smallest octave would have {dropped[0][1]}×{dropped[0][0]} pixels, and "
            f"a dream on {goal.network.name} needs {smallest} along each side: ask for fewer "
            "octaves or a smaller largest motif, or give a larger photo or --size."
        )
    tile = tile_plan.choose_tile_side(
        sizes[-1], recipe, goal.network, goal.objective.layers, goal.motif
    )
    added = min(len(further), len(sizes))
    dtypes = choose_dtypes(recipe.precision, len(sizes), added)
    return Plan(sizes, dtypes, dropped, tile, added)


def resolve_precision(wanted: Precision) -> Precision:
    """Return what a precision means on this machine; never `auto`."""
    if wanted == "auto":
        return "mixed" if runtime.gains_by_bfloat16() else "float32"
    return wanted if runtime.has_bfloat16() else "float32"


def choose_dtypes(precision: Precision, count: int, further: int = 0) -> list[str]:
    """Choose the type of each of `count` octaves, of which the last `further` only add detail.

    In another precision the same recipe composes another picture; so with `mixed` the first
    octaves, which are cheap and decide the composition, stay in float32.
    """
    if precision != "mixed":
        return [precision] * count
    costly = min(COSTLY_OCTAVES, (count - further) // 2) + further
    return ["float32"] * (count - costly) + ["bfloat16"] * costly
