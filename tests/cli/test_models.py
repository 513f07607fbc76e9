"""`dream models`."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from dreamer.files import cache, photos

# Keras itself, saving a model, meets NumPy 2's change of `__array__`.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


def test_models_layers_shows_fields(dream: Callable[..., Any]) -> None:
    lines = [line.split() for line in dream("models", "layers", "dreamnet")[1].splitlines()]
    assert ["mixed3a_5x5", "Conv2D", "32", "60", "8", "7.5"] in lines


def test_models_check_tells_what_can_be_done(dream: Callable[..., Any], tmp_path: Path) -> None:
    image = keras.Input((40, 40, 1))
    maps = layers.Conv2D(4, 3, activation="relu", name="maps")(image)
    scores = layers.Dense(3, name="scores")(layers.Flatten()(maps))
    path = tmp_path / "mine.keras"
    keras.Model(image, scores).save(path)
    code, said, notes = dream("models", "check", str(path))
    told = " ".join(said.split())
    assert code == 0
    assert "no preprocessing of its own" in notes
    assert "2 with feature maps, 2 with units" in told
    assert "by default on maps" in told
    assert "scores: pictures are brought to 40×40" in told
    assert "scores (0 to 2)" in told
    assert "dream class none" in " ".join(dream("models", "check", "vgg16")[1].split())
    photo = tmp_path / "photo.png"
    photos.write(photo, np.full((48, 60, 3), 0.4, np.float32))
    quick = ("-m", str(path), "--steps", 1, "--octaves", 1, "-o", tmp_path / "dream.png")
    code, _, said = dream("image", str(photo), "-l", "scores", *quick)
    assert code == 0, said
    assert "scores needs pictures of 40×40: yours are brought to that." in said


def test_clear_cache_says_what_it_removed(
    dream: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(cache.FOLDER_VARIABLE, str(tmp_path))
    cache.write(cache.name_entry("one"), lambda file: file.write(b"0" * 1_500_000))
    assert dream("models", "clear-cache") == (0, "Removed 1 file, 1.5 MB.\n", "")
    assert dream("models", "clear-cache") == (0, "Removed 0 files, 0.0 MB.\n", "")
