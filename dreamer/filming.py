"""From a recipe to a film that is fed back into itself: the callables of the frame loop."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dreamer.arrays import Image, Size, Stored, from_stored, to_stored
from dreamer.ascent import alive, look
from dreamer.ascent.alive import Floats
from dreamer.ascent.look import Look
from dreamer.assemble import Assembly, Plan, veil
from dreamer.errors import DreamerError
from dreamer.fields import at
from dreamer.filmfields import Film
from dreamer.frames import Carried, Loop, between, closure
from dreamer.motion import paths
from dreamer.motion.matrices import Matrix, zoom
from dreamer.motion.warp import Still, warp
from dreamer.recipe import Recipe
from dreamer.schedule import Clock, parse_text

AVERAGE = 20.0
"""Seconds over which `colours = "average"` takes its mean."""

BLEND = 2.0
"""Seconds over which a loop's end passes into its beginning; at most half of the loop."""

WARM_UP = 3.0
"""Seconds that a loop is dreamt before the blended ones, so that no trace of the photo is left."""

_COLOURS, _POSE = "colours", "pose"
"""What is remembered beside the strengths of layers: mean and spread of the colours, and how the
photo lies by now."""


def _level(pose: NDArray[Any]) -> float:
    """How often a pose doubles the size."""
    return math.log2(max(abs(float(np.linalg.det(pose[:2, :2]))) ** 0.5, 1e-6))


def _recurring(pose: Matrix, size: Size) -> Floats:
    """A pose between half and twice the size: a film that moves in or out for ever recurs."""
    height, width = size
    back = zoom(2.0 ** -round(_level(pose)), (width / 2, height / 2))
    return np.asarray(back @ pose, np.float32)


def _inside(matrix: Matrix, size: Size) -> bool:
    """Whether all that is seen after a move was in the picture before."""
    height, width = size
    corners = np.array([(0, 0, 1), (width, 0, 1), (0, height, 1), (width, height, 1)]).T
    x, y, depth = np.linalg.inv(matrix) @ corners
    points = np.stack([x / depth / width, y / depth / height])
    return bool((points >= -1e-9).all() and (points <= 1 + 1e-9).all())


def frame_recipe(recipe: Recipe) -> Recipe:
    """What is dreamt on each frame of a film."""
    film = recipe.film
    # The change of a whole film is held by the second, not that of a picture.
    own = {"steps": film.steps, "motif": film.motif, "strength": None, "size": film.size}
    return recipe.changed({**own, "octaves": recipe.octaves})


