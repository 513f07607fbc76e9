"""The recipe inside a finished picture, and what it was made with."""

import json
from pathlib import Path
from typing import Any, NamedTuple

from PIL import ExifTags, Image
from PIL.PngImagePlugin import PngInfo

from dreamer import recipe as recipes
from dreamer.errors import DreamerError
from dreamer.files import pictures
from dreamer.recipe import Recipe

KEY = "dreamer"
"""The name of the text chunk that holds the recipe as JSON."""


class Made(NamedTuple):
    """A recipe and the facts of one run: hashes, versions, working sizes. No dates, no paths."""

    recipe: Recipe
    facts: dict[str, Any]


def to_json(made: Made) -> str:
    """What `from_json` reads."""
    return json.dumps({"recipe": recipes.to_fields(made.recipe), "made": made.facts})


def from_json(text: str, source: str) -> Made:
    """Read what `to_json` wrote; it may come from a stranger, so everything is validated."""
    try:
        fields = json.loads(text)
        recipe, facts = fields["recipe"], fields["made"]
        if not isinstance(recipe, dict) or not isinstance(facts, dict):
            raise TypeError
    except (ValueError, KeyError, TypeError, RecursionError):
        raise DreamerError(
            f"The recipe inside {source} is damaged; use a preset instead."
        ) from None
    return Made(recipes.from_fields(recipe, f"the recipe inside {source}"), facts)


def as_text_chunk(made: Made | None) -> PngInfo:
    """The text chunks of a PNG that carries its recipe."""
    info = PngInfo()
    if made is not None:
        info.add_itxt(KEY, to_json(made))
    return info


def as_exif(made: Made | None) -> Image.Exif:
    """The EXIF of a JPEG, WebP or TIFF that carries its recipe, as its image description."""
    exif = Image.Exif()
    if made is not None:
        exif[ExifTags.Base.ImageDescription] = to_json(made)
    return exif


SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff")
"""Of the files in which a recipe is looked for."""


def _find(path: Path) -> str | None:
    with pictures.opened(path.read_bytes(), str(path)) as picture:
        text = picture.info.get(KEY) or picture.getexif().get(ExifTags.Base.ImageDescription, "")
    # A camera's own description is no recipe.
    return text if isinstance(text, str) and text.startswith("{") else None


def read(path: Path) -> Made:
    """The recipe in a finished picture. Raises DreamerError where there is none."""
    try:
        text = _find(path)
    except OSError as error:
        raise DreamerError(f"Cannot read {path}: {error.strerror}; check it.") from None
    if text is None:
        raise DreamerError(f"{path} carries no recipe: give a preset or a picture `dream` made.")
    return from_json(text, str(path))
