"""Graphs in the user's cache: another process uses them, byte for byte; a damaged one is ignored.

Another process is played by a pipeline of its own, with a network that was loaded again.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dreamer.arrays import Image
from dreamer.ascent.ascent import Ascent
from dreamer.files import cache
from dreamer.networks import loading
from dreamer.pipelines.image import NOTHING_OWN, ImagePipeline, build_pipeline
from dreamer.recipe import Recipe

RECIPE = Recipe().changed({"layers": ["mixed3a"], "octaves": 2, "steps": 3, "jitter": 4})


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(cache.FOLDER_VARIABLE, str(tmp_path))
    return tmp_path


@pytest.fixture
def traces(monkeypatch: pytest.MonkeyPatch) -> list[Ascent]:
    """The ascents whose steps were traced, one entry each time."""
    found: list[Ascent] = []
    steps = Ascent._steps

    def traced(self: Ascent, *given: Any) -> Any:
        found.append(self)
        return steps(self, *given)

    monkeypatch.setattr(Ascent, "_steps", traced)
    return found


def dream(photo: Image, recipe: Recipe = RECIPE, **parts: Any) -> tuple[bytes, ImagePipeline]:
    pipeline = build_pipeline(recipe, loading.load_for_recipe(recipe), **parts)
    *_, last = pipeline.dream(photo, pipeline.plan(photo.shape[:2]))
    pipeline.graphs.keep()
    pipeline.network.facts.keep()
    return last.picture().tobytes(), pipeline


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_a_kept_graph_gives_the_same_bytes(
    precision: str, photo: Image, folder: Path, traces: list[Ascent]
) -> None:
    recipe = RECIPE.changed({"precision": precision})
    first, _ = dream(photo, recipe)
    assert len(traces) == 1
    assert len(list(folder.iterdir())) == 2
    second, pipeline = dream(photo, recipe)
    assert second == first
    assert len(traces) == 1
    # Neither to plan nor to dream was it loaded.
    assert "model" not in vars(pipeline.network)


def test_another_recipe_traces_another_graph(photo: Image, traces: list[Ascent]) -> None:
    dream(photo)
    dream(photo, RECIPE.changed({"rate": 0.1, "seed": 5}))
    assert len(traces) == 1
    dream(photo, RECIPE.changed({"normalization": "std"}))
    dream(photo, RECIPE.changed({"layers": ["mixed3b"]}))
    assert len(traces) == 3


@pytest.mark.parametrize("keep", [0, 1000, -1000])
def test_a_damaged_file_is_traced_anew_and_replaced(
    keep: int, photo: Image, folder: Path, traces: list[Ascent]
) -> None:
    first, _ = dream(photo)
    for file in folder.iterdir():
        file.write_bytes(file.read_bytes()[:keep])
    again, _ = dream(photo)
    assert again == first
    assert len(traces) == 2
    assert dream(photo)[0] == first
    assert len(traces) == 2


def test_a_foreign_graph_is_ignored(photo: Image, folder: Path, traces: list[Ascent]) -> None:
    first, _ = dream(photo)
    (own,) = (file for file in folder.iterdir() if file.stat().st_size > 100_000)
    content = dict(np.load(own))
    for name, foreign in (("definition", np.zeros(9, np.uint8)), ("inputs", np.array(["x:0"]))):
        with own.open("wb") as file:
            np.savez(file, **{**content, name: foreign})
        assert dream(photo)[0] == first
    assert len(traces) == 3


def test_what_is_a_callers_own_is_never_kept(
    photo: Image, folder: Path, traces: list[Ascent]
) -> None:
    own = NOTHING_OWN._replace(transform=lambda images, seed: images[:, ::-1])
    dream(photo, own=own)
    dream(photo, own=own)
    assert len(traces) == 2
    assert not [file for file in folder.iterdir() if file.stat().st_size > 100_000]
