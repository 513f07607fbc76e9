"""The recipe inside a finished picture or film, and what it was made with."""

import json
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from PIL import ExifTags, Image
from PIL.PngImagePlugin import PngInfo

from dreamer import recipe as recipes
from dreamer.errors import DreamerError
from dreamer.files import containers, ffmpeg, pictures
from dreamer.recipe import Recipe

KEY = "dreamer"
"""The name of the text chunk that holds the recipe as JSON."""


STATE = b"dmST"
"""The chunk of a PNG that holds a draft's state: ancillary, private, void once it is edited."""


class Made(NamedTuple):
    """A recipe and the facts of one run: hashes, versions, working sizes. No dates, no paths.

    `state` is what a draft is finished from (`drafts.pack`); a PNG alone can hold it.
    """

    recipe: Recipe
    facts: dict[str, Any]
    state: bytes = b""


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
        if made.state:
            info.add(STATE, made.state)
    return info


def as_exif(made: Made | None) -> Image.Exif:
    """The EXIF of a JPEG, WebP or TIFF that carries its recipe, as its image description."""
    exif = Image.Exif()
    if made is not None:
        exif[ExifTags.Base.ImageDescription] = to_json(made)
    return exif


def as_ffmetadata(made: Made | None) -> str:
    """The file that gives ffmpeg the recipe of an MP4, MOV or WebM."""
    return containers.ffmetadata({} if made is None else {KEY: to_json(made)})


def into_gif(data: bytes, made: Made) -> bytes:
    """A GIF that carries its recipe as a comment."""
    return containers.gif_with_comment(data, to_json(made))


def into_webp(data: bytes, made: Made) -> bytes:
    """An animated WebP that carries its recipe as EXIF, like a still one."""
    return containers.webp_with_exif(data, as_exif(made).tobytes().removeprefix(b"Exif\0\0"))


def _in_picture(path: Path) -> str | None:
    with pictures.opened(path.read_bytes(), str(path)) as opened:
        picture = opened.picture
        text = picture.info.get(KEY) or picture.getexif().get(ExifTags.Base.ImageDescription, "")
    return text if isinstance(text, str) else None


def _in_gif(path: Path) -> str | None:
    with pictures.opened(path.read_bytes(), str(path)) as opened:
        comment = opened.picture.info.get("comment", b"")
    return comment.decode("utf-8", "replace") if isinstance(comment, bytes) else None


def _in_film(path: Path, demuxer: str) -> str | None:
    with path.open("rb"):
        # Whether it can be read at all; ffmpeg would say so in its own words.
        pass
    # The demuxer is given, since others read further files that a stranger's film may name.
    arguments = (*ffmpeg.source(path, "-f", demuxer), "-f", "ffmetadata", "pipe:1")
    try:
        said = ffmpeg.run(arguments, str(path))
    except DreamerError:
        raise DreamerError(f"{path} is not a whole film: give another.") from None
    return containers.tag(said.decode("utf-8", "replace"), KEY)


_FINDERS: Mapping[str, Callable[[Path], str | None]] = {
    **dict.fromkeys((".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff"), _in_picture),
    ".gif": _in_gif,
    ".mp4": partial(_in_film, demuxer="mov"),
    ".mov": partial(_in_film, demuxer="mov"),
    ".webm": partial(_in_film, demuxer="matroska"),
}
"""By suffix: how the text is found that may be a recipe."""

SUFFIXES = tuple(_FINDERS)
"""Of the files in which a recipe is looked for."""


def read(path: Path) -> Made:
    """The recipe in a finished picture or film. Raises DreamerError where there is none."""
    try:
        text = _FINDERS.get(path.suffix.lower(), _in_picture)(path)
    except OSError as error:
        raise DreamerError(f"Cannot read {path}: {error.strerror}; check it.") from None
    # A camera's own description is no recipe.
    if text is None or not text.startswith("{"):
        raise DreamerError(
            f"{path} carries no recipe: give a preset, or a picture or film `dream` made."
        )
    made = from_json(text, str(path))
    return made._replace(state=_state(path)) if "draft" in made.facts else made


def _state(path: Path) -> bytes:
    with pictures.opened(path.read_bytes(), str(path)) as opened:
        chunks = getattr(opened.picture, "private_chunks", [])
        return next((data for kind, data, *_ in chunks if kind == STATE), b"")
