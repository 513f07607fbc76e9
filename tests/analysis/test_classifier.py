"""What a classifier sees in a picture."""

from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers

from dreamer import recipe
from dreamer.analysis import classifier
from dreamer.errors import DreamerError
from dreamer.networks import freezing
from dreamer.networks.loading import load_for_recipe
from dreamer.networks.network import Network
from dreamer.networks.registry import NetSpec

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
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


def test_a_picture_is_seen_by_the_model_s_own_scores_before_its_softmax(tmp_path: Path) -> None:
    picture = np.random.default_rng(0).random((32, 32, 3), np.float32)
    for kind in ("free", "fixed"):
        path = saved(tmp_path, kind)
        wanted = recipe.Recipe(network=path.name, input_range=(-1, 1))
        own = classifier.find_head(load_for_recipe(wanted, path).entire(), tmp_path / "names.txt")
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
    net = Network("squeezed.keras", NetSpec("", "", (), None, 1, 0, (), 8, {}), lambda: model, "")
    picture = np.ones((9, 9, 3), np.float32)
    leaking = freezing.freeze(net, ["scores"], "float32", leak=0)(picture[None])["scores"][0]
    assert leaking[1] < 0
    plain = freezing.freeze(net, ["scores"], "float32")(picture[None])["scores"][0]
    assert plain.numpy().tolist() == [13, 0, 0, 0]
    assert classifier.find_head(net).scores(picture).tolist() == [13, 0, 0, 0]


def test_what_was_taken_is_named() -> None:
    image = keras.Input((None, None, 3))
    pooled = layers.GlobalAveragePooling2D()(layers.Conv2D(4, 3, name="maps")(image))
    ends = [layers.Dense(3, name=name)(pooled) for name in ("kind", "breed")]
    spec = NetSpec("", "", (), None, 1, 0, (), 8, {})
    two = classifier.find_head(Network("two.keras", spec, lambda: keras.Model(image, ends), ""))
    assert two.notes() == [
        "two.keras ends in kind and breed: the classes are those of breed (--head names another)."
    ]
    kind = classifier.find_head(two.net, end="kind")
    assert (kind.layer, len(kind.labels)) == ("kind", two.net.units["kind"])
    with pytest.raises(DreamerError, match=r"no layer of units of two\.keras 'kid'.*mean kind"):
        classifier.find_head(two.net, end="kid")


def test_a_number_that_is_another_class_elsewhere_is_said() -> None:
    image = keras.Input((None, None, 3))
    pooled = layers.GlobalAveragePooling2D()(layers.Conv2D(4, 3, name="maps")(image))
    model = keras.Model(image, layers.Dense(1008, name="logits")(pooled))
    spec = NetSpec("", "", (), None, 1, 0, (), 8, {}, classes="inception5h")
    head = classifier.find_head(Network("net", spec, lambda: model, ""))
    (note,) = head.notes(["130", "flamingo"])
    assert note.startswith("130 is boxer here; in ImageNet's usual order it is flamingo")
    usual = classifier.find_head(
        Network("net", NetSpec("", "", (), None, 1, 0, (), 8, {}), lambda: model, "")
    )
    assert not usual.notes(["130"])
