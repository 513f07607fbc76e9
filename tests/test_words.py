"""Words: looked up, expanded into layer specs, and made from a classifier."""

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from dreamer import classes, recipe, words
from dreamer.arrays import Image
from dreamer.cli import options
from dreamer.describe import InWords
from dreamer.errors import DreamerError
from dreamer.files import metadata, photos
from dreamer.layers import parse_layer
from dreamer.nets import graph, wordfit
from dreamer.nets.network import Network
from dreamer.nets.registry import NetSpec
from dreamer.nets.training import pictures
from dreamer.words import Table, Word

LOOSE = Table(
    subjects={
        "birds": Word(("mixed4d:3@0.8,12@0.5", "mixed4e:7"), 2.0),
        "vaults, arches": Word(("mixed4d:5",), 1.0),
        "wolves": Word(("mixed4d:1",), 1.0),
    },
    classes={"sea snake": Word(("mixed4d:9",), 1.0), "red fox, Vulpes": Word(("mixed4d:2",), 1.0)},
)


@pytest.mark.parametrize(
    ("asked", "specs"),
    [
        ("birds", ["mixed4d:3@0.8,12@0.5", "mixed4e:7"]),
        ("Bird=0.5", ["mixed4d:3@0.8,12@0.5=0.5", "mixed4e:7=0.5"]),
        ("arch=-0.25", ["mixed4d:5=-0.25"]),
        ("wolf=1", ["mixed4d:1"]),
        ("Sea_Snakes", ["mixed4d:9"]),
        ("vulpes", ["mixed4d:2"]),
        ("red-fox", ["mixed4d:2"]),
        (
            "0:birds, 2.5s:(arch=2, ease-in)",
            [
                "0:(mixed4d:3@0.8,12@0.5), 2.5s:(mixed4d:5=2, ease-in)",
                "0:(mixed4e:7), 2.5s:(mixed4e:0=0, ease-in)",
            ],
        ),
    ],
)
def test_a_word_becomes_layer_specs(asked: str, specs: list[str]) -> None:
    assert words.expand([asked], LOOSE) == specs
    terms = recipe.Recipe(layers=tuple(specs)).terms
    assert all(term.channels for term in terms)


@pytest.mark.parametrize(
    ("asked", "named"),
    [
        ("brids", "did you mean birds"),
        ("fox", "did you mean red fox"),
        ("snake", "did you mean sea snake"),
        ("seas", "did you mean sea snake"),
        ("qqqq", "No word 'qqqq' is known: `dream models words`"),
        ("birds=much", "WORD=WEIGHT"),
        ("birds=", "WORD=WEIGHT"),
        ("birds=inf", "WORD=WEIGHT"),
        ("0:birds, 0:wolves", "does not come after"),
    ],
)
def test_what_is_no_word_is_answered_with_the_nearest(asked: str, named: str) -> None:
    with pytest.raises(DreamerError, match=named):
        words.expand([asked], LOOSE)


@pytest.mark.parametrize("ways", [["-birds"], ["birds=-1"], ["-birds=1"]])
def test_a_minus_asks_for_less(ways: list[str]) -> None:
    less = words.expand([], LOOSE, ["birds"])
    assert words.expand(ways, LOOSE) == less
    assert {parse_layer(spec).weight for spec in less} == {-1.0}
    over_time = words.expand(["0:birds, 4s:-birds"], LOOSE)
    assert over_time[0].endswith("=-1)")
    with pytest.raises(DreamerError, match="No word '-'"):
        words.expand(["--"], LOOSE)


def test_a_table_survives_the_way_to_text_and_back(tmp_path: Path) -> None:
    path = words.beside(tmp_path / "my.keras")
    path.write_text(words.to_json(LOOSE))
    assert words.load("my.keras", tmp_path / "my.keras") == LOOSE


@pytest.mark.parametrize(
    "change",
    [
        {"format": 2},
        {"subjects": []},
        {"subjects": {"birds": {"layers": ["mixed4d"], "usual": 1}}},
        {"subjects": {"birds": {"layers": ["mixed4d:1=2"], "usual": 1}}},
        {"subjects": {"birds": {"layers": [], "usual": 1}}},
        {"subjects": {"birds": {"layers": ["mixed4d:1"]}}},
    ],
)
def test_what_is_no_table_is_refused(change: dict[str, object], tmp_path: Path) -> None:
    path = tmp_path / "x.words.json"
    path.write_text(json.dumps(json.loads(words.to_json(LOOSE)) | change))
    with pytest.raises(DreamerError, match=r"x\.words\.json is no table of words"):
        words.read(path)


