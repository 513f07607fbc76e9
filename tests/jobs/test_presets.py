"""Presets: what each must tell of itself, and where they are found."""

import hashlib
import json
from pathlib import Path

import pytest

from dreamer import recipe
from dreamer.errors import DreamerError
from dreamer.jobs import presets
from dreamer.jobs.presets import read_finished
from dreamer.networks import registry
from dreamer.recipe import Recipe, migrations

TABLE = {
    name: recipe.from_toml(path.read_text("utf-8"), name)
    for name, path in presets.find_all().items()
    if path.parent == presets.shipped_folder()
}


@pytest.fixture(autouse=True)
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's own folder, empty."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    folder = tmp_path / "dreamer" / "presets"
    monkeypatch.setattr(presets, "own_folder", lambda: folder)
    return folder


@pytest.mark.parametrize("name", TABLE)
def test_a_preset_tells_of_itself(name: str) -> None:
    path, about = presets.shipped_folder() / f"{name}.toml", TABLE[name].about
    written = recipe.parse_toml(path.read_text("utf-8"), name)
    assert written["format"] in range(2, migrations.FORMAT + 1)
    assert all([about.name, about.author, about.description, about.tags, about.license])
    assert "\n" not in about.description
    assert TABLE[name].network in registry.SPECS


def test_there_are_many_presets_and_some_need_no_weights() -> None:
    kinds = [presets.classify(each) for each in TABLE.values()]
    looks = [each for each in TABLE.values() if "compatibility" not in each.about.tags]
    assert kinds.count("film") >= 8
    pictures = [each.network for each in looks if presets.classify(each) == "picture"]
    assert len(pictures) >= 16
    assert pictures.count("dreamnet") >= 8
    assert set(pictures) >= {"dreamnet", "googlenet", "inception_v3"}


@pytest.mark.parametrize(
    "name", [name for name, each in TABLE.items() if presets.classify(each) in ("picture", "film")]
)
def test_a_thumbnail_was_drawn_by_its_preset(name: str) -> None:
    thumbnail = presets.shipped_folder() / f"{name}.webp"
    # Where this fails, `python media/presets.py` draws it again.
    assert read_finished(thumbnail).recipe == TABLE[name]


def test_thumbnails_are_small() -> None:
    sizes = [path.stat().st_size for path in presets.shipped_folder().glob("*.webp")]
    assert sum(sizes) < 1_500_000


def test_no_two_presets_are_the_same() -> None:
    assert len({each.about.name for each in TABLE.values()}) == len(TABLE)
    looks = [each.changed({"about": Recipe().about}) for each in TABLE.values()]
    assert len(set(looks)) == len(TABLE)


@pytest.mark.parametrize("name", presets.find_all())
def test_every_preset_loads_and_survives_the_way_to_text_and_back(name: str) -> None:
    loaded = presets.load(name).recipe
    assert recipe.from_toml(recipe.to_toml(loaded), name) == loaded
    assert recipe.from_fields(json.loads(json.dumps(recipe.to_fields(loaded))), name) == loaded
    about = loaded.about
    assert all([about.name, about.author, about.description, about.tags, about.license])


def test_an_unknown_preset_names_the_nearest() -> None:
    with pytest.raises(DreamerError, match="did you mean keras-example"):
        presets.load("keras-exampel")


def preset(folder: Path, files: str) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / "mine.toml"
    path.write_text(f"steps = 3\n[files]\n{files}\n", "utf-8")
    return path


def test_a_preset_brings_files_from_its_own_folder(tmp_path: Path) -> None:
    path = preset(tmp_path / "mine", 'mask = "a mask.png"\nguide = "more/feathers.jpg"')
    (path.parent / "more").mkdir()
    (path.parent / "a mask.png").write_bytes(b"white")
    (path.parent / "more" / "feathers.jpg").write_bytes(b"feathers")
    loaded = presets.load(str(path)).recipe
    assert loaded.mask == hashlib.sha256(b"white").hexdigest()
    assert loaded.guide == hashlib.sha256(b"feathers").hexdigest()
    assert presets.read(str(path)).files["mask"] == path.parent / "a mask.png"
    assert "feathers" not in recipe.to_toml(loaded)


@pytest.mark.parametrize(
    "files",
    [
        'mask = "../secret.png"',
        'mask = "/etc/passwd"',
        'mask = "link.png"',
        'mask = "missing.png"',
        'mask = "."',
        'mask = "a\\u0000b"',
        "mask = 3",
        'weights = "secret.png"',
    ],
)
def test_a_preset_names_no_file_outside_its_folder(files: str, tmp_path: Path) -> None:
    path = preset(tmp_path / "mine", files)
    (tmp_path / "secret.png").write_bytes(b"secret")
    (path.parent / "link.png").symlink_to(tmp_path / "secret.png")
    with pytest.raises(DreamerError, match=r"mine\.toml") as caught:
        presets.read(str(path))
    assert "\n" not in str(caught.value)
