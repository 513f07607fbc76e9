"""Operations that exporters write as several others, brought back to the one that they are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from onnx import helper, numpy_helper

SHAPED = "Reshape", "Squeeze", "Unsqueeze"
"""Operations that keep all numbers and their order."""


def find_patterns(nodes: Sequence[Any], constants: Mapping[str, np.ndarray]) -> list[Any]:
    """Return the nodes of a graph, with a single one for each local response normalization.

    PyTorch has no such operation, and averages squares over channels by a pool in three dimensions.
    """
    known = dict(constants)
    for node in nodes:
        if node.op_type == "Constant" and node.attribute[0].name == "value":
            known[node.output[0]] = numpy_helper.to_array(node.attribute[0].t)
    graph = _Graph(nodes, known)
    made: dict[str, Any] = {}
    for node in nodes:
        if node.op_type == "AveragePool" and (found := _find_normalization(graph, node)):
            made |= found
    replaced = [made.get(node.output[0], node) for node in nodes]
    return [node for node in replaced if node is not None]


class _Graph:
    """Nodes by what they give and by what they read."""

    def __init__(self, nodes: Sequence[Any], constants: Mapping[str, np.ndarray]) -> None:
        self.constants = constants
        self._makers = {name: node for node in nodes for name in node.output}
        self._readers: dict[str, list[Any]] = defaultdict(list)
        for node in nodes:
            for name in set(node.input):
                self._readers[name].append(node)

    def before(self, node: Any, *kinds: str) -> Any:
        """Return the node that a node reads first, if it is of these kinds and no other does."""
        found = self._makers.get(node.input[0])
        fits = found is not None and found.op_type in kinds
        return found if fits and len(self._readers[node.input[0]]) == 1 else None

    def behind(self, node: Any, *kinds: str) -> Any:
        """Return the only node that reads a node's output, if it is of these kinds."""
        readers = self._readers[node.output[0]]
        return readers[0] if len(readers) == 1 and readers[0].op_type in kinds else None

    def number(self, node: Any) -> float | None:
        """Return the number that a node combines with what it reads."""
        for name in node.input:
            if name in self.constants and self.constants[name].size == 1:
                return float(self.constants[name].reshape(()))
        return None


def _find_normalization(graph: _Graph, pool: Any) -> Mapping[str, Any]:
    """Return the normalization that a pool is a part of, and None for its other nodes.

    They are by the names of what they give; empty where it is a pool of another kind.
    """
    reach = next((list(each.ints) for each in pool.attribute if each.name == "kernel_shape"), [])
    # Of an even number of channels, PyTorch and ONNX take others.
    if len(reach) != 3 or reach[1:] != [1, 1] or not reach[0] % 2:
        return {}
    parts = [pool]
    for kinds in (("Pad",), SHAPED, ("Mul",)):
        if (earlier := graph.before(parts[0], *kinds)) is None:
            return {}
        parts.insert(0, earlier)
    square, _, pad, _ = parts
    if square.input[0] != square.input[1] or not _pads_channels(graph, pad, reach[0]):
        return {}
    while shaped := graph.behind(parts[-1], *SHAPED):
        parts.append(shaped)
    numbers = []
    for kind in ("Mul", "Add", "Pow"):
        later = graph.behind(parts[-1], kind)
        if later is None or (number := graph.number(later)) is None:
            return {}
        parts.append(later)
        numbers.append(number)
    last = graph.behind(parts[-1], "Div")
    if last is None or [*last.input] != [square.input[0], parts[-1].output[0]]:
        return {}
    alpha, bias, beta = numbers
    # Both divide the sum by its number of channels.
    settings = {"size": reach[0], "alpha": alpha, "beta": beta, "bias": bias}
    read, gives = [square.input[0]], list(last.output)
    made = helper.make_node("LRN", read, gives, last.name, **settings)
    made.metadata_props.extend(last.metadata_props)
    return {**{part.output[0]: None for part in parts}, last.output[0]: made}


def _pads_channels(graph: _Graph, pad: Any, size: int) -> bool:
    """Tell whether a tensor `(n, 1, c, h, w)` is padded by zeros so that all channels are kept."""
    widths = graph.constants.get(pad.input[1]) if len(pad.input) > 1 else None
    half = size // 2
    usual = [0, 0, half, 0, 0] * 2
    zero = len(pad.input) < 3 or not pad.input[2] or not graph.constants[pad.input[2]].any()
    return widths is not None and widths.tolist() == usual and zero
