"""A traced graph as plain data, which another process can run without tracing it again."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from tensorflow.core.framework import graph_pb2

_OF_THIS_PROCESS = {"PyFunc", "PyFuncStateless", "EagerPyFunc"}
"""Operations that call a Python function, which only the process that traced it has."""

_OF_THE_SYSTEM = {"ReadFile", "WriteFile", "MatchingFiles", "Save", "SaveV2", "RestoreV2"}
"""Operations on files, which no ascent needs: a graph that has one is not one of ours."""

_SCOPE = "kept"
"""Keeps the names of a graph from those of what it is put beside."""


@dataclass(frozen=True)
class KeptGraph:
    """A traced function.

    Attributes:
        definition: its `GraphDef`, serialized.
        inputs: the names of what it is given, flat, and behind them those of its weights.
        outputs: the names of what it returns, flat.
        weights: the tensors that it was traced with; bfloat16 as uint16.
        dtypes: the names of their types.
    """

    definition: bytes
    inputs: Sequence[str]
    outputs: Sequence[str]
    weights: Sequence[NDArray[Any]]
    dtypes: Sequence[str]


def keep_graph(function: Any) -> KeptGraph | None:
    """Return a `tf.function` of one signature as plain data.

    None if it was not traced yet, or calls Python functions.
    """
    if not function.experimental_get_tracing_count():
        return None
    traced = function.get_concrete_function()
    definition = _rename_functions(traced.graph.as_graph_def())
    weights = traced.captured_inputs
    if _list_operations(definition) & _OF_THIS_PROCESS or any(
        weight.dtype == tf.resource for weight in weights
    ):
        return None
    return KeptGraph(
        definition.SerializeToString(),
        [each.name for each in traced.inputs],
        [each.name for each in traced.outputs],
        [_to_array(weight) for weight in weights],
        [weight.dtype.name for weight in weights],
    )


def restore_graph(kept: KeptGraph) -> Callable[..., Any]:
    """Return the function that was kept: from a nest of tensors to a flat list of tensors.

    Raises ValueError, KeyError, TypeError or DecodeError if it is not one that `keep_graph` made.
    """
    definition = graph_pb2.GraphDef()
    definition.ParseFromString(kept.definition)
    if _list_operations(definition) & (_OF_THIS_PROCESS | _OF_THE_SYSTEM):
        raise ValueError("a graph that does more than compute")
    given = len(kept.inputs) - len(kept.weights)
    pairs = zip(kept.inputs[given:], kept.weights, kept.dtypes, strict=True)
    # Captured, because each argument of a call takes its time.
    weights = {name: _to_tensor(weight, dtype) for name, weight, dtype in pairs}

    def build() -> None:
        inside = {name: tf.identity(weight) for name, weight in weights.items()}
        tf.graph_util.import_graph_def(definition, inside, name=_SCOPE)

    graph = tf.compat.v1.wrap_function(build, [])

    def find(name: str) -> tf.Tensor:
        return graph.graph.as_graph_element(f"{_SCOPE}/{name}")

    run = graph.prune([*map(find, kept.inputs[:given])], [*map(find, kept.outputs)])
    return lambda *inputs: run(*tf.nest.flatten(inputs))


def _rename_functions(definition: Any) -> Any:
    """Give the functions of a graph names that those of no other process have."""
    digest = hashlib.sha256(definition.SerializeToString()).hexdigest()[:16]
    functions = definition.library.function
    names = {each.signature.name: f"{each.signature.name}_{digest}" for each in functions}
    for function in functions:
        function.signature.name = names[function.signature.name]
    for node in _list_nodes(definition):
        node.op = names.get(node.op, node.op)
        for value in node.attr.values():
            # Reading `func` alone would set it in attributes that hold something else.
            one = [value.func] if value.HasField("func") else []
            for called in (*one, *(value.list.func if value.HasField("list") else ())):
                called.name = names.get(called.name, called.name)
    return definition


def _list_nodes(definition: Any) -> list[Any]:
    functions = definition.library.function
    return [*definition.node, *(node for each in functions for node in each.node_def)]


def _list_operations(definition: Any) -> set[str]:
    return {node.op for node in _list_nodes(definition)}


def _to_array(weight: tf.Tensor) -> NDArray[Any]:
    array: NDArray[Any] = weight.numpy()
    return array.view(np.uint16) if weight.dtype == tf.bfloat16 else array


def _to_tensor(array: NDArray[Any], dtype: str) -> tf.Tensor:
    if dtype == "bfloat16":
        return tf.bitcast(tf.constant(array, tf.uint16), tf.bfloat16)
    return tf.constant(array, tf.dtypes.as_dtype(dtype))
