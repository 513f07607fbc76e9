"""Films between pictures: each photo is approached by its time, and dreamt away again."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from dreamer.arrays import Image
from dreamer.imaging import stabilize
from dreamer.imaging.stabilize import Floats
from dreamer.recipe.film_fields import Film

PULL = 6.0
"""How strongly large shapes are pulled to a photo: what is left of a difference at its time is a
twenty-fifth."""

WINDOW, WINDOW_SHARE = 2.0, 0.4
"""Seconds before a photo's time at which the film begins to approach it, and behind it at which it
has left it; and the most of the time between two photos."""


@dataclass(frozen=True)
class Journey:
    """The photos that a film passes.

    Attributes:
        film: its numbers.
        photos: float32 `(h, w, 3)`, the first one first; a loop comes back to it.
    """

    film: Film
    photos: Sequence[Image]

    def approach(self, image: Image, frame: float) -> Image:
        """Bring a frame nearer to the photo whose time it is, if it is any photo's."""
        place = self._find_place(frame)
        number = round(place)
        way = abs(place - number) / self._window
        if way >= 1 or not self.film.ease(frame):
            return image
        photo = self.photos[number % len(self.photos)]
        strength = (1 - way * way) ** 2 * self.film.ease(frame)
        way_on = self.film.cadence / self.film.length * self._gaps / self._window
        return stabilize.approach(image, photo, 1 - math.exp(-PULL * strength * way_on))

    def find_colors(self, frame: float) -> tuple[Floats, float]:
        """Return the colors, from `measure_colors`, and the mean chroma that a frame is held to."""
        place = self._find_place(frame)
        first = int(place)
        share = np.float32(place - first)
        (own, chroma), (other, next_chroma) = (
            self._colors[number % len(self.photos)] for number in (first, first + 1)
        )
        colors = own + share * (other - own)
        return np.asarray(colors, np.float32), chroma + float(share) * (next_chroma - chroma)

    @cached_property
    def _colors(self) -> list[tuple[Floats, float]]:
        return [
            (stabilize.measure_colors(photo), stabilize.measure_chroma(photo))
            for photo in self.photos
        ]

    @cached_property
    def _gaps(self) -> int:
        return max(1, len(self.photos) - (not self.film.loop))

    def _find_place(self, frame: float) -> float:
        """Return where a frame lies between the photos, by their numbers."""
        whole = self.film.length if self.film.loop else max(self.film.length - 1, 1)
        return frame / whole * self._gaps

    @cached_property
    def _window(self) -> float:
        gap = self.film.length / self.film.fps / self._gaps
        return min(WINDOW / gap, WINDOW_SHARE)
