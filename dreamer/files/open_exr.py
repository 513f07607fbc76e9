"""OpenEXR pictures, by ffmpeg: linear light in floating point, opacity multiplied in."""

import re
import tempfile
from pathlib import Path

import numpy as np

from dreamer.arrays import MOST_PIXELS
from dreamer.errors import DreamerError
from dreamer.files import coded_colors, ffmpeg
from dreamer.files.deep_tiff import DeepPicture

_SIGNATURE = b"v/1\x01"
# The demuxer is fixed, since others read further files that a stranger's file may name.
_DEMUXER = ("-f", "exr_pipe")


def read(data: bytes, name: str) -> DeepPicture | None:
    """Read an OpenEXR picture; None if it is none.

    Raises DreamerError, which begins with `name`, if it is damaged or too large.
    """
    if not data.startswith(_SIGNATURE):
        return None
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "picture.exr"
        path.write_bytes(data)
        found = re.search(r"Video: exr.*?, (\d+)x(\d+)", _describe(path))
        if not found:
            raise DreamerError(f"{name} is damaged (it has no size): export it again.")
        width, height = map(int, found.groups())
        if width * height > MOST_PIXELS:
            raise DreamerError(
                f"{name} has {width}×{height} pixels, and at most {MOST_PIXELS} can be opened: "
                "reduce it first."
            )
        planes = ("-frames:v", "1", "-f", "rawvideo", "-pix_fmt", "gbrapf32le", "pipe:1")
        raw, complaint = ffmpeg.run_tolerantly((*ffmpeg.source(path, *_DEMUXER), *planes))
    if len(raw) != height * width * 16:
        raise DreamerError(f"{name} is damaged ({complaint or 'it ends early'}): export it again.")
    green, blue, red, alpha = np.frombuffer(raw, "<f4").reshape(4, height, width)
    share = np.nan_to_num(alpha).clip(0, 1)
    light = np.nan_to_num(np.dstack([red, green, blue])) / np.maximum(share, 1e-6)[..., None]
    pixels = np.dstack([coded_colors.encode_srgb(light.clip(0, 1)), share])
    return DeepPicture(pixels.astype(np.float32), 1, None, 1, floating=True)


def _describe(path: Path) -> str:
    return ffmpeg.describe_run(ffmpeg.source(path, *_DEMUXER))
