"""Recipes and presets: text in, validated data out, and back."""

import hashlib
import json
import math
from collections.abc import Collection
from pathlib import Path
from typing import Any, get_args

import pytest

from dreamer import layers, presets, recipe, riding
from dreamer.ascent import inits, objectives, octaves, parametrisations, updates
from dreamer.errors import DreamerError
from dreamer.feature import Feature
from dreamer.filmfields import Film
from dreamer.layers import Choice, LayerSpec
from dreamer.motion import paths, warp
from dreamer.recipe import Recipe


@pytest.mark.parametrize(
    ("text", "layer"),
    [
        ("mixed4c", LayerSpec("mixed4c", None, 1.0)),
        ("mixed4d:139", LayerSpec("mixed4d", (139,), 1.0)),
        ("mixed4c:1,5-9=0.5", LayerSpec("mixed4c", (1, 5, 6, 7, 8, 9), 0.5)),
        ("mixed3b=-0.2", LayerSpec("mixed3b", None, -0.2)),
        ("mixed3b:2,2,1", LayerSpec("mixed3b", (2, 1), 1.0)),
        ("mixed3b:7@0.5,1-2@-2=3", LayerSpec("mixed3b", (7, 1, 2), 3.0, (0.5, -2.0, -2.0))),
        ("mixed3b:7@.25,1", LayerSpec("mixed3b", (7, 1), 1.0, (0.25, 1.0))),
        ("mixed3b:7@1,1", LayerSpec("mixed3b", (7, 1), 1.0)),
        ("a:weakest12=2", LayerSpec("a", None, 2.0, choice=Choice("weakest", 12))),
    ],
)
def test_a_layer_spec_is_read(text: str, layer: LayerSpec) -> None:
    assert layers.parse_layer(text) == layer


def test_a_long_list_of_channels_is_shown_in_brief() -> None:
    assert layers.brief("mixed4d:1,2@0.5,3-6=-2") == "mixed4d:1,2@0.5,3-6=-2"
    assert layers.brief("mixed4d:1,2@0.5,3-6,7,8,9@-1=-2") == "mixed4d:1,2@0.5,3-6,…=-2"
    fades = "0:mixed4d:1,2,3,4,5,6, 120:mixed4d:7,8,9,10,11=0.5"
    assert layers.brief(fades) == "0:mixed4d:1,2,3,…, 120:mixed4d:7,8,9,…=0.5"


@pytest.mark.parametrize(
    "text",
    [
        *("", ":3", "mixed4c:", "mixed4c:x", "mixed4c=", "mixed4c=nan", "mixed4c=x"),
        *("a:9-5", "a:1-2-3", "a:1@", "a:1@nan", "a:1@9999999", "a@0.5"),
        *("a:strongest", "a:strongest0", "a:strongest3,4", "a:strongest99999", "a:loudest3"),
    ],
)
def test_what_is_no_layer_spec_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"LAYER|backwards|finite"):
        layers.parse_layer(text)


def test_a_layer_spec_is_given_channels() -> None:
    assert layers.with_channels("mixed4d:strongest2=-0.5", [7, 300]) == "mixed4d:7,300=-0.5"
    assert layers.with_channels("mixed4d", [7]) == "mixed4d:7"


@pytest.mark.parametrize("name", presets.paths())
def test_every_preset_loads_and_survives_the_way_to_text_and_back(name: str) -> None:
    loaded = presets.load(name).recipe
    assert recipe.from_toml(recipe.to_toml(loaded), name) == loaded
    assert recipe.from_fields(json.loads(json.dumps(recipe.to_fields(loaded))), name) == loaded
    about = loaded.about
    assert all([about.name, about.author, about.description, about.tags, about.licence])


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"octave": 3}, "octaves"),
        ({"raet": 1}, "rate"),
        ({"steps": 0}, "steps"),
        ({"octaves": 0}, "octaves"),
        ({"rate": math.nan}, "rate"),
        ({"rate": -1.0}, "rate"),
        ({"blur": math.inf}, "blur"),
        ({"motif": [0.1, 0.6]}, "largest"),
        ({"motif": [0.1]}, "motif"),
        ({"format": 2}, "format"),
        ({"layers": ["mixed4c:"]}, "mixed4c:"),
        ({"about": {"nmae": "x"}}, "about.nmae"),
        ({"size": "huge"}, "huge"),
        ({"precision": "half"}, "float32"),
    ],
)
def test_a_wrong_field_is_named_in_one_sentence(fields: dict[str, object], named: str) -> None:
    with pytest.raises(DreamerError, match=named) as caught:
        recipe.from_fields(fields, "the preset x.toml")
    assert "\n" not in str(caught.value)
    assert "x.toml" in str(caught.value)


def test_broken_toml_is_one_sentence() -> None:
    with pytest.raises(DreamerError, match=r"TOML of x\.toml.*line 2"):
        recipe.from_toml("steps = 3\nrate = = 1", "x.toml")


