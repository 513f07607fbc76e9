"""Measure how long a person waits for a picture or a film, from the command to its end.

    python tests/benchmarks/cold.py [--against CHECKOUT] [--rounds N]

Every run is a process of its own, on the sample photo. With another checkout of the program, its
times stand beside, taken in turn. "Cached" is a second run that finds what the first one kept.
Every figure is printed as a line of a Markdown table, the median over the rounds.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2]
SAMPLE = str(ROOT / "media" / "sample.jpg")
FILM = ("--seconds", "1", "--fps", "24", "--size", "320", "--intro", "0")
RUNS: Mapping[str, Sequence[str]] = {
    "128 px, one step": ("image", SAMPLE, "--size", "128", "--steps", "1", "-o", "picture.png"),
    "512 px": ("image", SAMPLE, "--size", "512", "-o", "picture.png"),
    "1280 px": ("image", SAMPLE, "-o", "picture.png"),
    "film of 24 frames, 320 px": ("video", SAMPLE, *FILM, "-o", "film.mp4"),
}


def seconds(command: Sequence[str], checkout: Path, home: Path) -> float:
    """Seconds of a process that imports a checkout, and keeps its files in a folder."""
    folders = {"PYTHONPATH": str(checkout), "XDG_CACHE_HOME": str(home)}
    start = time.perf_counter()
    subprocess.run(
        [sys.executable, *command],
        env={**os.environ, **folders},
        cwd=home,
        check=True,
        capture_output=True,
    )
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--against", type=Path, help="another checkout of the program")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    ways = {"now": ROOT, "cached": ROOT}
    if options.against:
        ways = {"before": options.against.resolve(), **ways}
    print("| | import tensorflow | " + " | ".join(ways) + " |")
    print("|---" * (len(ways) + 2) + "|")
    for name, arguments in RUNS.items():
        taken: dict[str, list[float]] = {"import": [], **{way: [] for way in ways}}
        for _ in range(options.rounds):
            with tempfile.TemporaryDirectory() as folder:
                home = Path(folder)
                taken["import"].append(seconds(["-c", "import tensorflow"], ROOT, home))
                for way, checkout in ways.items():
                    command = ["-m", "dreamer", *arguments, "--overwrite"]
                    taken[way].append(seconds(command, checkout, home))
        figures = [f"{statistics.median(each):.2f} s" for each in taken.values()]
        print(f"| {name} | {' | '.join(figures)} |", flush=True)


if __name__ == "__main__":
    main()
