"""The mask of a film, which moves with the picture, and the photo under it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dreamer.arrays import Image
from dreamer.imaging.masks import apply_mask
from dreamer.imaging.stabilize import Floats
from dreamer.motion.warp import move_mask, warp
from dreamer.recipe import Recipe

Mask = NDArray[np.float32]


@dataclass(frozen=True)
class Veil:
    """The photo that shows where a film is not dreamt.

    Attributes:
        recipe: of the film.
        photo: float32 `(h, w, 3)`.
        mask: `(h, w)`; the dream shows where it is 1; None for everywhere.
        follows: whether mask and photo move with the picture.
    """

    recipe: Recipe
    photo: Image
    mask: Mask | None
    follows: bool

    def place(self, placed: Floats) -> Mask | None:
        """Return the mask where the photo lies by now; beyond its edge, all is dreamt."""
        if self.mask is None or not self.follows:
            return self.mask
        beyond = 0.0 if self.recipe.invert_mask else 1.0
        return move_mask(self.mask, placed.astype(np.float64), beyond)

    def show_photo(self, dreamt: Image, placed: Floats, mask: Mask | None) -> Image:
        """Show the photo, there where it lies by now, through a mask from `place`."""
        recipe, photo = self.recipe, self.photo
        if mask is None:
            return dreamt
        if self.follows:
            photo = warp(photo, placed.astype(np.float64), "reflect").clip(0, 1)
        return apply_mask(mask, recipe.feather, inverted=recipe.invert_mask)(dreamt, photo)
