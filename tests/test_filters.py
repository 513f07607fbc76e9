"""What channels want to see: parametrisations, transforms, pictures, sheets."""

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy import ndimage

from dreamer import presets, sheets, visualise
from dreamer.arrays import Image
from dreamer.ascent import objectives, transforms
from dreamer.ascent.inits import INITS
from dreamer.ascent.parametrisations import PARAMETRISATIONS
from dreamer.errors import DreamerError
from dreamer.files import cells, metadata, photos
from dreamer.nets import network, runtime
from dreamer.nets.network import Network
from dreamer.nets.registry import NetSpec
from dreamer.recipe import Recipe
from dreamer.targets import layers, targets
from dreamer.visualise import Grown, Visualiser

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

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
    maps = network.freeze(tiny, ["mixed"], "float32")(tf.constant(plain))["mixed"]
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


@pytest.mark.parametrize("ways", [1, 2])
def test_pictures_that_grow_side_by_side_are_the_same(
    tiny: Any, monkeypatch: pytest.MonkeyPatch, ways: int
) -> None:
    visualiser = Visualiser(recipe(feature={"diverse": ways}), tiny)
    wanted = targets(tiny, "mixed", [0, 3, 4, 7, 8])
    *_, alone = visualiser.grow(wanted)
    monkeypatch.setattr(runtime, "lanes", lambda: 2)
    assert [len(lane) for lane in visualiser._lanes(range(5 * ways))] == [3 * ways, 2 * ways]
    states = list(visualiser.grow(wanted, every=3))
    assert [state.step for state in states] == [1, 4, 7, 8]
    assert all(len(state.scores) == len(state.pictures()) == 5 * ways for state in states)
    for one, other in zip(alone.grown, states[-1].grown, strict=True):
        assert one.label == other.label
        np.testing.assert_allclose(one.picture, other.picture, atol=1e-3)


@pytest.mark.parametrize(("channels", "abreast"), [("mixed:0", False), ("mixed:0-3", True)])
def test_many_pictures_have_a_processor_each(
    dream: Dream,
    quick: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    channels: str,
    *,
    abreast: bool,
) -> None:
    asked = []

    def start(threads: int, *, abreast: bool) -> int:
        asked.append((threads, abreast))
        return threads

    monkeypatch.setattr(runtime, "start", start)
    assert dream("filters", channels, *quick, "--threads", 2, "-o", tmp_path / "a.png")[0] == 0
    assert asked == [(2, abreast)]


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
        **{"rate": 9, "optimiser": "ascent", "normalise": "rms", "jitter": 0, "steps": 12},
        feature={
            **{"parametrisation": "pixels", "init": "uniform", "init_spread": 0.2},
            **{"keep": keep, "turn": 0, "scale": 0, "leaky": 0},
        },
    )
    states = list(Visualiser(wild, tiny).grow(targets(tiny, "mixed", [0, 1, 4, 8]), every=1))
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
        grown(tiny, [0, 1, 2, 3], "one", feature={"init": "grey", "leaky": leak})
        for leak in (0.0, 0.2)
    )
    for one, other in zip(silent, leaking, strict=True):
        if one.first_score == 0:
            assert np.ptp(one.picture) < 1e-3
        assert np.ptp(other.picture) > 1e-2
        assert one.silent == (one.first_score == 0)
        assert not other.silent


def test_normalised_pictures_have_the_spread_asked_for(tiny: Any) -> None:
    feature = {"shown": "normalised", "spread": 0.1}
    for each in grown(tiny, [1, 2], feature=feature):
        assert each.picture.mean() == pytest.approx(0.5, abs=0.01)
        assert each.picture.std() == pytest.approx(0.1, abs=0.01)
        assert each.plain.std() != pytest.approx(0.1, abs=0.001)


def test_layers_are_found_by_pattern_and_kind(tiny: Any) -> None:
    assert layers(tiny, "mi*") == ["mixed"]
    assert layers(tiny, "convolutions") == ["relu", "one"]
    assert layers(tiny, "conv") == ["relu"]
    with pytest.raises(DreamerError, match="models layers"):
        layers(tiny, "z*")


