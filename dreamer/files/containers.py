"""Text inside film files, in cases where ffmpeg by itself would lose it."""

import re
import struct
from collections.abc import Iterator, Mapping

HEAD = ";FFMETADATA1\n"
"""The first line of a file with tags for ffmpeg."""

_SPECIAL = re.compile(r"[=;#\\\n]")
_ESCAPED = r"\\\g<0>"


def ffmetadata(tags: Mapping[str, str]) -> str:
    """Return the text of a file that gives ffmpeg tags; long ones do not fit into arguments."""
    return "".join([HEAD, *(write_tag(key, text) for key, text in tags.items())])


def write_tag(key: str, text: str) -> str:
    """Return a line of such a file."""
    return f"{key}={_SPECIAL.sub(_ESCAPED, text)}\n"


def tag(metadata: str, key: str) -> str | None:
    """Return the value of a tag in ffmpeg's `ffmetadata` output, or None if it is not there.

    The case of the key is ignored, because Matroska changes it.
    """
    found = re.search(rf"^{key}=((?:\\.|[^\\\n])*)", metadata, re.MULTILINE | re.IGNORECASE | re.S)
    return re.sub(r"\\(.)", r"\1", found[1], flags=re.DOTALL) if found else None


def gif_with_comment(data: bytes, text: str) -> bytes:
    """Insert a comment before a GIF's first picture, as GIF89a specifies it."""
    raw = text.encode()
    blocks = b"".join(bytes([len(b)]) + b for b in _split(raw, 255))
    at = _find_header_end(data)
    return data[:at] + b"\x21\xfe" + blocks + b"\x00" + data[at:]


def _find_header_end(data: bytes) -> int:
    """Return the offset at which a GIF's header, palette and loop count end."""
    flags = data[10]
    at = 13 + (3 << (flags & 7) + 1 if flags & 0x80 else 0)
    # Programs look for the loop count right after the palette.
    return at + 19 if data[at : at + 14] == b"\x21\xff\x0bNETSCAPE2.0" else at


def _split(data: bytes, length: int) -> Iterator[bytes]:
    return (data[i : i + length] for i in range(0, len(data), length))


_HAS_EXIF = 0x08


def webp_with_exif(data: bytes, exif: bytes) -> bytes:
    """Append an EXIF chunk to an animated WebP; the format requires it at the end."""
    body = bytearray(data[8:])
    # The flags follow "WEBP", "VP8X" and its length.
    body[12] |= _HAS_EXIF
    body += b"EXIF" + struct.pack("<I", len(exif)) + exif + b"\x00" * (len(exif) % 2)
    return b"RIFF" + struct.pack("<I", len(body)) + bytes(body)
