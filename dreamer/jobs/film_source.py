"""The source of a film: a photo, or noise, that is fed back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from dreamer.arrays import Size, Stored
from dreamer.files import photos
from dreamer.files.framing import Framed, Framing, frame_photo
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


class Beside(NamedTuple):
    """What a film has beside its first photo.

    Attributes:
        music: what it keeps time with.
        others: photos that it passes.
    """

    music: Music | None = None
    others: Sequence[Path] = ()


def take_photo(source: Source, beside: Beside, dreaming: Dreaming) -> Shot:
    """Take a photo as the source of a film."""
    recipe, music = dreaming.wanted.recipe, beside.music
    first, framed = frame_photo(source.read(), find_film_framing(recipe, enlarge=True))
    height, width = framed.size
    same = Framing(f"{width}x{height}", crop=recipe.crop if recipe.crop == "entropy" else None)
    passed = [frame_photo(photos.read(path), same)[0] for path in beside.others]
    make = partial(_build, first, framed, passed, music.signals if music else None, dreaming)
    facts: dict[str, Any] = {"music_sha256": music.facts} if music and music.facts else {}
    if passed:
        facts["passed_sha256"] = [photo.sha256 for photo in passed]
    return Shot(framed.size, recipe, first.sha256, facts, music.sound if music else None, make)


def _build(
    photo: Photo,
    framed: Framed,
    passed: Sequence[Photo],
    signals: Signals | None,
    dreaming: Dreaming,
) -> FeedbackFilm:
    # TensorFlow is imported by this one, and must have been started before.
    _ = dreaming.started
    from dreamer.pipelines import feedback_film

    recipe = dreaming.wanted.recipe
    load_table = partial(words.load, recipe.network, dreaming.weights)
    frame, association = feedback_film.prepare(recipe, load_table, signals)
    pipeline = dreaming.build(frame, photo)
    mask = dreaming.mask(framed)
    others = [each.image for each in passed]
    return feedback_film.FeedbackFilm(pipeline, photo.image, mask, association, signals, others)
