"""Traced graphs in the user's cache, so that the next process need not trace them again."""

import zipfile
import zlib
from typing import Any

import numpy as np

from dreamer.ascent.kept_graph import KeptGraph
from dreamer.files import cache

_UNREADABLE = (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error)


def read(entry: str) -> KeptGraph | None:
    """Read a graph; None if the cache does not hold it whole."""
    path = cache.find(entry)
    if path is None:
        return None
    try:
        # `np.load` leaves open what it cannot read.
        with path.open("rb") as file, np.load(file) as archive:
            return KeptGraph(
                archive["definition"].tobytes(),
                archive["inputs"].tolist(),
                archive["outputs"].tolist(),
                [archive[f"weight{number}"] for number in range(len(archive["dtypes"]))],
                archive["dtypes"].tolist(),
            )
    except _UNREADABLE:
        return None


def write(entry: str, kept: KeptGraph) -> None:
    """Write a graph."""
    texts = {"inputs": kept.inputs, "outputs": kept.outputs, "dtypes": kept.dtypes}
    arrays: dict[str, Any] = {
        "definition": np.frombuffer(kept.definition, np.uint8),
        **{name: np.array(list(text), str) for name, text in texts.items()},
        **{f"weight{number}": weight for number, weight in enumerate(kept.weights)},
    }
    cache.write(entry, lambda file: np.savez(file, **arrays))