def test_a_unit_is_cropped_to_what_it_can_see(tiny: Any) -> None:
    """Its convolution sees 3 pixels of every second, and a pool 3 of those."""
    feature = {"unit": True, "init": "grey", "parametrisation": "pixels", "leaky": 0.2}
    (one,) = grown(tiny, [1], "relu", feature=feature, jitter=0, clip=True)
    assert one.plain.shape == (3, 3, 3)
    whole = Visualiser(recipe(feature={**feature, "unit": False}, jitter=0), tiny)
    *_, last = whole.grow(targets(tiny, "relu", [1]))
    assert last.grown[0].plain.shape == (32, 32, 3)
    assert one.score > one.first_score


def test_a_unit_is_raised_as_far_as_without_jitter(tiny: Any) -> None:
    """Any shift would be another unit's picture, and a margin keeps to the layer's grid."""
    feature = {"unit": True, "pad": 3}
    still, shifted = (grown(tiny, [1, 8], feature=feature, jitter=most) for most in (0, 32))
    for one, other in zip(still, shifted, strict=True):
        np.testing.assert_array_equal(one.plain, other.plain)
    padded = Visualiser(recipe(feature=feature), tiny)
    assert padded._ascent("mixed").transform(tf.zeros([1, 32, 32, 3]), (1, 2)).shape[1] == 40


def test_a_score_is_that_of_the_network_as_it_is(tiny: Any) -> None:
    independent = keras.Model(tiny.model.inputs[0], tiny.model.get_layer("relu").output)
    pictures = grown(tiny, [0, 2, 5], "relu", feature={"leaky": 0.5}, precision="bfloat16")
    for each, channel in zip(pictures, (0, 2, 5), strict=True):
        maps = independent(tf.constant(2 * each.plain[None] - 1))[0, ..., channel]
        assert each.score == pytest.approx(float(np.mean(maps)), rel=1e-4)


@pytest.mark.parametrize(
    ("rectifier", "expected"),
    [
        (keras.layers.ReLU(), [-0.4, 0.5, 9]),
        (keras.layers.ReLU(6), [-0.4, 0.5, 6]),
        (keras.layers.Activation("relu6"), [-0.4, 0.5, 6]),
        (keras.layers.ReLU(negative_slope=0.3), [-1.2, 0.5, 9]),
        (keras.layers.ReLU(threshold=1), [-0.5, -0.05, 9]),
        (keras.layers.LeakyReLU(negative_slope=0.3), [-1.2, 0.5, 9]),
    ],
)
def test_what_leaks_keeps_its_limit_and_its_own_slope(
    rectifier: Any, expected: list[float]
) -> None:
    image = keras.Input((None, None, 3))
    made = type(rectifier).from_config({**rectifier.get_config(), "name": "made"})(image)
    spec = NetSpec("", "", (), None, 1, 0, (), 1, {})
    net = Network("own", spec, keras.Model(image, made), "")
    values = tf.constant([[[[-4, 0.5, 9]]]])
    leaking = network.freeze(net, ["made"], "float32", leak=0.1)(values)["made"]
    np.testing.assert_allclose(leaking[0, 0, 0], expected, rtol=1e-5)
    plain = network.freeze(net, ["made"], "float32")(values)["made"]
    np.testing.assert_allclose(plain, net.model(values), rtol=1e-5)


def test_what_nothing_excites_is_said(dream: Dream, tmp_path: Path) -> None:
    image = keras.Input((None, None, 3))
    maps = keras.layers.Conv2D(3, 3, activation="relu", name="maps")(image)
    model = keras.Model(image, maps)
    kernel = np.zeros((3, 3, 3, 3), np.float32)
    kernel[1, 1, 1, 1] = 1
    model.get_layer("maps").set_weights([kernel, np.array([-1.0, 0, -1])])
    model.save(path := tmp_path / "dead.keras")
    options = ("-m", path, "--size", 32, "--steps", 2, "--leaky", 0, "-o", tmp_path / "x.png")
    code, _, err = dream("filters", "maps", *options)
    assert code == 0
    assert "excites maps:0, maps:2, so there is no gradient" in err
    assert "--leaky" in err


