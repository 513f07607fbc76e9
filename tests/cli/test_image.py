"""`dream` as a person meets it: pictures, notes, refusals."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dreamer.arrays import Image
from dreamer.files import photos
from dreamer.jobs.presets import read_finished

Dream = Callable[..., Any]
QUICK = ("--steps", 2, "--motif", "0.8-0.5")


@pytest.fixture
def source(tmp_path: Path, photo: Image) -> Path:
    path = tmp_path / "a photo.png"
    photos.write(path, np.kron(photo, np.ones((2, 2, 1), np.float32)))
    return path


def test_a_dream_is_written_beside_the_photo(dream: Dream, source: Path) -> None:
    before = source.read_bytes()
    code, out, err = dream("image", source, *QUICK)
    assert code == 0
    target = source.with_name("a photo-dream.png")
    assert str(target) in out
    assert "dreamnet mixed4c" in err
    assert err.count("\n") == 1
    assert source.read_bytes() == before
    assert sorted(p.name for p in source.parent.iterdir()) == ["a photo-dream.png", "a photo.png"]
    change = photos.read(target).image - photos.read(source).image
    assert 0.005 < np.abs(change).mean() < 0.2


def test_the_same_recipe_gives_the_same_bytes_and_another_seed_others(
    dream: Dream, source: Path
) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        target = source.with_name(f"{name}.png")
        assert dream("image", source, *QUICK, "--seed", seed, "-q", "-o", target) == (0, "", "")
    a, b, c = (source.with_name(f"{name}.png").read_bytes() for name in "abc")
    assert a == b != c


def test_a_finished_picture_is_a_preset(dream: Dream, source: Path) -> None:
    first, again = source.with_name("first.png"), source.with_name("again.png")
    dream("image", source, *QUICK, "--seed", 5, "-l", "mixed4b:3-30=0.5", "-o", first)
    assert dream("image", source, "-p", first, "-o", again)[0] == 0
    assert first.read_bytes() == again.read_bytes()
    made = read_finished(again)
    assert made.recipe.seed == 5
    assert made.recipe.precision != "auto"
    assert len(made.facts["network_sha256"]) == len(made.facts["photo_sha256"]) == 64
    assert {"dreamer", "tensorflow", "threads", "sizes", "dtypes"} <= made.facts.keys()
    assert str(source.parent) not in first.read_bytes().decode("latin-1")


def test_existing_pictures_are_kept(dream: Dream, source: Path) -> None:
    taken = source.with_name("a photo-dream.png")
    taken.write_bytes(b"mine")
    assert dream("image", source, *QUICK)[0] == 0
    assert source.with_name("a photo-dream-2.png").exists()
    code, _, err = dream("image", source, *QUICK, "-o", taken)
    assert code == 2
    assert "--overwrite" in err
    assert taken.read_bytes() == b"mine"
    assert dream("image", source, *QUICK, "-o", taken, "--overwrite")[0] == 0
    assert taken.read_bytes() != b"mine"


def test_one_failing_photo_does_not_stop_the_others(dream: Dream, source: Path) -> None:
    bad = source.with_name("bad.jpg")
    bad.write_text("no picture")
    folder = source.with_name("new folder")
    code, out, err = dream("image", bad, source, *QUICK, "-o", folder)
    assert code == 1
    assert "bad.jpg is not a picture" in err
    assert str(folder / "a photo-dream.png") in out
    assert len(list(folder.iterdir())) == 1


def test_a_recipe_can_be_saved_and_used(dream: Dream, source: Path) -> None:
    preset = source.with_name("mine.toml")
    one, two = source.with_name("one.png"), source.with_name("two.png")
    code, _, _ = dream(
        "image", source, *QUICK, "--set", "jitter=3", "--save-preset", preset, "-o", one
    )
    assert code == 0
    assert "jitter = 3" in preset.read_text()
    assert dream("image", source, "-p", preset, "-o", two)[0] == 0
    assert one.read_bytes() == two.read_bytes()


def test_sizes_are_said(dream: Dream, source: Path) -> None:
    target = source.with_name("small.png")
    _, _, err = dream("image", source, *QUICK, "--size", 150, "-o", target)
    assert "150×112 (reduced" in err
    assert photos.read(target).image.shape == (112, 150, 3)
    _, _, err = dream("image", source, *QUICK, "--size", 250, "-o", target, "--overwrite")
    assert "250×188 (enlarged)" in err
    again = source.with_name("again.png")
    dream("image", source, "-p", target, "-o", again)
    assert target.read_bytes() == again.read_bytes()


def test_a_picture_grows_from_noise(
    dream: Dream, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    code, _, err = dream("image", "--noise", "160x120", *QUICK)
    assert code == 0
    assert "fractal.png, 160×120" in err
    assert photos.read(tmp_path / "fractal-dream.png").image.shape == (120, 160, 3)


def test_channels_that_nothing_excites_are_said(
    dream: Dream, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    code, _, err = dream("image", "--noise", "160x120:gradient", "-l", "mixed4d:139", *QUICK)
    assert code == 0
    assert "excites nothing" in err


def test_a_picture_has_exactly_the_part_and_the_pixels_asked_for(
    dream: Dream, source: Path
) -> None:
    target, again = source.with_name("wide.png"), source.with_name("again.png")
    height, width = photos.read(source).size
    crop = f"0,0,{width},{height // 2}"
    asked = ("--size", "121x47", "--crop", crop, "--dpi", "150")
    code, _, err = dream("image", source, *QUICK, *asked, "-o", target)
    assert code == 0, err
    assert f"of its {width}×{height}" in err
    made = photos.read(target)
    assert made.size == (47, 121)
    assert made.dpi == pytest.approx(150, abs=0.02)
    assert dream("image", source, "-p", target, "-o", again)[0] == 0
    assert target.read_bytes() == again.read_bytes()
    for options, said in (
        (("--crop", "0,0,9999,9"), "--crop 0,0,9999,9 reaches beyond the picture"),
        (("--crop", "left"), "--crop cannot be left"),
        (("--aspect", "16x9"), "--aspect cannot be 16x9: write width:height, as 16:9"),
        (("--size", "19200x19200"), "19200x19200 pixels are too many: give a smaller --size"),
    ):
        code, _, err = dream("image", source, *QUICK, *options, "-o", target, "--overwrite")
        assert code == 2
        assert said in err


def test_a_print_is_dreamt_up_to_the_full_size(dream: Dream, source: Path) -> None:
    target = source.with_name("print.png")
    options = ("--size", 320, "--set", "motif_pixels=24", "--motif", "0.6-0.4", "--steps", 4)
    code, _, err = dream("image", source, *options, "-o", target)
    assert code == 0, err
    assert "behind that the dream is enlarged (--print goes on)" in err
    coarse = photos.read(target).image
    code, _, err = dream("image", source, *options, "--print", "-o", target, "--overwrite")
    assert code == 0, err
    facts = read_finished(target).facts
    assert max(facts["sizes"][-1]) == 320
    assert "enlarged" not in err.partition("steps")[2]
    # Finer than what is enlarged, and not another picture.
    fine = photos.read(target).image
    sharp = [np.abs(np.diff(each, axis=1)).mean() for each in (fine, coarse)]
    assert sharp[0] > sharp[1]
    assert np.corrcoef(fine.ravel(), coarse.ravel())[0, 1] > 0.9


def test_a_mask_and_kept_colors_reach_the_picture(dream: Dream, source: Path) -> None:
    before = photos.read(source).image
    mask, target = source.with_name("mask.png"), source.with_name("masked.png")
    white = np.zeros_like(before)
    white[:, 120:] = 1
    photos.write(mask, white)
    look = ("--mask", mask, "--strength", 20, "--set", "feather=0.01")
    assert dream("image", source, *QUICK, *look, "-o", target)[0] == 0
    after = photos.read(target).image
    np.testing.assert_allclose(after[:, :100], before[:, :100], atol=1 / 255)
    assert np.abs(after[:, 140:] - before[:, 140:]).mean() > 0.02
    again = source.with_name("again.png")
    code, _, err = dream("image", source, "-p", target, "-o", again)
    assert code == 2
    assert "--mask" in err
    assert dream("image", source, "-p", target, "--mask", mask, "-o", again)[0] == 0
    assert target.read_bytes() == again.read_bytes()


def test_a_mask_can_be_turned_around(dream: Dream, source: Path) -> None:
    before = photos.read(source).image
    mask, target = source.with_name("half.png"), source.with_name("turned.png")
    white = np.zeros_like(before)
    white[:, 120:] = 1
    photos.write(mask, white)
    look = ("--mask", mask, "--invert-mask", "--strength", 20, "--set", "feather=0")
    assert dream("image", source, *QUICK, *look, "-o", target)[0] == 0
    change = np.abs(photos.read(target).image - before)
    assert change[:, 120:].max() < 0.01 < change[:, :120].mean()


def test_any_seed_is_drawn_and_said(dream: Dream, source: Path) -> None:
    quick = ("--size", 96, "--steps", 1)
    code, _, err = dream("image", source, *quick, "--seed", "-1", "-o", source.with_name("a.png"))
    assert code == 0
    (drawn,) = re.findall(r"--seed (\d+) gives the same again", err)
    assert read_finished(source.with_name("a.png")).recipe.seed == int(drawn)


def test_a_sheet_shows_words_beside_presets(dream: Dream, source: Path) -> None:
    sheet, grid = source.with_name("sheet.png"), source.with_name("grid.png")
    small = ("--size", 96, "--steps", 1, "--columns", 1)
    code, _, err = dream("image", source, *small, "--sheet", "birds, puppyslug", "-o", sheet)
    assert code == 0, err
    assert "--of birds" in err
    assert "-p puppyslug" in err
    tall = photos.read(sheet).size
    options = ("--vary", "of=birds,fish", "--no-labels")
    assert dream("image", source, *small, *options, "-o", grid)[0] == 0
    bare = photos.read(grid).size
    assert bare[1] == tall[1]
    assert bare[0] < tall[0]
    options = ("--sheet", "birds,nope", "--overwrite")
    code, _, err = dream("image", source, *small, *options, "-o", sheet)
    assert code == 2
    assert "There is no preset or word 'nope'" in err


def test_quality_and_noise_repeat(
    dream: Dream, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(source.parent)
    for first, again, kind in (("a.jpg", "b.jpg", (source,)), ("c.png", "d.png", ())):
        start = kind or ("--noise", "96x80", "--size", 128)
        shown = (*start, *QUICK, "--quality", 60, "-o", first)
        assert dream("image", *shown)[0] == 0
        assert dream("image", *(kind or start[:2]), "-p", first, "-o", again)[0] == 0
        assert Path(first).read_bytes() == Path(again).read_bytes()


def test_a_folder_of_photos_is_dreamt_on_in_order(dream: Dream, source: Path) -> None:
    folder = source.parent / "трип"
    (folder / "twin").mkdir(parents=True)
    for name in ("10.png", "9.png", "twin/9.png"):
        (folder / name).write_bytes(source.read_bytes())
    (folder / "notes.txt").touch()
    (folder / "8.png").write_bytes(source.read_bytes()[:3000])
    code, out, err = dream("image", folder, *QUICK)
    assert code == 1
    assert "3 photos, 1 other files skipped" in err
    assert "8.png is damaged" in err.splitlines()[-1]
    assert [Path(line.split("  ")[0]).name for line in out.splitlines()] == [
        "9-dream.png",
        "10-dream.png",
    ]
    assert {path.name for path in (folder / "dreams").iterdir()} == {"9-dream.png", "10-dream.png"}
    both = (folder / "9.png", folder / "twin" / "9.png")
    assert dream("image", *both, *QUICK, "-o", folder / "out", "--overwrite")[0] == 0
    assert {path.name for path in (folder / "out").iterdir()} == {
        "трип-9-dream.png",
        "twin-9-dream.png",
    }


def test_sixteen_bits_are_written_and_repeated(dream: Dream, source: Path) -> None:
    first, again = source.with_name("deep.png"), source.with_name("again.png")
    assert dream("image", source, *QUICK, "--depth", 16, "-o", first)[0] == 0
    assert any("16 bits" in note for note in photos.read(first).notes)
    assert dream("image", source, "-p", first, "-o", again)[0] == 0
    assert first.read_bytes() == again.read_bytes()


def test_a_mask_of_other_proportions_is_refused(dream: Dream, source: Path) -> None:
    mask = source.with_name("mask.png")
    photos.write(mask, np.ones((150, 150, 3), np.float32))
    code, _, err = dream("image", source, *QUICK, "--mask", mask)
    assert code == 2
    assert "150×150" in err
    assert "crop it" in err


def test_a_folder_that_cannot_be_written_is_named_before_the_dream(
    dream: Dream, source: Path
) -> None:
    code, _, err = dream("image", source, *QUICK, "-o", "/proc/x.png")
    assert code == 2
    assert "Cannot write into /proc" in err


def test_channels_are_chosen_on_the_photo_and_kept(dream: Dream, source: Path) -> None:
    first, again = source.with_name("first.png"), source.with_name("again.png")
    code, out, _ = dream("models", "channels", "dreamnet", "mixed3a", "--on", source)
    assert code == 0
    strongest = out.splitlines()[1].split()[0]
    dream("image", source, *QUICK, "-l", "mixed3a:strongest3", "-o", first)
    (layer,) = read_finished(first).recipe.layers
    assert layer.startswith(f"mixed3a:{strongest},")
    assert dream("image", source, "-p", first, "-o", again)[0] == 0
    assert first.read_bytes() == again.read_bytes()


def test_a_sheet_shows_every_value(dream: Dream, source: Path) -> None:
    vary = ("--vary", "layers=mixed3b,mixed4b", "--vary", "steps=1,2")
    code, out, err = dream("image", source, *vary, "--size", 100, "--motif", "0.9-0.9")
    assert code == 0
    assert "a photo-sheet.png" in out
    assert "4 of 4: -l mixed4b --set steps=2" in err
    sheet = photos.read(source.with_name("a photo-sheet.png")).image
    assert sheet.shape[1] == 2 * 100 + 3 * 8
    cells = [sheet[8:60, 8:108], sheet[8:60, 116:216]]
    assert np.abs(cells[0] - cells[1]).max() > 0.01


REFUSED = {
    "missing photo": (["nowhere.jpg"], "nowhere.jpg"),
    "unknown network": (["PHOTO", "-m", "goglenet"], "did you mean googlenet"),
    "unknown layer": (["PHOTO", "-l", "mixed4z"], "did you mean mixed4"),
    "no layer": (["PHOTO", "-l", "mixed4c:"], "LAYER[:CHANNELS][=WEIGHT]"),
    "direction of all": (["PHOTO", "--set", "objective=direction"], "CHANNEL@WEIGHT"),
    "direction of none": (
        ["PHOTO", "--set", "objective=direction", "-l", "mixed4c:3@0"],
        "CHANNEL@WEIGHT",
    ),
    "no such choice": (["PHOTO", "-l", "mixed4c:loudest5"], "LAYER[:CHANNELS][=WEIGHT]"),
    "channel out of range": (["PHOTO", "-l", "mixed4c:512"], "0 to 511"),
    "unknown preset": (["PHOTO", "-p", "keras"], "did you mean keras-example"),
    "no octaves": (["PHOTO", "--octaves", "0"], "octaves"),
    "too many octaves": (["PHOTO", "--octaves", "12"], "fewer octaves"),
    "negative rate": (["PHOTO", "--rate", "-1"], "rate"),
    "rate not a number": (["PHOTO", "--rate", "nan"], "rate"),
    "misspelt key": (["PHOTO", "--set", "stepps=3"], "did you mean steps"),
    "motif the wrong way": (["PHOTO", "--motif", "0.1-0.5"], "largest motif comes first"),
    "motif no number": (["PHOTO", "--motif", "big"], "LARGEST-SMALLEST"),
    "size no number": (["PHOTO", "--size", "big"], "size"),
    "size of nothing": (["PHOTO", "--size", "0"], "size"),
    "unknown precision": (["PHOTO", "--precision", "half"], "float32"),
    "deep jpeg": (["PHOTO", "-o", "x.jpg", "--depth", "16"], "8 bits"),
    "unknown format": (["PHOTO", "-o", "x.bmp"], ".png"),
    "evil layer list": (["PHOTO", "-l", "mixed4c:" + ",".join(["0-9999"] * 1001)], "layer spec"),
    "endless octaves": (["PHOTO", "--octave-scale", "1.0000001"], "--octave-scale"),
    "vast jitter": (["PHOTO", "--jitter", "3000000000"], "jitter"),
    "tiny motif": (["PHOTO", "--motif", "0.6-1e-320"], "motif"),
    "vast size": (["PHOTO", "--size", "1000000"], "smaller --size"),
    "vast noise": (["--noise", "99999x99999"], "at most"),
    "nested setting": (["PHOTO", "--set", "about=x"], "about"),
    "wrong for all": (["PHOTO", "PHOTO", "-l", "mixed4z"], "did you mean mixed4"),
    "many into one": (["PHOTO", "PHOTO", "-o", "one.png"], "give a folder"),
    "no photo": ([], "--noise"),
    "photo and noise": (["PHOTO", "--noise", "64x64"], "--noise"),
    "noise no size": (["--noise", "big"], "1280x720"),
    "noise unknown": (["--noise", "64x64:fractl"], "did you mean fractal"),
    "noise too small": (["--noise", "8x8"], "16"),
    "missing mask": (["PHOTO", "--mask", "nowhere.png"], "nowhere.png"),
    "missing guide": (["PHOTO", "--guide", "nowhere.png"], "nowhere.png"),
    "folder to be matched": (["PHOTO", "--guide", "."], "guide_match=statistics"),
    "match without a guide": (["PHOTO", "--set", "guide_match=mean"], "--guide"),
    "guide and channels": (["PHOTO", "--guide", "PHOTO", "-l", "mixed4c:3"], "without any"),
    "palette no color": (["PHOTO", "--palette", "#12"], "palette"),
    "opacity beyond": (["PHOTO", "--opacity", "2"], "opacity"),
    "draft and finish": (["PHOTO", "--draft", "--finish", "x.png"], "not both"),
    "draft jpeg": (["PHOTO", "--draft", "-o", "x.jpg"], "is a .png"),
    "missing draft": (["PHOTO", "--finish", "nowhere.png"], "nowhere.png"),
    "watch and preset": (["PHOTO", "--watch", "x.toml", "-p", "eyes"], "--preset"),
    "watch nothing": (["PHOTO", "--watch", "nowhere.toml"], "nowhere.toml"),
    "unknown word": (["PHOTO", "--of", "brids"], "did you mean birds"),
    "weight of a word": (["PHOTO", "--of", "birds=x"], "WORD=WEIGHT"),
    "no words for a network": (["PHOTO", "--of", "birds", "-m", "inception_v3"], "dreamnet"),
    "unknown weights": (["PHOTO", "--weights", "nowhere.npz"], "nowhere.npz"),
    "filters of nothing": (["filters"], "Name a layer"),
    "filters of no layer": (["filters", "mixed4z"], "did you mean mixed4"),
    "filters beyond": (["filters", "mixed4c:512"], "0 to 511"),
    "filters of a photo": (["filters", "mixed4c:strongest5"], "give numbers"),
    "filters too small": (["filters", "mixed4c", "--size", "8"], "larger --size"),
    "filters of full size": (["filters", "mixed4c", "--set", "size=full"], "--size in pixels"),
    "filters from nowhere": (["filters", "mixed4c", "--init", "nowhere.png"], "nowhere.png"),
    "filters of a kind": (["filters", "mixed4c", "--init", "fuorier"], "--init"),
    "class of none": (["class", "magpie", "-m", "dreamnet"], "names no classes"),
    "class of two networks": (
        ["class", "magpie", "--vary", "network=googlenet,dreamnet"],
        "one network",
    ),
    "class misspelt field": (
        ["class", "magpie", "--set", "visualization.trun=3"],
        "visualization.turn",
    ),
    "filters by no pattern": (["filters", "z*"], "models layers"),
    "filters filmed as text": (["filters", "mixed4c:1", "--film", "x.txt"], ".mp4"),
    "filters film and each": (["filters", "mixed4c:1", "--film", "x.mp4", "--each"], "one ascent"),
    "filters between one": (["filters", "mixed4c:1", "--between", "5"], "name two"),
    "filters between layers": (["filters", "mixed4c:1", "mixed4d:1", "--between", "5"], "name two"),
    "filters too many": (["filters", "mixed4c:0-99", "--film", "x.mp4"], "ask for fewer"),
    "filters not diverse": (["filters", "mixed4c:1", "--diverse", "0"], "--diverse"),
    "filters contribution": (
        ["filters", "mixed4c:1", "--set", "small_contribution=0.1"],
        "set parametrization to pixels",
    ),
    "filters all border": (
        ["filters", "mixed4c:1", "--size", "64", "--set", "border=2"],
        "the 4 cells",
    ),
    "filters searched": (["filters", "mixed4c", "--set", "optimizer=lbfgs"], "optimizer"),
    "search on nothing": (["search"], "--noise"),
    "search by beauty": (["search", "PHOTO", "--by", "beauty"], "objective"),
    "search over no field": (["search", "PHOTO", "--over", "blurr"], "did you mean blur"),
    "search over no range": (["search", "PHOTO", "--over", "decay"], "decay=LOW..HIGH"),
    "search over text": (["search", "PHOTO", "--over", "blur=low..high"], "blur"),
    "search downward": (["search", "PHOTO", "--over", "rate=1..0.1"], "rate=LOW..HIGH"),
    "search beyond": (["search", "PHOTO", "--over", "strength=200..300"], "strength"),
    "search over sizes": (["search", "PHOTO", "--over", "size=100,200"], "size"),
    "search no layer": (["search", "PHOTO", "--over", "layers=mixed4z"], "did you mean mixed4"),
    "search around two": (["search", "PHOTO", "--around", "eyes", "-p", "eyes"], "--preset"),
    "pick from nothing": (["search", "PHOTO", "--pick", "r1c1"], "no search"),
    "save no cell": (["search", "PHOTO", "--save-preset", "x.toml"], "--pick"),
    "exemplars of nothing": (["exemplars", "nowhere", "mixed4c:3"], "nowhere"),
    "exemplars of a photo": (["exemplars", "PHOTO", "mixed4c:3"], "Cannot read the folder"),
    "exemplars without channels": (["exemplars", ".", "mixed4c"], "mixed4c:3"),
    "exemplars of no channel": (["exemplars", ".", "mixed4c:512"], "0 to 511"),
    "exemplars into a film": (["exemplars", ".", "mixed4c:3", "-o", "x.mp4"], ".csv"),
    "exemplars twice": (
        ["exemplars", ".", "mixed4c:3", "-o", "x.png", "-o", "y.png"],
        "one too many",
    ),
    "means into one": (["exemplars", ".", "mixed4c:3,4", "--mean", "m.png"], "give a folder"),
    "compare with nothing": (["compare", "PHOTO", "nowhere.png"], "nowhere.png"),
    "compare no layer": (["compare", "PHOTO", "PHOTO", "-l", "mixed4z"], "did you mean mixed4"),
    "compare into a film": (["compare", "PHOTO", "PHOTO", "-o", "x.mp4"], ".csv"),
    "filters on nothing": (["filters", "mixed4c", "--on", "nowhere.png"], "nowhere.png"),
    "filters on and more": (["filters", "mixed4c", "--on", "PHOTO", "--each"], "one sheet"),
    "filters on and ways": (
        ["filters", "mixed4c", "--on", "PHOTO", "--diverse", "2"],
        "leave --diverse out",
    ),
}
OTHER_COMMANDS = ("class", "compare", "exemplars", "filters", "search")
"""A row that does not begin with one of these is `dream image`'s."""