def test_motif_and_octaves_replace_each_other() -> None:
    counted = Recipe().changed({"octaves": 3})
    assert counted.octaves == 3
    assert counted.changed({"motif": (0.5, 0.2)}).octaves is None


def test_a_part_of_about_can_be_set_alone() -> None:
    named = Recipe().changed({"about": {"name": "A"}}).changed({"about": {"author": "B"}})
    assert (named.about.name, named.about.author) == ("A", "B")


@pytest.mark.parametrize(
    ("text", "setting"),
    [
        ("steps=3", ("steps", 3)),
        ("clip=false", ("clip", False)),
        ("carry=plain", ("carry", "plain")),
        ('layers=["a", "b=2"]', ("layers", ["a", "b=2"])),
        ('carry=a"b', ("carry", 'a"b')),
        ("about.name=Me", ("about", {"name": "Me"})),
    ],
)
def test_a_setting_is_toml_or_else_text(text: str, setting: tuple[str, object]) -> None:
    assert recipe.parse_setting(text) == setting


@pytest.mark.parametrize("text", ["steps", "=3", "a b=3", "a..b=1"])
def test_what_is_no_setting_is_refused(text: str) -> None:
    with pytest.raises(DreamerError, match="KEY=VALUE"):
        recipe.parse_setting(text)


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
    assert presets.files(str(path))["mask"] == path.parent / "a mask.png"
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
    for read in (presets.load, presets.files):
        with pytest.raises(DreamerError, match=r"mine\.toml") as caught:
            read(str(path))
        assert "\n" not in str(caught.value)


def test_variations_name_the_options_that_make_them() -> None:
    cells = recipe.variations(Recipe(), ["layers=mixed3b,mixed4c", "steps=2,3"])
    assert [label for label, _ in cells] == [
        "-l mixed3b --set steps=2",
        "-l mixed3b --set steps=3",
        "-l mixed4c --set steps=2",
        "-l mixed4c --set steps=3",
    ]
    assert [(cell.layers, cell.steps) for _, cell in cells][2] == (("mixed4c",), 2)
    (_, listed), _ = recipe.variations(Recipe(), ["layers=mixed4c:1,5;mixed4d:2"])
    assert listed.layers == ("mixed4c:1,5",)
    (_, motif), _ = recipe.variations(Recipe(), ["motif=0.5-0.2,0.3-0.1"])
    assert motif.motif == (0.5, 0.2)


@pytest.mark.parametrize(
    "changes",
    [
        {"about": {"description": "\x1b]0;owned\x07"}},
        {"about": {"tags": ["a\x9b2J"]}},
        {"network": "dreamnet\x1b"},
        {"layers": ["mixed4c\x1b"]},
    ],
)
def test_nothing_in_a_preset_commands_the_terminal(changes: dict[str, Any]) -> None:
    with pytest.raises(DreamerError) as caught:
        Recipe().changed(changes)
    assert str(caught.value).isprintable()


def test_a_value_out_of_range_is_told_with_its_frame() -> None:
    sinking = Recipe().changed({"rate": "0:(0.01*cos(t))"})
    assert sinking.at(sinking.clock(0)).rate == 0.01
    with pytest.raises(DreamerError, match=r"In frame 3, rate cannot be -0\.009"):
        sinking.at(sinking.clock(3))


def test_a_motif_is_read_as_it_is_typed() -> None:
    typed = {"0.5-0.2": (0.5, 0.2), "0.4": (0.4, 0.4), 0.4: (0.4, 0.4)}
    assert {text: Recipe().changed({"motif": text}).motif for text in typed} == typed


TABLES: dict[str, tuple[set[str], Collection[str]]] = {
    "objective": ({"direction"}, objectives.REDUCTIONS),
    "guide_match": ({"statistics"}, objectives.MATCHES),
    "normalise": (set(), updates.NORMALISATIONS),
    "optimiser": ({"lbfgs"}, updates.OPTIMISERS),
    "carry": (set(), octaves.CARRIES),
    "resample": (set(), set(octaves.RESIZES) - {"wrapped"}),
    "film.motion": (set(), paths.MOTIONS),
    "film.border": (set(), warp.BORDERS),
    "film.carried": (set(), riding.CARRIED),
    "feature.init": (set(), inits.INITS),
    "feature.parametrisation": (set(), parametrisations.PARAMETRISATIONS),
}
"""By field: the names that stand for more than a line of a table, and the table."""


@pytest.mark.parametrize("field", TABLES)
def test_a_recipe_knows_the_names_of_every_table(field: str) -> None:
    part, _, name = field.rpartition(".")
    data = {"": Recipe, "film": Film, "feature": Feature}[part]
    beyond, table = TABLES[field]
    assert set(get_args(data.model_fields[name].annotation)) - beyond == set(table)


@pytest.mark.parametrize("text", ["steps", "steps=", "=3", "stepz=1,2", "steps=0,1"])
def test_a_wrong_variation_is_one_sentence(text: str) -> None:
    with pytest.raises(DreamerError, match=r"vary|KEY"):
        recipe.variations(Recipe(), [text])
