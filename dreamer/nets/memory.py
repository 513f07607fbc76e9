"""How large a picture a network can see at once, by the memory there is."""

import os
from collections.abc import Collection
from pathlib import Path

from dreamer.nets import graph
from dreamer.nets.network import Network

SHARE = 0.25
"""Of the machine's memory, what a network's activations may take."""

MOST = 1e9
"""Bytes that they may take however much there is, so that most machines make the same picture."""

TILE = 0.65
"""Of these bytes, what a tile's may take: a picture that needs tiles takes much memory itself."""

WHOLE = 0.5
"""Of the machine's memory, what they may take of a picture that cannot be cut."""

_FACTOR = 1.3
"""Peak memory of a gradient beside the layers' outputs (measured: 0.9 to 1.3)."""

_CGROUPS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")


def of_machine() -> float:
    """Bytes of memory that this process may use at most; what is free does not count."""
    limits = [float("inf")]
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        limits.append(float(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")))
    for path in map(Path, _CGROUPS):
        if path.is_file() and (text := path.read_text("utf-8").strip()).isdigit():
            limits.append(float(text))
    return min(limits)


def needed(net: Network, layers: Collection[str]) -> float:
    """Bytes a pixel that the gradient of a network up to `layers` takes in float32, about."""
    return 4 * _FACTOR * graph.values(net.model, layers)


def side(net: Network, layers: Collection[str], share: float = 1) -> int:
    """Of the largest square, in pixels, whose gradient fits into a share of what there is."""
    return int((share * min(MOST, SHARE * of_machine()) / needed(net, layers)) ** 0.5)


def pictures(net: Network, layers: Collection[str], pixels: int) -> int:
    """How many pictures of so many pixels fit into what there is, at least 1."""
    return max(1, int(min(MOST, SHARE * of_machine()) / (needed(net, layers) * pixels)))
