"""Make the pictures of the pages: `python docs/pictures.py CAT`; googlenet has to be at hand."""

import shlex
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np

from dreamer.files import photos

HERE = Path(__file__).parent
CHANNELS = "mixed4d:0,64,139,200,262,330,400,460"
UNITS = "mixed4c:411,418,223,423,390,340"

SHEETS: Mapping[str, Sequence[str]] = {
    "articles/images/convnet-filters.jpg": (
        f"dream filters {CHANNELS} -m googlenet -p filters-2016 --columns 8",
        f"dream filters {CHANNELS} -m googlenet --columns 8",
    ),
    "articles/images/convolutional-cats.jpg": (
        "dream filters mixed4d:0,139,262,400 -m googlenet -p filters-2017 --init CAT --columns 4"
        " --set shown=plain --size 224",
        "dream filters mixed4d:0,139,262,400 -m googlenet --columns 4 --size 224",
    ),
    "articles/images/peeking-inside.jpg": (
        f"dream filters {UNITS} -p filters-unit --columns 6 --size 160",
        f"dream filters {UNITS} -m googlenet --unit --columns 6 --size 160",
    ),
}
"""By picture: the commands whose sheets stand in it, one below the other."""

WIDTH = 1200
"""Of a picture, in pixels."""


def main() -> None:
    """Make those that are named behind the cat, or all."""
    cat, wanted = Path(sys.argv[1]).resolve(), sys.argv[2:]
    for name, commands in SHEETS.items():
        if wanted and Path(name).stem not in wanted:
            continue
        sheets = []
        for command in commands:
            with tempfile.TemporaryDirectory() as folder:
                words = shlex.split(command.replace("CAT", str(cat)))
                subprocess.run([*words, "-o", f"{folder}/sheet.png", "-q"], check=True)
                sheet = photos.read(Path(folder, "sheet.png")).image
            height = round(sheet.shape[0] * WIDTH / sheet.shape[1])
            sheets.append(cv2.resize(sheet, (WIDTH, height), interpolation=cv2.INTER_AREA))
        path = HERE / name
        path.parent.mkdir(parents=True, exist_ok=True)
        photos.write(path, np.concatenate(sheets), style=photos.Style(quality=86))


if __name__ == "__main__":
    main()
