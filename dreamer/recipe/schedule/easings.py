"""Easings: the shapes of the transition from one key to the next."""

from collections.abc import Callable, Mapping

EASINGS: Mapping[str, Callable[[float], float]] = {
    "linear": lambda x: x,
    "ease-in": lambda x: x * x,
    "ease-out": lambda x: x * (2 - x),
    "ease-in-out": lambda x: x * x * (3 - 2 * x),
    "hold": lambda x: 0.0,
}
"""Functions by name, from the share of the time between two keys, 0 to 1, to the weight of the
second key."""
