"""Remake the gallery: every picture by its command, as it stands in the README.

    python media/gallery.py [PICTURE…]

Commands with `-m googlenet` need its weights (`dream models fetch googlenet`).
"""

import shlex
import sys
from pathlib import Path

from dreamer.cli import app

ROOT = Path(__file__).parents[1]

COMMANDS = (
    "dream image media/sample.jpg --of birds --size 800 -o media/birds.jpg",
    "dream image media/sample.jpg --strength 15 --keep-colors --size 800 -o media/engraving.jpg",
    "dream image --noise 600x400 --seamless -l mixed4d --strength 30 -o media/seamless.jpg",
    "dream image media/sample.jpg --sheet layers -o media/layers.jpg",
    "dream image media/sample.jpg --sheet words --size 360 -o media/words.jpg",
    "dream image media/sample.jpg --vary octaves=1,2,4,6 -o media/octaves.jpg",
    "dream image media/sample.jpg --vary rate=0.004,0.008,0.016,0.032 -o media/rate.jpg",
    "dream image media/sample.jpg --vary blur=0,0.3,0.6,1.2 -o media/blur.jpg",
    "dream image media/sample.jpg --vary normalization=laplacian,mean-abs,rms,std "
    "-o media/normalize.jpg",
    "dream search media/sample.jpg --seed 1 -o media/search.jpg",
    "dream filters mixed3b:0-3 mixed4a:0-3 mixed4c:0-7 -o media/filters.jpg",
    "dream class goldfish magpie hen 'sea snake' abacus 'giant panda' -o media/classes.jpg",
    "dream video media/sample.jpg --loop --seconds 4 --fps 12 --size 360 -o media/loop.gif "
    "--max-mb 3.5",
)


def picture(command: str) -> str:
    """The file that a command writes."""
    words = shlex.split(command)
    return words[words.index("-o") + 1]


def main() -> None:
    """Remake all, or those that are named."""
    wanted = sys.argv[1:]
    for command in COMMANDS:
        if not wanted or Path(picture(command)).name in wanted:
            app([*shlex.split(command)[1:], "--overwrite"], standalone_mode=False)


if __name__ == "__main__":
    main()
