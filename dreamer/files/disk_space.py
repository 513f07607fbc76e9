"""Free space on the disk, checked before a long run."""

import math
import shutil
from pathlib import Path

from dreamer.arrays import Size
from dreamer.errors import DreamerError

STORED = 6
"""Bytes per pixel of a frame in the working folder."""


def estimate_bytes(size: Size, frames: int, room: float) -> int:
    """Return the bytes of disk that a film takes while it is made.

    Args:
        size: height and width of a frame.
        frames: number of frames that are still to come.
        room: bytes per pixel of a frame that the film's format takes.
    """
    return math.ceil(math.prod(size) * frames * (STORED + room))


def check(folder: Path, wanted: int) -> None:
    """Raise DreamerError if the disk of `folder` has fewer than `wanted` bytes free."""
    there = next(path for path in (folder, *folder.absolute().parents) if path.is_dir())
    free = shutil.disk_usage(there).free
    if wanted > free:
        raise DreamerError(
            f"The film needs {wanted / 1e9:.1f} GB beside {folder}, where {free / 1e9:.1f} GB are "
            "free: ask for fewer frames or a smaller --size, or name another disk by --output."
        )
