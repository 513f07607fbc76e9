"""A model of the user's own: plain layers are read, everything else is refused unrun."""

import json
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from dreamer.arrays import Image
from dreamer.errors import DreamerError
from dreamer.imaging import noise
from dreamer.networks import freezing, keras_file
from dreamer.networks.loading import load_for_recipe
from dreamer.networks.registry import find_model_file
from dreamer.recipe import Recipe

# Keras itself, saving a model, meets NumPy 2's change of `__array__`.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

MINE = Recipe().changed(
    {"network": "mine.keras", "input_mean": (104, 117, 123), "input_order": "BGR", "steps": 2}
)


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    keras.utils.set_random_seed(1)
    model = keras.Sequential(
        [
            keras.Input((64, 64, 3)),
            layers.Conv2D(4, 3, 2, activation="relu", name="low"),
            layers.Conv2D(6, 3, 2, activation="relu", name="high"),
            layers.Flatten(),
            layers.Dense(5, name="dense"),
        ]
    )
    model.compile("adam", "mse")
    path = tmp_path / "mine.keras"
    model.save(path)
    return path


def rewritten(path: Path, member: str, change: Callable[[bytes], bytes]) -> Path:
    """The file with one of its members changed."""
    target = path.with_name("changed.keras")
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(target, "w") as out:
        for name in source.namelist():
            data = source.read(name)
            out.writestr(name, change(data) if name == member else data)
    return target


def with_layer(module: str | None, name: str, registered: str | None = None) -> Any:
    def change(data: bytes) -> bytes:
        config = json.loads(data)
        layer = config["config"]["layers"][1]
        layer |= {"module": module, "class_name": name, "registered_name": registered}
        return json.dumps(config).encode()

    return change


def test_a_softmax_stands_for_the_logits_before_it(tmp_path: Path) -> None:
    image = keras.Input((None, None, 3))
    x = layers.Dense(4, name="scores")(layers.GlobalMaxPooling2D()(layers.Conv2D(5, 3)(image)))
    keras.Model(image, layers.Activation("softmax", name="shares")(x)).save(tmp_path / "a.keras")
    assert load_for_recipe(MINE, tmp_path / "a.keras").resolve("shares") == "scores"


def test_its_input_is_what_the_recipe_says(mine: Path, photo: Image) -> None:
    maps = freezing.freeze(load_for_recipe(MINE, mine), ["low"], "float32")(photo[None])["low"]
    model = keras.saving.load_model(mine, compile=False)
    low = keras.Model(model.inputs[0], model.get_layer("low").output)
    crop = photo[None, :64, :64, ::-1] * 255 - np.array([104, 117, 123], np.float32)
    np.testing.assert_allclose(maps[:, :20, :20], low(crop)[:, :20, :20], atol=1e-3)


@pytest.mark.parametrize(
    ("module", "name", "registered"),
    [
        ("keras.layers", "Lambda", None),
        ("keras.layers", "TFSMLayer", None),
        ("keras.layers", "Conv2D", "mine>Conv2D"),
        ("os", "system", None),
        ("keras.utils", "get_file", None),
        ("builtins", "function", "function"),
        (None, "Conv2D", None),
        ("keras.src.legacy.saving", "Conv2D", None),
        ("keras.src.ops.core", "Map", "Map"),
        ("keras.src.ops.numpy", "Add", "mine>Add"),
        ("keras.src.applications.convnext", "Conv2D", "Conv2D"),
    ],
)
def test_anything_but_plain_layers_is_refused(
    module: str | None, name: str, registered: str | None, mine: Path
) -> None:
    changed = rewritten(mine, "config.json", with_layer(module, name, registered))
    with pytest.raises(DreamerError, match="not among the layers"):
        keras_file.read_model(changed)


