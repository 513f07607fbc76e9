"""Films on a tiny network: the same at every frame rate, alive, and traced once."""

import itertools
from functools import reduce
from typing import Any

import numpy as np
import pytest

from dreamer import frames
from dreamer.arrays import Image, from_stored
from dreamer.ascent import alive, look
from dreamer.assemble import assemble
from dreamer.errors import DreamerError
from dreamer.filming import Filming, frame_recipe
from dreamer.recipe import Recipe


def filming(tiny: Any, photo: Image, recipe: dict[str, Any] | None = None, **film: Any) -> Filming:
    given = {"layers": ["mixed"], "jitter": 2, **(recipe or {})}
    film = {"seconds": 1, "steps": 2, "motif": [0.4, 0.4], "intro": 0, **film}
    return Filming(assemble(frame_recipe(Recipe().changed({**given, "film": film})), tiny), photo)


def dreamt(film: Filming, count: int) -> list[Image]:
    made = frames.keys(film.step, film.begin, 1, count)
    return [from_stored(film.begin.frame), *(from_stored(carried.frame) for carried in made)]


@pytest.mark.parametrize(
    "film",
    [
        {"motion": "zoom"},
        {"motion": "tunnel", "speed": "0:(0.5), 1s:(2)"},
        {"motion": "orbit", "intro": 0.5},
        {"motion": "still", "zoom": 1.01, "angle": 0.5, "pan_x": 0.002, "written_fps": 30},
    ],
)
def test_a_moment_is_the_same_at_every_frame_rate(
    tiny: Any, photo: Image, film: dict[str, Any]
) -> None:
    whole = []
    for fps in (15, 30, 60):
        made = filming(tiny, photo, fps=fps, **film)
        steps = [made.matrix(frame, frame + 1) for frame in range(fps)]
        whole.append(reduce(lambda before, step: step @ before, steps))
    # A speed that changes within a frame is taken at its edge.
    tolerance = 0.03 if "speed" in film or "intro" in film else 1e-6
    for each in whole:
        np.testing.assert_allclose(each, whole[-1], atol=tolerance * 96)


def test_the_dream_is_as_strong_by_the_second_at_every_frame_rate(tiny: Any, photo: Image) -> None:
    for fps in (12, 24):
        film = filming(tiny, photo, fps=fps, strength=60, motion="still", colours="free")
        pictures = dreamt(film, 5)
        pairs = zip(pictures[1:], pictures[:-1], strict=True)
        changes = [look.colour_change(after, before) for after, before in pairs]
        np.testing.assert_allclose(np.multiply(changes, fps), 60, rtol=0.2)


def test_a_film_begins_on_the_photo_and_sets_in_slowly(tiny: Any, photo: Image) -> None:
    film = filming(tiny, photo, intro=1, fps=12)
    np.testing.assert_allclose(from_stored(film.begin.frame), photo, atol=1e-5)
    pictures = dreamt(film, 12)
    assert look.colour_change(pictures[1], photo) < 1.5
    assert look.colour_change(pictures[11], pictures[10]) > 2


def test_schedules_change_the_film_and_trace_nothing_anew(tiny: Any, photo: Image) -> None:
    layers = {"layers": ["0:(mixed:1), 3:(relu:2)"], "rate": "0:(0.01), 4:(0.02)"}
    film = filming(tiny, photo, layers, motion="still", habituation="0:(0), 4:(1)")
    weights = [film.assembly.recipe.weights(film.film.clock(frame)) for frame in range(4)]
    np.testing.assert_allclose(weights, [(1, 0), (2 / 3, 1 / 3), (1 / 3, 2 / 3), (0, 1)], atol=1e-9)
    dreamt(film, 5)
    (ascent,) = {id(a): a for a in film.assembly._ascents.values()}.values()
    assert ascent._run.experimental_get_tracing_count() == 1  # type: ignore[attr-defined]


def test_colours_and_contrast_are_held(tiny: Any, photo: Image) -> None:
    first = alive.colours(photo)
    strong = {"strength": 150, "motion": "zoom", "fps": 12}
    held = alive.colours(dreamt(filming(tiny, photo, **strong), 25)[-1])
    free = alive.colours(dreamt(filming(tiny, photo, colours="free", **strong), 25)[-1])
    assert np.abs(held - first)[0].max() < 3
    assert np.abs(held - first).sum() < np.abs(free - first).sum() / 2


