"""What a recipe does to a dream as a picture: while it grows, and when it is shown."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from dreamer.imaging import finish, palettes
from dreamer.imaging.finish import Finish
from dreamer.imaging.harmony import harmonize
from dreamer.imaging.masks import apply_mask
from dreamer.recipe import Recipe


def finish_octaves(recipe: Recipe) -> Callable[[float], Finish] | None:
    """Return what is done to a dream at the end of an octave, so that the next one builds on it.

    It depends on the share of the octaves that are done; None where nothing is done.
    """
    strength, harmony = recipe.strength, recipe.harmony
    if not (recipe.palette or recipe.saturation != 1 or strength != "free" or harmony):
        return None

    def grow(share: float) -> Finish:
        # A dream's change grows about as the root of the number of octaves.
        change = [] if strength == "free" else [finish.scale_change(strength * share**0.5)]
        if recipe.palette_style == "statistics":
            return finish.chain(finish_colors(recipe, share), *change)
        # Behind the strength, which would inflate the colors again.
        near = (
            [harmonize(harmony, seamless=recipe.seamless)] if harmony and not recipe.palette else []
        )
        return finish.chain(*change, *near, finish_colors(recipe, share))

    return grow


def finish_colors(recipe: Recipe, share: float = 1) -> Finish:
    """Return what is done to the colors of a dream when a share of its octaves is done."""
    # Before the last octave, a palette's own change of color would count as the dream's strength.
    due = recipe.palette and (share == 1 or recipe.palette_style == "statistics")
    colors = [palettes.STYLES[recipe.palette_style](recipe.palette)] if due else []
    last = share == 1 and recipe.saturation != 1
    chroma = [finish.scale_saturation(float(recipe.saturation))] if last else []
    return finish.chain(*colors, *chroma)


def finish_picture(
    recipe: Recipe, mask: NDArray[np.float32] | None, own: Finish | None = None
) -> Finish:
    """Return what is done to the picture that is shown; `own` is the caller's, and comes first."""
    parts: list[Finish] = [own] if own else []
    parts += [finish.keep_colors] if recipe.colors == "photo" else []
    parts += [finish.blend(float(recipe.opacity))] if recipe.opacity != 1 else []
    return finish.chain(*parts, apply_mask(mask, recipe.feather, inverted=recipe.invert_mask))
