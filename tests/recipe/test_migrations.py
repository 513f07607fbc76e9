"""Formats of recipes, old and new."""

import pytest
from helpers import TESTS

from dreamer import recipe
from dreamer.errors import DreamerError
from dreamer.recipe import migrations

FROZEN = TESTS / "formats"


@pytest.mark.parametrize("version", range(migrations.UNNAMED, migrations.FORMAT + 1))
def test_a_file_of_every_version_still_loads(version: int) -> None:
    every = recipe.from_toml((FROZEN / f"{version}.toml").read_text("utf-8"), "the frozen file")
    assert every.about.name == "Everything"
    assert every.film.palette
    if version == migrations.FORMAT:
        written = recipe.parse_toml((FROZEN / f"{version}.toml").read_text("utf-8"), "the file")
        assert recipe.to_fields(every) == recipe.to_fields(recipe.from_fields(written, "it"))
        assert not {name for name in written if name not in recipe.to_fields(every)}


@pytest.mark.parametrize("version", range(migrations.UNNAMED, migrations.FORMAT + 1))
def test_what_a_recipe_leaves_out_means_what_it_meant(version: int) -> None:
    usual = (FROZEN / f"{version}-usual.toml").read_text("utf-8")
    # Where this fails a default has changed: that is a new format, with a migration.
    assert recipe.from_toml(f"format = {version}", "it") == recipe.from_toml(usual, "the file")


def test_versions_are_migrated_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    assert set(migrations.MIGRATIONS) == set(range(migrations.UNNAMED, migrations.FORMAT))
    steps = {
        1: lambda fields: {"pace" if k == "speed" else k: v for k, v in fields.items()},
        2: lambda fields: {"pace": 1.0, **fields},
    }
    monkeypatch.setattr(migrations, "FORMAT", 3)
    monkeypatch.setattr(migrations, "MIGRATIONS", steps)
    assert migrations.migrate({"speed": 2.0}, "it") == {"format": 3, "pace": 2.0}
    assert migrations.migrate({"format": 2}, "it") == {"format": 3, "pace": 1.0}
    assert migrations.migrate({"format": 3}, "it") == {"format": 3}


@pytest.mark.parametrize("version", [migrations.FORMAT + 1, 0, -1, "two"])
def test_another_format_is_one_sentence(version: object) -> None:
    with pytest.raises(DreamerError, match=r"update it|write format") as caught:
        recipe.from_fields({"format": version, "unheard_of": 1}, "preset x.toml")
    assert "x.toml" in str(caught.value)
