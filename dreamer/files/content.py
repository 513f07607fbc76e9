"""Whether a file is a film, by its first bytes: its name may have no suffix, or a wrong one."""

import re
from pathlib import Path

HEAD_BYTES = 1 << 16
"""So many first bytes tell what a file is; an animation's sign lies before its first picture."""

_FILMS = re.compile(
    rb"\x1aE\xdf\xa3"  # Matroska, WebM
    rb"|RIFF....AVI |OggS|FLV\x01|GIF8|\x30\x26\xb2\x75\x8e\x66\xcf\x11"
    rb"|\x00\x00\x01\xba"  # MPEG program stream
    rb"|\x47.{187}\x47.{187}\x47"  # MPEG transport stream
    # The container of QuickTime and MP4, which holds pictures, too.
    rb"|....ftyp(?!heic|heix|heim|heis|mif1|avif)"
    rb"|....(?:moov|mdat|wide)",
    re.DOTALL,
)
_ANIMATED_PNG = re.compile(rb"\x89PNG\r\n\x1a\n(?:(?!IDAT).)*?acTL", re.DOTALL)
_WEBP = re.compile(rb"RIFF....WEBPVP8X....(.)", re.DOTALL)
_WEBP_ANIMATED = 2
"""The flag of an animation in a WebP's header."""


def is_film(head: bytes) -> bool:
    """Tell whether a file that begins so is a film or an animation."""
    webp = _WEBP.match(head)
    animated = webp is not None and bool(webp[1][0] & _WEBP_ANIMATED)
    return animated or bool(_FILMS.match(head) or _ANIMATED_PNG.match(head))


def holds_film(path: Path) -> bool:
    """Tell whether a file is a film or an animation; False where it cannot be read."""
    try:
        with path.open("rb") as file:
            return is_film(file.read(HEAD_BYTES))
    except OSError:
        return False
