"""Estimates of how large a picture a network can process at once in the available memory."""

import os
from collections.abc import Collection
from pathlib import Path

from dreamer.networks import graph
from dreamer.networks.network import Network

SHARE = 0.25
"""Share of the machine's memory that a network's activations may take."""

MOST = 1e9
"""Most bytes that activations may take on any machine, so that most machines agree on a picture."""

TILE = 0.65
"""Share of those bytes for a tile: a picture that needs tiles takes much memory itself."""

WHOLE = 0.5
"""Share of the machine's memory that activations may take for a picture that cannot be tiled."""

_PEAK_FACTOR = 1.3
"""Peak memory of a gradient, as a multiple of the layers' outputs (measured: 0.9 to 1.3)."""

_CGROUP_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")


def measure_limit() -> float:
    """Return the most bytes of memory that this process may use, whether free or not."""
    limits = [float("inf")]
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        limits.append(float(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")))
    for path in map(Path, _CGROUP_LIMITS):
        if path.is_file() and (text := path.read_text("utf-8").strip()).isdigit():
            limits.append(float(text))
    return min(limits)


def estimate_bytes_per_pixel(net: Network, layers: Collection[str]) -> float:
    """Estimate the bytes per pixel that a network's gradient up to `layers` takes in float32."""
    values = net.facts.find(
        f"values per pixel up to {', '.join(sorted(layers))}",
        lambda: graph.count_values_per_pixel(net.model, layers),
    )
    return 4 * _PEAK_FACTOR * values


def find_largest_side(net: Network, layers: Collection[str], share: float = 1) -> int:
    """Return the side, in pixels, of the largest square whose gradient fits into memory.

    The gradient may take `share` of what activations may take at most (`SHARE`, `MOST`).
    """
    return int(
        (share * min(MOST, SHARE * measure_limit()) / estimate_bytes_per_pixel(net, layers)) ** 0.5
    )


def count_pictures(net: Network, layers: Collection[str], pixels: int) -> int:
    """Return how many pictures of this many pixels fit into memory at once, at least 1."""
    return max(
        1,
        int(min(MOST, SHARE * measure_limit()) / (estimate_bytes_per_pixel(net, layers) * pixels)),
    )
