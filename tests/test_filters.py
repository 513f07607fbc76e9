"""What channels want to see: parametrisations, transforms, pictures, sheets."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from scipy import ndimage

from dreamer import presets, visualise
from dreamer.arrays import Image
from dreamer.ascent import transforms
from dreamer.ascent.parametrisations import PARAMETRISATIONS
from dreamer.files import metadata, photos
from dreamer.nets import network
from dreamer.recipe import Recipe
from dreamer.visualise import INITS, Grown, Visualiser, targets

Dream = Callable[..., Any]
SEED = tf.constant([3, 5])


@pytest.mark.parametrize("name", PARAMETRISATIONS)
@pytest.mark.parametrize("size", [(16, 16), (17, 30)])
def test_a_parametrisation_is_undone(name: str, size: tuple[int, int]) -> None:
    encode, decode = PARAMETRISATIONS[name]
    pictures = np.random.default_rng(0).uniform(0.05, 0.95, (2, *size, 3)).astype(np.float32)
    np.testing.assert_allclose(decode(encode(tf.constant(pictures))), pictures, atol=1e-4)


def test_a_wave_of_the_spectrum_is_scaled_like_those_of_photographs() -> None:
    spectrum = np.zeros((3, 32, 32, 3), np.float32)
    for place, (row, column) in enumerate([(0, 2), (0, 8), (8, 0)]):
        spectrum[place, row, column, 0] = 0.02
    long, short, down = np.asarray(PARAMETRISATIONS["fourier"].decode(tf.constant(spectrum))) - 0.5
    np.testing.assert_allclose(long.std(), 4 * short.std(), rtol=1e-2)
    np.testing.assert_allclose(down.transpose(1, 0, 2), short, atol=1e-6)
    assert np.abs(np.fft.rfft(long[0, :, 0])).argmax() == 2


def test_a_turn_wraps_around_and_is_what_scipy_makes_of_it(photo: Image) -> None:
    turned = transforms.turn_and_scale(40, 0.3)(tf.constant(photo[None]), SEED)[0]
    angle, factor = tf.random.stateless_uniform([2], SEED, [-40.0, 0.7], [40.0, 1.3]).numpy()
    angle = np.deg2rad(angle)
    matrix = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) / factor
    middle = np.array(photo.shape[:2]) // 2
    for colour in range(3):
        expected = ndimage.affine_transform(
            photo[..., colour], matrix, middle - matrix @ middle, order=1, mode="grid-wrap"
        )
        np.testing.assert_allclose(turned[..., colour], expected, atol=1e-4)


@pytest.mark.parametrize(
    "transform",
    [transforms.jitter(5), transforms.pad(3), transforms.turn_and_scale(20, 0.2)],
)
def test_a_gradient_passes_back_through_a_transform(transform: transforms.Transform) -> None:
    """What is linear, and its gradient: ⟨T x − T 0, y⟩ = ⟨x, Tᵀ y⟩."""
    random = np.random.default_rng(1)
    x = tf.constant(random.normal(size=(2, 20, 24, 3)), tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(x)
        there = transform(x, SEED) - transform(tf.zeros_like(x), SEED)
        y = tf.constant(random.normal(size=there.shape), tf.float32)
        product = tf.reduce_sum(there * y)
    back = tape.gradient(product, x)
    np.testing.assert_allclose(product, tf.reduce_sum(x * back), rtol=1e-4)


def recipe(**changes: Any) -> Recipe:
    """The defaults of `dream filters`, small."""
    own = {"size": 32, "steps": 8, "jitter": 2, "precision": "float32", **changes}
    return presets.load("filters").recipe.changed(own)


def grown(net: Any, channels: list[int], layer: str = "mixed", **changes: Any) -> list[Grown]:
    *_, last = Visualiser(recipe(**changes), net).grow(targets(net, layer, channels))
    return list(last.grown)


@pytest.mark.parametrize("parametrisation", PARAMETRISATIONS)
def test_each_picture_raises_its_own_channel_most(tiny: Any, parametrisation: str) -> None:
    feature = {"parametrisation": parametrisation}
    pictures = grown(tiny, [1, 8, 11], steps=24, feature=feature)
    assert [each.label for each in pictures] == ["mixed:1", "mixed:8", "mixed:11"]
    plain = np.stack([each.plain for each in pictures])
    maps = network.freeze(tiny, ["mixed"], "float32", leak=0.05)(tf.constant(plain))["mixed"]
    means = np.asarray(maps).mean((1, 2))
    for row, (picture, channel) in enumerate(zip(pictures, [1, 8, 11], strict=True)):
        assert picture.score > picture.first_score
        assert means[:, channel].argmax() == row
        assert picture.score == pytest.approx(means[row, channel], rel=0.02)


def test_a_picture_is_the_same_in_every_batch(tiny: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    together = grown(tiny, [0, 3, 4, 7, 8])
    monkeypatch.setattr(visualise, "BATCH", 2)
    for one, other in zip(together, grown(tiny, [0, 3, 4, 7, 8]), strict=True):
        assert one.label == other.label
        np.testing.assert_allclose(one.picture, other.picture, atol=1e-3)


@pytest.mark.parametrize("init", [kind for kind in INITS if kind != "photo"])
def test_pictures_begin_with_what_is_asked_for(tiny: Any, init: str) -> None:
    feature = {"init": init, "init_spread": 0.05}
    visualiser = Visualiser(recipe(steps=1, rate=1e-9, feature=feature), tiny)
    *_, last = visualiser.grow(targets(tiny, "mixed", [1, 2]), seeds=[1, 2])
    one, two = (each.plain for each in last.grown)
    assert one.mean() == pytest.approx(0.5, abs=0.02)
    assert one.std() == pytest.approx(0 if init == "grey" else 0.05, rel=0.1)
    assert (one == two).all() == (init == "grey")


@pytest.mark.parametrize("keep", ["last", "best"])
def test_the_picture_asked_for_is_kept(tiny: Any, keep: str) -> None:
    """Without any transform, a step's score is that of the picture it began with."""
    wild = recipe(
        **{"rate": 3, "optimiser": "ascent", "normalise": "rms", "jitter": 0, "steps": 12},
        feature={"parametrisation": "pixels", "init": "uniform", "init_spread": 0.2, "keep": keep},
    )
    states = list(Visualiser(wild, tiny).grow(targets(tiny, "mixed", [1, 4]), every=1))
    scores = np.array([state.scores for state in states])
    for each, own in zip(states[-1].grown, scores.T, strict=True):
        if keep == "last":
            assert each.step == 12
        else:
            assert each.step == own.argmax()
            assert each.score == pytest.approx(own.max(), rel=1e-4)
            assert each.score != own[-1]


