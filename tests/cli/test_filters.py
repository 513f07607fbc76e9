"""`dream filters`: sheets, single pictures, and runs that go on."""

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from dreamer.files import cell_store, photos
from dreamer.imaging import contact_sheet
from dreamer.jobs.presets import read_finished
from dreamer.networks import runtime
from dreamer.pipelines import visualization
from dreamer.pipelines.layer_growth import LayerGrowth

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

Dream = Callable[..., Any]


@pytest.mark.parametrize(("channels", "abreast"), [("mixed:0", False), ("mixed:0-3", True)])
def test_many_pictures_have_a_processor_each(
    dream: Dream,
    quick: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    channels: str,
    *,
    abreast: bool,
) -> None:
    asked = []

    def start(threads: int, *, abreast: bool, arithmetic: int) -> int:
        asked.append((threads, abreast))
        return threads

    monkeypatch.setattr(runtime, "start", start)
    assert dream("filters", channels, *quick, "--threads", 2, "-o", tmp_path / "a.png")[0] == 0
    assert asked == [(2, abreast)]


def test_what_nothing_excites_is_said(dream: Dream, tmp_path: Path) -> None:
    image = keras.Input((None, None, 3))
    maps = keras.layers.Conv2D(3, 3, activation="relu", name="maps")(image)
    model = keras.Model(image, maps)
    kernel = np.zeros((3, 3, 3, 3), np.float32)
    kernel[1, 1, 1, 1] = 1
    model.get_layer("maps").set_weights([kernel, np.array([-1.0, 0, -1])])
    model.save(path := tmp_path / "dead.keras")
    options = ("-m", path, "--size", 32, "--steps", 2, "--leaky", 0, "-o", tmp_path / "x.png")
    code, _, err = dream("filters", "maps", *options)
    assert code == 0
    assert "excites maps:0, maps:2, so there is no gradient" in err
    assert "--leaky" in err


@pytest.fixture(scope="module")
def quick(tiny: Any, tmp_path_factory: pytest.TempPathFactory) -> tuple[object, ...]:
    """Options for a network that is traced in no time, and for small pictures."""
    path = tmp_path_factory.mktemp("network") / "tiny.keras"
    tiny.model.save(path)
    return ("-m", path, "--size", 32, "--steps", 2)


def test_a_sheet_is_written_and_repeated(dream: Dream, quick: Any, tmp_path: Path) -> None:
    first, again = tmp_path / "first.png", tmp_path / "again.png"
    code, out, err = dream("filters", "mixed:0-4", *quick, "-o", first)
    assert (code, out) == (0, f"{first}\n")
    assert "5 pictures, 32×32, 2 steps" in err
    assert read_finished(first).recipe.layers == ("mixed:0-4",)
    assert photos.read(first).image.shape[1] == 3 * 32 + 4 * 8
    assert dream("filters", "-p", first, *quick[:2], "-o", again, "-q") == (0, "", "")
    assert first.read_bytes() == again.read_bytes()


def test_single_pictures_carry_their_own_recipe(dream: Dream, quick: Any, tmp_path: Path) -> None:
    early = ("--set", "max_objective=-1000", "--keep", "best")
    code, _, err = dream("filters", "mixed:1,6", *quick, *early, "--each", "-o", tmp_path)
    assert code == 0
    assert "2 of 2 stopped by themselves; the best picture is kept, of step 0 to 0" in err
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["mixed-1.png", "mixed-6.png"]
    assert read_finished(tmp_path / names[1]).recipe.layers == ("mixed:6",)
    assert photos.read(tmp_path / names[0]).image.shape == (32, 32, 3)


def read_table(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(path.read_text("utf-8").splitlines()))


