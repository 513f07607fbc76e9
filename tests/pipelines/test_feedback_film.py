"""Films on a tiny network: the same at every frame rate, alive, and traced once."""

import itertools
from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import pytest
from tiny_films import feedback_of, pictures_of

from dreamer.arrays import Image, from_stored
from dreamer.errors import DreamerError
from dreamer.imaging import finish, stabilize
from dreamer.pipelines import feedback_film
from dreamer.pipelines.build_ascent import Graphs
from dreamer.pipelines.feedback_film import frame_recipe
from dreamer.pipelines.image import Moment, build_pipeline
from dreamer.recipe import Recipe


def test_the_dream_is_as_strong_by_the_second_at_every_frame_rate(tiny: Any, photo: Image) -> None:
    for fps in (12, 24):
        film = feedback_of(
            tiny, photo, fps=fps, strength=60, motion="still", colors="free", dissolve=0
        )
        pictures = pictures_of(film, 5)
        pairs = zip(pictures[1:], pictures[:-1], strict=True)
        changes = [finish.measure_color_change(after, before) for after, before in pairs]
        np.testing.assert_allclose(np.multiply(changes, fps), 60, rtol=0.2)


def test_a_film_begins_on_the_photo_and_sets_in_slowly(tiny: Any, photo: Image) -> None:
    film = feedback_of(tiny, photo, intro=1, fps=12)
    np.testing.assert_allclose(from_stored(film.begin().frame), photo, atol=1e-5)
    pictures = pictures_of(film, 12)
    assert finish.measure_color_change(pictures[1], photo) < 1.5
    assert finish.measure_color_change(pictures[11], pictures[10]) > 2


def test_schedules_change_the_film_and_trace_nothing_anew(tiny: Any, photo: Image) -> None:
    layers = {"layers": ["0:(mixed:1), 3:(relu:2)"], "rate": "0:(0.01), 4:(0.02)"}
    film = feedback_of(tiny, photo, layers, motion="still", habituation="0:(0), 4:(1)")
    film = replace(film, pipeline=replace(film.pipeline, graphs=Graphs()))
    weights = [film.recipe.weights(film.film.clock(frame)) for frame in range(4)]
    np.testing.assert_allclose(weights, [(1, 0), (2 / 3, 1 / 3), (1 / 3, 2 / 3), (0, 1)], atol=1e-9)
    pictures_of(film, 5)
    (kept,) = film.pipeline.graphs._kept.values()
    assert kept.ascent._run.experimental_get_tracing_count() == 1


def test_colors_and_contrast_are_held(tiny: Any, photo: Image) -> None:
    first = stabilize.measure_colors(photo)
    strong = {"strength": 150, "motion": "zoom", "fps": 12}
    lives = pictures_of(feedback_of(tiny, photo, **strong), 25)[-1]
    strong |= {"colors": "first"}
    held = stabilize.measure_colors(pictures_of(feedback_of(tiny, photo, **strong), 25)[-1])
    free = stabilize.measure_colors(
        pictures_of(feedback_of(tiny, photo, **{**strong, "colors": "free"}), 25)[-1]
    )
    assert np.abs(held - first)[0].max() < 3
    assert np.abs(held - first).sum() < np.abs(free - first).sum() / 2
    # A living film has the photo's lightness, and colors of its own, within bounds.
    alive = stabilize.measure_colors(lives)
    assert np.abs(alive - first)[:, 0].max() < 3
    assert np.abs(alive - first).sum() > 2 * np.abs(held - first).sum()
    usual = max(stabilize.measure_chroma(photo), stabilize.LEAST_CHROMA)
    assert stabilize.measure_chroma(lives) < 1.05 * stabilize.VIVID * usual


def test_a_palette_over_time_is_what_the_film_is_held_to(tiny: Any, photo: Image) -> None:
    palette = "0:(#102060,#4060a0), 6:(#802010,#c06040)"
    own = {"palette": palette, "strength": 1, "motion": "still", "intro": 0}
    film = feedback_of(tiny, photo, colors="palette", **own)
    pictures = pictures_of(film, 8)
    assert stabilize.measure_colors(pictures[0])[0][2] < -15
    blue, red = (stabilize.measure_colors(pictures[i])[0] for i in (1, 7))
    assert blue[2] < -15
    assert red[1] > 15


def test_living_colors_are_drawn_along_an_arc_and_slowly(tiny: Any, photo: Image) -> None:
    arc = "#203060,#4060a0;#a04020,#e08040"
    own = {"motion": "still", "fps": 8, "seconds": 8, "strength": 1, "steps": 1}
    means = [
        stabilize.measure_colors(picture)[0, 1:]
        for picture in pictures_of(feedback_of(tiny, photo, arc=arc, **own))
    ]
    steps = np.hypot(*np.diff(means, axis=0).T)
    # What a step of the dream itself brings comes on top.
    assert steps.max() < 3
    assert np.mean([mean[1] for mean in means[12:24]]) < -5
    assert means[-1][1] > 10


def test_a_palette_sets_in_with_the_dream(tiny: Any, photo: Image) -> None:
    """No change between neighbors of the first two seconds is far above the others."""
    codes = "#102060,#4060a0,#b0d0f0"
    film = feedback_of(tiny, photo, colors="palette", palette=codes, fps=12, intro=2, noise=0.2)
    pictures = pictures_of(film, 48)
    steps = [finish.measure_color_change(b, a) for a, b in itertools.pairwise(pictures)]
    assert max(steps[:24]) < 1.5 * np.median(steps)
    assert finish.measure_color_change(pictures[30], photo) > 10