def test_activations_inside_convolutions_leak_as_well() -> None:
    """VGG16, the network of the articles on filters; there are no weights to ship."""
    articles = network.build("vgg16", None)
    for one in grown(articles, [0, 7], "block2_conv1", steps=3, feature={"leaky": 0.2}):
        assert one.score > one.first_score
    leaking = network.freeze(articles, ["block1_conv1"], "float32", leak=0.2)
    maps = leaking(tf.zeros([1, 32, 32, 3]))["block1_conv1"]
    usual = network.freeze(articles, ["block1_conv1"], "float32")(tf.zeros([1, 32, 32, 3]))
    assert usual["block1_conv1"].numpy().min() == 0 > maps.numpy().min()
    assert layers(articles, "convolutions")[-1] == "block5_conv3"


def test_diverse_pictures_differ_more(tiny: Any) -> None:
    def likeness(diversity: float) -> tuple[float, list[str]]:
        feature = {"diverse": 3, "diversity": diversity, "init_spread": 0.05}
        pictures = grown(tiny, [1, 8], steps=30, feature=feature)
        plain = np.stack([each.plain for each in pictures])
        maps = network.freeze(tiny, ["mixed"], "float32")(tf.constant(plain))["mixed"]
        places = np.asarray(maps).reshape(6, -1, maps.shape[-1])
        grams = (places.transpose(0, 2, 1) @ places).reshape(6, -1)
        grams /= np.linalg.norm(grams, axis=-1, keepdims=True)
        product = grams @ grams.T
        own = [product[i, j] for group in (0, 3) for i in range(group, group + 3) for j in range(i)]
        return float(np.mean(own)), [each.label for each in pictures]

    alike, labels = likeness(0)
    assert labels[:4] == ["mixed:1 1/3", "mixed:1 2/3", "mixed:1 3/3", "mixed:8 1/3"]
    assert likeness(3)[0] < alike - 0.01


def test_unlikeness_is_between_those_that_should_be_unlike() -> None:
    maps = tf.constant(np.random.default_rng(0).normal(size=(4, 3, 3, 5)), tf.float32)
    maps = tf.concat([maps[:1], maps[:1], maps[1:3]], 0)
    numbers = {
        objectives.MIX: tf.eye(5)[:4],
        objectives.OTHERS: tf.constant([[0, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 1], [0, 0, 1, 0.0]]),
    }
    plain = objectives.each("a")
    scores = plain({"a": maps}, numbers)
    lowered = objectives.diverse(plain, "a", 0.5)({"a": maps}, numbers)
    np.testing.assert_allclose(scores[:2] - lowered[:2], tf.abs(scores[:2]) * 0.5, rtol=1e-4)
    assert (lowered[2:] > scores[2:] - 0.5 * tf.abs(scores[2:])).numpy().all()


def test_the_way_from_one_channel_to_another_leads_there(tiny: Any) -> None:
    first, last = targets(tiny, "mixed", [1, 8])
    visualiser = Visualiser(recipe(steps=12), tiny)
    states = list(visualiser.between(first, last, 4))
    shares = [share for share, _ in states]
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(1)
    pictures = [each for _, each in states if each]
    maps = network.freeze(tiny, ["mixed"], "float32")(
        tf.constant(np.stack([each.plain for each in pictures]))
    )["mixed"]
    one, other = np.asarray(maps).mean((1, 2))[:, [1, 8]].T
    assert [each.label for each in pictures] == ["mixed:1", "33%", "67%", "mixed:8"]
    assert (np.diff(other / one)[1:] > 0).all()
    assert other.argmax() == 3
    steps = [np.abs(b.plain - a.plain).mean() for a, b in itertools.pairwise(pictures)]
    assert max(steps) < np.abs(pictures[-1].plain - pictures[0].plain).mean()


@pytest.fixture(scope="module")
def quick(tiny: Any, tmp_path_factory: pytest.TempPathFactory) -> tuple[object, ...]:
    """Options for a network that is traced in no time, and for small pictures."""
    path = tmp_path_factory.mktemp("network") / "tiny.keras"
    tiny.model.save(path)
    return ("-m", path, "--size", 32, "--steps", 2)


