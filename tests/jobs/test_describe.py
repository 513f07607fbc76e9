"""What a person asks for, as a recipe."""

from dreamer.jobs.describe import InWords

from dreamer import recipe
from dreamer.cli import options
from dreamer.recipe import words


def test_a_dream_in_words_carries_layers() -> None:
    asked = InWords(["birds", "snakes=-0.5"])
    made = options.made(None, ["rate=0.01"], {"layers": ["mixed4a=0.1"]}, asked).recipe
    table = words.load("dreamnet")
    assert list(made.layers) == ["mixed4a=0.1", *words.expand(asked.asked, table)]
    assert (made.motif, made.steps) == (words.STILL["motif"], words.STILL["steps"])
    assert made.objective == "mean"
    squares = options.made(None, ["objective=mean-square"], {}, asked).recipe
    assert squares.objective == "mean-square"
    for_film = options.made(None, [], {}, asked._replace(for_film=True)).recipe
    assert (for_film.motif, for_film.steps) == (made.motif, recipe.Recipe().steps)
    preset = options.made("pagodas", [], {"layers": None}, asked).recipe
    assert preset.motif != words.STILL["motif"]
    assert preset.layers == made.layers[1:]