def test_a_word_s_strength_is_the_weighted_mean_of_its_channels_squares() -> None:
    energies = {"mixed4d": [0, 0, 0, 2.0, *[0] * 8, 4.0], "mixed4e": [0] * 7 + [3.0]}
    assert LOOSE.subjects["birds"].strength(energies) == pytest.approx((1.6 + 2) / 2 + 3)


def classifier(count: int = 6) -> Network:
    """A network whose class k is read from channel k of `maps`, and from nothing else."""
    import keras
    from keras import layers

    keras.utils.set_random_seed(5)
    image = keras.Input((None, None, 3))
    maps = layers.Conv2D(8, 5, 4, activation="relu", name="maps")(image)
    pooled = layers.GlobalAveragePooling2D()(maps)
    logits = layers.Dense(count, name="logits")
    model = keras.Model(image, layers.Softmax(name="softmax")(logits(pooled)))
    logits.set_weights([np.eye(8, count), np.zeros(count)])
    spec = NetSpec("", "", (), None, 2, -1, ("maps",), 8, {"maps": 16})
    return Network("sure", spec, model, "")


def test_the_channels_of_a_class_are_found_in_a_classifier(tmp_path: Path) -> None:
    names = tmp_path / "labels.txt"
    birds = ("n01514668 cock", "hen", "crane (bird)")
    names.write_text("\n".join(["dummy", *birds, "goldfish", birds[-1]]))
    grain = np.random.default_rng(0).integers(0, 255, (20, 40, 56, 3)).astype(np.uint8)
    shown = [cv2.resize(picture, None, fx=8, fy=8) for picture in grain]
    labels = classes.read(names)
    table = wordfit.fit(classifier(), labels, shown, ["maps"])
    first = {name: word.terms[0].channels[:1] for name, word in table.classes.items()}
    assert first == {
        "n01514668": (1,),
        "hen": (2,),
        "crane (bird)": (3,),
        "goldfish": (4,),
        "crane (bird) (2)": (5,),
    }
    assert table.class_names[:2] == ["cock", "hen"]
    assert set(table.subjects) == {"chickens", "fish"}
    assert table.subjects["fish"].terms[0].channels[:1] == (4,)
    assert set(table.subjects["chickens"].terms[0].channels[:2]) == {1, 2}
    told: list[tuple[float, str]] = []
    watched = wordfit.fit(classifier(), labels, shown, ["maps"], lambda *done: told.append(done))
    assert watched == table
    assert [share for share, _ in told] == sorted(share for share, _ in told)
    assert told[0] == (0, "20 photos")
    assert told[-1][0] < 1
    assert told[-1][1] == "channels of word 7 of 7"


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_a_fitted_table_is_found_beside_its_network(
    tmp_path: Path, photo: Image, dream: Callable[..., Any]
) -> None:
    own, names, folder = tmp_path / "my.keras", tmp_path / "names.txt", tmp_path / "photos"
    classifier().model.save(own)
    names.write_text("sky\nmeadow")
    folder.mkdir()
    for name in "abc":
        photos.write(folder / f"{name}.png", photo)
    fit = ("models", "words", "-m", own, "-l", "maps", "--fit", folder, "--labels", names)
    assert "my.words.json: 0 subjects, 2 classes" in dream(*fit)[1]
    assert dream(*fit)[0] == 2
    assert dream(*fit[:6])[0] == 0
    picture = tmp_path / "dream.png"
    asked = ("--of", "meadows=2", "-m", own, "--steps", 1, "--octaves", 1, "-o", picture)
    assert dream("image", folder / "b.png", *asked)[0] == 0
    (layer,) = metadata.read(picture).recipe.layers
    assert layer.startswith("maps:1@")
    assert layer.endswith("=2")


