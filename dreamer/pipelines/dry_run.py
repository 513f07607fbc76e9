"""A film before it is dreamt: the photo moved along the path, with a grid and what is scheduled."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from dreamer.arrays import Image, Stored, to_stored
from dreamer.imaging import overlay
from dreamer.motion.homographies import zoom
from dreamer.motion.warp import warp
from dreamer.pipelines.camera import Camera
from dreamer.recipe import Recipe
from dreamer.recipe.film_fields import FREELY
from dreamer.recipe.layer_spec import shorten_layer
from dreamer.recipe.schedule import Signals, parse_text

LARGEST = 2.0
"""A picture that has grown by so much begins anew, as a film's photo does."""


@dataclass(frozen=True)
class DryRun:
    """A film that shows where it goes.

    Attributes:
        recipe: of the film.
        photo: float32 `(h, w, 3)`.
        words: that it dreams of, which may be schedules.
        signals: of the music, where there is any.
    """

    recipe: Recipe
    photo: Image
    words: Sequence[str] = ()
    signals: Signals | None = None

    def frames(self) -> Iterator[Stored]:
        """Yield the frames."""
        film = self.recipe.film
        height, width = self.photo.shape[:2]
        camera = Camera(self.recipe, (height, width), self.signals)
        marked, pose = overlay.draw_grid(self.photo), np.eye(3)
        for frame in range(film.length):
            if frame:
                pose = camera.matrix(frame - 1, frame) @ pose
            size = abs(float(np.linalg.det(pose[:2, :2]))) ** 0.5
            again = np.log2(max(size, 1e-6)) // np.log2(LARGEST)
            shown = zoom(LARGEST**-again, (width / 2, height / 2)) @ pose
            picture = warp(marked, shown, "reflect").clip(0, 1)
            yield to_stored(overlay.draw_lines(picture, self._list_lines(frame)))

    def _list_lines(self, frame: int) -> list[str]:
        """List what is scheduled at a frame, a line each."""
        recipe, film = self.recipe, self.recipe.film
        clock = recipe.clock(frame, self.signals)
        lines = [f"{frame / film.fps:.2f} s, frame {frame}"]
        if self.signals and self.signals.beats:
            beat = self.signals.count_beats(frame / film.fps)
            lines[0] += f", beat {beat}" + " *" * (clock.read_signal("beat") > 0.5)
        for text in self.words or recipe.layers:
            shares = parse_text(text).at(clock)
            lines += [f"{shorten_layer(word)} {share:.0%}" for word, share in shares]
        if film.associate:
            free = film.associate == FREELY
            lines.append("what it sees by then" if free else f"from {film.associate}")
        lines += [
            f"{name.removeprefix('film.')} {each.at(clock):.4g}"
            for name, each in recipe.schedules.items()
        ]
        return lines