def test_weights_that_point_to_other_files_are_refused(mine: Path, tmp_path: Path) -> None:
    def linked(data: bytes) -> bytes:
        part = tmp_path / "part.h5"
        part.write_bytes(data)
        with h5py.File(part, "a") as file:
            file["secret"] = h5py.ExternalLink("/etc/passwd", "/")
        return part.read_bytes()

    with pytest.raises(DreamerError, match="point outside"):
        keras_file.read_model(rewritten(mine, "model.weights.h5", linked))


def test_virtual_datasets_are_refused(mine: Path, tmp_path: Path) -> None:
    def linked(data: bytes) -> bytes:
        part = tmp_path / "part.h5"
        part.write_bytes(data)
        layout = h5py.VirtualLayout((3,), "f4")
        layout[:] = h5py.VirtualSource("/etc/passwd", "x", (3,))
        with h5py.File(part, "a") as file:
            file.create_virtual_dataset("secret", layout)
        return part.read_bytes()

    with pytest.raises(DreamerError, match="point outside"):
        keras_file.read_model(rewritten(mine, "model.weights.h5", linked))


def test_other_members_are_refused(mine: Path) -> None:
    with zipfile.ZipFile(mine, "a") as archive:
        archive.writestr("assets/run.py", "")
    with pytest.raises(DreamerError, match=r"assets/run\.py"):
        keras_file.read_model(mine)


def test_a_description_that_is_no_table_is_refused(mine: Path) -> None:
    with pytest.raises(DreamerError, match=r"is not a \.keras file"):
        keras_file.read_model(rewritten(mine, "config.json", lambda data: b"[]"))


@pytest.mark.parametrize("data", [b"", b"no zip", b"PK"])
def test_what_is_no_keras_file_is_named(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "x.keras"
    path.write_bytes(data)
    with pytest.raises(DreamerError, match=r"x\.keras is not a \.keras file"):
        keras_file.read_model(path)


def test_a_damaged_member_is_named(mine: Path) -> None:
    target = mine.with_name("packed.keras")
    with zipfile.ZipFile(mine) as source:
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as out:
            for name in source.namelist():
                out.writestr(name, source.read(name))
        (member,) = (each for each in out.infolist() if each.filename == "config.json")
    data = bytearray(target.read_bytes())
    begin = member.header_offset + 30 + len(member.filename)
    data[begin : begin + 8] = b"\xff" * 8
    target.write_bytes(data)
    with pytest.raises(DreamerError, match=r"packed\.keras is not a \.keras file"):
        keras_file.read_model(target)


def test_a_missing_file_is_asked_for(tmp_path: Path) -> None:
    with pytest.raises(DreamerError, match=r"no network 'mine\.keras'.*--model"):
        load_for_recipe(MINE)
    with pytest.raises(DreamerError, match=r"nowhere\.keras"):
        load_for_recipe(MINE, tmp_path / "nowhere.keras")


def normed(scale: float, *, preprocessed: bool = False) -> keras.Model:
    """A network whose batch normalization has seen pictures of 0 to `scale`."""
    keras.utils.set_random_seed(2)
    image = keras.Input((None, None, 3))
    x = layers.Rescaling(scale / 255, name="rescale")(image) if preprocessed else image
    x = layers.Conv2D(8, 3, use_bias=False, name="conv")(x)
    x = layers.ReLU(name="maps")(layers.BatchNormalization(name="norm")(x))
    model = keras.Model(image, x)
    trained = np.asarray(keras.Model(image, model.get_layer("conv").output)(_picture(255)))
    own = trained if preprocessed else trained * scale / 255
    model.get_layer("norm").set_weights(
        [np.ones(8), np.zeros(8), own.mean((0, 1, 2)), own.var((0, 1, 2))]
    )
    return model


def _picture(scale: float) -> Any:
    return noise.draw_noise("fractal", (64, 64), 5)[None] * np.float32(scale)


@pytest.mark.parametrize(
    ("scale", "preprocessed", "changes", "said"),
    [
        (1, False, {}, "input_range=[0,1]"),
        (255, False, {}, None),
        (1, True, {}, None),
        (1, False, {"input_range": (0, 1)}, None),
    ],
)
def test_an_input_that_cannot_be_right_is_said(
    tmp_path: Path, scale: float, preprocessed: bool, changes: dict[str, Any], said: str | None
) -> None:
    path = tmp_path / "mine.keras"
    normed(scale, preprocessed=preprocessed).save(path)
    net = load_for_recipe(Recipe().changed({"network": path.name, **changes}), path)
    assert said in net.notes[0] if said else not net.notes


def test_an_input_that_nothing_tells_of_is_asked_for(mine: Path) -> None:
    (note,) = load_for_recipe(Recipe(network="mine.keras"), mine).notes
    assert "no preprocessing of its own" in note
    assert not load_for_recipe(MINE, mine).notes


def test_code_of_its_own_runs_from_a_file_that_is_trusted_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keras_file, "_trusted", set())
    image = keras.Input((None, None, 3))
    twice = layers.Lambda(lambda x: x * 2, name="twice")(image)
    model = keras.Model(image, layers.Conv2D(4, 3, name="maps")(twice))
    paths = [tmp_path / f"mine{suffix}" for suffix in (".keras", ".h5")]
    for path in paths:
        model.save(path)
    with pytest.raises(DreamerError, match=r"'Lambda'.*--trust"):
        keras_file.read_model(paths[0])
    with pytest.raises(DreamerError, match=r"load_model\('mine\.h5'\).*'mine\.keras'.*--trust"):
        keras_file.read_model(paths[1])
    for path in paths:
        keras_file.trust(path)
        net = load_for_recipe(Recipe(network=path.name), path)
        assert list(net.layers) == ["twice", "maps"]