@dataclass(frozen=True)
class Filming:
    """A film's recipe on a loaded network, for one photo.

    Attributes:
        assembly: of `frame_recipe`.
        photo: the first frame, float32 `(h, w, 3)`.
        mask: `(h, w)`; the dream shows where it is 1.
    """

    assembly: Assembly
    photo: Image
    mask: NDArray[np.float32] | None = None

    @property
    def film(self) -> Film:
        """The film's part of the recipe."""
        return self.assembly.recipe.film

    @property
    def motion(self) -> str:
        """The motion's name."""
        return self.film.motion

    @property
    def size(self) -> Size:
        """Height and width of the frames."""
        return self.photo.shape[0], self.photo.shape[1]

    @cached_property
    def plan(self) -> Plan:
        """The octaves of each frame."""
        return self.assembly.plan(self.photo.shape[:2])

    @cached_property
    def keys(self) -> int:
        """How many frames are dreamt, those of a loop's warm-up not counted."""
        film = self.film
        if not film.loop:
            return 1 + (film.length - 1) // film.cadence
        if film.length % film.cadence:
            raise DreamerError(
                f"A loop of {film.length} frames has no whole number of steps of {film.cadence}: "
                "give another --cadence or another length."
            )
        return film.length // film.cadence

    @cached_property
    def loop(self) -> Loop | None:
        """How the film closes, where it does."""
        film = self.film
        if not film.loop:
            return None
        rate = film.fps / film.cadence
        blend = min(math.ceil(BLEND * rate), self.keys // 2)
        if blend < 2:
            raise DreamerError("So short a film cannot loop: give at least eight frames.")
        return Loop(self.keys, blend, warm_up=blend + math.ceil(WARM_UP * rate))

    @property
    def first(self) -> int:
        """The number of the first key that is made from another one."""
        return 1 - self.loop.warm_up if self.loop else 1

    @cached_property
    def begin(self) -> Carried:
        """The photo, and what is remembered of it; in its film's colours if they do not set in."""
        pose = np.eye(3, dtype=np.float32)
        film, clock = self._at(0)
        photo = self.photo
        if film.colours == "palette" and not (film.intro or film.loop):
            photo = self._shown(photo, self._reference, film, clock)
        return Carried(to_stored(photo), {_COLOURS: self._reference, _POSE: pose})

    def step(self, carried: Carried, number: int) -> Carried:
        """Make a key from the one before; see `frames.Step`."""
        film, clock = self._at(number)
        cadence, begin = film.cadence, (number - 1) * film.cadence
        seconds = cadence / film.fps
        own = dict(carried.memory)
        matrix = self.matrix(begin, begin + cadence)
        own[_POSE] = _recurring(matrix @ own[_POSE], self.photo.shape[:2])
        moved = self._moved(from_stored(carried.frame), matrix, own[_POSE])
        origin = self._prepared(moved, own[_POSE], film, number)
        habituation, channels = float(film.habituation), self.assembly.network.channels
        gains = {
            layer: alive.gains(own.get(layer, np.ones(channels(layer), np.float32)), habituation)
            for layer in self.assembly.objective.layers
        }
        *_, last = self.assembly.dream(
            origin, self.plan, self.mask, frame=number, clock=clock, gains=gains
        )
        change = float(film.strength) * seconds * self.film.ease(number * cadence)
        dreamt = look.strength(change)(last.picture(), origin) if change else origin
        dreamt = self._shown(dreamt, own[_COLOURS], film, clock)
        for layer, strengths in last.strengths.items():
            frames = float(film.memory) / seconds
            own[layer] = alive.remembered(own.get(layer, strengths), strengths, frames)
        own[_COLOURS] = alive.remembered(own[_COLOURS], alive.colours(dreamt), AVERAGE / seconds)
        return Carried(to_stored(dreamt), own)

    def _at(self, number: int) -> tuple[Film, Clock]:
        """The film's numbers when a key is made, and the moment itself."""
        clock = self.assembly.recipe.clock(number * self.film.cadence)
        return self.assembly.recipe.at(clock).film, clock

    def _moved(self, image: Image, matrix: Matrix, pose: Floats) -> Image:
        """A frame moved to the next one's moment."""
        border = self.film.border
        if border != "photo" or _inside(matrix, image.shape[:2]):
            return warp(image, matrix, border)
        # Mirrored or repeated edges would be fed back into streaks.
        return warp(image, matrix, border, self._still.moved(pose.astype(np.float64)))

    def _prepared(self, moved: Image, pose: Floats, film: Film, number: int) -> Image:
        """A moved frame with the photo, the detail and the noise that it should have."""
        seconds = film.cadence / film.fps
        if film.source:
            share = 1 - (1 - float(film.source)) ** seconds
            moved = moved + np.float32(share) * (self._source(pose) - moved)
        if film.detail:
            moved = alive.hold_detail(moved, self._detail, float(film.detail))
        if film.noise:
            seed = self.assembly.recipe.seed, number
            amplitude = float(film.noise) * seconds**0.5 * self.film.ease(number * film.cadence)
            moved = alive.add_noise(moved, amplitude, seed)
        return moved.clip(0, 1)

    def _shown(self, image: Image, average: Floats, film: Film, clock: Clock) -> Image:
        """A frame in the colours that it is held to, behind the dream, so that all of it has them.

        Where the mask is black it is the photo.
        """
        if film.hold and film.colours != "free":
            target = self._target(average, film, clock)
            image = alive.hold_colours(image, target, float(film.hold))
        return self._veil(image, self.photo)

    def _target(self, average: Floats, film: Film, clock: Clock) -> Floats:
        if film.colours == "average":
            return average
        if film.colours == "palette" and film.palette:
            parts = parse_text(film.palette).at(clock)
            targets = [
                share * alive.palette(codes.split(","), self._reference) for codes, share in parts
            ]
            palette = np.asarray(np.sum(targets, 0), np.float32)
            # They set in with the dream, or the second frame would jump.
            eased = np.float32(self.film.ease(clock.frame / clock.fps * film.fps))
            return self._reference + eased * (palette - self._reference)
        return self._reference

    def _source(self, pose: Floats) -> Image:
        """The photo moved along; it enters again at half the size before a zoom has blurred it."""
        height, width = self.photo.shape[:2]
        share = _level(pose) % 1
        nearer, farther = (
            warp(self.photo, zoom(2.0**power, (width / 2, height / 2)) @ pose, "reflect")
            for power in (share - _level(pose), share - 1 - _level(pose))
        )
        return nearer + np.float32(share) * (farther - nearer)

    @cached_property
    def _still(self) -> Still:
        return Still(self.photo)

    @cached_property
    def _reference(self) -> Floats:
        return alive.colours(self.photo)

    @cached_property
    def _veil(self) -> Look:
        return veil(self.assembly.recipe, self.mask)

    @cached_property
    def _detail(self) -> float:
        return alive.fine(self.photo)

    def move(self, image: Image, begin: float, end: float) -> Image:
        """A picture of one frame's moment moved to another's; see `frames.Move`."""
        border = "reflect" if self.film.border == "photo" else self.film.border
        return warp(image, self.matrix(begin, end), border)

    def matrix(self, begin: float, end: float) -> Matrix:
        """How the picture moves from one frame to another, by name and by numbers."""
        film, size = self.film, self.photo.shape[:2]
        period = self._seconds(film.length) if film.loop else None
        named = paths.step(
            paths.MOTIONS[film.motion], self._seconds(begin), self._seconds(end), size, period
        )
        now = self.assembly.recipe.at(self.assembly.recipe.clock(max(begin, end))).film
        asked = paths.Step(
            zoom=float(now.zoom),
            angle=float(now.angle),
            pan=(float(now.pan_x), float(now.pan_y)),
            centre=(float(now.centre_x), float(now.centre_y)),
            tilt=(float(now.tilt_x), float(now.tilt_y)),
            field_of_view=float(now.field_of_view),
        )
        usual = paths.Step()
        # Where nothing moves, neither of the two is to be seen.
        if asked._replace(centre=usual.centre, field_of_view=usual.field_of_view) == usual:
            return named
        ratio = (film.written_fps or film.fps) / film.fps
        eased = (end - begin) * ratio * self.film.ease(max(begin, end))
        return paths.repeated(asked, eased, size) @ named

    def _seconds(self, frame: float) -> float:
        """The named motion's own time: it runs at the scheduled speed, and sets in slowly."""
        whole, rest = divmod(frame, self.film.length)
        times = self._times
        low = min(int(rest), len(times) - 2)
        inside = times[low] + (rest - low) * (times[low + 1] - times[low])
        return float(whole * times[-1] + inside)

    @cached_property
    def _times(self) -> list[float]:
        """The named motion's time at each frame."""
        film, times = self.film, [0.0]
        for frame in range(film.length):
            speed = at(film.speed, self.assembly.recipe.clock(frame))
            times.append(times[-1] + speed * self.film.ease(frame + 0.5) / film.fps)
        return times

    def check(self) -> None:
        """Read every schedule at every key, so that a slip shows before the long run."""
        _ = self.keys, self.loop
        recipe = self.assembly.recipe
        if recipe.schedules:
            for number in range(self.keys):
                self._at(number)

    def frames(self, keys: Iterator[Stored]) -> Iterator[Stored]:
        """The film's frames, those between the keys included; see `frames.between`."""
        return between(keys, self.film.cadence, self.film.length, self.move)

    def closing(self, around: Sequence[Image], memory: Mapping[str, Any]) -> list[str]:
        """What there is to say of a finished film: does a loop close?

        Args:
            around: as many last frames as first ones, in order of time.
            memory: what the last frame carries.
        """
        if not self.loop or len(around) < 12:
            return []
        plain, moved = closure(around, self.film.length, self.move)
        return [
            f"From the last frame to the first: {plain:.2f} times the median of the ten steps "
            f"around it, {moved:.2f} times after motion compensation"
        ]

    @property
    def needs_length(self) -> bool:
        """Whether a film of another length would have other frames from the beginning."""
        return self.film.loop or self.assembly.recipe.uses_length
