"""What a person asks for, as a recipe: a preset, fields in place of what it says, and words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from dreamer import words
from dreamer.files.metadata import Made
from dreamer.recipe import Recipe


class InWords(NamedTuple):
    """Words to dream of, the `.keras` file beside which their table lies, and if for a film."""

    asked: Sequence[str]
    file: Path | None = None
    for_film: bool = False


def described(
    preset: Made | None,
    given: Mapping[str, Any],
    in_words: InWords | None = None,
    *,
    settings: Sequence[tuple[str, Any]] = (),
    source: str = "the options",
) -> Made:
    """The recipe that is asked for, with the preset's facts, if it is a finished picture.

    The later has the last word. The layers of a dream in words come behind those that are given,
    and it is larger and longer where nothing else is said.

    Args:
        preset: what is begun with; without, the default recipe, or that of a dream in words.
        given: fields; the film's are so timed that they keep the preset's film together.
        in_words: what is dreamt of.
        settings: fields that come before those, one by one.
        source: of `given`, as it stands in an error.

    Raises DreamerError that names what cannot be meant, and the remedy.
    """
    usual = words.FILM if in_words and in_words.for_film else words.STILL
    begin = preset or Made(Recipe(**usual) if in_words else Recipe(), {})
    changed = begin.recipe
    for name, value in settings:
        changed = changed.changed({name: value}, "--set")
    if preset and "film" in given:
        given = {**given, "film": preset.recipe.film.retimed(given["film"])}
    changed = changed.changed(given, source)
    if in_words and in_words.asked:
        table = words.load(changed.network, in_words.file)
        layers = [*given.get("layers", ()), *words.expand(in_words.asked, table)]
        changed = changed.changed({"layers": layers})
    return begin._replace(recipe=changed)