def test_a_palette_over_time_is_what_the_film_is_held_to(tiny: Any, photo: Image) -> None:
    palette = "0:(#102060,#4060a0), 6:(#802010,#c06040)"
    own = {"palette": palette, "strength": 1, "motion": "still", "intro": 0}
    film = filming(tiny, photo, colours="palette", **own)
    pictures = dreamt(film, 8)
    assert alive.colours(pictures[0])[0][2] < -15
    blue, red = (alive.colours(pictures[i])[0] for i in (1, 7))
    assert blue[2] < -15
    assert red[1] > 15


def test_a_palette_sets_in_with_the_dream(tiny: Any, photo: Image) -> None:
    """No change between neighbours of the first two seconds is far above the others."""
    codes = "#102060,#4060a0,#b0d0f0"
    film = filming(tiny, photo, colours="palette", palette=codes, fps=12, intro=2, noise=0.2)
    pictures = dreamt(film, 48)
    steps = [look.colour_change(b, a) for a, b in itertools.pairwise(pictures)]
    assert max(steps[:24]) < 1.5 * np.median(steps)
    assert look.colour_change(pictures[30], photo) > 10


def test_where_the_mask_is_black_the_photo_stays(tiny: Any, photo: Image) -> None:
    mask = np.ones(photo.shape[:2], np.float32)
    mask[20:50, 30:60] = 0
    own = {"motion": "zoom", "fps": 12, "intro": 0, "strength": 200, "speed": 5}
    film = Filming(filming(tiny, photo, {"feather": 0}, **own).assembly, photo, mask)
    last = dreamt(film, 8)[-1]
    np.testing.assert_allclose(last[mask == 0], photo[mask == 0], atol=1e-5)
    assert look.colour_change(last, photo) > 5


def test_a_films_frames_have_the_octaves_asked_for(tiny: Any, photo: Image) -> None:
    recipe = Recipe(octaves=3, octave_scale=1.2)
    assert frame_recipe(recipe).octaves == 3
    assert recipe.changed({"film": {"motif": "0.5"}}).octaves is None
    assert frame_recipe(recipe.changed({"film": {"fps": 12}})).octaves == 3
    plan = filming(tiny, photo, {"octaves": 3, "octave_scale": 1.2}).plan
    assert [size[0] for size in plan.sizes] == [50, 60, 72]


def test_channels_that_were_strong_weigh_less() -> None:
    strengths = np.array([8, 4, 2, 0.5, 0], np.float32)
    gains = alive.gains(strengths, 1.0)
    assert (np.diff(gains[:4]) > 0).all()
    assert np.square(gains).mean() == pytest.approx(1, rel=1e-4)
    np.testing.assert_allclose(alive.gains(strengths, 0), 1)


def test_even_gains_change_no_pixel(tiny: Any, photo: Image) -> None:
    assembly = assemble(Recipe().changed({"layers": ["mixed"], "octaves": 1, "steps": 3}), tiny)
    plan, ones = assembly.plan(photo.shape[:2]), np.ones(assembly.network.channels("mixed"))
    plain, even, uneven = (
        list(assembly.dream(photo, plan, gains=gains))[-1].picture()
        for gains in ({}, {"mixed": ones}, {"mixed": np.arange(len(ones))})
    )
    np.testing.assert_array_equal(plain, even)
    assert np.abs(plain - uneven).max() > 1e-3


@pytest.mark.parametrize("knob", [{"detail": 1}, {"noise": 0.5}, {"source": 0.5}])
def test_every_knob_changes_the_film(tiny: Any, photo: Image, knob: dict[str, float]) -> None:
    plain, other = (dreamt(filming(tiny, photo, **each), 4)[-1] for each in ({}, knob))
    assert np.isfinite(other).all()
    assert look.colour_change(plain, other) > 0.1


@pytest.mark.parametrize("motion", ["zoom", "spiral", "drift", "tunnel", "breathe", "orbit"])
def test_every_motion_has_the_period_of_its_loop(tiny: Any, photo: Image, motion: str) -> None:
    film = filming(tiny, photo, loop=True, motion=motion, fps=12, seconds=2)
    for frame in (-3, -1, 0, 5):
        np.testing.assert_allclose(
            film.matrix(frame, frame + 1), film.matrix(frame + 24, frame + 25), atol=1e-9
        )


def test_a_schedule_that_divides_by_zero_names_its_frame(tiny: Any, photo: Image) -> None:
    film = filming(tiny, photo, zoom="0:(1/(7-t))")
    with pytest.raises(DreamerError, match="frame 7"):
        film.check()