def test_scores_are_a_table_of_what_was_there_too(
    dream: Dream, quick: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    asked = ("filters", "mixed:1,6", *quick)
    assert dream(*asked, "--vary", "rate=0.05,0.1", "-o", "alone.csv")[0] == 0
    assert dream(*asked, "--vary", "rate=0.05,0.1", "-o", "sheet.png", "-o", "both.csv")[0] == 0
    alone, both = (read_table(Path(f"{name}.csv")) for name in ("alone", "both"))
    assert [row["score"] for row in alone] == [row["score"] for row in both]
    assert [row["option"] for row in alone] == ["--set rate=0.05"] * 2 + ["--set rate=0.1"] * 2
    assert all(float(row["score"]) > float(row["first_score"]) for row in both)
    assert dream(*asked, "--each", "-o", "one", "-o", "one.csv")[0] == 0
    facts = read_finished(Path("one/mixed-1.png")).facts
    assert f"{facts['score']:.6g}" == read_table(Path("one.csv"))[0]["score"]


def test_several_layers_are_raised_together(dream: Dream, quick: Any, tmp_path: Path) -> None:
    path, again = tmp_path / "a/mixed-1=2+relu-3=-1.png", tmp_path / "b"
    asked = ("filters", "mixed:1=2", "relu:3=-1", "--together", *quick, "--each", "-o")
    assert dream(*asked, path.parent)[0] == 0
    assert photos.read(path).image.shape == (32, 32, 3)
    assert read_finished(path).recipe.layers == ("mixed:1=2", "relu:3=-1")
    assert dream("filters", "-p", path, *quick[:2], "--each", "-o", again)[0] == 0
    assert path.read_bytes() == (again / path.name).read_bytes()


def test_a_photo_is_seen_place_by_place_and_exaggerated(
    dream: Dream, quick: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    half = np.zeros((60, 90, 3), np.float32)
    half[:, 45:] = np.random.default_rng(0).random((60, 45, 3), np.float32)
    photos.write(Path("half.png"), half)
    asked = ("filters", "mixed", *quick, "--grid", "half.png", "--cells", 3)
    code, out, err = dream(*asked)
    assert (code, out) == (0, "half-grid.png\n"), err
    grid = photos.read(Path("half-grid.png")).image
    assert grid.shape == (2 * 32, 3 * 32, 3)
    assert grid[:, :32].mean() < 0.7 * grid[:, 64:].mean()
    assert dream(*asked, "-o", "again.png")[0] == 0
    assert Path("again.png").read_bytes() == Path("half-grid.png").read_bytes()
    code, out, _ = dream("filters", "mixed", *quick, "--caricature", "half.png", "-o", "c.csv")
    assert (code, out) == (0, "c.csv\n")
    assert dream("filters", "mixed", *quick, "--caricature", "half.png")[0] == 0
    assert photos.read(Path("half-caricature.png")).image.shape == (21, 32, 3)
    assert float(read_table(Path("c.csv"))[0]["score"]) > 0
    for wrong, said in (
        (("mixed:1",), "shows a whole layer"),
        (("mixed", "relu"), "shows a whole layer"),
        (("mixed", "--each"), "shows one picture"),
    ):
        code, _, err = dream("filters", *wrong, *quick, "--grid", "half.png")
        assert (code, said in err) == (2, True), err


def test_a_stopped_sheet_goes_on(
    dream: Dream, quick: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped in the second batch, it is the sheet that was never stopped."""
    monkeypatch.setattr(visualization, "BATCH", 2)
    monkeypatch.chdir(tmp_path)
    asked = ("filters", "mixed", "--first", 4, *quick)
    assert dream(*asked, "-o", "whole.png")[0] == 0
    grow, batches = LayerGrowth.finish, []

    def failing(self: LayerGrowth, batch: Any, *rest: Any) -> Any:
        batches.append(batch)
        if len(batches) == 2:
            raise KeyboardInterrupt
        return grow(self, batch, *rest)

    monkeypatch.setattr(LayerGrowth, "finish", failing)
    assert dream(*asked)[0] != 0
    sheet = Path("filters-mixed.png")
    assert not sheet.exists()
    assert len(list(cell_store.folder(sheet).glob("*.npz"))) == 2
    code, _, err = dream(*asked, "--seed", 3)
    assert (code, "--fresh" in err) == (2, True)
    assert dream(*asked)[0] == 0
    assert len(batches) == 3
    assert sheet.read_bytes() == Path("whole.png").read_bytes()
    assert not cell_store.folder(sheet).exists()
    assert "is there already" in dream(*asked)[2]
    assert len(batches) == 3


def test_a_sheet_that_is_too_large_is_split(
    dream: Dream, quick: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(contact_sheet, "MOST_PIXELS", 5000)
    code, out, err = dream("filters", "mixed:0-5", *quick, "--columns", 2, "-o", tmp_path / "a.png")
    assert code == 0
    assert "too large" in err
    assert out.split() == [str(tmp_path / f"a-{number}.png") for number in (1, 2, 3)]


def test_values_are_varied_row_by_row_and_the_ascent_is_filmed(
    dream: Dream, quick: Any, tmp_path: Path
) -> None:
    sheet, film = tmp_path / "a.png", tmp_path / "a.mp4"
    vary = ("--vary", "feature.parametrization=fourier,pixels")
    assert dream("filters", "mixed:0-2", *quick, *vary, "-o", sheet)[0] == 0
    height, width = photos.read(sheet).image.shape[:2]
    assert width == 3 * 32 + 4 * 8
    assert height > 2 * 32
    assert dream("filters", "mixed:0", *quick, "--film", film)[0] == 0
    assert read_finished(film).recipe.layers == ("mixed:0",)
    row = tmp_path / "row.png"
    assert dream("filters", "mixed:0,3", *quick, "--between", 3, "-o", row)[0] == 0
    assert photos.read(row).image.shape[1] == width
