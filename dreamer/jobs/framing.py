"""What a recipe asks for of the part and the pixels of a photo or a clip."""

from dreamer.files.framing import Framing
from dreamer.recipe import Recipe


def find_framing(recipe: Recipe, *, enlarge: bool | None = None) -> Framing:
    """Return the framing of a picture; `enlarge` takes the place of the recipe's."""
    enlarge = recipe.enlarge if enlarge is None else enlarge
    return Framing(recipe.size, recipe.aspect, recipe.crop, enlarge)


def find_film_framing(recipe: Recipe, *, enlarge: bool) -> Framing:
    """Return the framing of a film, whose sides are even, as most formats require."""
    return Framing(recipe.film.size, recipe.aspect, recipe.crop, enlarge, even=True)
