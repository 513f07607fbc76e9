"""Opening picture files, which may come from a stranger."""

import io
from collections.abc import Iterator
from contextlib import contextmanager

from PIL import Image as Pillow
from PIL import UnidentifiedImageError

from dreamer.errors import DreamerError

FORMATS = ("PNG", "JPEG", "WEBP", "TIFF", "GIF", "BMP", "PPM")
"""What is opened. Pillow knows more, and hands some of them to other programs."""


@contextmanager
def opened(data: bytes, name: str) -> Iterator[Pillow.Image]:
    """A picture from a file's bytes, all of it read; `name` stands in the errors."""
    if not data:
        raise DreamerError(f"{name} is empty (0 bytes): give another file.")
    # Formats that are named before they are loaded are unknown to Pillow.
    Pillow.init()
    try:
        with Pillow.open(io.BytesIO(data), formats=FORMATS) as picture:
            picture.load()
            yield picture
    except UnidentifiedImageError:
        raise DreamerError(
            f"{name} is not a picture in a known format: give a PNG, JPEG, WebP or TIFF file."
        ) from None
    except (Pillow.DecompressionBombError, Pillow.DecompressionBombWarning):
        raise DreamerError(f"{name} is too large to be opened safely: reduce it first.") from None
    except (OSError, SyntaxError, ValueError) as error:
        raise DreamerError(f"{name} is damaged ({error}): export it again.") from None
