"""Words: looked up, and expanded into layer specs."""

import json
from pathlib import Path

import pytest

from dreamer import recipe
from dreamer.errors import DreamerError
from dreamer.recipe import nouns, words
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
        ("dragons", "did you mean agamid, which is nearest in meaning"),
        ("eye", "did you mean the preset, -p eyes"),
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
        words.expand([asked], LOOSE, presets={"eyes": None, "lace": None})


def test_a_noun_of_wordnet_is_made_of_the_classes_below_it() -> None:
    table = words.load("dreamnet")
    reptiles = table.find("reptiles")
    assert [term.layer for term in reptiles.terms] == ["mixed4d", "mixed4e"]
    assert all(len(term.channels or ()) == 32 for term in reptiles.terms)
    noun = nouns.find_noun("serpent")
    assert noun is not None
    snakes = words.combine([table.classes[key] for key in noun.find_members()])
    assert table.find("serpents") == table.find("Ophidian") == snakes
    # A word of the table comes first, and one that has none of the classes has no such noun.
    assert table.find("bird") == table.subjects["birds"]
    with pytest.raises(DreamerError, match="No word 'reptile'"):
        LOOSE.find("reptile")


def test_words_combine_to_one_that_pulls_as_they_do() -> None:
    pair = [Word(("a:1@3,2@4",), 2.0), Word(("a:2@4,5@3", "b:0@5"), 4.0)]
    both = words.combine(pair)
    (first, second) = both.terms
    # Channel 2 is in both; as many are kept of a layer as either has.
    assert first.channels == (2, 1)
    assert second.channels == (0,)
    assert both.usual == 3
    mean = (5 + 50**0.5) / 2
    assert both.measure_pull() == pytest.approx(mean, rel=0.01)
    assert Word(("a:1@3,2@4",), 2.0).measure_pull({"a": [0, 4, 1]}) == pytest.approx(52**0.5)


def test_words_of_ones_own_hide_others_of_their_names(tmp_path: Path) -> None:
    own = words.own_path("dreamnet")
    own.parent.mkdir(parents=True, exist_ok=True)
    mine = Word(("mixed4d:1",), 1.0)
    own.write_text(words.to_json(Table({"birds": mine, "rex": mine})))
    try:
        for network in words.SHARED_BY:
            table = words.load(network)
            assert table.find("bird") == table.find("rex") == mine
            assert next(iter(table.subjects)) == "birds"
            assert "dogs" in table.subjects
    finally:
        own.unlink()


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