@pytest.mark.parametrize("kind", REFUSED)
def test_bad_input_gets_one_sentence_and_code_two(
    kind: str, dream: Dream, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(source.parent)
    arguments, named = REFUSED[kind]
    command = [] if arguments[:1] and arguments[0] in OTHER_COMMANDS else ["image"]
    code, out, err = dream(*command, *[source if a == "PHOTO" else a for a in arguments])
    assert code == 2
    assert not out
    assert named in err
    assert err.count("\n") == 1
    assert err.startswith("dream: ")
    assert [p.name for p in source.parent.iterdir()] == [source.name]


def test_the_lists_name_what_there_is(dream: Dream) -> None:
    assert "googlenet" in dream("models", "list")[1]
    assert "keras-example" in dream("presets", "list")[1]
    assert "0.005" in dream("presets", "show", "keras-example")[1]
    assert "mixed4e" in dream("models", "layers", "dreamnet")[1]
    assert dream("models", "fetch", "dreamnet")[0] == 2


def started(source: Path, *arguments: str) -> subprocess.Popen[str]:
    """A long dream in a process of its own, once its first preview is there."""
    command = [sys.executable, "-m", "dreamer", "image", str(source), "--octaves", "2"]
    process = subprocess.Popen(
        [*command, "--size", "240", *arguments], stderr=subprocess.PIPE, text=True
    )
    preview = source.with_name("a photo-dream.preview.png")
    until = time.monotonic() + 120
    while not preview.exists() and process.poll() is None and time.monotonic() < until:
        time.sleep(0.05)
    assert preview.exists()
    assert photos.read(preview).image.shape[1] == 240
    return process


@pytest.mark.skipif(os.name == "nt", reason="signals are sent as on POSIX")
def test_the_first_interrupt_keeps_the_dream_so_far(source: Path) -> None:
    process = started(source, "--steps", "40")
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 130
    assert "holds the dream so far" in err
    assert "Traceback" not in err
    assert sorted(p.name for p in source.parent.iterdir()) == ["a photo-dream.png", "a photo.png"]
    assert "stopped" in read_finished(source.with_name("a photo-dream.png")).facts


@pytest.mark.skipif(os.name == "nt", reason="signals are sent as on POSIX")
def test_the_second_interrupt_stops_at_once_and_leaves_nothing_half_written(source: Path) -> None:
    process = started(source, "--steps", "200")
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 130
    assert "Traceback" not in err
    assert not list(source.parent.glob("*.part"))
    assert not list(source.parent.glob("*.preview.png"))