def test_a_fixed_mask_shows_the_photo_where_it_was(tiny: Any, photo: Image) -> None:
    mask = np.ones(photo.shape[:2], np.float32)
    mask[20:50, 30:60] = 0
    own = {"motion": "zoom", "fps": 12, "intro": 0, "strength": 200, "speed": 5}
    film = feedback_of(tiny, photo, {"feather": 0}, mask, **own, mask_motion="fixed")
    last = pictures_of(film)[-1]
    np.testing.assert_allclose(last[mask == 0], photo[mask == 0], atol=1e-5)
    assert finish.measure_color_change(last, photo) > 5


@pytest.mark.parametrize("inverted", [False, True])
def test_a_mask_and_the_photo_under_it_move_with_the_picture(
    tiny: Any, photo: Image, inverted: bool
) -> None:
    mask = np.full(photo.shape[:2], 1 - inverted, np.float32)
    mask[20:50, 30:60] = inverted
    own = {"motion": "still", "pan_x": 2 / 96, "fps": 12, "intro": 0, "strength": 200}
    recipe = {"feather": 0, "invert_mask": inverted}
    film = feedback_of(tiny, photo, recipe, mask, **own, seconds=0.5)
    pictures = pictures_of(film)
    shift = 10
    inside = slice(24, 46), slice(34 + shift, 56 + shift)
    clean = np.roll(photo, shift, 1)
    assert np.abs(pictures[5][inside] - clean[inside]).mean() < 0.02
    assert np.abs(pictures[5][24:46, 2:20] - clean[24:46, 2:20]).mean() > 0.03
    # Beyond the edge it is out of sight, and all is dreamt.
    away = feedback_of(tiny, photo, recipe, mask, **{**own, "pan_x": 0.3}, seconds=0.5)
    plain = feedback_of(tiny, photo, None, None, **{**own, "pan_x": 0.3}, seconds=0.5)
    last = [pictures_of(each)[-1] for each in (away, plain)]
    assert finish.measure_color_change(last[0], photo) > 0.5 * finish.measure_color_change(
        last[1], photo
    )


def test_flashes_are_slowed(tiny: Any, photo: Image) -> None:
    bright, dark = photo.clip(0.6, 1), photo * 0.2
    own = {"motion": "still", "fps": 10, "strength": 1, "colors": "first", "seconds": 0.5}
    film = feedback_of(tiny, dark, None, None, **own)
    hold = replace(film._hold, photo=bright)
    means = []
    for most in (None, feedback_film.FLASHES / 10):
        image = hold.hold_colors(dark, hold.reference, film.film, film.film.clock(1))
        if most:
            image = stabilize.limit_flash(image, dark, most)
        means.append(stabilize.measure_colors(image)[0, 0] - stabilize.measure_colors(dark)[0, 0])
    assert means[0] > 20
    assert means[1] == pytest.approx(6, abs=0.6)


def test_between_photos_each_is_approached_by_its_time(tiny: Any, photo: Image) -> None:
    other = np.ascontiguousarray(photo[::-1, ::-1, ::-1])
    own = {"motion": "still", "fps": 8, "strength": 40, "seconds": 4, "steps": 1}
    film = replace(feedback_of(tiny, photo, **own), others=[other, photo])
    assert film.needs_length
    pictures = pictures_of(film)

    def alike(image: Image, wanted: Image) -> float:
        one, two = (cv2.GaussianBlur(each, (0, 0), 3).ravel() for each in (image, wanted))
        return float(np.corrcoef(one, two)[0, 1])

    assert alike(pictures[16], other) > 0.75
    assert alike(pictures[31], photo) > 0.75
    assert alike(pictures[16], other) > alike(pictures[8], other) + 0.1


def test_a_films_frames_have_the_octaves_asked_for(tiny: Any, photo: Image) -> None:
    recipe = Recipe(octaves=3, octave_scale=1.2)
    assert frame_recipe(recipe).octaves == 3
    assert recipe.changed({"film": {"motif": "0.5"}}).octaves is None
    assert frame_recipe(recipe.changed({"film": {"fps": 12}})).octaves == 3
    plan = feedback_of(tiny, photo, {"octaves": 3, "octave_scale": 1.2}).plan
    assert [size[0] for size in plan.sizes] == [50, 60, 72]


def test_even_gains_change_no_pixel(tiny: Any, photo: Image) -> None:
    recipe = Recipe().changed({"layers": ["mixed"], "octaves": 1, "steps": 3})
    pipeline = build_pipeline(recipe, tiny)
    plan, ones = pipeline.plan(photo.shape[:2]), np.ones(pipeline.network.channels("mixed"))
    plain, even, uneven = (
        list(pipeline.dream(photo, plan, moment=Moment(gains=gains)))[-1].picture()
        for gains in ({}, {"mixed": ones}, {"mixed": np.arange(len(ones))})
    )
    np.testing.assert_array_equal(plain, even)
    assert np.abs(plain - uneven).max() > 1e-3


@pytest.mark.parametrize(
    "knob", [{"detail": 1}, {"noise": 0.5}, {"dissolve": 0}, {"wander": 0}, {"source": 0.5}]
)
def test_every_knob_changes_the_film(tiny: Any, photo: Image, knob: dict[str, float]) -> None:
    plain, other = (pictures_of(feedback_of(tiny, photo, **each), 4)[-1] for each in ({}, knob))
    assert np.isfinite(other).all()
    assert finish.measure_color_change(plain, other) > 0.1


def test_a_schedule_that_divides_by_zero_names_its_frame(tiny: Any, photo: Image) -> None:
    film = feedback_of(tiny, photo, zoom="0:(1/(7-t))")
    with pytest.raises(DreamerError, match="frame 7"):
        film.check()
