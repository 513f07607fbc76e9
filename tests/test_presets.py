"""Presets: what each must tell of itself, one's own, old formats, and what a shell completes."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import pytest

from dreamer import formats, presets, recipe, words
from dreamer.errors import DreamerError
from dreamer.files import metadata
from dreamer.filmfields import Motion
from dreamer.nets import registry
from dreamer.recipe import Recipe

FROZEN = Path(__file__).parent / "formats"
TABLE = {
    name: recipe.from_toml(path.read_text("utf-8"), name)
    for name, path in presets.paths().items()
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
    assert written["format"] == formats.FORMAT
    assert all([about.name, about.author, about.description, about.tags, about.licence])
    assert "\n" not in about.description
    assert TABLE[name].network in registry.SPECS


def test_there_are_many_presets_and_some_need_no_weights() -> None:
    kinds = [presets.kind(each) for each in TABLE.values()]
    looks = [each for each in TABLE.values() if "compatibility" not in each.about.tags]
    assert kinds.count("film") >= 8
    pictures = [each.network for each in looks if presets.kind(each) == "picture"]
    assert len(pictures) >= 16
    assert pictures.count("dreamnet") >= 8
    assert set(pictures) >= {"dreamnet", "googlenet", "inception_v3"}


@pytest.mark.parametrize(
    "name", [name for name, each in TABLE.items() if presets.kind(each) in ("picture", "film")]
)
def test_a_thumbnail_was_drawn_by_its_preset(name: str) -> None:
    thumbnail = presets.shipped_folder() / f"{name}.webp"
    # Where this fails, `python media/presets.py` draws it again.
    assert metadata.read(thumbnail).recipe == TABLE[name]


def test_thumbnails_are_small() -> None:
    sizes = [path.stat().st_size for path in presets.shipped_folder().glob("*.webp")]
    assert sum(sizes) < 1_500_000


def test_no_two_presets_are_the_same() -> None:
    assert len({each.about.name for each in TABLE.values()}) == len(TABLE)
    looks = [each.changed({"about": Recipe().about}) for each in TABLE.values()]
    assert len(set(looks)) == len(TABLE)


@pytest.mark.parametrize("version", range(formats.UNNAMED, formats.FORMAT + 1))
def test_a_file_of_every_version_still_loads(version: int) -> None:
    every = recipe.from_toml((FROZEN / f"{version}.toml").read_text("utf-8"), "the frozen file")
    assert every.about.name == "Everything"
    assert every.film.palette
    if version == formats.FORMAT:
        written = recipe.parse_toml((FROZEN / f"{version}.toml").read_text("utf-8"), "the file")
        assert recipe.to_fields(every) == recipe.to_fields(recipe.from_fields(written, "it"))
        assert not {name for name in written if name not in recipe.to_fields(every)}


@pytest.mark.parametrize("version", range(formats.UNNAMED, formats.FORMAT + 1))
def test_what_a_recipe_leaves_out_means_what_it_meant(version: int) -> None:
    usual = (FROZEN / f"{version}-usual.toml").read_text("utf-8")
    # Where this fails a default has changed: that is a new format, with a migration.
    assert recipe.from_toml(f"format = {version}", "it") == recipe.from_toml(usual, "the file")


def test_versions_are_migrated_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    assert set(formats.MIGRATIONS) == set(range(formats.UNNAMED, formats.FORMAT))
    steps = {
        1: lambda fields: {"pace" if k == "speed" else k: v for k, v in fields.items()},
        2: lambda fields: {"pace": 1.0, **fields},
    }
    monkeypatch.setattr(formats, "FORMAT", 3)
    monkeypatch.setattr(formats, "MIGRATIONS", steps)
    assert formats.migrated({"speed": 2.0}, "it") == {"format": 3, "pace": 2.0}
    assert formats.migrated({"format": 2}, "it") == {"format": 3, "pace": 1.0}
    assert formats.migrated({"format": 3}, "it") == {"format": 3}


@pytest.mark.parametrize("version", [formats.FORMAT + 1, 0, -1, "two"])
def test_another_format_is_one_sentence(version: object) -> None:
    with pytest.raises(DreamerError, match=r"update it|write format") as caught:
        recipe.from_fields({"format": version, "unheard_of": 1}, "preset x.toml")
    assert "x.toml" in str(caught.value)


def test_a_preset_of_ones_own(dream: Callable[..., Any], own: Path) -> None:
    tells = ("--author", "Me", "--tags", "soft, fur", "--licence", "CC-BY-4.0")
    code, out, err = dream("presets", "new", "soft-fur", "--from", "pagodas", *tells)
    assert code == 0
    assert out.strip() == str(own / "soft-fur.toml") == str(presets.path_of("soft-fur"))
    assert not err
    made, source = presets.load("soft-fur").recipe, presets.load("pagodas").recipe
    assert made.about.model_dump() == {
        "name": "Soft fur",
        "author": "Me",
        "description": f"based on {source.about.name} by {source.about.author}",
        "tags": ("soft", "fur"),
        "licence": "CC-BY-4.0",
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
    assert presets.files(str(target)) == {"mask": target.with_name("b-mask.png")}


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
    brief, full = (
        dream("presets", "show", "ember")[1],
        dream("presets", "show", "ember", "--all")[1],
    )
    usual = dream("presets", "show")[1]
    assert "film.palette" in brief
    assert "to hold the colours to" in brief
    assert "the dreamer authors" in brief
    parts = {part: type(getattr(Recipe(), part)).model_fields for part in recipe.PARTS}
    inner = [f"{part}.{name}" for part in parts for name in parts[part]]
    fields = [*inner, *Recipe.model_fields]
    for field in set(fields) - {"about", *recipe.PARTS}:
        assert f" {field} " in full
        assert f" {field} " in usual
    assert " total_variation " not in brief
    assert " film.fps " not in brief


COMPLETED = {
    "dream image -p pu": {"puppyslug"},
    "dream image -m goog": {"googlenet"},
    "dream image --of bir": {"birds"},
    "dream video --motion ": set(get_args(Motion)),
    "dream presets show pagod": {"pagodas"},
    "dream models layers vgg": {"vgg16", "vgg19"},
}


@pytest.mark.parametrize("line", COMPLETED)
def test_a_shell_completes_without_tensorflow(line: str) -> None:
    code = (
        "import sys; sys.argv = ['dream']\nfrom dreamer.cli import main\n"
        "try: main()\nfinally: assert not {'tensorflow', 'keras'} & sys.modules.keys()"
    )
    asked = {
        "_DREAM_COMPLETE": "complete_bash",
        "COMP_WORDS": line,
        "COMP_CWORD": str(len(line.split(" ")) - 1),
    }
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **asked},
    )
    assert not done.stderr
    assert set(done.stdout.split()) == COMPLETED[line]


def test_every_word_that_is_completed_is_known() -> None:
    from dreamer.cli import complete

    offered = [name for name, _ in complete.words("")]
    assert len(offered) > 50
    table = words.read(words.PACKAGED)
    assert all(table.find(name) for name in offered)
    assert not [name for name in offered if " " in name or "," in name]
