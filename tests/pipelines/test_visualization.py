"""Pictures of what channels want to see."""

import itertools
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from helpers import shipped

from dreamer.ascent import objectives
from dreamer.ascent.parametrizations import PARAMETRIZATIONS, to_planes
from dreamer.ascent.random_starts import RANDOM_STARTS
from dreamer.networks import freezing, loading, runtime
from dreamer.pipelines import layer_growth, visualization
from dreamer.pipelines.layer_growth import Grown
from dreamer.pipelines.targets import find_layers, find_targets, wrap_objective
from dreamer.pipelines.visualization import Visualizer
from dreamer.recipe import Recipe

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


def recipe(**changes: Any) -> Recipe:
    """The defaults of `dream filters`, small."""
    own = {"size": 32, "steps": 8, "jitter": 2, "precision": "float32", **changes}
    return shipped("filters").changed(own)


def grown(net: Any, channels: list[int], layer: str = "mixed", **changes: Any) -> list[Grown]:
    *_, last = Visualizer(recipe(**changes), net).grow(find_targets(net, layer, channels))
    return list(last.grown)


@pytest.mark.parametrize("parametrization", PARAMETRIZATIONS)
def test_each_picture_raises_its_own_channel_most(tiny: Any, parametrization: str) -> None:
    fields = {"parametrization": parametrization}
    pictures = grown(tiny, [1, 8, 11], steps=24, visualization=fields)
    assert [each.label for each in pictures] == ["mixed:1", "mixed:8", "mixed:11"]
    plain = np.stack([each.plain for each in pictures])
    maps = freezing.freeze(tiny, ["mixed"], "float32")(tf.constant(plain))["mixed"]
    means = np.asarray(maps).mean((1, 2))
    for row, (picture, channel) in enumerate(zip(pictures, [1, 8, 11], strict=True)):
        assert picture.score > picture.first_score
        assert means[:, channel].argmax() == row
        assert picture.score == pytest.approx(means[row, channel], rel=0.02)


