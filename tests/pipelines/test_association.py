"""Films that associate: which theme follows, when, and how one passes into the next."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from tiny_films import GRAPHS, keys_of

from dreamer.arrays import Image, from_stored
from dreamer.errors import DreamerError
from dreamer.imaging import stabilize
from dreamer.pipelines import feedback_film, frame_loop
from dreamer.pipelines.association import LATELY, Association, Theme
from dreamer.pipelines.feedback_film import FeedbackFilm
from dreamer.pipelines.image import build_pipeline
from dreamer.recipe import Recipe
from dreamer.recipe.film_fields import Film
from dreamer.recipe.words import Table, Word, compute_kinship

TABLE = Table({f"word {n}, synonym {n}": Word((f"mixed:{n}@2",), 1.0) for n in range(6)})
MANY = Table({f"w{n}": Word((f"a:{n}",), 1.0) for n in range(20)})


def strengths(*first: float) -> dict[str, Any]:
    return {"mixed": np.float32([*first, *[0.01] * (8 - len(first))])}


def make(table: Table = TABLE, seed: int = 3, **film: Any) -> Association:
    given = {"associate": "free", "fps": 10.0, "intro": 0.0, "seconds": 60.0, **film}
    return Association(Film(**given), seed, table)


def test_the_film_comes_to_what_it_sees_most_and_has_not_had_lately() -> None:
    made = make(themes="2s")
    themes = made.begin(strengths(1, 5, 3, 2))
    assert themes == [Theme(0, "word 1")]
    assert made.follow(themes, 19, strengths(1, 5, 3, 2)) == themes
    for frame, word in ((20, "word 2"), (40, "word 3"), (60, "word 0")):
        themes = made.follow(themes, frame, strengths(1, 5, 3, 2))
        assert themes[-1] == Theme(frame, word)
    assert make(associate="word 4").begin({}) == [Theme(0, "word 4")]


def test_no_theme_comes_again_within_eight() -> None:
    made = make(MANY, themes="1s")
    energies = {"a": np.linspace(2, 1, 20, dtype=np.float32)}
    themes = made.begin(energies)
    for number in range(1, 30):
        themes = made.follow(themes, 10 * number, energies)
    words = [theme.word for theme in themes]
    assert len(words) == 30
    assert all(len({*words[n : n + LATELY + 1]}) == LATELY + 1 for n in range(30 - LATELY))


def test_what_is_like_a_late_theme_comes_where_there_is_nothing_else() -> None:
    fruit = {
        "berries": Word(("a:0@3,1@1",), 1.0),
        "fruit": Word(("a:0@2,1@2",), 1.0),
        "cups": Word(("a:2", "b:0"), 1.0),
    }
    made = make(Table(fruit), themes="1s")
    shown: Any = {"a": np.float32([5, 4, 1]), "b": np.float32([1])}
    themes = made.begin(shown)
    for frame in (10, 20):
        themes = made.follow(themes, frame, shown)
    assert [theme.word for theme in themes] == ["berries", "cups", "fruit"]
    assert compute_kinship(fruit["berries"], fruit["fruit"]) == pytest.approx(8 / 80**0.5)
    assert compute_kinship(fruit["berries"], fruit["cups"]) == 0


def test_what_is_avoided_never_comes_and_what_is_held_comes_in_turn() -> None:
    shown = strengths(1, 5, 3, 2)
    avoiding = make(avoid=("synonym 1", "word 2"), themes="1s")
    assert avoiding.begin(shown)[0].word == "word 3"
    held = make(associate="word 5, word 0", themes="1s")
    themes = held.begin(shown)
    for number in range(1, 4):
        themes = held.follow(themes, 10 * number, shown)
    assert [theme.word for theme in themes] == ["word 5", "word 0", "word 5", "word 0"]
    with pytest.raises(DreamerError, match=r"--avoid: .*did you mean word"):
        make(avoid=("wrd 1",)).check()
    with pytest.raises(DreamerError, match="avoid fewer"):
        make(avoid=tuple(f"word {n}" for n in range(6))).begin(shown)


def test_lengths_vary_by_the_seed_and_a_minute_has_one_rest() -> None:
    made = make()
    begins = np.array([made.find_begin(n) for n in range(40)]) / 10
    lengths = np.diff(begins)
    assert ((lengths > 3.9) & (lengths < 8.1) | (lengths > 9.9)).all()
    rests = begins[:-1][lengths > 9.9]
    assert (np.diff([0, *rests]) < 70).all()
    assert (np.diff(rests) > 50).all()
    assert begins.tolist() == [make().find_begin(n) / 10 for n in range(40)]
    assert begins.tolist() != [make(seed=4).find_begin(n) / 10 for n in range(40)]
    assert make(intro=2.0).find_begin(1) == made.find_begin(1) + 20
    assert make(themes="5s").find_begin(7) == 350


def test_a_theme_fades_in_and_then_rests() -> None:
    made = make(themes="5s")
    themes = [Theme(0, "word 1"), Theme(50, "word 2")]

    def weights(frame: int) -> list[float]:
        return [term.weight for term in made.find_terms(themes, frame)]

    assert weights(10) == [0, 1]
    assert weights(50) == [1, 0]
    assert weights(59) == pytest.approx([0.5, 0.5])
    assert weights(68) == [0, 1]
    resting = sum(weights(frame) == [0, 1] for frame in range(50, 100)) / 50
    assert resting >= 0.6
    before, now = made.find_terms(themes, 59)
    assert (before.channels, now.channels) == ((1,), (2,))
    assert before.channel_weights == (2.0,)


def test_a_loop_of_themes_ends_in_its_first() -> None:
    made = make(loop=True, seconds=18.0)
    themes = made.begin(strengths(1, 5, 3, 2))
    for frame in range(180):
        themes = made.follow(themes, frame, strengths(1, 5, 3, 2))
    assert [theme.frame for theme in themes] == [0, 60, 120]
    last = made.find_terms(themes, 179)
    assert last[1].channels == (1,)
    assert last[1].weight > 0.95


def film_of(net: Any, photo: Image, **film: Any) -> FeedbackFilm:
    given = {"seconds": 2, "fps": 6, "steps": 1, "motif": [0.4, 0.4], "intro": 0, **film}
    recipe = Recipe().changed({"jitter": 2, "objective": "mean", "film": given})
    frame, association = feedback_film.prepare(recipe, lambda: TABLE)
    pipeline = build_pipeline(frame, net, graphs=GRAPHS)
    return FeedbackFilm(pipeline, photo, None, association)


def test_what_was_chosen_is_kept_and_goes_on_to_the_same_frames(tiny: Any, photo: Image) -> None:
    film = film_of(tiny, photo, associate="free", themes="1s")
    whole = keys_of(film)
    themes = whole[-1].memory.themes
    assert [theme.frame for theme in themes] == [0, 6]
    assert film.list_chapters(whole[-1].memory) == [(0, themes[0].word), (1, themes[1].word)]
    kept = frame_loop.unpack(whole[7].frame, frame_loop.pack(whole[7]), film.recall)
    *_, again = frame_loop.make_keys(film.step, kept, 8, film.keys)
    assert np.array_equal(again.frame, whole[-1].frame)
    assert again.memory.themes == themes
    # What is dreamt of shows: another chain is another film.
    other = film_of(tiny, photo, associate="word 0,word 5", themes="1s")
    assert not np.array_equal(keys_of(other)[-1].frame, whole[-1].frame)
    assert film.describe_ending([], whole[-1].memory).notes[0].startswith("It went word")


def test_each_theme_may_have_a_palette_of_its_own(tiny: Any, photo: Image) -> None:
    own = {"arc": ["#203060,#4060a0", "#a04020,#e08040"], "motion": "still", "strength": 1}
    film = film_of(tiny, photo, associate="word 0,word 5,word 1", themes="6s", seconds=18, **own)
    made = keys_of(film)
    assert not film.needs_length
    first, second, third = (
        stabilize.measure_colors(from_stored(made[end - 1].frame))[0, 2] for end in (36, 72, 108)
    )
    assert first < -8
    assert second > first + 8
    assert third < second - 8


def test_a_film_without_themes_has_none(tiny: Any, photo: Image) -> None:
    film = film_of(tiny, photo)
    assert film.association is None
    assert replace(film).list_chapters(film.begin().memory) == []
