"""`dream models words`."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dreamer.arrays import Image
from dreamer.files import photos
from dreamer.jobs.presets import read_finished
from dreamer.networks.network import Network
from dreamer.networks.registry import NetSpec
from dreamer.recipe import words
from dreamer.recipe.words import Table, Word


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
    (layer,) = read_finished(picture).recipe.layers
    assert layer.startswith("maps:1@")
    assert layer.endswith("=2")


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
