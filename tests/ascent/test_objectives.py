"""Objectives: their algebra, and each against the same work by hand."""

from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from helpers import climb, make

from dreamer.arrays import Image
from dreamer.ascent import objectives
from dreamer.ascent.steps import numbers, term
from dreamer.networks import freezing


@pytest.fixture
def maps() -> dict[str, tf.Tensor]:
    random = np.random.default_rng(0)
    shapes = {"a": (2, 7, 9, 5), "b": (2, 4, 5, 3)}
    return {k: tf.constant(random.normal(size=s).astype(np.float32)) for k, s in shapes.items()}


def test_the_algebra_of_objectives_holds(maps: dict[str, tf.Tensor]) -> None:
    a, b = objectives.layer("a"), objectives.layer("b", [0, 2], "mean")
    mixed = 2 * (a + b) / 4 - 0.5 * b * 3
    by_hand = a(maps) / 2 + b(maps) / 2 - 1.5 * b(maps)
    assert mixed.layers == {"a", "b"}
    np.testing.assert_allclose(mixed(maps), by_hand, rtol=1e-5)


def test_an_objective_scores_each_picture_for_itself(maps: dict[str, tf.Tensor]) -> None:
    for name in objectives.REDUCTIONS:
        goal = objectives.layer("a", reduction=name)
        alone = [goal({"a": maps["a"][i : i + 1]})[0] for i in range(2)]
        np.testing.assert_allclose(goal(maps), alone, rtol=1e-5)


def test_a_direction_is_a_product_with_a_vector_of_length_one(maps: dict[str, tf.Tensor]) -> None:
    a = maps["a"].numpy()
    along = objectives.direction("a", [4, 1], [3, -4])(maps)
    np.testing.assert_allclose(along, (a @ [0, -0.8, 0, 0, 0.6]).mean((1, 2)), rtol=1e-4, atol=1e-6)
    alike = objectives.direction("a", [0, 1, 2, 3])(maps)
    np.testing.assert_allclose(alike, (a[..., :4].sum(-1) / 2).mean((1, 2)), rtol=1e-4, atol=1e-6)


def test_a_caricature_is_of_a_photo_and_not_only_strong(maps: dict[str, tf.Tensor]) -> None:
    wanted = maps["a"][0]
    same = objectives.caricature("a", wanted, power=2)({"a": maps["a"]})
    squares = np.square(wanted).sum(-1).mean()
    assert float(same[0]) == pytest.approx(squares, rel=1e-4)
    twice = objectives.caricature("a", wanted)({"a": 2 * maps["a"]})
    assert float(twice[0]) == pytest.approx(2 * squares, rel=1e-4)
    assert float(same[1]) < 0.2 * squares


def test_the_mean_of_units_is_not_squared() -> None:
    logits = tf.constant([[1.0, -2.0, 4.0], [0.0, 3.0, -5.0]])
    np.testing.assert_allclose(objectives.units("a", [1, 2])({"a": logits}), [1, -1])
    np.testing.assert_allclose(objectives.units("a")({"a": logits}), [1, -2 / 3], rtol=1e-6)


def test_a_border_is_left_out_of_the_sum_but_not_of_the_size(maps: dict[str, tf.Tensor]) -> None:
    a = maps["a"].numpy()
    score = objectives.layer("a", border=2)(maps)
    np.testing.assert_allclose(score, (a[:, 2:-2, 2:-2] ** 2).sum((1, 2, 3)) / a[0].size, rtol=1e-5)


def test_channels_weigh_as_much_as_they_are_told(maps: dict[str, tf.Tensor]) -> None:
    a, weights = maps["a"].numpy()[..., [3, 1]], np.array([0.5, -2])
    score = objectives.layer("a", [3, 1], weights=weights)(maps)
    np.testing.assert_allclose(score, (a**2 * weights).mean((1, 2, 3)), rtol=1e-5)


