"""Text inside the containers of films, where ffmpeg itself would lose it."""

import re
import struct
from collections.abc import Iterator, Mapping

_SPECIAL = re.compile(r"[=;#\\\n]")
_ESCAPED = r"\\\g<0>"


def ffmetadata(tags: Mapping[str, str]) -> str:
    """The file that gives ffmpeg the tags of a film; an argument is too short for long ones."""
    lines = [f"{key}={_SPECIAL.sub(_ESCAPED, text)}\n" for key, text in tags.items()]
    return "".join([";FFMETADATA1\n", *lines])


def tag(metadata: str, key: str) -> str | None:
    """The value of a tag in what ffmpeg writes as `ffmetadata`; Matroska changes a key's case."""
    found = re.search(rf"^{key}=((?:\\.|[^\\\n])*)", metadata, re.MULTILINE | re.IGNORECASE | re.S)
    return re.sub(r"\\(.)", r"\1", found[1], flags=re.DOTALL) if found else None


def gif_with_comment(data: bytes, text: str) -> bytes:
    """A GIF with a comment before its first picture, as GIF89a describes it."""
    raw = text.encode()
    blocks = b"".join(bytes([len(b)]) + b for b in _pieces(raw, 255))
    at = _before_pictures(data)
    return data[:at] + b"\x21\xfe" + blocks + b"\x00" + data[at:]


def _before_pictures(data: bytes) -> int:
    """Where a GIF's header, palette and number of loops end."""
    flags = data[10]
    at = 13 + (3 << (flags & 7) + 1 if flags & 0x80 else 0)
    # Programs look for the number of loops right behind the palette.
    return at + 19 if data[at : at + 14] == b"\x21\xff\x0bNETSCAPE2.0" else at


def _pieces(data: bytes, length: int) -> Iterator[bytes]:
    return (data[i : i + length] for i in range(0, len(data), length))


_HAS_EXIF = 0x08


def webp_with_exif(data: bytes, exif: bytes) -> bytes:
    """An animated WebP with an EXIF chunk at its end, where the format wants it."""
    body = bytearray(data[8:])
    # The flags follow "WEBP", "VP8X" and its length.
    body[12] |= _HAS_EXIF
    body += b"EXIF" + struct.pack("<I", len(exif)) + exif + b"\x00" * (len(exif) % 2)
    return b"RIFF" + struct.pack("<I", len(body)) + bytes(body)
