"""A recipe together with the facts of the run that made a picture or a film."""

import json
from typing import Any, NamedTuple

from dreamer.errors import DreamerError
from dreamer.recipe.recipe import Recipe, from_fields
from dreamer.recipe.toml_text import to_fields


class Provenance(NamedTuple):
    """A recipe and the facts of one run, such as hashes, versions and working sizes.

    Neither holds dates or paths.

    Attributes:
        recipe: the recipe, with values chosen by the network filled in.
        facts: plain values by name; empty before anything is made.
        state: the data to continue a draft from; empty otherwise.
    """

    recipe: Recipe
    facts: dict[str, Any]
    state: bytes = b""

    @property
    def text(self) -> str:
        """Return the JSON that is embedded in finished files; `parse` reads it."""
        return json.dumps({"recipe": to_fields(self.recipe), "made": self.facts})


def parse(text: str, source: str) -> Provenance:
    """Parse the JSON of a finished file.

    The file may come from a stranger, so the recipe is validated. The facts are only known to be a
    table.

    Args:
        text: JSON as returned by `Provenance.text`.
        source: the name of the file, for errors.

    Raises DreamerError if the JSON is damaged or does not hold a recipe.
    """
    try:
        fields = json.loads(text)
        recipe, facts = fields["recipe"], fields["made"]
        if not isinstance(recipe, dict) or not isinstance(facts, dict):
            raise TypeError
    except (ValueError, KeyError, TypeError, RecursionError):
        raise DreamerError(
            f"The recipe inside {source} is damaged; use a preset instead."
        ) from None
    return Provenance(from_fields(recipe, f"the recipe inside {source}"), facts)
