"""How the benchmarks measure."""

import json
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TypeVar

from dreamer.arrays import Image
from dreamer.files import photos

Row = tuple[str, str]
"""A figure's name, and the figure."""

ROUNDS = 7

_T = TypeVar("_T")


def times(runs: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    """Seconds of each run in each round, taken in turn after one that does not count."""
    taken: dict[str, list[float]] = {name: [] for name in runs}
    for round_number in range(rounds + 1):
        for name, run in runs.items():
            start = time.perf_counter()
            run()
            if round_number:
                taken[name].append(time.perf_counter() - start)
    return taken


def medians(runs: Mapping[str, Callable[[], object]], rounds: int = ROUNDS) -> dict[str, float]:
    """The median of the times of each run."""
    return {name: statistics.median(each) for name, each in times(runs, rounds).items()}


def command(*arguments: str) -> tuple[float, float]:
    """Seconds and peak megabytes of a process."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    start = time.perf_counter()
    subprocess.run([sys.executable, *arguments], check=True, capture_output=True)
    seconds = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    return seconds, max(before, after) / 1024


def kept(file: Path | None, kind: Callable[..., _T]) -> list[_T]:
    """What runs before this one kept in a file, a line each; the file need not exist."""
    lines = file.read_text("utf-8").splitlines() if file and file.exists() else []
    return [kind(*json.loads(line)) for line in lines]


def keep(file: Path | None, made: Iterable[tuple[object, ...]]) -> None:
    """Add to such a file, if there is to be one."""
    if file:
        with file.open("a", encoding="utf-8") as lines:
            lines.writelines(json.dumps(each) + "\n" for each in made)


def at(path: Path, side: int) -> Image:
    """A photo, its longest side brought to `side`."""
    read = photos.read(path)
    return photos.resize(read, photos.fit_size(read.image.shape[:2], side, enlarge=True)).image
