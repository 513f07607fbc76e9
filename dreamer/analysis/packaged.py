"""Statistics of photos that come with the package, an array for each layer of a network."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dreamer.files import atomic

FOLDER = Path(__file__).parents[1] / "data"
"""The folder of the package's data."""


def read(path: Path) -> dict[str, NDArray[np.float32]]:
    """Read the arrays of a file by layer, as float32."""
    with np.load(path) as archive:
        return {layer: archive[layer].astype(np.float32) for layer in archive}


def write(path: Path, arrays: Mapping[str, NDArray[np.float32]]) -> Path:
    """Write arrays by layer, as float16; return the path."""
    halves: dict[str, Any] = {layer: each.astype(np.float16) for layer, each in arrays.items()}
    with atomic.open_replacing(path) as file:
        np.savez_compressed(file, **halves)
    return path
