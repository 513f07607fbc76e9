"""What a person asks for, as a recipe: a preset, fields in place of what it says, and words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from dreamer import words
from dreamer.feature import Feature
from dreamer.files.metadata import Made
from dreamer.filmfields import Film
from dreamer.recipe import OPTIONS, PARTS, Recipe, to_fields


class InWords(NamedTuple):
    """What is dreamt of in words.

    Attributes:
        asked: words that there shall be more of.
        unwanted: words that there shall be less of.
        file: the `.keras` file beside which their table lies.
        for_film: whether it is a film.
    """

    asked: Sequence[str] = ()
    unwanted: Sequence[str] = ()
    file: Path | None = None
    for_film: bool = False


def described(
    preset: Made | None,
    given: Mapping[str, Any],
    in_words: InWords | None = None,
    *,
    settings: Sequence[tuple[str, Any]] = (),
    source: str = OPTIONS,
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
    if in_words and (in_words.asked or in_words.unwanted):
        table = words.load(changed.network, in_words.file)
        wanted = words.expand(in_words.asked, table, in_words.unwanted)
        layers = [*given.get("layers", ()), *wanted]
        changed = changed.changed({"layers": layers})
    if preset and changed != preset.recipe:
        changed = changed.changed({"about": preset.recipe.about.derived().model_dump()})
    return begin._replace(recipe=changed)


_FILM = tuple(f"film.{name}" for name in Film.model_fields)
_FEATURE = tuple(f"feature.{name}" for name in Feature.model_fields)
_OF_CLIPS = ("flow", "carried", "blend_moving", "blend_still", "fade")
_ON_CLIPS = (*_OF_CLIPS, "fps", "written_fps", "size", "frames", "loop")
_NOT_GROWN = (
    *("guide", "guide_match", "motif", "motif_pixels", "octaves", "octave_scale", "carry"),
    *("resample", "strength", "opacity", "colours", "palette", "saturation", "mask", "feather"),
    *("enlarge", "seamless", "tile"),
)

UNUSED: Mapping[str, tuple[str, ...]] = {
    "a picture": (*_FILM, *_FEATURE),
    "a film": (
        *("steps", "motif", "strength", "size", "enlarge"),
        *(f"film.{name}" for name in _OF_CLIPS),
        *_FEATURE,
    ),
    "a clip": (
        *(name for name in _FILM if name.removeprefix("film.") not in _ON_CLIPS),
        *("size", "enlarge"),
        *_FEATURE,
    ),
    "a channel's picture": (*_NOT_GROWN, *_FILM),
    "a class's picture": ("layers", *_NOT_GROWN, *_FILM),
}
"""The fields of a recipe that do nothing, by what is made of it."""


def unused(made_of: Recipe | None, settings: Sequence[str], kind: str) -> list[str]:
    """The fields that a preset or `--set` gives and that do nothing.

    Args:
        made_of: the preset.
        settings: names of fields, as `film.fps`.
        kind: what is made, a key of `UNUSED`.
    """
    fields = to_fields(made_of) if made_of else {}
    flat = [name for name in fields if name not in PARTS]
    flat += [f"{part}.{name}" for part in PARTS for name in fields.get(part, {})]
    return [name for name in dict.fromkeys([*flat, *settings]) if name in UNUSED[kind]]
