"""`dream search` as a person meets it."""

import os
import signal
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from dreamer.arrays import Image
from dreamer.errors import DreamerError
from dreamer.files import photos
from dreamer.files.photos import Photo
from dreamer.jobs import presets, sheets
from dreamer.jobs.sheets import Cell
from dreamer.recipe import About, Recipe, search_space

# Keras itself, saving a model, meets NumPy 2's change of `__array__`.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


class Killed(BaseException):
    """A process that is killed raises nothing that anybody catches."""


Dream = Callable[..., Any]
QUICK = ("--steps", 1, "--motif", "0.8-0.8", "--size", 96)


@pytest.fixture
def source(tmp_path: Path, photo: Image, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A photo, and a folder of the user's own presets."""
    monkeypatch.setattr(presets, "own_folder", lambda: tmp_path / "own")
    path = tmp_path / "a photo.png"
    photos.write(path, photo)
    return path


def cells_of(sheet: Path) -> list[Path]:
    return sorted(sheet.with_name(f"{sheet.stem}-cells").iterdir())


def test_a_sheet_comes_with_a_preset_for_each_cell(dream: Dream, source: Path) -> None:
    code, out, err = dream("search", source, *QUICK, "-n", 2, "-l", "mixed3a", "--over", "strength")
    sheet = source.with_name("a photo-search.png")
    assert code == 0
    assert f"{sheet}  2 cells" in out
    assert "2 of 2: " in err
    assert [path.name for path in cells_of(sheet)] == ["r1c1.toml", "r1c2.toml"]
    assert not sheet.with_name("a photo-search.png.unfinished").exists()

    code, out, _ = dream("search", source, "--pick", "r1c2=amber")
    kept = source.parent / "own" / "amber.toml"
    assert code == 0
    assert str(kept) in out
    recipe = presets.load("amber").recipe
    assert recipe.about.name == "amber"
    assert recipe.size == Recipe().size

    alone = source.with_name("alone.png")
    assert dream("image", source, "-p", "amber", "--size", 96, "-o", alone)[0] == 0
    shown = photos.read(sheet).image[8:80, 112:208]
    np.testing.assert_allclose(shown, photos.read(alone).image, atol=1.01 / 255)

    code, _, err = dream("search", source, "--pick", "r1c1=amber")
    assert code == 2
    assert "--overwrite" in err
    brackets = source.rename(source.with_name("IMG [1].png"))
    sheet.rename(source.with_name("IMG [1]-search.png"))
    sheet.with_name("a photo-search-cells").rename(source.with_name("IMG [1]-search-cells"))
    assert dream("search", brackets, "--pick", "r1c1")[0] == 0
    assert (source.parent / "own" / "IMG-1-search-r1c1.toml").is_file()
    assert dream("search", brackets, "--pick", "r1c1=soft.png")[0] == 2
    brackets.rename(source)
    source.with_name("IMG [1]-search.png").rename(sheet)
    source.with_name("IMG [1]-search-cells").rename(sheet.with_name("a photo-search-cells"))

    mine = source.with_name("mine.toml")
    picked = ("--pick", "r1c1", "--save-preset", mine, "-o", sheet)
    assert dream("search", source, *picked)[0] == 0
    assert mine.is_file()

    code, _, err = dream("search", source, "--around", "amber", "--size", 96, "-n", 1)
    assert code == 0
    assert "1 of 1: as it is" in err
    again = source.with_name("a photo-search-2.png")
    np.testing.assert_allclose(photos.read(again).image[8:80, 8:104], shown, atol=1.01 / 255)


@pytest.fixture
def stub(monkeypatch: pytest.MonkeyPatch) -> list[Recipe]:
    """Instead of dreams, gray pictures as bright as a recipe is strong; the recipes so far."""
    seen: list[Recipe] = []

    def dream(dreaming: Any, read: Photo, recipe: Recipe, *others: Any) -> Cell | None:
        seen.append(recipe)
        if recipe.octaves == 12:
            raise DreamerError("The smallest octave is too small.")
        picture = np.full((72, 96, 3), (recipe.strength or 0) / 100, np.float32)
        pipeline = SimpleNamespace(score=lambda image, plan: float(image.mean()))
        state = SimpleNamespace(picture=lambda: picture)
        return None if dreaming.stop.asked else Cell(read, pipeline, None, state)  # type: ignore[arg-type]

    monkeypatch.setattr(sheets, "_dream", dream)
    return seen


def test_the_sheet_is_sorted_and_what_cannot_be_dreamt_is_left_out(
    dream: Dream, source: Path, stub: list[Recipe], monkeypatch: pytest.MonkeyPatch
) -> None:
    sheet = source.with_name("sheet.png")
    over = ("--over", "strength", "--over", "octaves=1,2,12", "--by", "objective")
    code, _, err = dream("search", source, "-n", 9, *over, "-o", sheet)
    assert code == 0
    assert "Left out: The smallest octave" in err
    shown = [presets.load(str(path)).recipe for path in cells_of(sheet)]
    assert {recipe.octaves for recipe in shown} == {1, 2}
    strengths = [recipe.strength or 0 for recipe in shown]
    assert strengths == sorted(strengths, reverse=True)
    assert photos.read(sheet).image[8, 8, 0] == pytest.approx(strengths[0] / 100, abs=0.01)
    by_nature = ("search", source, "-n", 3, "--over", "strength", "--by", "naturalness")
    monkeypatch.setattr(
        "dreamer.analysis.naturalness.Naturalness.distance", lambda _, image: image[0, 0, 0]
    )
    assert dream(*by_nature, "-o", sheet, "--overwrite")[0] == 0
    strengths = [presets.load(str(path)).recipe.strength or 0 for path in cells_of(sheet)]
    assert strengths == sorted(strengths)


@pytest.mark.skipif(os.name == "nt", reason="signals are sent as on POSIX")
def test_a_search_that_was_stopped_goes_on(
    dream: Dream, source: Path, stub: list[Recipe], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, sheet = source.with_name("whole.png"), source.with_name("stopped.png")
    asked = ("search", source, "--over", "strength", "--over", "blur", "-n", 5)
    assert dream(*asked, "-o", whole)[0] == 0
    usual = sheets._dream

    def stopping(*arguments: Any) -> Cell | None:
        if len(stub) == 5 + 1:
            stub.append(Recipe())
            raise Killed
        if len(stub) == 5 + 4:
            os.kill(os.getpid(), signal.SIGINT)
        return usual(*arguments)

    monkeypatch.setattr(sheets, "_dream", stopping)
    with pytest.raises(Killed):
        dream(*asked, "-o", sheet)
    assert not sheet.exists()
    code, _, err = dream(*asked, "-o", sheet)
    assert code == 130
    assert "1 of 5 are done already" in err
    assert len(cells_of(sheet.with_name("stopped.partial.png"))) == 3
    code, _, err = dream(*asked, "-o", sheet, "--over", "steps")
    assert code == 2
    assert "--fresh" in err
    assert dream(*asked, "-o", sheet)[0] == 0
    assert not list(source.parent.glob("*.partial*"))
    assert len(stub) == 5 + 1 + 1 + 3 + 2
    assert sheet.read_bytes() == whole.read_bytes()
    assert [p.read_bytes() for p in cells_of(sheet)] == [p.read_bytes() for p in cells_of(whole)]


def test_what_a_preset_sets_stays_and_around_it_all_but_that_is_near(
    dream: Dream, source: Path, stub: list[Recipe]
) -> None:
    mine = source.with_name("mine.toml")
    mine.write_text('layers = ["mixed4b"]\noctaves = 2\nstrength = 20\n[about]\nname = "Mine"\n')
    preset = presets.load(str(mine)).recipe
    assert dream("search", source, "-p", mine, "-n", 3, "--rate", "0.01")[0] == 0
    assert {(r.layers, r.octaves, r.strength, r.rate) for r in stub} == {
        (("mixed4b",), 2, 20, 0.01)
    }
    assert {recipe.patience for recipe in stub} == {search_space.PATIENCE}
    assert len({recipe.blur for recipe in stub}) == 3
    stub.clear()
    assert dream("search", source, "--around", mine, "-n", 4)[0] == 0
    first = {"about": About().model_dump(), "size": 400}
    assert stub[0] == preset.changed(first)
    assert {recipe.octaves for recipe in stub} == {2}
    assert len({recipe.strength for recipe in stub}) > 2
    made = [
        presets.load(str(path)).recipe
        for path in cells_of(source.with_name("a photo-search-2.png"))
    ]
    assert preset.changed({"about": About().model_dump()}) in made


def test_other_sheets_leave_out_what_cannot_be_dreamt(
    dream: Dream, source: Path, stub: list[Recipe]
) -> None:
    sheet = source.with_name("sheet.png")
    vary = ("--vary", "octaves=12,2", "--strength", 50)
    code, _, err = dream("image", source, *vary, "-o", sheet)
    assert code == 0
    assert "Left out: The smallest octave" in err
    # What both have in common stands above them.
    left, right = photos.read(sheet).image[36, [9, 120]]
    np.testing.assert_allclose([left, right], [[0] * 3, [0.5] * 3], atol=0.01)
    code, _, err = dream("image", source, "--vary", "octaves=12,12")
    assert code == 2
    assert "The smallest octave" in err


def test_channels_and_classes_are_searched_over(
    dream: Dream, tiny: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(presets, "own_folder", lambda: tmp_path / "own")
    tiny.model.save("tiny.keras")
    quick = ("-m", "tiny.keras", "--set", "steps=3", "--size", 32)
    over = ("--over", "rate=0.01..0.5", "--over", "turn=1,9")
    asked = ("search", "--grow", "mixed:3", *quick, "-n", 3, *over)
    code, out, err = dream(*asked)
    assert (code, out) == (0, "mixed-3-search.png  3 cells\n"), err
    best, *others = [
        presets.load(str(path)).recipe for path in cells_of(Path("mixed-3-search.png"))
    ]
    assert len({best.rate, *(each.rate for each in others)}) == 3
    assert best.visualization.turn in (1, 9)
    assert best.layers == ("mixed:3",)
    assert dream(*asked, "-o", "again.png")[0] == 0
    assert Path("again.png").read_bytes() == Path("mixed-3-search.png").read_bytes()
    assert dream("search", "--grow", "mixed:3", "--pick", "r1c1=amber")[0] == 0
    kept = presets.load("amber").recipe
    assert kept.rate == best.rate
    assert dream("search", "--grow", "mixed:3", *quick, "--around", "amber", "-n", 2)[0] == 0
    for wrong, said in (
        (("mixed:0-1",), "takes one channel or class"),
        (("mixed:3", "--over", "strenth"), "strenth"),
        (("mixed:3", "--of", "birds"), "from nothing"),
    ):
        code, _, err = dream("search", "--grow", *wrong, *quick)
        assert (code, said in err) == (2, True), err