def test_a_sheet_is_written_and_repeated(dream: Dream, quick: Any, tmp_path: Path) -> None:
    first, again = tmp_path / "first.png", tmp_path / "again.png"
    code, out, err = dream("filters", "mixed:0-4", *quick, "-o", first)
    assert (code, out) == (0, f"{first}\n")
    assert "5 pictures, 32×32, 2 steps" in err
    assert metadata.read(first).recipe.layers == ("mixed:0-4",)
    assert photos.read(first).image.shape[1] == 3 * 32 + 4 * 8
    assert dream("filters", "-p", first, *quick[:2], "-o", again, "-q") == (0, f"{again}\n", "")
    assert first.read_bytes() == again.read_bytes()


def test_single_pictures_carry_their_own_recipe(dream: Dream, quick: Any, tmp_path: Path) -> None:
    early = ("--set", "max_objective=-1000", "--keep", "best")
    code, _, err = dream("filters", "mixed:1,6", *quick, *early, "--each", "-o", tmp_path)
    assert code == 0
    assert "2 of 2 stopped by themselves; the best picture is kept, of step 0 to 0" in err
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["mixed-1.png", "mixed-6.png"]
    assert metadata.read(tmp_path / names[1]).recipe.layers == ("mixed:6",)
    assert photos.read(tmp_path / names[0]).image.shape == (32, 32, 3)


def test_a_stopped_sheet_goes_on(
    dream: Dream, quick: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped in the second batch, it is the sheet that was never stopped."""
    monkeypatch.setattr(visualise, "BATCH", 2)
    monkeypatch.chdir(tmp_path)
    asked = ("filters", "mixed", "--first", 4, *quick)
    assert dream(*asked, "-o", "whole.png")[0] == 0
    grow, batches = Visualiser._finished, []

    def failing(self: Visualiser, batch: Any, *rest: Any) -> Any:
        batches.append(batch)
        if len(batches) == 2:
            raise KeyboardInterrupt
        return grow(self, batch, *rest)

    monkeypatch.setattr(Visualiser, "_finished", failing)
    assert dream(*asked)[0] != 0
    sheet = Path("filters-mixed.png")
    assert not sheet.exists()
    assert len(list(cells.folder(sheet).glob("*.npz"))) == 2
    code, _, err = dream(*asked, "--seed", 3)
    assert (code, "--fresh" in err) == (2, True)
    assert dream(*asked)[0] == 0
    assert len(batches) == 3
    assert sheet.read_bytes() == Path("whole.png").read_bytes()
    assert not cells.folder(sheet).exists()
    assert "is there already" in dream(*asked)[2]
    assert len(batches) == 3


def test_a_sheet_that_is_too_large_is_split(
    dream: Dream, quick: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sheets, "MOST_PIXELS", 5000)
    code, out, err = dream("filters", "mixed:0-5", *quick, "--columns", 2, "-o", tmp_path / "a.png")
    assert code == 0
    assert "too large" in err
    assert out.split() == [str(tmp_path / f"a-{number}.png") for number in (1, 2, 3)]


def test_values_are_varied_row_by_row_and_the_ascent_is_filmed(
    dream: Dream, quick: Any, tmp_path: Path
) -> None:
    sheet, film = tmp_path / "a.png", tmp_path / "a.mp4"
    vary = ("--vary", "feature.parametrisation=fourier,pixels")
    assert dream("filters", "mixed:0-2", *quick, *vary, "-o", sheet)[0] == 0
    height, width = photos.read(sheet).image.shape[:2]
    assert width == 3 * 32 + 4 * 8
    assert height > 2 * 32
    assert dream("filters", "mixed:0", *quick, "--film", film)[0] == 0
    assert metadata.read(film).recipe.layers == ("mixed:0",)
    row = tmp_path / "row.png"
    assert dream("filters", "mixed:0,3", *quick, "--between", 3, "-o", row)[0] == 0
    assert photos.read(row).image.shape[1] == width
