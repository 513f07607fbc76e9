"""The catalog of channels on a photo: ordered by strength, grown once."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dreamer.arrays import Image
from dreamer.files import photos
from dreamer.jobs import channel_catalog
from dreamer.jobs.presets import read_finished
from dreamer.jobs.visualization import Visualization

Dream = Callable[..., Any]
QUICK = ("--steps", 1, "--size", 64, "--jitter", 0)


@pytest.fixture
def source(photo: Image, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A photo, in a folder to work in, beside a cache of its own."""
    monkeypatch.setattr(channel_catalog, "catalog_folder", lambda: tmp_path / "kept")
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "p.png"
    photos.write(path, photo)
    return path


@pytest.fixture
def grown(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The labels of the pictures that are grown, in order."""
    labels: list[str] = []
    grow = Visualization.grow

    def counted(self: Visualization, recipe: Any, targets: Any, *more: Any, **named: Any) -> Any:
        labels.extend(target.label for target in targets)
        return grow(self, recipe, targets, *more, **named)

    monkeypatch.setattr(Visualization, "grow", counted)
    return labels


def test_the_strongest_come_first_and_are_grown_once(
    dream: Dream, source: Path, grown: list[str]
) -> None:
    listed = dream("models", "channels", "dreamnet", "mixed3a", "--on", source)[1]
    strongest = [f"mixed3a:{line.split()[0]}" for line in listed.splitlines()[1:4]]
    options = ("--on", source, "--columns", 1, *QUICK)
    assert dream("filters", "mixed3a", "--first", 2, *options)[0] == 0
    assert grown == strongest[:2]
    two = photos.read(source.with_name("filters-on-p.png")).image
    assert dream("filters", "mixed3a:strongest3", *options, "-o", "three.png")[0] == 0
    assert grown == strongest
    three = photos.read(source.with_name("three.png")).image
    np.testing.assert_array_equal(three[: len(two) - 8], two[:-8])
    numbers = ",".join(label.partition(":")[2] for label in strongest)
    assert read_finished(source.with_name("three.png")).recipe.layers == (f"mixed3a:{numbers}",)


def test_a_photo_that_excites_nothing_is_said(dream: Dream, source: Path) -> None:
    photos.write(source, np.full((64, 64, 3), 0.5, np.float32))
    code, _, err = dream("filters", "mixed4d:139", "--on", source, *QUICK)
    assert code == 2
    assert re.search("excites nothing in mixed4d", err)
