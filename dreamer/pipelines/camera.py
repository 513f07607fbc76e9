"""How a film's picture moves from frame to frame: the named motion, and numbers on top of it."""

from dataclasses import dataclass
from functools import cached_property

from dreamer.arrays import Image, Size
from dreamer.motion import camera_paths
from dreamer.motion.homographies import Matrix
from dreamer.motion.warp import warp
from dreamer.recipe import Recipe
from dreamer.recipe.field_types import evaluate
from dreamer.recipe.schedule import Signals


@dataclass(frozen=True)
class Camera:
    """The motion of a film.

    Attributes:
        recipe: of the film.
        size: height and width of its frames.
        signals: of the music, where there is any.
    """

    recipe: Recipe
    size: Size
    signals: Signals | None = None

    def matrix(self, begin: float, end: float) -> Matrix:
        """Return the homography from the moment of one frame to that of another."""
        film = self.recipe.film
        period = self._seconds(film.length) if film.loop else None
        motion = camera_paths.MOTIONS[film.motion]
        named = camera_paths.step(
            motion, self._seconds(begin), self._seconds(end), self.size, period
        )
        now = self.recipe.at(self.recipe.clock(max(begin, end), self.signals)).film
        asked = camera_paths.Step(
            zoom=float(now.zoom),
            angle=float(now.angle),
            pan=(float(now.pan_x), float(now.pan_y)),
            center=(float(now.center_x), float(now.center_y)),
            tilt=(float(now.tilt_x), float(now.tilt_y)),
            field_of_view=float(now.field_of_view),
        )
        usual = camera_paths.Step()
        # Where nothing moves, neither of the two is to be seen.
        if asked._replace(center=usual.center, field_of_view=usual.field_of_view) == usual:
            return named
        ratio = (film.written_fps or film.fps) / film.fps
        eased = (end - begin) * ratio * film.ease(max(begin, end))
        return camera_paths.repeat_step(asked, eased, self.size) @ named

    def move(self, image: Image, begin: float, end: float) -> Image:
        """Move a picture from the moment of one frame to that of another."""
        border = self.recipe.film.border
        return warp(image, self.matrix(begin, end), "reflect" if border == "photo" else border)

    def _seconds(self, frame: float) -> float:
        """Return the time of the named motion: it runs at the scheduled speed, and fades in."""
        whole, rest = divmod(frame, self.recipe.film.length)
        times = self._times
        low = min(int(rest), len(times) - 2)
        inside = times[low] + (rest - low) * (times[low + 1] - times[low])
        return float(whole * times[-1] + inside)

    @cached_property
    def _times(self) -> list[float]:
        """Return the time of the named motion at each frame."""
        film, times = self.recipe.film, [0.0]
        for frame in range(film.length):
            speed = evaluate(film.speed, self.recipe.clock(frame, self.signals))
            times.append(times[-1] + speed * film.ease(frame + 0.5) / film.fps)
        return times