def test_a_saved_model_that_is_trusted_is_dreamt_of_by_its_outputs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keras_file, "_trusted", set())
    image = keras.Input((None, None, 3))
    maps = layers.Conv2D(4, 3, activation="relu")(image)
    model = keras.Model(image, [maps, layers.Dense(5)(layers.GlobalAveragePooling2D()(maps))])
    folder = tmp_path / "flowers"
    model.export(folder, verbose=False)
    path = find_model_file(str(folder))
    assert path == folder / "saved_model.pb"
    with pytest.raises(DreamerError, match=r"flowers is a SavedModel.*flowers\.keras.*--trust"):
        keras_file.read_model(path)
    keras_file.trust(path)
    net = load_for_recipe(Recipe(network=path.name), path)
    assert (net.layers, net.units) == ({"output_0": 4}, {"output_1": 5})
    picture = tf.random.uniform([1, 20, 24, 3], seed=3)
    with tf.GradientTape() as tape:
        tape.watch(picture)
        seen = freezing.freeze(net, ["output_0", "output_1"], "float32")(picture)
        score = tf.reduce_sum(seen["output_0"])
    for own, wanted in zip(seen.values(), model(picture * 255), strict=True):
        np.testing.assert_allclose(own, wanted, rtol=1e-5, atol=1e-5)
    assert np.abs(tape.gradient(score, picture)).max() > 0
    # Other variables with the same program are another network.
    model.set_weights([2 * each for each in model.get_weights()])
    model.export(tmp_path / "other", verbose=False)
    shutil.copytree(tmp_path / "other/variables", folder / "variables", dirs_exist_ok=True)
    assert load_for_recipe(Recipe(network=path.name), path).sha256 != net.sha256


def test_augmentation_operations_and_layers_of_keras_own_networks_are_read(tmp_path: Path) -> None:
    # Keras numbers what has no name by all that there was before.
    keras.backend.clear_session()
    image = keras.Input((64, 64, 3))
    maps = layers.Conv2D(4, 3, name="maps")(layers.RandomFlip("horizontal")(image) / 127.5 - 1.0)
    path = tmp_path / "outer.keras"
    keras.Model(image, keras.ops.silu(maps)).save(path)
    net = load_for_recipe(Recipe(network="outer.keras"), path)
    assert list(net.layers) == ["true_divide", "subtract", "maps", "silu"]
    assert not net.notes
