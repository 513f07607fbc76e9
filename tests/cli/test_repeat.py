"""The same photo, recipe and seed give the same bytes in every process."""

import hashlib
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from helpers import MEDIA

SAMPLE = MEDIA / "sample.jpg"


def hashes(folder: Path, size: int, processes: int) -> set[str]:
    """The hashes of one dream in both number types, each made by a process of its own."""

    def one(number: int) -> str:
        target = folder / f"{number}.png"
        command = [sys.executable, "-m", "dreamer", "image", str(SAMPLE), "-q", "-o", str(target)]
        recipe = ["--size", str(size), "--steps", "6", "--precision", "mixed", "--threads", "2"]
        subprocess.run([*command, *recipe], check=True)
        return hashlib.sha256(target.read_bytes()).hexdigest()

    with ThreadPoolExecutor(2) as pool:
        return set(pool.map(one, range(processes)))


def test_three_processes_agree(tmp_path: Path) -> None:
    assert len(hashes(tmp_path, 200, 3)) == 1


@pytest.mark.slow
def test_twenty_processes_agree(tmp_path: Path) -> None:
    assert len(hashes(tmp_path, 320, 20)) == 1
