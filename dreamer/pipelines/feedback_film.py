"""From a recipe to a film that is fed back into itself: each frame is moved and dreamt again."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from dreamer.arrays import Image, Size, Stored, from_stored, to_stored
from dreamer.errors import DreamerError, speaking_of
from dreamer.files.photos import Photo
from dreamer.imaging import finish, stabilize
from dreamer.imaging.stabilize import Floats
from dreamer.motion.homographies import Matrix, zoom
from dreamer.motion.warp import Still, warp
from dreamer.networks import channels
from dreamer.pipelines.approach import Journey
from dreamer.pipelines.association import Association, Theme, Themes, add_terms
from dreamer.pipelines.camera import Camera
from dreamer.pipelines.frame_loop import Carried, Ending, Loop, fill_between, measure_closure
from dreamer.pipelines.image import ImagePipeline, Moment
from dreamer.pipelines.plan import Plan
from dreamer.pipelines.veil import Veil
from dreamer.recipe import Recipe
from dreamer.recipe.film_fields import Film
from dreamer.recipe.layer_spec import LayerSpec
from dreamer.recipe.migrations import OF_FRAMES
from dreamer.recipe.names import name_option
from dreamer.recipe.schedule import Clock, Signals, parse_text
from dreamer.recipe.words import Table

AVERAGE = 20.0
"""Seconds over which `colors = "average"` takes its mean."""

BLEND = 2.0
"""Seconds over which a loop's end passes into its beginning; at most half of the loop."""

WARM_UP = 3.0
"""Seconds that a loop is dreamt before the blended ones, so that no trace of the photo is left."""

CONTRAST = 24.0
"""Most spread of lightness to which a living film is held; of photos, three in five have less."""

DRIFT = 6.0
"""Most that the mean color of a living film is drawn to others in a second (ΔE)."""

FLASHES = 60.0
"""Most lightness by which the mean changes in a second: three flashes of a tenth, up and down."""

PULL = 0.6
"""Share of the way to the photo's colors that those of a living film are pulled in a second."""

CLEAN = 1.3
"""A step from the last frame to the first that is so many times the usual one is hardly seen."""

_STRENGTH = "strength."

Palettes = Sequence[tuple[int, float]]
"""Numbers of an arc's palettes, counted around, and their weights, which are 1 in all."""


class FeedbackMemory(NamedTuple):
    """What is remembered beside the picture.

    Attributes:
        colors: mean and spread of the colors, a slow average; see `stabilize.measure_colors`.
        pose: how the photo lies by now, `(3, 3)`, between half and twice its size.
        placed: how it lies, whatever its size.
        strengths: the slow average of the strengths of channels, `(c,)`, by layer.
        themes: what a film that associates has dreamt of so far.
    """

    colors: Floats
    pose: Floats
    placed: Floats
    strengths: Mapping[str, Floats]
    themes: Themes = ()

    def blend(self, other: Self, share: float) -> Self:
        """Return what lies a share of the way to another memory, 0 to 1."""
        way = np.float32(share)
        strengths = {
            layer: own + way * (other.strengths.get(layer, own) - own)
            for layer, own in self.strengths.items()
        }
        return self._replace(
            colors=self.colors + way * (other.colors - self.colors),
            pose=self.pose + way * (other.pose - self.pose),
            placed=self.placed + way * (other.placed - self.placed),
            strengths=strengths,
        )

    def to_plain(self) -> dict[str, Any]:
        """Return the arrays by name, and the themes."""
        strengths = {_STRENGTH + layer: each for layer, each in self.strengths.items()}
        themes = {"themes": [list(theme) for theme in self.themes]} if self.themes else {}
        own = {"colors": self.colors, "pose": self.pose, "placed": self.placed}
        return {**own, **strengths, **themes}


def frame_recipe(recipe: Recipe) -> Recipe:
    """Return the recipe of what is dreamt on each frame."""
    film = recipe.film
    # The change of a whole film is held by the second, not that of a picture.
    own = {"steps": film.steps, "motif": film.motif, "size": film.size, **OF_FRAMES}
    own |= {"detail": film.grain, "chroma_detail": film.chroma_grain}
    return recipe.changed({**own, "octaves": recipe.octaves})


