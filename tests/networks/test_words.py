"""The packaged table of words and its networks."""

from dreamer.recipe import words


def test_the_packaged_table_speaks_of_channels_that_dreamnet_has() -> None:
    from dreamer.networks import loading

    layers = loading.build("dreamnet", None).layers
    table = words.load("dreamnet")
    assert len(table.subjects) >= 40
    assert len(table.classes) == 1000
    for word in [*table.subjects.values(), *table.classes.values()]:
        assert all(max(term.channels or ()) < layers[term.layer] for term in word.terms)