def test_a_picture_is_the_same_in_every_batch(tiny: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    together = grown(tiny, [0, 3, 4, 7, 8])
    monkeypatch.setattr(visualization, "BATCH", 2)
    for one, other in zip(together, grown(tiny, [0, 3, 4, 7, 8]), strict=True):
        assert one.label == other.label
        np.testing.assert_allclose(one.picture, other.picture, atol=1e-3)


@pytest.mark.parametrize("ways", [1, 2])
def test_pictures_that_grow_side_by_side_are_the_same(
    tiny: Any, monkeypatch: pytest.MonkeyPatch, ways: int
) -> None:
    visualizer = Visualizer(recipe(visualization={"diverse": ways}), tiny)
    wanted = find_targets(tiny, "mixed", [0, 3, 4, 7, 8])
    *_, alone = visualizer.grow(wanted)
    monkeypatch.setattr(runtime, "lanes", lambda: 2)
    monkeypatch.setattr(layer_growth, "CHUNK_SECONDS", 1e9)  # However slow the first step is.
    assert [len(lane) for lane in visualizer._lanes(range(5 * ways))] == [3 * ways, 2 * ways]
    states = list(visualizer.grow(wanted, every=3))
    assert [state.step for state in states] == [1, 4, 7, 8]
    assert all(len(state.scores) == len(state.pictures()) == 5 * ways for state in states)
    for one, other in zip(alone.grown, states[-1].grown, strict=True):
        assert one.label == other.label
        np.testing.assert_allclose(one.picture, other.picture, atol=1e-3)


@pytest.mark.parametrize("init", [kind for kind in RANDOM_STARTS if kind != "photo"])
def test_pictures_begin_with_what_is_asked_for(tiny: Any, init: str) -> None:
    fields = {"init": init, "init_spread": 0.05}
    visualizer = Visualizer(recipe(steps=1, rate=1e-9, visualization=fields), tiny)
    *_, last = visualizer.grow(find_targets(tiny, "mixed", [1, 2]), seeds=[1, 2])
    one, two = (each.plain for each in last.grown)
    assert one.mean() == pytest.approx(0.5, abs=0.02)
    assert one.std() == pytest.approx(0 if init == "gray" else 0.05, rel=0.1)
    assert (one == two).all() == (init == "gray")


@pytest.mark.parametrize("keep", ["last", "best"])
def test_the_picture_asked_for_is_kept(tiny: Any, keep: str) -> None:
    """Without any transform, a step's score is that of the picture it began with."""
    wild = recipe(
        **{"rate": 9, "optimizer": "ascent", "normalization": "rms", "jitter": 0, "steps": 12},
        visualization={
            **{"parametrization": "pixels", "init": "uniform", "init_spread": 0.2},
            **{"keep": keep, "turn": 0, "scale": 0, "leaky": 0},
        },
    )
    states = list(Visualizer(wild, tiny).grow(find_targets(tiny, "mixed", [0, 1, 4, 8]), every=1))
    scores = np.array([state.scores for state in states])
    for each, own in zip(states[-1].grown, scores.T, strict=True):
        if keep == "last":
            assert each.step == 12
        else:
            assert each.step == own.argmax()
            assert each.score == pytest.approx(own.max(), rel=1e-4)
    assert any(own[-1] < own.max() for own in scores.T)


def test_ascent_stops_by_itself_and_says_so(tiny: Any) -> None:
    (one,) = grown(tiny, [1], steps=40, max_objective=0.5)
    assert one.stopped
    assert 0 < one.step < 40
    assert not grown(tiny, [1])[0].stopped


def test_a_leak_gives_a_silent_unit_a_gradient(tiny: Any) -> None:
    silent, leaking = (
        grown(tiny, [0, 1, 2, 3], "one", visualization={"init": "gray", "leaky": leak})
        for leak in (0.0, 0.2)
    )
    for one, other in zip(silent, leaking, strict=True):
        if one.first_score == 0:
            assert np.ptp(one.picture) < 1e-3
        assert np.ptp(other.picture) > 1e-2
        assert one.silent == (one.first_score == 0)
        assert not other.silent


def test_normalized_pictures_have_the_spread_asked_for(tiny: Any) -> None:
    fields = {"shown": "normalized", "spread": 0.1}
    for each in grown(tiny, [1, 2], visualization=fields):
        assert each.picture.mean() == pytest.approx(0.5, abs=0.01)
        assert each.picture.std() == pytest.approx(0.1, abs=0.01)
        assert each.plain.std() != pytest.approx(0.1, abs=0.001)


def test_a_unit_is_cropped_to_what_it_can_see(tiny: Any) -> None:
    """Its convolution sees 3 pixels of every second, and a pool 3 of those."""
    fields = {"unit": True, "init": "gray", "parametrization": "pixels", "leaky": 0.2}
    (one,) = grown(tiny, [1], "relu", visualization=fields, jitter=0, clip=True)
    assert one.plain.shape == (3, 3, 3)
    whole = Visualizer(recipe(visualization={**fields, "unit": False}, jitter=0), tiny)
    *_, last = whole.grow(find_targets(tiny, "relu", [1]))
    assert last.grown[0].plain.shape == (32, 32, 3)
    assert one.score > one.first_score


def test_a_unit_is_raised_as_far_as_without_jitter(tiny: Any) -> None:
    """Any shift would be another unit's picture, and a margin keeps to the layer's grid."""
    fields = {"unit": True, "pad": 3}
    cut = {**fields, "view": (0.3, 0.5)}
    still, shifted = (
        grown(tiny, [1, 8], visualization=own, jitter=most)
        for own, most in ((fields, 0), (cut, 32))
    )
    for one, other in zip(still, shifted, strict=True):
        np.testing.assert_array_equal(one.plain, other.plain)
    padded = Visualizer(recipe(visualization=fields), tiny)
    transform = padded.growth(find_targets(tiny, "mixed", [0])[0]).ascent._transform
    assert transform(tf.zeros([1, 32, 32, 3]), (1, 2)).shape[1] == 40


def test_a_unit_is_where_it_is_asked_for(tiny: Any) -> None:
    fields = {"unit": True, "at": (0.0, 0.99)}
    (one,) = grown(tiny, [3], visualization=fields)
    target = find_targets(tiny, "mixed", [3])[0]
    raised = Visualizer(recipe(visualization=fields), tiny).growth(target)
    assert raised._seen[0].stop == 32
    assert raised._seen[1].start == 0
    assert one.picture.shape[0] < 32
    by_hand = objectives.unit("mixed", 3, (0.0, 0.99))
    maps = freezing.freeze(tiny, ["mixed"], "float32")
    picture = tf.random.uniform([1, 32, 32, 3], seed=1)
    wanted = raised.objective(maps(picture), raised.numbers([target]))
    np.testing.assert_allclose(by_hand(maps(picture)), wanted, rtol=1e-6)
    np.testing.assert_allclose(by_hand(maps(picture))[0], maps(picture)["mixed"][0, -1, 0, 3])


def test_the_magnitudes_of_a_spectrum_stay_while_its_phases_climb(tiny: Any) -> None:
    fields = {"parametrization": "phases", "init": "natural", "init_spread": 0.2}
    (one,) = grown(tiny, [3], steps=12, rate=0.3, visualization=fields)
    assert one.score > one.first_score
    (start,) = grown(tiny, [3], steps=1, rate=1e-9, visualization=fields)
    before, after = (
        np.abs(np.fft.fft2(np.asarray(to_planes(each.plain[None])[0]), axes=(0, 1)))
        for each in (start, one)
    )
    np.testing.assert_allclose(after, before, rtol=0.02, atol=0.2)
    assert np.abs(one.plain - start.plain).mean() > 0.02


def test_opacity_is_where_the_score_comes_from(tiny: Any) -> None:
    alone = recipe(visualization={"alpha": True, "at": (0.2, 0.2), "turn": 0, "scale": 0}, jitter=0)
    target = wrap_objective(tiny, objectives.unit("mixed", 3, (0.2, 0.2)))
    *_, last = Visualizer(alone, tiny).grow([target])
    alpha = last.grown[0].alpha
    assert alpha is not None
    assert alpha[:16, :16].mean() > 4 * alpha[16:, 16:].mean()


def test_a_score_is_that_of_the_network_as_it_is(tiny: Any) -> None:
    independent = keras.Model(tiny.model.inputs[0], tiny.model.get_layer("relu").output)
    pictures = grown(tiny, [0, 2, 5], "relu", visualization={"leaky": 0.5}, precision="bfloat16")
    for each, channel in zip(pictures, (0, 2, 5), strict=True):
        maps = independent(tf.constant(2 * each.plain[None] - 1))[0, ..., channel]
        assert each.score == pytest.approx(float(np.mean(maps)), rel=1e-4)


def test_activations_inside_convolutions_leak_as_well() -> None:
    """VGG16, the network of the articles on filters; there are no weights to ship."""
    # Of some random weights, a channel is silent on all that it sees.
    keras.utils.set_random_seed(1)
    articles = loading.build("vgg16", None)
    for one in grown(articles, [0, 7], "block2_conv1", steps=3, visualization={"leaky": 0.2}):
        assert one.score > one.first_score
    leaking = freezing.freeze(articles, ["block1_conv1"], "float32", leak=0.2)
    maps = leaking(tf.zeros([1, 32, 32, 3]))["block1_conv1"]
    usual = freezing.freeze(articles, ["block1_conv1"], "float32")(tf.zeros([1, 32, 32, 3]))
    assert usual["block1_conv1"].numpy().min() == 0 > maps.numpy().min()
    assert find_layers(articles, "convolutions")[-1] == "block5_conv3"


def test_diverse_pictures_differ_more(tiny: Any) -> None:
    def likeness(diversity: float) -> tuple[float, list[str]]:
        fields = {"diverse": 3, "diversity": diversity, "init_spread": 0.05}
        pictures = grown(tiny, [1, 8], steps=30, visualization=fields)
        plain = np.stack([each.plain for each in pictures])
        maps = freezing.freeze(tiny, ["mixed"], "float32")(tf.constant(plain))["mixed"]
        places = np.asarray(maps).reshape(6, -1, maps.shape[-1])
        grams = (places.transpose(0, 2, 1) @ places).reshape(6, -1)
        grams /= np.linalg.norm(grams, axis=-1, keepdims=True)
        product = grams @ grams.T
        own = [product[i, j] for group in (0, 3) for i in range(group, group + 3) for j in range(i)]
        return float(np.mean(own)), [each.label for each in pictures]

    alike, labels = likeness(0)
    assert labels[:4] == ["mixed:1 1/3", "mixed:1 2/3", "mixed:1 3/3", "mixed:8 1/3"]
    assert likeness(3)[0] < alike - 0.01


def test_the_way_from_one_channel_to_another_leads_there(tiny: Any) -> None:
    first, last = find_targets(tiny, "mixed", [1, 8])
    visualizer = Visualizer(recipe(steps=12), tiny)
    states = list(visualizer.between(first, last, 4))
    shares = [share for share, _ in states]
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(1)
    pictures = [each for _, each in states if each]
    maps = freezing.freeze(tiny, ["mixed"], "float32")(
        tf.constant(np.stack([each.plain for each in pictures]))
    )["mixed"]
    one, other = np.asarray(maps).mean((1, 2))[:, [1, 8]].T
    assert [each.label for each in pictures] == ["mixed:1", "33%", "67%", "mixed:8"]
    assert (np.diff(other / one)[1:] > 0).all()
    assert other.argmax() == 3
    steps = [np.abs(b.plain - a.plain).mean() for a, b in itertools.pairwise(pictures)]
    assert max(steps) < np.abs(pictures[-1].plain - pictures[0].plain).mean()
