"""The source of a film: a photo, or noise, that is fed back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from dreamer.arrays import Size, Stored
from dreamer.files.framing import Framed, frame_photo
from dreamer.files.photos import Photo
from dreamer.files.sound import Sound
from dreamer.jobs.framing import find_film_framing
from dreamer.jobs.music_source import Music
from dreamer.jobs.sources import Source
from dreamer.recipe import Recipe, words
from dreamer.recipe.schedule import Signals

if TYPE_CHECKING:
    from dreamer.jobs.dream_photos import Dreaming
    from dreamer.pipelines.clip_film import ClipFilm
    from dreamer.pipelines.feedback_film import FeedbackFilm


class Shot(NamedTuple):
    """A source that was read, before any network is loaded.

    Attributes:
        size: height and width of the frames.
        recipe: as it goes into the film.
        sha256: of the source.
        facts: what else decides the frames.
        sound: the source's own.
        build: loads the network; gives what makes the frames.
        reveal: gives frames their opacity, where the source has one that may be kept.
    """

    size: Size
    recipe: Recipe
    sha256: str
    facts: dict[str, Any]
    sound: Sound | None
    build: Callable[[], FeedbackFilm | ClipFilm]
    reveal: Callable[[Iterator[Stored]], Iterator[Stored]] | None = None


def take_photo(source: Source, music: Music | None, dreaming: Dreaming) -> Shot:
    """Take a photo as the source of a film."""
    recipe = dreaming.wanted.recipe
    first, framed = frame_photo(source.read(), find_film_framing(recipe, enlarge=True))
    make = partial(_build, first, framed, music.signals if music else None, dreaming)
    facts = {"music_sha256": music.facts} if music and music.facts else {}
    return Shot(framed.size, recipe, first.sha256, facts, music.sound if music else None, make)


def _build(
    photo: Photo, framed: Framed, signals: Signals | None, dreaming: Dreaming
) -> FeedbackFilm:
    # TensorFlow is imported by this one, and must have been started before.
    _ = dreaming.started
    from dreamer.pipelines import feedback_film

    recipe = dreaming.wanted.recipe
    load_table = partial(words.load, recipe.network, dreaming.weights)
    frame, association = feedback_film.prepare(recipe, load_table, signals)
    pipeline = dreaming.build(frame, photo)
    mask = dreaming.mask(framed)
    return feedback_film.FeedbackFilm(pipeline, photo.image, mask, association, signals)