def test_a_dream_in_words_carries_layers() -> None:
    asked = InWords(["birds", "snakes=-0.5"])
    made = options.made(None, ["rate=0.01"], {"layers": ["mixed4a=0.1"]}, asked).recipe
    table = words.load("dreamnet")
    assert list(made.layers) == ["mixed4a=0.1", *words.expand(asked.asked, table)]
    assert (made.motif, made.steps) == (words.STILL["motif"], words.STILL["steps"])
    assert made.objective == "mean"
    squares = options.made(None, ["objective=mean-square"], {}, asked).recipe
    assert squares.objective == "mean-square"
    for_film = options.made(None, [], {}, asked._replace(for_film=True)).recipe
    assert (for_film.motif, for_film.steps) == (made.motif, recipe.Recipe().steps)
    preset = options.made("pagodas", [], {"layers": None}, asked).recipe
    assert preset.motif != words.STILL["motif"]
    assert preset.layers == made.layers[1:]


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
@pytest.mark.parametrize("spec", ["maps:1,9", "nowhere:1"])
def test_a_table_that_does_not_fit_its_network_is_named(
    spec: str, tmp_path: Path, photo: Image, dream: Callable[..., Any]
) -> None:
    own, source, sheet = tmp_path / "my.keras", tmp_path / "a.png", tmp_path / "sheet.png"
    classifier().model.save(own)
    photos.write(source, photo)
    asked = ("models", "words", "-m", own, "--on", source)
    table = words.beside(own)
    table.write_text(words.to_json(Table({"birds": Word(("maps:1",), 1.0)})))
    assert "birds" in dream(*asked)[1]
    quick = ("-o", sheet, "--overwrite", "--set", "octaves=1", "--set", "steps=1")
    shown = []
    for settings in ((), ("--set", "input_range=[-1,1]")):
        code, _, err = dream(*asked, *quick, *settings)
        assert code == 0, err
        shown.append(sheet.read_bytes())
    assert shown[0] != shown[1]
    table.write_text(words.to_json(Table({"birds": Word((spec,), 1.0)})))
    code, _, err = dream(*asked)
    assert code == 2
    assert spec.partition(":")[0] in err


@pytest.mark.parametrize("kind", ["empty", "one photo", "damaged", "no archive"])
def test_photos_that_no_table_can_be_made_from_are_named(
    kind: str, tmp_path: Path, photo: Image
) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    if kind != "empty":
        photos.write(folder / "a.png", photo)
    if kind == "damaged":
        (folder / "b.jpg").write_bytes(b"no photo")
    source = folder / "a.png" if kind == "no archive" else folder
    with pytest.raises(DreamerError, match="photos") as caught:
        pictures.load(source)
    assert "\n" not in str(caught.value)


def test_the_words_in_a_photo_come_strongest_first(
    tmp_path: Path, photo: Image, dream: Callable[..., Any]
) -> None:
    source = tmp_path / "a.png"
    photos.write(source, photo)
    code, out, _ = dream("models", "words", "--on", source)
    assert code == 0
    times = [float(line.split()[-2]) for line in out.splitlines()[1:] if line.strip()]
    assert times == sorted(times, reverse=True)
    assert len(times) > 5
    assert "birds" in dream("models", "words")[1]


def test_words_are_fitted_to_classifiers_only(tiny: Network) -> None:
    with pytest.raises(DreamerError, match="names no classes"):
        wordfit.classifier(tiny, ["mixed"])


def test_the_usual_layer_is_wide_late_and_passed_by_everything() -> None:
    import keras
    from keras import layers

    first = image = keras.Input((None, None, 3))
    for name, width in {"early": 8, "squeezed": 4, "wide": 12, "narrow": 6}.items():
        first = layers.Conv2D(width, 3, padding="same", activation="relu", name=name)(first)
    branches = [layers.Conv2D(16, 1, activation="relu", name=f"arm{k}")(first) for k in (1, 2)]
    last = layers.Concatenate(name="last")(branches)
    model = keras.Model(image, layers.GlobalAveragePooling2D(name="logits")(last))
    net = dataclasses.replace(classifier(), model=model)
    through = ["early", "squeezed", "wide", "narrow", "last", "logits"]
    assert graph.bottlenecks(model)[1:] == through
    assert wordfit.usual_layer(net) == "wide"
    assert wordfit.usual_layer(classifier()) == "maps"


def test_every_class_of_a_subject_is_one_that_googlenet_names() -> None:
    subjects = wordfit.read_subjects()
    known = {names.partition(",")[0] for names in words.load("googlenet").class_names}
    assert {name for members in subjects.values() for name in members} <= known


def test_the_packaged_table_speaks_of_channels_that_dreamnet_has() -> None:
    from dreamer.nets import network

    layers = network.build("dreamnet", None).layers
    table = words.load("dreamnet")
    assert len(table.subjects) >= 40
    assert len(table.classes) == 1000
    for word in [*table.subjects.values(), *table.classes.values()]:
        assert all(max(term.channels or ()) < layers[term.layer] for term in word.terms)
