"""Room on the disk, asked for before a long run."""

import math
import shutil
from pathlib import Path

from dreamer.arrays import Size
from dreamer.errors import DreamerError

STORED = 6
"""Bytes that a stored pixel takes."""


def needed(size: Size, frames: int, room: float) -> int:
    """Bytes of disk that a film takes while it is made.

    Args:
        size: of a frame.
        frames: how many are still to come.
        room: of the film's format, in bytes for each pixel of a frame.
    """
    return math.ceil(math.prod(size) * frames * (STORED + room))


def check(folder: Path, wanted: int) -> None:
    """Raise DreamerError where the disk has no room for `wanted` bytes below `folder`."""
    there = next(path for path in (folder, *folder.absolute().parents) if path.is_dir())
    free = shutil.disk_usage(there).free
    if wanted > free:
        raise DreamerError(
            f"The film needs {wanted / 1e9:.1f} GB beside {folder}, where {free / 1e9:.1f} GB are "
            "free: ask for fewer frames or a smaller --size, or name another disk by --output."
        )
