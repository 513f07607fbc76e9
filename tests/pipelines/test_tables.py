"""Recipes know the names of every table."""

from collections.abc import Collection
from typing import get_args

import pytest

from dreamer.ascent import (
    normalizations,
    objectives,
    octaves,
    optimizers,
    parametrizations,
    random_starts,
)
from dreamer.motion import camera_paths, warp
from dreamer.pipelines import clip_film
from dreamer.recipe import Recipe
from dreamer.recipe.film_fields import Film
from dreamer.recipe.visualization_fields import Visualization

TABLES: dict[str, tuple[set[str], Collection[str]]] = {
    "objective": ({"direction"}, objectives.REDUCTIONS),
    "guide_match": ({"statistics"}, objectives.MATCHES),
    "normalization": (set(), normalizations.NORMALIZATIONS),
    "optimizer": ({"lbfgs"}, optimizers.OPTIMIZERS),
    "carry": (set(), octaves.CARRIES),
    "resample": (set(), set(octaves.RESIZES) - {"wrapped"}),
    "film.motion": (set(), camera_paths.MOTIONS),
    "film.border": (set(), warp.BORDERS),
    "film.carried": (set(), clip_film.CARRIED),
    "visualization.init": (set(), random_starts.RANDOM_STARTS),
    "visualization.parametrization": (set(), parametrizations.PARAMETRIZATIONS),
}
"""By field: the names that stand for more than a line of a table, and the table."""


@pytest.mark.parametrize("field", TABLES)
def test_a_recipe_knows_the_names_of_every_table(field: str) -> None:
    part, _, name = field.rpartition(".")
    data = {"": Recipe, "film": Film, "visualization": Visualization}[part]
    beyond, table = TABLES[field]
    assert set(get_args(data.model_fields[name].annotation)) - beyond == set(table)