def test_a_guide_is_matched_place_by_place_or_on_average(maps: dict[str, tf.Tensor]) -> None:
    guide = tf.random.stateless_normal([3, 4, 5], [1, 1])
    a, places = maps["a"].numpy().reshape(2, -1, 5), guide.numpy().reshape(-1, 5)
    places = places / np.linalg.norm(places, axis=-1).mean()
    best = (a @ places.T).max(-1).mean(-1)
    np.testing.assert_allclose(objectives.match_guide("a", guide)(maps), best, rtol=1e-4)
    mean = a.mean(1) @ places.mean(0)
    score = objectives.match_guide("a", guide, "mean")(maps)
    np.testing.assert_allclose(score, mean, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("match", objectives.MATCHES)
def test_a_dream_grows_toward_its_guide(match: str, tiny: Any, photo: Image) -> None:
    guide = freezing.freeze(tiny, ["mixed"], "float32")(photo[None, ::-1, ::2, ::-1])["mixed"][0]
    ascent = make(tiny, objective=objectives.match_guide("mixed", guide, match), rate=0.003)
    assert climb(ascent, photo, 12).scores[0] > climb(ascent, photo, 1).scores[0]


@pytest.mark.parametrize("name", objectives.REDUCTIONS)
def test_every_objective_rises(name: str, tiny: Any, photo: Image) -> None:
    ascent = make(tiny, objective=objectives.layer("mixed", [1, 4, 8], name), rate=0.003)
    first, last = (climb(ascent, photo, steps).scores[0] for steps in (1, 12))
    assert last > first


def test_a_negative_weight_falls(tiny: Any, photo: Image) -> None:
    ascent = make(tiny, objective=-objectives.layer("mixed"), rate=0.003)
    assert climb(ascent, photo, 12).scores[0] > climb(ascent, photo, 1).scores[0]


def test_unlikeness_is_between_those_that_should_be_unlike() -> None:
    maps = tf.constant(np.random.default_rng(0).normal(size=(4, 3, 3, 5)), tf.float32)
    maps = tf.concat([maps[:1], maps[:1], maps[1:3]], 0)
    others = np.kron(np.eye(2), [[0, 1], [1, 0]])
    given = numbers(mixes=np.eye(5)[:4], others=others)
    plain = objectives.mix_channels("a")
    scores = plain({"a": maps}, given)
    lowered = objectives.penalize_similarity(plain, "a", 0.5)({"a": maps}, given)
    np.testing.assert_allclose(scores[:2] - lowered[:2], tf.abs(scores[:2]) * 0.5, rtol=1e-4)
    assert (lowered[2:] > scores[2:] - 0.5 * tf.abs(scores[2:])).numpy().all()


def test_a_term_is_its_layer_with_the_channels_and_weights_of_the_numbers(
    maps: dict[str, tf.Tensor],
) -> None:
    for name in objectives.REDUCTIONS:
        goal = objectives.term(1, "a", name, 1, chosen=True)
        given = numbers(terms=[term(9.0), term(-2.0, [3, 1], [0.5, -2])])
        by_hand = -2 * objectives.layer("a", [3, 1], name, 1, [0.5, -2])(maps)
        np.testing.assert_allclose(goal(maps, given), by_hand, rtol=1e-5)
        whole = objectives.term(0, "a", name, 1, chosen=False)
        np.testing.assert_allclose(
            whole(maps, given), 9 * objectives.layer("a", None, name, 1)(maps), rtol=1e-5
        )


def test_a_term_of_units_is_the_mean_of_those_of_the_numbers() -> None:
    logits = tf.constant([[1.0, -2.0, 4.0], [0.0, 3.0, -5.0]])
    given = numbers(terms=[term(3.0, [1, 2]), term(0.5)])
    some = objectives.unit_term(0, "a", chosen=True)({"a": logits}, given)
    np.testing.assert_allclose(some, [3, -3])
    all_of_them = objectives.unit_term(1, "a", chosen=False)({"a": logits}, given)
    np.testing.assert_allclose(all_of_them, [0.5, -1 / 3], rtol=1e-6)
