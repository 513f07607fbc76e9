"""The same photo, recipe and seed give the same bytes in every process."""

import hashlib
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from helpers import MEDIA

SAMPLE = MEDIA / "sample.jpg"


def hashes(folder: Path, precision: str, processes: int) -> set[str]:
    """The hashes of one small dream, each made by a process of its own."""

    def one(number: int) -> str:
        target = folder / f"{number}.png"
        command = [sys.executable, "-m", "dreamer", "image", str(SAMPLE), "-q", "-o", str(target)]
        recipe = ["--size", "320", "--steps", "6", "--precision", precision, "--threads", "2"]
        subprocess.run([*command, *recipe], check=True)
        return hashlib.sha256(target.read_bytes()).hexdigest()

    with ThreadPoolExecutor(2) as pool:
        return set(pool.map(one, range(processes)))


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_four_processes_agree(precision: str, tmp_path: Path) -> None:
    assert len(hashes(tmp_path, precision, 4)) == 1


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_twenty_processes_agree(precision: str, tmp_path: Path) -> None:
    assert len(hashes(tmp_path, precision, 20)) == 1
