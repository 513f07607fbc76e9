"""Classes: their table, their names, and the pictures that a classifier takes for them."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from dreamer import assemble, classes, presets, recipe, visualise
from dreamer.classes import UNNAMED, Label
from dreamer.errors import DreamerError
from dreamer.files import metadata, photos
from dreamer.nets import heads, network, synsets
from dreamer.nets.network import Network
from dreamer.nets.registry import NetSpec
from dreamer.targets import targets

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

ILSVRC, INCEPTION5H = (classes.ordered(order) for order in classes.ORDERS)


def test_the_table_is_what_the_script_makes_of_the_public_lists(real_weights: Path) -> None:
    lists = ("imagenet_synset_words.txt", "inception5h_synsets.txt")
    made = synsets.rows([classes.read(real_weights / name) for name in lists])
    written = classes.TABLE.read_text("utf-8").splitlines()
    assert written[1:] == ["\t".join(row) for row in made]
    with pytest.raises(DreamerError, match="n01440764"):
        synsets.rows([ILSVRC, INCEPTION5H[:300]])


def test_both_orders_hold_the_same_thousand_classes() -> None:
    assert len(ILSVRC) == len(set(ILSVRC)) == 1000
    assert set(INCEPTION5H) - set(ILSVRC) == {UNNAMED}
    assert INCEPTION5H[0] == UNNAMED
    assert ILSVRC[65].name == "sea snake"
    assert ILSVRC[18].name == INCEPTION5H[394].name == "magpie"


@pytest.mark.parametrize(
    ("asked", "output"),
    [
        ("magpie", 18),
        ("Sea_Snakes", 65),
        ("German shepherds", 235),
        ("alsatian", 235),
        ("teddy bear", 850),
        ("n01443537", 1),
        ("7", 7),
        ("polecat", 358),  # the skunk is only sometimes called so
        ("construction crane", 517),
    ],
)
def test_a_class_is_found_by_name_id_and_number(asked: str, output: int) -> None:
    assert classes.found(ILSVRC, asked, "mine") == output


@pytest.mark.parametrize(
    ("asked", "named"),
    [
        ("magpi", "did you mean magpie"),
        ("shark", "did you mean great white shark"),
        ("qqqq", "no class 'qqqq': `dream models classes mine`"),
        ("1000", "0 to 999"),
        ("n99999999", "no class 'n99999999'"),
        ("crane", "write 'crane bird' or 'construction crane'"),
        ("", "no class ''"),
    ],
)
def test_what_is_no_class_is_answered_with_the_nearest(asked: str, named: str) -> None:
    with pytest.raises(DreamerError, match=named):
        classes.found(ILSVRC, asked, "mine")


def test_labels_of_one_s_own_are_read_and_must_fit(tmp_path: Path) -> None:
    path = tmp_path / "labels.txt"
    path.write_text("dummy\nn01514668 cock, rooster\ncrane\n\ncrane\n\n")
    labels = classes.read(path)
    assert labels == [
        UNNAMED,
        Label("n01514668", "cock, rooster"),
        Label("", "crane"),
        UNNAMED,
        Label("", "crane"),
    ]
    assert classes.fitted(labels, 5, "mine", "ilsvrc", "labels.txt") == labels
    with pytest.raises(DreamerError, match="write 2 or 4"):
        classes.found(labels, "crane", "mine")
    with pytest.raises(DreamerError, match=r"labels\.txt has 5 labels and mine 6 classes"):
        classes.fitted(labels, 6, "mine", "ilsvrc", "labels.txt")
    with pytest.raises(DreamerError, match=r"Cannot read the labels .*nowhere"):
        classes.read(tmp_path / "nowhere")
    unknown = classes.fitted((), 6, "mine", "ilsvrc", "")
    assert classes.found(unknown, "3", "mine") == 3
    with pytest.raises(DreamerError, match="give --labels"):
        classes.found(unknown, "cock", "mine")


def test_a_network_may_have_outputs_that_nobody_named() -> None:
    own = classes.fitted((), 1008, "googlenet", "inception5h", "")
    assert len(own) == 1008
    assert own == classes.fitted(INCEPTION5H[:1001], 1008, "googlenet", "inception5h", "x")
    assert own[1000].name == "dumbbell"
    assert set(own[1001:]) == {UNNAMED}
    # Of a thousand and one outputs nobody knows which is left over.
    assert set(classes.fitted((), 1001, "mine", "ilsvrc", "")) == {UNNAMED}
    with pytest.raises(DreamerError, match="1000 labels and googlenet 1008"):
        classes.fitted(ILSVRC, 1008, "googlenet", "inception5h", "x")


SIDE = 48
OWN = ("sky", "n01582220 magpie", "meadow, grass", "n02012849 crane")


def saved(folder: Path, kind: str) -> Path:
    """A seeded classifier of `OWN`, saved: `free` of size, or of one size, as VGG16 is."""
    keras.utils.set_random_seed(4)
    fixed = kind == "fixed"
    image = keras.Input((32, 32, 3) if fixed else (None, None, 3))
    x = layers.Conv2D(8, 5, 2, activation="relu", name="maps")(image)
    x = layers.Flatten()(x) if fixed else layers.GlobalAveragePooling2D()(x)
    end = layers.Dense(len(OWN), activation="softmax" if fixed else None, name="scores")
    scores = end(x)
    end.set_weights([10 * weights for weights in end.get_weights()])
    model = keras.Model(image, scores if fixed else layers.Softmax(name="shares")(scores))
    path = folder / f"{kind}.keras"
    model.save(path)
    (folder / "names.txt").write_text("\n".join(OWN))
    return path


QUICK = ("--steps", 12, "--size", SIDE, "--set", "input_range=[-1,1]", "--labels", "names.txt")


@pytest.mark.parametrize("kind", ["free", "fixed"])
def test_a_class_rises_on_a_classifier_of_one_s_own(
    kind: str, dream: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    own = saved(tmp_path, kind)
    code, out, err = dream("class", "magpie", "-m", own, *QUICK)
    assert code == 0, err
    assert "ends in a softmax: the scores before it" in err
    path, said = out.splitlines()
    before, after = map(float, re.findall(r"magpie: (\S+) → (\S+),", said)[0])
    assert after > before + 0.5
    assert "seen as magpie" in said
    assert photos.read(Path(path)).image.shape == (SIDE, SIDE, 3)
    (layer,) = metadata.read(Path(path)).recipe.layers
    assert layer == "scores:1"
    again = ("class", "-p", path, "-m", own, "--labels", "names.txt", "-o", "again.png")
    assert dream(*again)[0] == 0
    assert Path("again.png").read_bytes() == Path(path).read_bytes()


def test_several_classes_are_a_sheet_single_files_or_a_grid(
    dream: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    asked = ("class", "sky", "3", "n01582220", "skies", "-m", saved(tmp_path, "free"), *QUICK)
    code, out, _ = dream(*asked)
    assert code == 0
    path, *said = out.splitlines()
    assert [line.partition(":")[0] for line in said] == ["sky", "crane", "magpie"]
    assert photos.read(Path(path)).image.shape[1] == 2 * SIDE + 3 * 8
    assert dream(*asked, "--each", "-o", "out")[0] == 0
    assert {p.name for p in Path("out").iterdir()} == {"sky.png", "crane.png", "magpie.png"}
    assert dream(*asked, "--each", "-o", "out", "--overwrite")[0] == 0
    assert len(list(Path("out").iterdir())) == 3
    code, out, _ = dream(*asked, "--diverse", 2, "-o", "ways.png")
    assert [line.partition(":")[0] for line in out.splitlines()[1:3]] == ["sky 1/2", "sky 2/2"]
    assert photos.read(Path("ways.png")).image.shape[1] == 2 * SIDE + 3 * 8
    code, out, _ = dream(*asked, "--vary", "rate=0.05,0.1", "-o", "grid.png")
    assert code == 0
    assert photos.read(Path("grid.png")).image.shape[1] == 3 * SIDE + 4 * 8
    assert [line.split()[1] for line in out.splitlines()[1:]] == ["rate=0.05"] * 3 + [
        "rate=0.1"
    ] * 3


def test_classes_are_listed(dream: Callable[..., Any], tmp_path: Path) -> None:
    own, names = saved(tmp_path, "fixed"), tmp_path / "names.txt"
    code, out, _ = dream("models", "classes", own, "--labels", names)
    assert code == 0
    assert [line.split()[0] for line in out.splitlines()[1:]] == ["0", "1", "2", "3"]
    assert "n01582220" in out.splitlines()[2]
    assert "meadow, grass" in out


def test_the_ascent_is_a_film_of_one_picture_or_of_a_sheet(
    dream: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    own = saved(tmp_path, "free")
    for names, side in ((["sky"], SIDE), (["sky", "crane"], 2 * SIDE + 3 * 8)):
        code, _, err = dream("class", *names, "-m", own, *QUICK, "--film", "f", "--overwrite")
        assert code == 0, err
        frames = sorted(Path("f").iterdir())
        assert len(frames) == 12
        assert photos.read(frames[-1]).image.shape[1] == side
    code, _, err = dream("class", "sky", "-m", own, *QUICK, "--film", "f.mp4", "--vary", "rate=1,2")
    assert code == 2
    assert "--film" in err
    monkeypatch.setattr(visualise, "BATCH", 1)
    code, _, err = dream("class", "sky", "crane", "-m", own, *QUICK, "--film", "f.mp4")
    assert code == 2
    assert "smaller --size" in err


def test_a_picture_is_seen_by_the_model_s_own_scores_before_its_softmax(tmp_path: Path) -> None:
    picture = np.random.default_rng(0).random((32, 32, 3), np.float32)
    for kind in ("free", "fixed"):
        path = saved(tmp_path, kind)
        wanted = recipe.Recipe(network=path.name, input_range=(-1, 1))
        own = heads.head(assemble.load(wanted, path).entire(), tmp_path / "names.txt")
        powers = np.exp(own.scores(picture))
        model = keras.saving.load_model(path)
        np.testing.assert_allclose(
            powers / powers.sum(), model(2 * picture[None] - 1)[0], rtol=1e-4
        )
        first, second = own.guesses(picture, 2)
        assert first.score == own.scores(picture).max() > second.score
        assert first.label == own.label(int(powers.argmax()))


def test_maps_that_leak_for_a_dream_are_seen_as_they_are() -> None:
    image = keras.Input((None, None, 3))
    maps = layers.Conv2D(4, 3, activation="relu", bias_initializer="ones", name="maps")(image)
    model = keras.Model(image, layers.GlobalAveragePooling2D(name="scores")(maps))
    model.get_layer("maps").set_weights([-np.ones((3, 3, 3, 4)), np.array([40, 1, 0, 0])])
    net = Network("squeezed.keras", NetSpec("", "", (), None, 1, 0, (), 8, {}), model, "")
    picture = np.ones((9, 9, 3), np.float32)
    leaking = network.freeze(net, ["scores"], "float32", leak=0)(picture[None])["scores"][0]
    assert leaking[1] < 0
    plain = network.freeze(net, ["scores"], "float32")(picture[None])["scores"][0]
    assert plain.numpy().tolist() == [13, 0, 0, 0]
    assert heads.head(net).scores(picture).tolist() == [13, 0, 0, 0]


def test_vgg16_raises_its_scores_at_its_one_size() -> None:
    model = keras.applications.VGG16(weights=None, input_shape=(32, 32, 3), classes=4)
    net = Network("vgg16.keras", NetSpec("", "", (), None, 255, -117, (), 16, {}), None, "", model)
    own = heads.head(net.entire())
    assert (own.layer, own.net.spec.reads) == ("predictions", (32, 32))
    assert "predictions ends in a softmax" in " ".join(own.notes())
    wanted = recipe.Recipe(
        steps=3, size=40, optimiser="adam", normalise="none", rate=0.05, blur=0, jitter=4
    )
    (*_, last) = visualise.Visualiser(wanted, own.net).grow(targets(own.net, own.layer, [2]))
    (grown,) = last.grown
    assert grown.picture.shape == (40, 40, 3)
    assert grown.score > grown.first_score


@pytest.mark.parametrize(
    ("asked", "named"),
    [
        (["magpei"], "did you mean magpie"),
        (["7"], "0 to 3"),
        ([], "Name a class"),
        (["sky", "--labels", "few.txt"], "few.txt has 2 labels"),
        (["sky", "--labels", "nowhere.txt"], "nowhere.txt"),
        (["sky", "3", "--each", "-o", "a.png"], "give a folder"),
    ],
)
def test_what_a_classifier_cannot_do_is_one_sentence(
    asked: list[str],
    named: str,
    dream: Callable[..., Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    own = saved(tmp_path, "free")
    Path("few.txt").write_text("sky\nmeadow")
    code, out, err = dream("class", "-m", own, *QUICK, *asked)
    assert (code, out) == (2, "")
    assert named in err
    # Options that are given twice are said, too.
    (sentence,) = (line for line in err.splitlines() if " is given 2 times" not in line)
    assert sentence.startswith("dream: ")
    assert not list(tmp_path.glob("*.png"))


TENCE = {
    "class-median": (8000, 5, 4),
    "filters-raw-edges": (1, 0, 4),
    "filters-raw-strokes": (2, 3, 12),
    "filters-raw-textures": (6, 3, 6),
    "filters-raw-patterns": (10, 3, 6),
    "filters-raw-parts": (40, 5, 4),
    "filters-raw-things": (80, 5, 4),
}
"""Fabien Tencé's learning rates for VGG16, on pictures of 0 to 255, and his median filters."""


