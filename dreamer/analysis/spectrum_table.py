"""Measure the spectrum of photographs and write it as a table: `spectrum_table.py PHOTOS.zip`.

The table is `dreamer/data/spectrum.tsv`, which `ascent/natural_spectrum.py` reads. Of each photo,
the largest square in its middle is seen through a Hann window, or its borders would be edges.
"""

import io
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import PIL.Image
from numpy.typing import NDArray

from dreamer.ascent import natural_spectrum
from dreamer.ascent.parametrizations import to_planes

SIDE = 256
"""Side, in pixels, at which photos are measured."""


def read_photos(path: Path) -> Iterator[NDArray[np.float32]]:
    """Yield the photos of a ZIP file whose short side is at least `SIDE`, cut to squares."""
    with zipfile.ZipFile(path) as archive:
        for name in sorted(archive.namelist()):
            if not name.lower().endswith((".jpg", ".jpeg", ".png")):
                continue
            photo = np.asarray(PIL.Image.open(io.BytesIO(archive.read(name))).convert("RGB"))
            height, width = photo.shape[:2]
            side = min(height, width)
            if side >= SIDE:
                top, left = (height - side) // 2, (width - side) // 2
                square = photo[top : top + side, left : left + side]
                small = cv2.resize(square, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
                yield small.astype(np.float32) / 255


def measure(photo: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the magnitudes of a photo's frequencies, `(SIDE, SIDE, 3)`, per pixel."""
    planes = np.asarray(to_planes(photo[None])[0], np.float64)
    planes -= planes.mean((0, 1))
    row = np.hanning(SIDE + 1)[:-1]
    window = (row[:, None] * row)[..., None]
    window /= np.sqrt(np.square(window).mean())
    return np.abs(np.fft.fft2(planes * window, axes=(0, 1))) / SIDE**2


def main() -> None:
    """Write the table."""
    found = [measure(photo) for photo in read_photos(Path(sys.argv[1]))]
    table = natural_spectrum.tabulate(np.mean(found, 0))
    natural_spectrum.FILE.write_text(natural_spectrum.write(table), "utf-8")


if __name__ == "__main__":
    main()
