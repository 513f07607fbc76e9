"""Tables of words, made from a classifier."""

import dataclasses
from pathlib import Path

import cv2
import numpy as np
import pytest

from dreamer.analysis import word_fitting
from dreamer.errors import DreamerError
from dreamer.networks import graph
from dreamer.networks.network import Network
from dreamer.networks.registry import NetSpec
from dreamer.recipe import class_labels, words


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
    return Network("sure", spec, lambda: model, "")


def test_the_channels_of_a_class_are_found_in_a_classifier(tmp_path: Path) -> None:
    names = tmp_path / "labels.txt"
    birds = ("n01514668 cock", "hen", "crane (bird)")
    names.write_text("\n".join(["dummy", *birds, "goldfish", birds[-1]]))
    grain = np.random.default_rng(0).integers(0, 255, (20, 40, 56, 3)).astype(np.uint8)
    shown = [cv2.resize(picture, None, fx=8, fy=8) for picture in grain]
    labels = class_labels.read(names)
    table = word_fitting.fit(classifier(), labels, shown, ["maps"])
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
    watched = word_fitting.fit(
        classifier(), labels, shown, ["maps"], lambda *done: told.append(done)
    )
    assert watched == table
    assert [share for share, _ in told] == sorted(share for share, _ in told)
    assert told[0] == (0, "20 photos")
    assert told[-1][0] < 1
    assert told[-1][1] == "channels of word 7 of 7"


def test_words_are_fitted_to_classifiers_only(tiny: Network) -> None:
    with pytest.raises(DreamerError, match="names no classes"):
        word_fitting.classifier(tiny, ["mixed"])


def test_the_usual_layer_is_wide_late_and_passed_by_everything() -> None:
    import keras
    from keras import layers

    first = image = keras.Input((None, None, 3))
    for name, width in {"early": 8, "squeezed": 4, "wide": 12, "narrow": 6}.items():
        first = layers.Conv2D(width, 3, padding="same", activation="relu", name=name)(first)
    branches = [layers.Conv2D(16, 1, activation="relu", name=f"arm{k}")(first) for k in (1, 2)]
    last = layers.Concatenate(name="last")(branches)
    model = keras.Model(image, layers.GlobalAveragePooling2D(name="logits")(last))
    net = dataclasses.replace(classifier(), get_model=lambda: model)
    through = ["early", "squeezed", "wide", "narrow", "last", "logits"]
    assert graph.find_bottlenecks(model)[1:] == through
    assert word_fitting.choose_layer(net) == "wide"
    assert word_fitting.choose_layer(classifier()) == "maps"


def test_every_class_of_a_subject_is_one_that_googlenet_names() -> None:
    subjects = word_fitting.read_subjects()
    known = {names.partition(",")[0] for names in words.load("googlenet").class_names}
    assert {name for members in subjects.values() for name in members} <= known
