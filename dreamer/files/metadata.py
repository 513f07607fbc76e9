"""Recipes, and the facts of their runs, inside finished pictures and films."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Protocol

from PIL import ExifTags, Image
from PIL.PngImagePlugin import PngInfo

from dreamer.errors import DreamerError
from dreamer.files import containers, ffmpeg, pictures

KEY = "dreamer"
"""Name of the PNG text chunk, or the film's tag, that holds the recipe as JSON."""

STATE = b"dmST"
"""Type of the PNG chunk that holds a draft's state: ancillary, private, unsafe to copy."""


class Embedded(Protocol):
    """The content that a finished file carries: a text and, in a draft, the state to finish it."""

    @property
    def text(self) -> str:
        """Return the JSON of a recipe and of the facts of its run."""

    @property
    def state(self) -> bytes:
        """Return the state of a draft, or no bytes; only a PNG can hold it."""


def as_text_chunk(made: Embedded | None) -> PngInfo:
    """Return the PNG chunks that carry the recipe and, if any, the state of a draft."""
    info = PngInfo()
    if made is not None:
        info.add_itxt(KEY, made.text)
        if made.state:
            info.add(STATE, made.state)
    return info


def as_exif(made: Embedded | None) -> Image.Exif:
    """Return the EXIF of a JPEG, WebP or TIFF that carries the recipe as the image description."""
    exif = Image.Exif()
    if made is not None:
        exif[ExifTags.Base.ImageDescription] = made.text
    return exif


def as_ffmetadata(made: Embedded | None) -> str:
    """Return the text of a file that gives ffmpeg the recipe of a film."""
    return containers.ffmetadata({} if made is None else {KEY: made.text})


def into_gif(data: bytes, made: Embedded) -> bytes:
    """Insert the recipe into a GIF, as a comment."""
    return containers.gif_with_comment(data, made.text)


def into_webp(data: bytes, made: Embedded) -> bytes:
    """Insert the recipe into an animated WebP, as EXIF, as in a still WebP."""
    return containers.webp_with_exif(data, as_exif(made).tobytes().removeprefix(b"Exif\0\0"))


def _find_in_picture(path: Path) -> str | None:
    with pictures.open_picture(path.read_bytes(), str(path)) as opened:
        picture = opened.picture
        text = picture.info.get(KEY) or picture.getexif().get(ExifTags.Base.ImageDescription, "")
    return text if isinstance(text, str) else None


def _find_in_gif(path: Path) -> str | None:
    with pictures.open_picture(path.read_bytes(), str(path)) as opened:
        comment = opened.picture.info.get("comment", b"")
    return comment.decode("utf-8", "replace") if isinstance(comment, bytes) else None


def _find_in_film(path: Path, demuxer: str) -> str | None:
    with path.open("rb"):
        # Raises OSError if the file cannot be read; to ffmpeg it would be a broken film.
        pass
    # The demuxer is fixed, since others read further files that a stranger's film may name.
    arguments = (*ffmpeg.source(path, "-f", demuxer), "-f", "ffmetadata", "pipe:1")
    try:
        output = ffmpeg.run(arguments, str(path))
    except DreamerError:
        raise DreamerError(f"{path} is not a whole film: give another.") from None
    return containers.tag(output.decode("utf-8", "replace"), KEY)


_FINDERS: Mapping[str, Callable[[Path], str | None]] = {
    **dict.fromkeys((".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff"), _find_in_picture),
    ".gif": _find_in_gif,
    ".mp4": partial(_find_in_film, demuxer="mov"),
    ".mov": partial(_find_in_film, demuxer="mov"),
    ".webm": partial(_find_in_film, demuxer="matroska"),
    ".mkv": partial(_find_in_film, demuxer="matroska"),
}
"""Functions, by suffix, that find the text that may be a recipe."""

SUFFIXES = tuple(_FINDERS)
"""Suffixes of the files in which a recipe is looked for."""


def read(path: Path) -> str:
    """Read the recipe that a finished picture or film carries, as text.

    Raises DreamerError if the file cannot be read or carries none.
    """
    try:
        text = _FINDERS.get(path.suffix.lower(), _find_in_picture)(path)
    except OSError as error:
        raise DreamerError(f"Cannot read {path}: {error.strerror}; check it.") from None
    # A camera may have put a description of its own there.
    if text is None or not text.startswith("{"):
        raise DreamerError(
            f"{path} carries no recipe: give a preset, or a picture or film `dream` made."
        )
    return text


def read_state(path: Path) -> bytes:
    """Read the state from which a draft is finished; empty if the picture holds none."""
    with pictures.open_picture(path.read_bytes(), str(path)) as opened:
        chunks = getattr(opened.picture, "private_chunks", [])
        return next((data for kind, data, *_ in chunks if kind == STATE), b"")
