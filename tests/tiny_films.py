"""Films on a tiny network, for the tests of several modules."""

from collections.abc import Sequence
from itertools import repeat
from typing import Any

from dreamer.arrays import Image, from_stored
from dreamer.jobs.resolve import FRAMES
from dreamer.pipelines import clip_film, feedback_film, frame_loop
from dreamer.pipelines.build_ascent import Graphs
from dreamer.pipelines.clip_film import ClipFilm, Mask
from dreamer.pipelines.feedback_film import FeedbackFilm
from dreamer.pipelines.frame_loop import Carried, FilmPipeline
from dreamer.pipelines.image import build_pipeline
from dreamer.recipe import Recipe

GRAPHS = Graphs()
"""Those of all these films: each is traced once."""


def feedback_of(
    net: Any,
    photo: Image,
    recipe: dict[str, Any] | None = None,
    mask: Mask | None = None,
    **film: Any,
) -> FeedbackFilm:
    """Return a short film on a photo, with fields of its recipe and of its film changed."""
    given = {"layers": ["mixed"], "jitter": 2, **(recipe or {})}
    film = {"seconds": 1, "steps": 2, "motif": [0.4, 0.4], "intro": 0, **film}
    whole = Recipe().changed({**given, "film": film})
    pipeline = build_pipeline(feedback_film.frame_recipe(whole), net, graphs=GRAPHS)
    return FeedbackFilm(pipeline, photo, mask)


def clip_of(
    net: Any,
    clip: Sequence[Image],
    recipe: dict[str, Any] | None = None,
    mask: Mask | None = None,
    **film: Any,
) -> ClipFilm:
    """Return a film on a clip, with fields of its recipe and of its film changed."""
    given = {
        "layers": ["mixed"],
        "jitter": 2,
        # A usual margin would be larger than these pictures.
        "margin": 0,
        "steps": 4,
        "motif": [0.4, 0.4],
        **FRAMES,
        **(recipe or {}),
    }
    crisp = {"grain": 1, "chroma_grain": 1}
    whole = Recipe().changed({**given, "film": {"frames": len(clip), **crisp, **film}})
    pipeline = build_pipeline(clip_film.frame_recipe(whole), net, graphs=GRAPHS)
    size = clip[0].shape[0], clip[0].shape[1]
    return ClipFilm(
        pipeline, whole, size, lambda skip: iter(clip[skip:]), lambda skip: repeat(mask)
    )


def keys_of(film: FilmPipeline[Any], count: int | None = None) -> list[Carried[Any]]:
    """Return the first keys of a film, or all, with what is carried beside them."""
    begin = film.begin()
    return [begin, *frame_loop.make_keys(film.step, begin, 1, count or film.keys)]


def pictures_of(film: FilmPipeline[Any], count: int | None = None) -> list[Image]:
    """Return the pictures of the first keys of a film, or of all."""
    return [from_stored(carried.frame) for carried in keys_of(film, count)]
