"""The same photo, recipe and seed give the same bytes in every process."""

import hashlib
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from helpers import MEDIA

SAMPLE = MEDIA / "sample.jpg"


def hashes(folder: Path, size: int, processes: int) -> set[str]:
    """The hashes of one dream in both number types, each made by a process of its own.

    Every third process has no cache; the others share one, which the first of them fills.
    """

    def one(number: int) -> str:
        target = folder / f"{number}.png"
        command = [sys.executable, "-m", "dreamer", "image", str(SAMPLE), "-q", "-o", str(target)]
        kept = str(folder / "kept") if number % 3 else ""
        recipe = [
            "--size",
            str(size),
            "--octaves",
            "2",
            "--steps",
            "6",
            "--precision",
            "mixed",
            "--threads",
            "2",
        ]
        environment = {**os.environ, "DREAMER_CACHE": kept}
        subprocess.run([*command, *recipe], check=True, env=environment)
        return hashlib.sha256(target.read_bytes()).hexdigest()

    with ThreadPoolExecutor(2) as pool:
        return set(pool.map(one, range(processes)))


def test_three_processes_agree(tmp_path: Path) -> None:
    assert len(hashes(tmp_path, 200, 3)) == 1
    # The facts of the network, and a graph for each number type that this machine uses.
    assert len(list((tmp_path / "kept").iterdir())) >= 2


@pytest.mark.slow
def test_twenty_processes_agree(tmp_path: Path) -> None:
    assert len(hashes(tmp_path, 320, 20)) == 1
