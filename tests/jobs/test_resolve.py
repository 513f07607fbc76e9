"""What a person asks for, as a recipe."""

from pathlib import Path
from typing import Any

import pytest

from dreamer.jobs import presets
from dreamer.jobs.events import Event, Note
from dreamer.jobs.requests import FiltersRequest, ImageRequest, Request, VideoRequest
from dreamer.jobs.resolve import InWords, Origin, describe, resolve
from dreamer.recipe import Recipe, words
from dreamer.recipe.field_types import Kind


def described(
    request: Request, kind: Kind = Kind.PICTURE, preset: str | None = None, **more: Any
) -> tuple[Recipe, list[str]]:
    """Return the recipe of a request, and what is noted."""
    events: list[Event] = []
    recipe = resolve(request, kind, events.append, Origin(preset), **more).recipe
    return recipe, [event.text for event in events if isinstance(event, Note)]


def test_a_dream_in_words_carries_layers() -> None:
    table, asked = words.load("dreamnet"), ("birds", "snakes=-0.5")
    request = ImageRequest(of=asked, settings=("rate=0.01",), fields={"layers": ("mixed4a=0.1",)})
    made, _ = described(request)
    assert list(made.layers) == ["mixed4a=0.1", *words.expand(asked, table)]
    assert (made.motif, made.steps) == (words.STILL["motif"], words.STILL["steps"])
    assert made.objective == "mean"
    assert made.rate == 0.01
    squares, _ = described(request.model_copy(update={"settings": ("objective=mean-square",)}))
    assert squares.objective == "mean-square"
    film, _ = described(VideoRequest(of=asked), Kind.FILM, film=True)
    assert (film.motif, film.steps) == (made.motif, Recipe().steps)
    preset, notes = described(ImageRequest(of=asked), preset="pagodas")
    assert preset.motif != words.STILL["motif"]
    # Both are dreamt of: the preset's look, and the words in it.
    assert preset.layers == (*presets.load("pagodas").recipe.layers, *made.layers[1:])
    assert not notes


def test_words_are_told_from_layers_and_written_down() -> None:
    made, _ = described(ImageRequest(of=("birds",), unwanted=("dogs",)))
    assert made.of == ("birds", "-dogs")
    assert describe(None, {}, InWords(["birds"], ["dogs"])).recipe == made


def test_a_sheet_of_words_is_as_large_and_long_as_a_dream_in_words() -> None:
    made, notes = described(ImageRequest(sheet="words"))
    assert (made.motif, made.objective) == (words.STILL["motif"], words.STILL["objective"])
    assert made.of == made.layers == ()
    assert not notes
    assert not [note for note in described(ImageRequest(sheet="words"), preset="pagodas")[1]]


def test_the_later_has_the_last_word(tmp_path: Path) -> None:
    preset = tmp_path / "mine.toml"
    preset.write_text("steps = 3\njitter = 4\nopacity = 0.5\n")
    request = ImageRequest(settings=("jitter=5", "opacity=0.6"), fields={"opacity": "0.7"})
    made, _ = described(request, preset=str(preset))
    assert (made.steps, made.jitter, made.opacity) == (3, 5, 0.7)


@pytest.mark.parametrize(
    ("setting", "field", "value"),
    [
        ("optimiser=adam", "optimizer", "adam"),
        ("ascent.optimiser=adam", "optimizer", "adam"),
        ("normalise=rms", "normalization", "rms"),
        ("colours=photo", "colors", "photo"),
    ],
)
def test_former_names_are_still_set(setting: str, field: str, value: object) -> None:
    made, _ = described(ImageRequest(settings=(setting,)))
    assert getattr(made, field) == value


@pytest.mark.parametrize(
    "setting",
    [
        "feature.init=grey",
        "feature.init=gray",
        "visualization.init=grey",
        'feature={init="grey"}',
    ],
)
def test_former_names_of_parts_and_values_are_still_set(setting: str) -> None:
    made, notes = described(FiltersRequest(settings=(setting,)), Kind.CHANNEL)
    assert made.visualization.init == "gray"
    assert not notes


def test_a_preset_of_format_1_is_still_read(tmp_path: Path) -> None:
    preset = tmp_path / "old.toml"
    preset.write_text(
        'optimiser = "momentum"\nnormalise = "std"\ncolours = "photo"\n'
        "[film]\nfps = 12\ncentre_x = 0.25\n"
        '[feature]\nparametrisation = "pixels"\ninit = "grey"\nshown = "normalised"\n'
        '[about]\nlicence = "CC0-1.0"\n'
    )
    made, _ = described(ImageRequest(), preset=str(preset))
    assert (made.optimizer, made.normalization, made.colors) == ("momentum", "std", "photo")
    assert (made.film.fps, made.film.center_x) == (12, 0.25)
    own = made.visualization
    assert (own.parametrization, own.init, own.shown) == ("pixels", "gray", "normalized")
    assert made.about.license == "CC0-1.0"