def check_music(recipe: Recipe, signals: Signals | None) -> None:
    """Check that there is all that schedules read of music.

    Raises DreamerError that names what is missing.
    """
    there = {*signals.curves} if signals else set()
    if signals and len(signals.beats) < 2:
        there -= {"beat", "beat_phase", "bpm"}
    for name, needs in recipe.needs_music.items():
        if missing := sorted(needs - there):
            remedy = (
                f"its stem, as --music {missing[0].partition('.')[0]}=FILE"
                if "." in missing[0]
                else "--music FILE in which it can be heard, or --bpm for the beat alone"
            )
            raise DreamerError(f"{name_option(name)} reads {', '.join(missing)}: give {remedy}.")


def prepare(
    recipe: Recipe, load_table: Callable[[], Table], signals: Signals | None = None
) -> tuple[Recipe, Association | None]:
    """Return the recipe of what is dreamt on each frame, and how the film associates, if it does.

    Args:
        recipe: of the film.
        load_table: loads the network's words.
        signals: of the music, where there is any.

    Raises DreamerError for a word that is unknown.
    """
    frame = frame_recipe(recipe)
    if recipe.film.associate is None:
        return frame, None
    with speaking_of("--associate"):
        table = load_table()
    association = Association(recipe.film, recipe.seed, table, signals)
    association.check()
    return add_terms(frame, table), association