@pytest.mark.parametrize("name", TENCE)
def test_published_settings_are_in_this_engine_s_units(name: str) -> None:
    wanted = presets.load(name).recipe
    rate, median, every = TENCE[name]
    assert (wanted.median, wanted.median_every) == (median, every)
    # Both the picture and its gradient are with respect to colours of 0 to 1 here.
    assert wanted.rate == pytest.approx(rate / 255**2, rel=1e-9)
    assert (wanted.normalise, wanted.optimiser, wanted.clip) == ("none", "ascent", True)
    assert wanted.feature.init == "gaussian"
    assert wanted.feature.init_spread == pytest.approx(10 / 255)
    assert wanted.feature.parametrisation == "pixels"
    assert wanted.steps == (1000 if name.startswith("class") else 200)


def test_what_was_taken_is_named() -> None:
    image = keras.Input((None, None, 3))
    pooled = layers.GlobalAveragePooling2D()(layers.Conv2D(4, 3, name="maps")(image))
    ends = [layers.Dense(3, name=name)(pooled) for name in ("kind", "breed")]
    spec = NetSpec("", "", (), None, 1, 0, (), 8, {})
    two = heads.head(Network("two.keras", spec, keras.Model(image, ends), ""))
    assert two.notes() == ["two.keras ends in kind and breed: the classes are those of breed."]


def test_a_number_that_is_another_class_elsewhere_is_said() -> None:
    image = keras.Input((None, None, 3))
    pooled = layers.GlobalAveragePooling2D()(layers.Conv2D(4, 3, name="maps")(image))
    model = keras.Model(image, layers.Dense(1008, name="logits")(pooled))
    spec = NetSpec("", "", (), None, 1, 0, (), 8, {}, classes="inception5h")
    head = heads.head(Network("net", spec, model, ""))
    (note,) = head.notes(["130", "flamingo"])
    assert note.startswith("130 is boxer here; in ImageNet's usual order it is flamingo")
    usual = heads.head(Network("net", NetSpec("", "", (), None, 1, 0, (), 8, {}), model, ""))
    assert not usual.notes(["130"])
