"""`dream presets`: one's own, and what each differs in."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy

from dreamer.analysis import music
from dreamer.files import photos
from dreamer.jobs import presets
from dreamer.recipe.names import name_path, traits


@pytest.fixture(autouse=True)
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's own folder, empty."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    folder = tmp_path / "dreamer" / "presets"
    monkeypatch.setattr(presets, "own_folder", lambda: folder)
    return folder


def test_a_preset_of_ones_own(dream: Callable[..., Any], own: Path) -> None:
    tells = ("--author", "Me", "--tags", "soft, fur", "--license", "CC-BY-4.0")
    code, out, err = dream("presets", "new", "soft-fur", "--from", "pagodas", *tells)
    assert code == 0
    assert out.strip() == str(own / "soft-fur.toml") == str(presets.find_path("soft-fur"))
    assert not err
    made, source = presets.load("soft-fur").recipe, presets.load("pagodas").recipe
    assert made.about.model_dump() == {
        "name": "Soft fur",
        "author": "Me",
        "description": f"based on {source.about.name} by {source.about.author}",
        "tags": ("soft", "fur"),
        "license": "CC-BY-4.0",
    }
    assert made.changed({"about": source.about}) == source
    assert "soft-fur" in dream("presets", "list")[1]
    own.joinpath("slip.toml").write_text("strenght = 3")
    code, out, _ = dream("presets", "list")
    assert code == 0
    assert "soft-fur" in out
    assert "strenght" in out
    assert dream("presets", "path")[1].strip() == str(own)
    assert dream("presets", "new", "soft-fur", "--from", "eyes")[0] == 2
    assert presets.load("soft-fur").recipe == made


def test_the_british_spelling_of_a_license_is_still_read(
    dream: Callable[..., Any], own: Path
) -> None:
    tells = ("--licence", "CC0-1.0", "--author", "Me", "--tags", "soft")
    assert dream("presets", "new", "soft", "--from", "eyes", *tells)[0] == 0
    assert presets.load("soft").recipe.about.license == "CC0-1.0"


def test_ones_own_hides_a_shipped_one(dream: Callable[..., Any], own: Path) -> None:
    dream("presets", "new", "pagodas", "--from", "eyes")
    assert presets.load("pagodas").recipe.layers == presets.load("eyes").recipe.layers


def test_a_preset_takes_its_files_along(dream: Callable[..., Any], tmp_path: Path) -> None:
    folder = tmp_path / "friend"
    folder.mkdir()
    (folder / "half.png").write_bytes(b"white")
    (folder / "a.toml").write_text('steps = 3\n[files]\nmask = "half.png"\n', "utf-8")
    target = tmp_path / "mine" / "b.toml"
    code, _, err = dream("presets", "new", "b", "--from", folder / "a.toml", "-o", target)
    assert code == 0
    assert "no author" in err
    assert presets.load(str(target)).recipe.mask == presets.load(str(folder / "a.toml")).recipe.mask
    assert presets.read(str(target)).files == {"mask": target.with_name("b-mask.png")}


REFUSED: dict[str, tuple[list[str], str]] = {
    "a path for a name": (["new", "../x", "--from", "eyes"], "letters"),
    "an empty name": (["new", "", "--from", "eyes"], "letters"),
    "no such source": (["new", "x", "--from", "pagoda"], "did you mean pagodas"),
    "no such path": (["path", "pagoda"], "did you mean pagodas"),
    "a file in the way": (["new", "x", "--from", "eyes", "-o", __file__ + "/x"], "Cannot"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_is_refused(case: str, dream: Callable[..., Any], own: Path) -> None:
    arguments, named = REFUSED[case]
    code, _, err = dream("presets", *arguments)
    assert code == 2
    assert named in err
    assert not list(own.rglob("*.toml"))


def test_show_explains_what_differs_and_all_on_demand(
    dream: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    short = dream("presets", "show", "ember")[1]
    full = dream("presets", "show", "ember", "--all")[1]
    usual = dream("presets", "show")[1]
    assert "film.palette" in short
    assert "colors to hold the film to" in short
    assert "the dreamer authors" in short
    places = {name_path(field) for field in traits() if not field.startswith("about.")}
    assert {"regularizers.total_variation.amount", "film.fps", "format"} <= places
    for place in places:
        assert f" {place} " in full
        assert f" {place} " in usual
    assert " regularizers.total_variation.amount " not in short
    assert " film.fps " not in short


def test_a_preset_for_music_is_checked_with_and_without(
    dream: Callable[..., Any], tmp_path: Path
) -> None:
    code, _, err = dream("presets", "check", "pulse")
    assert code == 0
    assert "reads beat, which --music gives" in err
    if not music.has_librosa():
        return
    rate = 22_050
    since = np.arange(3 * rate) / rate % 0.5
    wave = (np.sin(2 * np.pi * 220 * since) * np.exp(-30 * since) * 32_000).astype(np.int16)
    scipy.io.wavfile.write(tmp_path / "song.wav", rate, wave)
    sheet = tmp_path / "curves.png"
    checked = dream("presets", "check", "pulse", "--music", tmp_path / "song.wav", "-o", sheet)
    assert checked[0] == 0
    assert "which --music gives" not in checked[2]
    # Loudness, and two schedules.
    assert photos.read(sheet).image.shape[0] > 3 * 160
