"""The recipe: its fields, and what can be asked of them."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from dreamer.errors import DreamerError
from dreamer.recipe import schedule
from dreamer.recipe.error_sentences import OPTIONS, describe_error
from dreamer.recipe.field_types import over_time
from dreamer.recipe.fields import RecipeFields
from dreamer.recipe.film_fields import Film
from dreamer.recipe.layer_spec import LayerSpec, parse_layer
from dreamer.recipe.migrations import migrate
from dreamer.recipe.names import PARTS, read_changes
from dreamer.recipe.schedule import Clock, Schedule, Signals


class Recipe(RecipeFields):
    """A dream's recipe. Pixels are those of the octave being dreamt; colors run from 0 to 1."""

    @property
    def terms(self) -> tuple[LayerSpec, ...]:
        """Return all layers, parsed, including every layer of a schedule."""
        return tuple(
            parse_layer(each) for text in self.layers for each in schedule.parse_text(text).texts
        )

    def weights(self, clock: Clock) -> tuple[float, ...]:
        """Return the weights of `terms` at a moment of a film."""
        schedules = [schedule.parse_text(text) for text in self.layers]
        shares = [dict(each.at(clock)).get(text, 0.0) for each in schedules for text in each.texts]
        return tuple(term.weight * share for term, share in zip(self.terms, shares, strict=True))

    def clock(self, frame: float, signals: Signals | None = None) -> Clock:
        """Return the moment of a frame of the film, with the music that schedules read."""
        return self.film.clock(frame, self.seed, signals)

    def at(self, clock: Clock) -> "Recipe":
        """Return the recipe at a moment of a film, without schedules other than those of texts.

        Raises DreamerError that names frame and field if a number leaves its range.
        """
        own, film = _at(self, clock), _at(self.film, clock)
        if film:
            own["film"] = film
        return self.changed(own, f"frame {clock.frame:g}") if own else self

    def still(self) -> "Recipe":
        """Return the recipe of a still picture: that of the first frame of the film."""
        first = self.clock(0)
        layers = [
            each for text in self.layers for each, share in schedule.parse_text(text).at(first)
        ]
        return self.at(first).changed({"layers": layers, "of": self.of})

    @property
    def schedules(self) -> dict[str, Schedule]:
        """Return the schedules of numbers, by field, as `rate` or `film.zoom`."""
        texts = {name: getattr(self, name) for name in over_time(Recipe)}
        texts |= {f"film.{name}": getattr(self.film, name) for name in over_time(Film)}
        return {name: schedule.parse(text) for name, text in texts.items() if isinstance(text, str)}

    @property
    def needs_music(self) -> dict[str, set[str]]:
        """Return what schedules read of music, by field."""
        texts = {"layers": self.layers, "film.palette": filter(None, [self.film.palette])}
        of_texts = {
            name: {need for text in each for need in schedule.parse_text(text).needs_music}
            for name, each in texts.items()
        }
        of_numbers = {name: each.needs_music for name, each in self.schedules.items()}
        return {name: needs for name, needs in {**of_numbers, **of_texts}.items() if needs}

    @property
    def uses_length(self) -> bool:
        """Tell whether the length of the film changes any schedule."""
        texts = [*self.layers, *([self.film.palette] if self.film.palette else [])]
        return any(each.uses_length for each in self.schedules.values()) or any(
            schedule.parse_text(text).uses_length for text in texts
        )

    @property
    def chooses(self) -> bool:
        """Tell whether any channels are still to be chosen on a photo."""
        return any(term.choice for term in self.terms)

    def changed(self, changes: Mapping[str, Any], source: str = OPTIONS) -> "Recipe":
        """Return a copy of this recipe with changed fields.

        A new `motif`, also of the film, resets `octaves`. New `layers` reset `of`, the words that
        the old ones were made from. Neither applies if `octaves` or `of` is given too.

        Args:
            changes: values by full or short names of fields, possibly nested in sections.
            source: where they come from, for errors.

        Raises DreamerError that names the field, its `source` and the remedy.
        """
        changes = read_changes(changes, source)
        film = changes.get("film")
        moved = {**changes, **film} if isinstance(film, Mapping) else changes
        if "motif" in moved and "octaves" not in changes:
            changes["octaves"] = None
        if "layers" in changes and "of" not in changes:
            changes["of"] = ()
        for part in PARTS:
            if isinstance(changes.get(part), Mapping):
                changes[part] = {**getattr(self, part).model_dump(), **changes[part]}
        return _validate({**self.model_dump(), **changes}, source)


def _at(data: Recipe | Film, clock: Clock) -> dict[str, Any]:
    """Return the values at a moment of the fields that are schedules."""
    texts = {name: getattr(data, name) for name in over_time(type(data))}
    return {
        name: schedule.parse(text).at(clock)
        for name, text in texts.items()
        if isinstance(text, str)
    }


def from_fields(fields: Mapping[str, Any], source: str) -> Recipe:
    """Build a recipe from the values of TOML or JSON in any version of the format.

    Args:
        fields: values by sections, as returned by `text.to_fields`, or by names of fields.
        source: where they come from, for errors.

    Raises DreamerError that names the field and the remedy.
    """
    return _validate(read_changes(migrate(fields, source), source), source)


def _validate(values: Mapping[str, Any], source: str) -> Recipe:
    try:
        return Recipe.model_validate(values)
    except ValidationError as error:
        raise DreamerError(describe_error(error, source)) from None
