"""DeepDream on photos and films.

Objectives to compose are in `dreamer.objectives`.
"""

from typing import Any

from dreamer.api import (
    Visualized,
    activations,
    attribute,
    compare,
    dream,
    exemplars,
    film,
    load_network,
    visualize,
)
from dreamer.errors import DreamerError

__all__ = [
    "DreamerError",
    "Visualized",
    "activations",
    "attribute",
    "compare",
    "dream",
    "exemplars",
    "film",
    "load_network",
    "objectives",
    "visualize",
]


def __getattr__(name: str) -> Any:
    """Import `objectives` when it is asked for, since it brings TensorFlow with it."""
    if name != "objectives":
        raise AttributeError(f"module 'dreamer' has no attribute {name!r}")
    from dreamer.networks import runtime

    runtime.start()
    from dreamer.ascent import objectives

    return objectives