@dataclass(frozen=True)
class FeedbackFilm:
    """A film's recipe on a loaded network, for one photo; see `frame_loop.FilmPipeline`.

    Attributes:
        pipeline: of `frame_recipe`.
        photo: the first frame, float32 `(h, w, 3)`.
        mask: `(h, w)`; the dream shows where it is 1.
        association: where the film associates; its terms are in the pipeline's recipe.
        signals: of the music, where there is any.
        others: photos that the film passes behind the first one, of its size.
    """

    pipeline: ImagePipeline
    photo: Image
    mask: NDArray[np.float32] | None = None
    association: Association | None = None
    signals: Signals | None = None
    others: Sequence[Image] = ()

    @property
    def recipe(self) -> Recipe:
        """Return the recipe of each frame, which holds that of the film."""
        return self.pipeline.recipe

    @property
    def film(self) -> Film:
        """Return the film's part of the recipe."""
        return self.recipe.film

    @property
    def motion(self) -> str:
        """Return the name of the motion."""
        return self.film.motion

    @property
    def size(self) -> Size:
        """Return the height and width of the frames."""
        return self.photo.shape[0], self.photo.shape[1]

    @property
    def needs_length(self) -> bool:
        """Tell whether a film of another length would have other frames from the beginning."""
        film = self.film
        spread = film.arc and not self.association
        return film.loop or bool(self.others or spread) or self.recipe.uses_length

    @cached_property
    def plan(self) -> Plan:
        """Return the octaves of each frame."""
        return self.pipeline.plan(self.size)

    @cached_property
    def keys(self) -> int:
        """Return how many frames are dreamt, those of a loop's warm-up not counted."""
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
        """Return how the film closes, where it does."""
        film = self.film
        if not film.loop:
            return None
        rate = film.fps / film.cadence
        blend = min(math.ceil(BLEND * rate), self.keys // 2)
        if blend < 2:
            raise DreamerError("So short a film cannot loop: give at least eight frames.")
        return Loop(self.keys, blend, warm_up=blend + math.ceil(WARM_UP * rate))

    def check(self) -> None:
        """Read every schedule at every key, so that a slip shows before the long run."""
        _ = self.keys, self.loop
        check_music(self.recipe, self.signals)
        if self.recipe.schedules:
            for number in range(self.keys):
                self._at(number)

    def begin(self) -> Carried[FeedbackMemory]:
        """Return the photo; in its film's colors if they do not fade in."""
        pose = np.eye(3, dtype=np.float32)
        film, clock = self._at(0)
        photo = self.photo
        if film.colors == "palette" and not (film.intro or film.loop):
            photo = self._hold.hold_colors(photo, self._hold.reference, film, clock)
        themes = self.association.begin(self._look(photo)) if self.association else ()
        memory = FeedbackMemory(self._hold.reference, pose, pose, {}, themes)
        return Carried(to_stored(self._veil.show_photo(photo, pose, self.mask)), memory)

    def step(self, carried: Carried[FeedbackMemory], number: int) -> Carried[FeedbackMemory]:
        """Make a key from the one before."""
        film, clock = self._at(number)
        cadence, begin, memory = film.cadence, (number - 1) * film.cadence, carried.memory
        seconds, share = cadence / film.fps, self.film.ease(number * cadence)
        matrix = self._camera.matrix(begin, begin + cadence)
        pose = _recur(matrix @ memory.pose, self.size)
        moved = self._move(from_stored(carried.frame), matrix, pose)
        origin = self._hold.prepare(moved, pose, film, (self.recipe.seed, number), share)
        themes, raised = self._associate(carried, number)
        habituation, remembered = film.tiring
        gains = self._gains(memory, film, habituation, number * seconds)
        moment = Moment(number, clock, gains, raised)
        placed = np.asarray(matrix @ memory.placed, np.float32)
        mask = self._veil.place(placed)
        *_, last = self.pipeline.dream(origin, self.plan, mask, moment=moment)
        change = float(film.strength) * seconds * share
        dreamt = finish.scale_change(change)(last.picture(), origin) if change else origin
        palettes = self._mix_palettes(number * cadence, themes)
        dreamt = self._hold.hold_colors(dreamt, memory.colors, film, clock, palettes)
        if not film.allow_flashes:
            before = from_stored(carried.frame)
            dreamt = stabilize.limit_flash(dreamt, before, FLASHES * seconds)
        dreamt = self._veil.show_photo(dreamt, placed, mask)
        frames = remembered / seconds
        strengths = {
            layer: stabilize.update_mean(memory.strengths.get(layer, now), now, frames)
            for layer, now in last.strengths.items()
        }
        colors = stabilize.update_mean(
            memory.colors, stabilize.measure_colors(dreamt), AVERAGE / seconds
        )
        after = FeedbackMemory(colors, pose, placed, {**memory.strengths, **strengths}, themes)
        return Carried(to_stored(dreamt), after)

    def list_chapters(self, memory: FeedbackMemory) -> list[tuple[float, str]]:
        """Return when each theme began, in seconds, and its word."""
        return [(theme.frame / self.film.fps, theme.word) for theme in memory.themes]

    def recall(self, plain: Mapping[str, Any]) -> FeedbackMemory:
        """Return the memory that a store has kept."""
        strengths = {
            name.removeprefix(_STRENGTH): value
            for name, value in plain.items()
            if name.startswith(_STRENGTH)
        }
        themes = [Theme(*each) for each in plain.get("themes", ())]
        placed = plain.get("placed", plain["pose"])
        return FeedbackMemory(plain["colors"], plain["pose"], placed, strengths, themes)

    def frames(self, keys: Iterator[Stored]) -> Iterator[Stored]:
        """Return the frames of the film, those between the keys included."""
        return fill_between(keys, self.film.cadence, self.film.length, self._camera.move)

    def describe_ending(self, around: Sequence[Image], memory: FeedbackMemory) -> Ending:
        """Describe how well a loop closes, and what a film has dreamt of."""
        words = [theme.word for theme in memory.themes]
        chain = [f"It went {' → '.join(words)}."] if words else []
        if not self.loop or len(around) < 12:
            return Ending(chain)
        plain, moved = measure_closure(around, self.film.length, self._camera.move)
        figures = (
            f"The loop's step from the last frame to the first is {plain:.2f} times the usual one, "
            f"{moved:.2f} times without the camera's motion."
        )
        if min(plain, moved) <= CLEAN:
            return Ending([*chain, "The loop closes cleanly."], [figures])
        jumps = (
            "The loop may jump from its last frame to the first: give more --seconds, or a slower "
            "--speed."
        )
        return Ending([*chain, jumps], [figures])

    def _associate(
        self, carried: Carried[FeedbackMemory], number: int
    ) -> tuple[Themes, Sequence[LayerSpec]]:
        """Return the themes up to a key, and what is raised there."""
        themes, frame = carried.memory.themes, number * self.film.cadence
        if not self.association:
            return (), ()
        if self.loop and carried.anchor is None:
            # What leads into a loop is of the theme that it begins with.
            return themes, self.association.find_terms(themes, 0)
        themes = self.association.follow(themes, frame, carried.memory.strengths)
        return themes, self.association.find_terms(themes, frame)

    def _mix_palettes(self, frame: int, themes: Themes) -> Palettes:
        """Return which palettes of the arc a frame is drawn to: its themes' own, or in turn."""
        film = self.film
        if not film.arc:
            return ()
        if self.association:
            return self.association.weigh_themes(themes, frame)
        place = frame / max(film.length, 1) * (len(film.arc) - (not film.loop))
        first, share = int(place), place % 1
        return [(first, 1 - share), (first + 1, share)]

    def _look(self, photo: Image) -> Mapping[str, Floats]:
        """Measure the strengths of the layers' channels on a photo."""
        net = self.pipeline.network
        small = channels.resize_for_measurement(Photo(photo, None, ""))
        return {
            layer: channels.measure_strengths(net, layer, small)
            for layer in self.pipeline.goal.objective.layers
        }

    def _at(self, number: int) -> tuple[Film, Clock]:
        """Return the film's numbers when a key is made, and the moment itself."""
        clock = self.recipe.clock(number * self.film.cadence, self.signals)
        return self.recipe.at(clock).film, clock

    def _gains(
        self, memory: FeedbackMemory, film: Film, habituation: float, seconds: float
    ) -> dict[str, Floats]:
        """Return factors on the activations of each layer's channels, at a moment of the film."""
        chosen = any(term.channels or term.choice for term in self.recipe.terms)
        wandering = film.find_wandering(chosen=chosen)
        around = self.film.length / self.film.fps if self.film.loop else None
        gains = {}
        for place, layer in enumerate(sorted(self.pipeline.goal.objective.layers)):
            count = self.pipeline.network.channels(layer)
            strengths = memory.strengths.get(layer, np.ones(count, np.float32))
            gains[layer] = stabilize.habituate(strengths, habituation)
            if wandering:
                seed = self.recipe.seed + place
                gains[layer] *= stabilize.wander(count, seconds, wandering, seed, around)
        return gains

    @cached_property
    def _veil(self) -> Veil:
        follows = self.mask is not None and self.film.mask_motion == "follow"
        if follows and self.film.loop:
            # A mask that has left the picture would have to jump back.
            whole = self._camera.matrix(0, self.film.length)
            follows = bool(np.allclose(whole, np.eye(3), atol=1e-3))
        return Veil(self.recipe, self.photo, self.mask, follows)

    def _move(self, image: Image, matrix: Matrix, pose: Floats) -> Image:
        """Move a frame to the moment of the next one."""
        border = self.film.border
        if border != "photo" or _stays_inside(matrix, self.size):
            return warp(image, matrix, border)
        # Mirrored or repeated edges would be fed back into streaks.
        return warp(image, matrix, border, self._still.moved(pose.astype(np.float64)))

    @cached_property
    def _camera(self) -> Camera:
        return Camera(self.recipe, self.size, self.signals)

    @cached_property
    def _hold(self) -> Hold:
        journey = Journey(self.film, [self.photo, *self.others]) if self.others else None
        return Hold(self.film, self.photo, journey)

    @cached_property
    def _still(self) -> Still:
        return Still(self.photo)


@dataclass(frozen=True)
class Hold:
    """What keeps a film like its photo, in color and in detail.

    Attributes:
        film: with its schedules.
        photo: float32 `(h, w, 3)`.
        journey: where it passes other photos.
    """

    film: Film
    photo: Image
    journey: Journey | None = None

    @cached_property
    def reference(self) -> Floats:
        """Return the colors of the photo."""
        return stabilize.measure_colors(self.photo)

    @cached_property
    def chroma(self) -> float:
        """Return the mean chroma of the photo."""
        return stabilize.measure_chroma(self.photo)

    @cached_property
    def detail(self) -> float:
        """Return the strength of the photo's fine detail."""
        return stabilize.measure_detail(self.photo)

    def prepare(
        self, moved: Image, pose: Floats, film: Film, seed: tuple[int, int], share: float
    ) -> Image:
        """Give a moved frame the photo, the detail and the noise that it should have.

        Args:
            moved: a frame at its next moment.
            pose: how the photo lies there.
            film: its numbers at that moment.
            seed: of the noise.
            share: how much of the dream has faded in.
        """
        seconds = film.cadence / film.fps
        if self.journey:
            _, number = seed
            moved = self.journey.approach(moved, number * film.cadence)
        if film.dissolving:
            way = (1 - (1 - film.dissolving) ** seconds) * share
            moved = stabilize.dissolve(moved, way, wrap=film.border == "wrap")
        if film.source:
            mixed = 1 - (1 - float(film.source)) ** seconds
            moved = moved + np.float32(mixed) * (self._source(pose) - moved)
        if film.detail:
            moved = stabilize.hold_detail(moved, self.detail, float(film.detail))
        if film.noise:
            amplitude = float(film.noise) * seconds**0.5 * share
            moved = stabilize.add_noise(moved, amplitude, seed)
        return moved.clip(0, 1)

    def hold_colors(
        self, image: Image, average: Floats, film: Film, clock: Clock, palettes: Palettes = ()
    ) -> Image:
        """Hold the colors of a dreamt frame.

        Args:
            image: the frame.
            average: the slow average of the colors so far.
            film, clock: its numbers at its moment.
            palettes: of the arc, to which living colors are drawn.
        """
        if film.hold and film.colors == "alive":
            seconds = film.cadence / film.fps
            pull = 1 - (1 - float(film.hold) * PULL) ** seconds
            target, chroma = self._aim_living(clock, palettes)
            image = stabilize.let_colors_live(image, target, pull, chroma, DRIFT * seconds)
        elif film.hold and film.colors != "free":
            target = self._target(average, film, clock)
            image = stabilize.hold_colors(image, target, float(film.hold))
        return image

    def _find_usual(self, clock: Clock) -> tuple[Floats, float]:
        """Return the colors and the mean chroma of the photo, or between those that it passes."""
        if self.journey is None:
            return self.reference, self.chroma
        return self.journey.find_colors(self._frame(clock))

    def _aim_living(self, clock: Clock, palettes: Palettes) -> tuple[Floats, float]:
        """Return the colors and the mean chroma that a living film is pulled to."""
        frame = self._frame(clock)
        colors, chroma = self._find_usual(clock)
        # A silhouette has a contrast that would crush whatever is dreamt of behind it.
        excess = max(0.0, float(colors[1, 0]) - CONTRAST)
        colors = colors.copy()
        colors[1, 0] -= np.float32(excess * self.film.ease(frame))
        arc = self.film.arc
        mixed = [
            np.float32(weight) * stabilize.aim_at_palette(arc[number % len(arc)].split(","), colors)
            for number, weight in palettes
        ]
        return (np.asarray(np.sum(mixed, 0), np.float32) if mixed else colors), chroma

    def _frame(self, clock: Clock) -> float:
        return clock.frame / clock.fps * self.film.fps

    def _target(self, average: Floats, film: Film, clock: Clock) -> Floats:
        if film.colors == "average":
            return average
        if film.colors == "palette" and film.palette:
            parts = parse_text(film.palette).at(clock)
            targets = [
                share * stabilize.aim_at_palette(codes.split(","), self.reference)
                for codes, share in parts
            ]
            palette = np.asarray(np.sum(targets, 0), np.float32)
            # They fade in with the dream, or the second frame would jump.
            eased = np.float32(self.film.ease(clock.frame / clock.fps * film.fps))
            return self.reference + eased * (palette - self.reference)
        return self._find_usual(clock)[0]

    def _source(self, pose: Floats) -> Image:
        """Return the photo, moved along; it enters again at half the size before it is blurred."""
        height, width = self.photo.shape[:2]
        share = _level(pose) % 1
        nearer, farther = (
            warp(self.photo, zoom(2.0**power, (width / 2, height / 2)) @ pose, "reflect")
            for power in (share - _level(pose), share - 1 - _level(pose))
        )
        return nearer + np.float32(share) * (farther - nearer)


def _level(pose: NDArray[Any]) -> float:
    """Return how often a pose doubles the size."""
    return math.log2(max(abs(float(np.linalg.det(pose[:2, :2]))) ** 0.5, 1e-6))


def _recur(pose: Matrix, size: Size) -> Floats:
    """Bring a pose between half and twice the size: a film that zooms for ever recurs."""
    height, width = size
    back = zoom(2.0 ** -round(_level(pose)), (width / 2, height / 2))
    return np.asarray(back @ pose, np.float32)


def _stays_inside(matrix: Matrix, size: Size) -> bool:
    """Tell whether all that is seen after a move was in the picture before."""
    height, width = size
    corners = np.array([(0, 0, 1), (width, 0, 1), (0, height, 1), (width, height, 1)]).T
    x, y, depth = np.linalg.inv(matrix) @ corners
    points = np.stack([x / depth / width, y / depth / height])
    return bool((points >= -1e-9).all() and (points <= 1 + 1e-9).all())
