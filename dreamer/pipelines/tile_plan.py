"""Whether and how a recipe's pictures are cut into tiles, by the memory there is."""

import math
from collections.abc import Collection

from dreamer.arrays import Size
from dreamer.ascent.tiling import GRID, Tiles, compute_halo
from dreamer.errors import DreamerError
from dreamer.networks import graph, memory
from dreamer.networks.network import Network
from dreamer.recipe import Recipe

LEAST_CORE = 128
"""The least, in pixels, that a tile dreams on beside its halo."""


def choose_tile_side(
    size: Size, recipe: Recipe, net: Network, layers: Collection[str], motif: int
) -> int | None:
    """Of the tiles for pictures of more pixels than such a square; None where all are seen whole.

    Args:
        size: of the largest octave.
        recipe: its own `tile` is obeyed.
        net, layers: what is dreamt on.
        motif: the size of their motifs, in pixels.

    Raises DreamerError where a network must see all of a picture, as for a class's logit, and there
    is not the memory for that, or where a tile is too small.
    """
    if net.spec.reads:
        # Pictures are brought to one size, whatever theirs is.
        return None
    least = 2 * _halo(recipe, motif) + LEAST_CORE
    pixels = math.prod(size)
    if pixels <= (recipe.tile or max(memory.find_largest_side(net, layers), least)) ** 2:
        return None
    if pooled := [name for name in sorted(layers) if _pools_whole_picture(net, name)]:
        takes = pixels * memory.estimate_bytes_per_pixel(net, layers)
        if recipe.tile or takes > memory.WHOLE * memory.measure_limit():
            remedy = "--set tile=none" if recipe.tile else "a smaller --size"
            raise DreamerError(
                f"{net.name} pools over the whole picture before {', '.join(pooled)} and cannot "
                f"dream in tiles; whole, it takes about {takes / 1e9:.1f} GB: give {remedy}."
            )
        return None
    fitting = recipe.tile or max(
        memory.find_largest_side(net, layers, memory.TILE) // GRID * GRID, least
    )
    if fitting < least:
        raise DreamerError(f"Tiles of {fitting} pixels are too small here: set tile to {least}.")
    return fitting


def plan_tiles(
    size: Size, side: int | None, recipe: Recipe, motif: int, *, additive: bool
) -> Tiles | None:
    """How the network gets a picture of this size; None where it gets it as it is.

    Args:
        size: of the picture.
        side: as `choose_tile_side` gave it.
        recipe: says whether pictures wrap around.
        motif: the size of its layers' motifs, in pixels.
        additive: whether its objective is a sum over the picture.
    """
    whole = side is None or math.prod(size) <= side**2
    if whole and not recipe.seamless:
        return None
    return Tiles(None if whole else side, _halo(recipe, motif), recipe.seamless, additive)


def _pools_whole_picture(net: Network, layer: str) -> bool:
    return net.facts.find(
        f"whether {layer} pools the whole picture",
        lambda: graph.pools_whole_picture(net.model, [layer]),
    )


def _halo(recipe: Recipe, motif: int) -> int:
    # The cells that are left out along each edge are not dreamt on either.
    return compute_halo(motif) + recipe.border * GRID
