"""Words: looked up, and expanded into layer specs."""

import json
from pathlib import Path

import pytest

from dreamer import recipe
from dreamer.errors import DreamerError
from dreamer.recipe import words
from dreamer.recipe.layer_spec import parse_layer
from dreamer.recipe.words import Table, Word

LOOSE = Table(
    subjects={
        "birds": Word(("mixed4d:3@0.8,12@0.5", "mixed4e:7"), 2.0),
        "vaults, arches": Word(("mixed4d:5",), 1.0),
        "wolves": Word(("mixed4d:1",), 1.0),
    },
    classes={"sea snake": Word(("mixed4d:9",), 1.0), "red fox, Vulpes": Word(("mixed4d:2",), 1.0)},
)


@pytest.mark.parametrize(
    ("asked", "specs"),
    [
        ("birds", ["mixed4d:3@0.8,12@0.5", "mixed4e:7"]),
        ("Bird=0.5", ["mixed4d:3@0.8,12@0.5=0.5", "mixed4e:7=0.5"]),
        ("arch=-0.25", ["mixed4d:5=-0.25"]),
        ("wolf=1", ["mixed4d:1"]),
        ("Sea_Snakes", ["mixed4d:9"]),
        ("vulpes", ["mixed4d:2"]),
        ("red-fox", ["mixed4d:2"]),
        (
            "0:birds, 2.5s:(arch=2, ease-in)",
            [
                "0:(mixed4d:3@0.8,12@0.5), 2.5s:(mixed4d:5=2, ease-in)",
                "0:(mixed4e:7), 2.5s:(mixed4e:0=0, ease-in)",
            ],
        ),
    ],
)
def test_a_word_becomes_layer_specs(asked: str, specs: list[str]) -> None:
    assert words.expand([asked], LOOSE) == specs
    terms = recipe.Recipe(layers=tuple(specs)).terms
    assert all(term.channels for term in terms)


@pytest.mark.parametrize(
    ("asked", "named"),
    [
        ("brids", "did you mean birds"),
        ("fox", "did you mean red fox"),
        ("snake", "did you mean sea snake"),
        ("seas", "did you mean sea snake"),
        ("qqqq", "No word 'qqqq' is known: `dream models words`"),
        ("birds=much", "WORD=WEIGHT"),
        ("birds=", "WORD=WEIGHT"),
        ("birds=inf", "WORD=WEIGHT"),
        ("0:birds, 0:wolves", "does not come after"),
    ],
)
def test_what_is_no_word_is_answered_with_the_nearest(asked: str, named: str) -> None:
    with pytest.raises(DreamerError, match=named):
        words.expand([asked], LOOSE)


@pytest.mark.parametrize("ways", [["-birds"], ["birds=-1"], ["-birds=1"]])
def test_a_minus_asks_for_less(ways: list[str]) -> None:
    less = words.expand([], LOOSE, ["birds"])
    assert words.expand(ways, LOOSE) == less
    assert {parse_layer(spec).weight for spec in less} == {-1.0}
    over_time = words.expand(["0:birds, 4s:-birds"], LOOSE)
    assert over_time[0].endswith("=-1)")
    with pytest.raises(DreamerError, match="No word '-'"):
        words.expand(["--"], LOOSE)


def test_a_table_survives_the_way_to_text_and_back(tmp_path: Path) -> None:
    path = words.beside(tmp_path / "my.keras")
    path.write_text(words.to_json(LOOSE))
    assert words.load("my.keras", tmp_path / "my.keras") == LOOSE


@pytest.mark.parametrize(
    "change",
    [
        {"format": 2},
        {"subjects": []},
        {"subjects": {"birds": {"layers": ["mixed4d"], "usual": 1}}},
        {"subjects": {"birds": {"layers": ["mixed4d:1=2"], "usual": 1}}},
        {"subjects": {"birds": {"layers": [], "usual": 1}}},
        {"subjects": {"birds": {"layers": ["mixed4d:1"]}}},
    ],
)
def test_what_is_no_table_is_refused(change: dict[str, object], tmp_path: Path) -> None:
    path = tmp_path / "x.words.json"
    path.write_text(json.dumps(json.loads(words.to_json(LOOSE)) | change))
    with pytest.raises(DreamerError, match=r"x\.words\.json is no table of words"):
        words.read(path)


def test_a_word_s_strength_is_the_weighted_mean_of_its_channels_squares() -> None:
    energies = {"mixed4d": [0, 0, 0, 2.0, *[0] * 8, 4.0], "mixed4e": [0] * 7 + [3.0]}
    assert LOOSE.subjects["birds"].strength(energies) == pytest.approx((1.6 + 2) / 2 + 3)
