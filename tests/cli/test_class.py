"""`dream class`: pictures that a classifier takes for its classes."""

import csv
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import pytest
from keras import layers

from dreamer.files import photos
from dreamer.jobs.presets import read_finished
from dreamer.pipelines import visualization

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


SIDE = 48
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


QUICK = ("--steps", 12, "--size", SIDE, "--set", "input_range=[-1,1]", "--labels", "names.txt")


@pytest.mark.parametrize("kind", ["free", "fixed"])
def test_a_class_rises_on_a_classifier_of_one_s_own(
    kind: str, dream: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    own = saved(tmp_path, kind)
    code, out, err = dream("class", "magpie", "-m", own, *QUICK)
    assert code == 0, err
    assert "ends in a softmax: the scores before it" in err
    path, said = out.splitlines()
    before, after = map(float, re.findall(r"magpie: (\S+) → (\S+) before", said)[0])
    assert after > before + 0.5
    assert "seen as magpie" in said
    assert photos.read(Path(path)).image.shape == (SIDE, SIDE, 3)
    (layer,) = read_finished(Path(path)).recipe.layers
    assert layer == "scores:1"
    facts = read_finished(Path(path)).facts
    assert facts["score"] == pytest.approx(after, rel=1e-2)
    assert 0.25 < facts["probability"] <= 1
    assert f"p = {facts['probability']:.2f}; seen as magpie" in said
    again = ("class", "-p", path, "-m", own, "--labels", "names.txt", "-o", "again.png")
    assert dream(*again)[0] == 0
    assert Path("again.png").read_bytes() == Path(path).read_bytes()


def test_several_classes_are_a_sheet_single_files_or_a_grid(
    dream: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    asked = ("class", "sky", "3", "n01582220", "skies", "-m", saved(tmp_path, "free"), *QUICK)
    code, out, _ = dream(*asked)
    assert code == 0
    path, *said = out.splitlines()
    assert [line.partition(":")[0] for line in said] == ["sky", "crane", "magpie"]
    assert photos.read(Path(path)).image.shape[1] == 3 * SIDE + 4 * 8
    assert dream(*asked, "--each", "-o", "out")[0] == 0
    assert {p.name for p in Path("out").iterdir()} == {"sky.png", "crane.png", "magpie.png"}
    assert dream(*asked, "--each", "-o", "out", "--overwrite")[0] == 0
    assert len(list(Path("out").iterdir())) == 3
    code, out, _ = dream(*asked, "--diverse", 2, "-o", "ways.png")
    assert [line.partition(":")[0] for line in out.splitlines()[1:3]] == ["sky 1/2", "sky 2/2"]
    assert photos.read(Path("ways.png")).image.shape[1] == 2 * SIDE + 3 * 8
    code, out, _ = dream(*asked, "--vary", "rate=0.05,0.1", "-o", "grid.png")
    assert code == 0
    assert photos.read(Path("grid.png")).image.shape[1] == 3 * SIDE + 4 * 8
    assert [line.split()[1] for line in out.splitlines()[1:]] == ["rate=0.05"] * 3 + [
        "rate=0.1"
    ] * 3


def test_scores_are_tables_of_pictures_and_of_steps(
    dream: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    quick = ("--steps", 3, *QUICK[2:])
    asked = ("class", "sky", "magpie", "-m", saved(tmp_path, "free"), *quick)
    code, out, _ = dream(*asked, "-o", "scores.json", "--log", "steps.csv")
    assert code == 0
    assert {*out.splitlines()[-2:]} == {"scores.json", "steps.csv"}
    assert not [*tmp_path.glob("*.png")]
    rows = json.loads(Path("scores.json").read_text())
    assert [row["picture"] for row in rows] == ["sky", "magpie"]
    for row in rows:
        assert row["score"] > row["first_score"]
        assert row["steps"] == 3
        assert 0 < row["probability"] <= row["seen_as_probability"] <= 1
        assert (row["rank"] == 1) == (row["seen_as"] == row["picture"])
    steps = list(csv.DictReader(Path("steps.csv").read_text("utf-8").splitlines()))
    assert [(each["picture"], each["step"]) for each in steps] == [
        (name, str(step)) for step in (1, 2, 3) for name in ("sky", "magpie")
    ]
    code, out, _ = dream(*asked, "-o", "sheet.png", "-o", "again.json")
    assert Path("again.json").read_bytes() == Path("scores.json").read_bytes()
    scores = read_finished(Path("sheet.png")).facts["scores"]
    assert next(iter(scores.values()))["score"] == rows[0]["score"]
    for wrong, said in (
        (("-o", "a.csv", "-o", "b.csv"), "one for a table: b.csv is one too many"),
        (("--log", "steps.txt"), "end --log in one of .csv .json"),
        (("-o", "scores.json"), "scores.json exists: give --overwrite"),
    ):
        code, _, err = dream(*asked, *wrong)
        assert (code, said in err) == (2, True), err


def test_what_does_not_matter_to_a_class_is_transparent(
    dream: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    asked = ("class", "magpie", "-m", saved(tmp_path, "free"), *QUICK, "--alpha")
    assert dream(*asked, "-o", "one.png")[0] == 0
    alpha = photos.read(Path("one.png")).alpha
    assert alpha is not None
    assert alpha.max() == 1
    assert alpha.min() < 0.9
    assert dream(*asked[:2], "sky", *asked[2:], "-o", "sheet.png")[0] == 0
    assert photos.read(Path("sheet.png")).alpha is None


def test_classes_are_listed(dream: Callable[..., Any], tmp_path: Path) -> None:
    own, names = saved(tmp_path, "fixed"), tmp_path / "names.txt"
    code, out, _ = dream("models", "classes", own, "--labels", names)
    assert code == 0
    assert [line.split()[0] for line in out.splitlines()[1:]] == ["0", "1", "2", "3"]
    assert "n01582220" in out.splitlines()[2]
    assert "meadow, grass" in out


def test_the_ascent_is_a_film_of_one_picture_or_of_a_sheet(
    dream: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    own = saved(tmp_path, "free")
    for names, side in ((["sky"], SIDE), (["sky", "crane"], 2 * SIDE + 3 * 8)):
        code, _, err = dream("class", *names, "-m", own, *QUICK, "--film", "f", "--overwrite")
        assert code == 0, err
        frames = sorted(Path("f").iterdir())
        assert len(frames) == 12
        assert photos.read(frames[-1]).image.shape[1] == side
    code, _, err = dream("class", "sky", "-m", own, *QUICK, "--film", "f.mp4", "--vary", "rate=1,2")
    assert code == 2
    assert "--film" in err
    monkeypatch.setattr(visualization, "BATCH", 1)
    code, _, err = dream("class", "sky", "crane", "-m", own, *QUICK, "--film", "f.mp4")
    assert code == 2
    assert "smaller --size" in err


@pytest.mark.parametrize(
    ("asked", "named"),
    [
        (["magpei"], "did you mean magpie"),
        (["7"], "0 to 3"),
        ([], "Name a class"),
        (["sky", "--labels", "few.txt"], "few.txt has 2 labels"),
        (["sky", "--labels", "nowhere.txt"], "nowhere.txt"),
        (["sky", "3", "--each", "-o", "a.png"], "give a folder"),
    ],
)
def test_what_a_classifier_cannot_do_is_one_sentence(
    asked: list[str],
    named: str,
    dream: Callable[..., Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    own = saved(tmp_path, "free")
    Path("few.txt").write_text("sky\nmeadow")
    code, out, err = dream("class", "-m", own, *QUICK, *asked)
    assert (code, out) == (2, "")
    assert named in err
    # Options that are given twice are said, too.
    (sentence,) = (line for line in err.splitlines() if " is given 2 times" not in line)
    assert sentence.startswith("dream: ")
    assert not list(tmp_path.glob("*.png"))
