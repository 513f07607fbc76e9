"""Films of clips: the dream rides on the motion, and lets go at cuts."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from tiny_films import clip_of, keys_of, pictures_of

from dreamer.arrays import Image
from dreamer.motion import homographies
from dreamer.motion.warp import warp
from dreamer.pipelines import clip_film, frame_loop
from dreamer.recipe import Recipe
from dreamer.recipe.toml_text import from_toml

PAN = 2


@pytest.fixture(scope="module")
def panned(photo: Image) -> list[Image]:
    """A clip that pans to the right."""
    return [warp(photo, homographies.pan(PAN * t, 0), "reflect").clip(0, 1) for t in range(8)]


def flicker(pictures: Sequence[Image]) -> float:
    """How much a picture differs from the one before, the pan taken out."""
    return float(np.mean([np.abs(b[:, PAN:] - a[:, :-PAN]).mean() for a, b in pairwise(pictures)]))


@pytest.mark.parametrize("carried", ["difference", "picture"])
def test_the_dream_rides_on_the_motion_and_stays_as_strong(
    tiny: Any, panned: list[Image], carried: str
) -> None:
    alone = pictures_of(clip_of(tiny, panned, flow="off"))
    ridden = pictures_of(clip_of(tiny, panned, carried=carried))
    assert flicker(ridden) < 0.4 * flicker(alone)
    changes = [
        np.mean([np.abs(a - b).mean() for a, b in zip(film[4:], panned[4:], strict=True)])
        for film in (ridden, alone)
    ]
    assert changes[0] > 0.85 * changes[1]
    # What has just come into the picture is dreamt on at once.
    fresh = [np.abs(film[-1] - panned[-1])[:, :2].mean() for film in (ridden, alone)]
    assert fresh[0] > 0.3 * fresh[1]


def test_the_dream_begins_afresh_at_a_cut(tiny: Any, panned: list[Image]) -> None:
    other = np.rot90(panned[0], 2)[:, ::-1, ::-1].clip(0, 1) * np.float32(0.8)
    cut = [*panned[:3], *(other for _ in range(3))]
    ridden, after_others = (
        pictures_of(clip_of(tiny, cut)),
        pictures_of(clip_of(tiny, [*panned[3:6], *cut[3:]])),
    )
    np.testing.assert_array_equal(ridden[3:], after_others[3:])
    assert np.abs(ridden[2] - after_others[2]).mean() > 0.001


def test_the_look_does_not_jump_where_a_dream_begins(
    tiny: Any, panned: list[Image], monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a clip that stands still, the first frames differ less than without any settling."""
    still = [panned[0]] * 3

    def jump() -> float:
        first, second, _ = pictures_of(clip_of(tiny, still))
        return float(np.abs(second - first).mean())

    settled = jump()
    monkeypatch.setattr(clip_film, "SETTLING", 0)
    assert settled < 0.8 * jump()


def test_frames_are_continued_by_a_margin_unless_an_old_recipe_had_none() -> None:
    assert clip_film.frame_recipe(Recipe()).margin == clip_film.MARGIN
    assert clip_film.frame_recipe(Recipe(margin=8)).margin == 8
    assert clip_film.frame_recipe(from_toml("format = 2", "here")).margin == 0


def test_what_comes_into_the_picture_settles_frame_by_frame(tiny: Any, panned: list[Image]) -> None:
    film = clip_of(tiny, panned)
    *_, last = keys_of(film)
    age = last.memory.age[8:-8]
    assert age[:, 0].max() < 1.5
    assert np.median(age[:, 10]) == pytest.approx(5, abs=1)
    np.testing.assert_allclose(age[:, 40], clip_film.SETTLING + len(panned), atol=0.1)


def test_a_lone_dream_is_laid_on_in_part_unless_nothing_is_ever_carried() -> None:
    kept = np.float32([0, 0.5, 0.8, 0.9, 1])
    expected = [clip_film.MOST, clip_film.MOST, 0.6, 0.3, 0]
    np.testing.assert_allclose(clip_film.share_new(kept, np.float32(0.9)), expected, atol=1e-6)
    assert clip_film.share_new(np.float32(0), np.float32(0)) == 1


def test_a_film_tells_its_cuts(tiny: Any, panned: list[Image]) -> None:
    other = np.rot90(panned[0], 2)[:, ::-1, ::-1].clip(0, 1) * np.float32(0.8)
    cut = [*panned[:3], *(other for _ in range(3))]
    film = clip_of(tiny, cut)
    *_, last = keys_of(film)
    assert film.describe_ending([], last.memory).notes == [
        "The clip is cut at frame 3, where the dream started afresh."
    ]


def test_blends_of_one_dream_each_frame_alone(tiny: Any, panned: list[Image]) -> None:
    alone = pictures_of(clip_of(tiny, panned[:3], flow="off"))
    np.testing.assert_array_equal(
        pictures_of(clip_of(tiny, panned[:3], blend_moving=1))[2], alone[2]
    )
    still = pictures_of(clip_of(tiny, [panned[0]] * 3, blend_still=1))
    assert np.abs(still[2] - pictures_of(clip_of(tiny, [panned[0]] * 3))[2]).mean() > 0.001


def test_a_film_can_be_gone_on_with_from_any_frame(tiny: Any, panned: list[Image]) -> None:
    looks = {"saturation": 0.5, "opacity": 0.9}
    film = clip_of(tiny, panned[:5], looks)
    whole = keys_of(film)[1:]
    again = list(frame_loop.make_keys(clip_of(tiny, panned[:5], looks).step, whole[1], 3, 5))
    for one, other in zip(whole[2:], again, strict=True):
        np.testing.assert_array_equal(one.frame, other.frame)
        assert one.memory.to_plain().keys() == {"age", "dream", "cuts"}
        assert other.memory.to_plain().keys() == {"age", "dream", "cuts"}


def test_a_mask_keeps_the_clip_where_it_is_black(tiny: Any, panned: list[Image]) -> None:
    mask = np.zeros(panned[0].shape[:2], np.float32)
    mask[:, 48:] = 1
    ridden = pictures_of(clip_of(tiny, panned[:4], {"feather": 0}, mask))
    for picture, frame in zip(ridden, panned, strict=False):
        np.testing.assert_allclose(picture[:, :48], frame[:, :48], atol=1e-4)
        assert np.abs(picture[:, 48:] - frame[:, 48:]).mean() > 0.005