def test_ascent_stops_by_itself_and_says_so(tiny: Any) -> None:
    (one,) = grown(tiny, [1], steps=40, max_objective=0.5)
    assert one.stopped
    assert 0 < one.step < 40
    assert not grown(tiny, [1])[0].stopped


def test_a_leak_gives_a_silent_unit_a_gradient(tiny: Any) -> None:
    silent, leaking = (
        grown(tiny, [0, 1, 2, 3], "one", feature={"init": "grey", "leaky": leak})
        for leak in (0.0, 0.2)
    )
    for one, other in zip(silent, leaking, strict=True):
        if one.first_score == 0:
            assert np.ptp(one.picture) < 1e-3
        assert other.score > other.first_score


def test_normalised_pictures_have_the_spread_asked_for(tiny: Any) -> None:
    feature = {"shown": "normalised", "spread": 0.1}
    for each in grown(tiny, [1, 2], feature=feature):
        assert each.picture.mean() == pytest.approx(0.5, abs=0.01)
        assert each.picture.std() == pytest.approx(0.1, abs=0.01)
        assert each.plain.std() != pytest.approx(0.1, abs=0.001)


QUICK = ("--size", 32, "--steps", 2)


def test_a_sheet_is_written_and_repeated(dream: Dream, tmp_path: Path) -> None:
    first, again = tmp_path / "first.png", tmp_path / "again.png"
    code, out, err = dream("filters", "mixed3a:0-4", *QUICK, "-o", first)
    assert (code, out) == (0, f"{first}\n")
    assert "5 pictures of 32×32" in err
    assert metadata.read(first).recipe.layers == ("mixed3a:0-4",)
    assert photos.read(first).image.shape[1] == 3 * 32 + 4 * 8
    assert dream("filters", "-p", first, "-o", again, "-q") == (0, f"{again}\n", "")
    assert first.read_bytes() == again.read_bytes()


def test_single_pictures_carry_their_own_recipe(dream: Dream, tmp_path: Path) -> None:
    assert dream("filters", "mixed3a:1,6", *QUICK, "--each", "-o", tmp_path)[0] == 0
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["mixed3a-1.png", "mixed3a-6.png"]
    assert metadata.read(tmp_path / names[1]).recipe.layers == ("mixed3a:6",)
    assert photos.read(tmp_path / names[0]).image.shape == (32, 32, 3)
