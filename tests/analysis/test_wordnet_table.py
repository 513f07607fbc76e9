"""The table of WordNet's nouns."""

from pathlib import Path

import pytest

from dreamer.analysis import wordnet_table
from dreamer.recipe import class_labels, nouns

DATA = """  1 This is a license.
00000001 03 n 01 entity 0 001 ~ 00001930 n 0000 | all there is
00001930 03 n 01 physical_entity 0 001 @ 00000001 n 0000 | a thing
00000010 05 n 02 reptile 0 crawler 0 001 @ 00001930 n 0000 | cold; see lizard
00000011 05 n 01 lizard 0 002 @ 00000010 n 0000 ~ 00000012 n 0000 | with legs
00000012 05 n 01 agama 0 001 @ 00000011 n 0000 | a class
00000013 05 n 01 boa 0 001 @ 00000010 n 0000 | a class
00000014 05 n 01 dragon 0 001 @ 00000011 n 0000 | a lizard that glides
00000015 05 n 02 Draco 0 dragon 0 001 @i 00000010 n 0000 | an instance, by name
00007846 18 n 01 person 0 001 @ 00001930 n 0000 | somebody
00000016 18 n 01 Crawler 1 001 @ 00007846 n 0000 | somebody who crawls
00000017 05 n 01 kid 0 001 @ 00007846 n 0000 | a person only
"""
INDEX = """  1 This is a license.
entity n 1 1 ~ 1 0 00000001
physical_entity n 1 1 @ 1 0 00001930
reptile n 1 1 @ 1 0 00000010
crawler n 2 1 @ 2 0 00000016 00000010
lizard n 1 1 @ 1 0 00000011
agama n 1 1 @ 1 0 00000012
boa n 1 1 @ 1 0 00000013
dragon n 2 1 @ 2 0 00000015 00000014
kid n 1 1 @ 1 0 00000017
person n 1 1 @ 1 0 00007846
"""


@pytest.fixture
def rows(tmp_path: Path) -> dict[str, nouns.Row]:
    (tmp_path / "data.noun").write_text(DATA)
    (tmp_path / "index.noun").write_text(INDEX)
    made = wordnet_table.make_table(
        wordnet_table.read_synsets(tmp_path / "data.noun"),
        wordnet_table.read_senses(tmp_path / "index.noun"),
        ["n00000012", "n00000013"],
    )
    return {row.wordnet: row for row in made}


def test_a_noun_stands_for_the_classes_below_it(rows: dict[str, nouns.Row]) -> None:
    assert rows["n00000010"].classes == [0, 1]
    assert rows["n00000011"].classes == [0]
    # Nobody who says "crawler" is a class, so the reptile has the name.
    assert rows["n00000010"].names == ["reptile", "crawler"]
    assert rows["n00001930"].names == ["physical entity"]
    # A class has its names elsewhere.
    assert "n00000012" not in rows


def test_other_nouns_are_near_what_they_are_a_kind_of(rows: dict[str, nouns.Row]) -> None:
    assert {name: row.near for name, row in rows.items() if row.near} == {"n00000011": ["dragon"]}


def test_the_table_survives_the_way_to_text(rows: dict[str, nouns.Row]) -> None:
    lines = nouns.to_tsv(rows.values()).splitlines()
    assert lines[0].split("\t") == list(nouns.HEADER)
    assert "n00000010\treptile,crawler\t0-1\t" in lines


def test_the_packaged_table_has_every_class_below_what_is_above_it() -> None:
    whole = nouns.find_noun("entity")
    assert whole is not None
    assert whole.classes == list(range(1000))
    assert whole.find_members()[0] == class_labels.load_labels("ilsvrc")[0].wordnet
    for name, count in {"vehicle": 67, "reptile": 36, "clothing": 49, "furniture": 22}.items():
        found = nouns.find_noun(name)
        assert found is not None
        assert len(found.classes) == count
    assert nouns.find_near("dragons") == "agamid"
    assert nouns.find_near("octopus") == "cephalopod"
    assert nouns.find_near("qqqq") is None
