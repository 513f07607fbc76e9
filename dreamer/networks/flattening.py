"""Any Keras model as one flat model: made of layers alone, for pictures of RGB and of any size.

What people train is nested, shared, split and full of arithmetic. Here models within models are
laid open, and their layers named by path; what is no layer becomes one; what only acts in training
is left out; ReLUs come apart from their convolutions. So all that follows sees layers alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import keras
from keras import layers, tree

from dreamer.arrays import Size
from dreamer.networks import graph

ODD_SIZE: Size = (331, 299)
"""Height and width that no network was trained for: only layers for any size accept them."""

_WEIGHING = (
    *(layers.Conv2D, layers.DepthwiseConv2D, layers.SeparableConv2D, layers.Conv2DTranspose),
    layers.Dense,
)
_IN_TRAINING = ("AugMix", "CutMix", "MixUp", "RandAugment", "GaussianNoise", "GaussianDropout")
"""Layers that do nothing but in training, besides those whose names begin with `Random`."""

FAILED = object()
"""Stands for what a layer would give that cannot read pictures of any size."""


class Flat(NamedTuple):
    """A flat model.

    Attributes:
        model: its input is `(n, h, w, 3)`, and its outputs are whatever no other layer reads.
        fixed: names of the layers that were left out because they read pictures of one size.
    """

    model: Any
    fixed: tuple[str, ...]


def flatten(model: Any, picture: Any, size: tuple[int | None, int | None] = (None, None)) -> Flat:
    """Return a flat model with the same weights, in float32.

    Args:
        model: a Keras model with a graph. It is not changed.
        picture: the one of its inputs that takes the picture, `(n, h, w, 1 or 3)`; of gray ones it
            gets the mean of the colors. What reads another input is left out.
        size: height and width of pictures; None for any.
    """
    image = keras.Input((*size, 3), name="picture")
    builder = _Builder()
    given = image if picture.shape[-1] == 3 else graph.AverageColors()(image)
    builder.run(model, [given if each is picture else None for each in model.inputs], "")
    return prune(image, builder.called)


def prune(image: Any, called: Called) -> Flat:
    """Return the flat model from a picture to those tensors that no others are made of.

    Args:
        image: the picture; where its size or the number of pictures is open, layers that cannot
            read any are left out.
        called: the layers that there may be.
    """
    tensors, fixed = called.tensors, called.fixed
    flat = _end_in_leaves(image, tensors)
    if None not in image.shape:
        return Flat(flat, tuple(fixed))
    usual = (2, *ODD_SIZE, 3)
    odd = _find_failing(flat, [each or odd for each, odd in zip(image.shape, usual, strict=True)])
    left = [each for each in tensors if graph.get_name(_get_node(each).operation) not in odd]
    return Flat(_end_in_leaves(image, left), (*fixed, *odd))


def _end_in_leaves(image: Any, tensors: Sequence[Any]) -> Any:
    """Return the model from a picture to those of some tensors that no others are made of."""
    read = {id(each) for made in tensors for each in _get_node(made).input_tensors}
    return keras.Model(image, [each for each in tensors if id(each) not in read])


def _get_node(tensor: Any) -> Any:
    history = tensor._keras_history
    return history.operation._inbound_nodes[history.node_index]


def _list_nodes(model: Any) -> list[Any]:
    """Return the calls of a model's layers and operations, each behind what it reads."""
    # A sequential model keeps its graph in another model.
    whole = keras.Model(model.inputs, model.outputs)
    depths = sorted(whole._nodes_by_depth, reverse=True)
    return [node for depth in depths for node in whole._nodes_by_depth[depth] if not node.is_input]


def _find_failing(flat: Any, shape: Sequence[int]) -> list[str]:
    """Return the layers that cannot read pictures of a shape, and those behind them."""
    # Layers such as `Reshape` fail only when they get pictures of another size.
    specs: dict[int, Any] = {id(flat.inputs[0]): keras.KerasTensor(tuple(shape))}
    failing: list[str] = []
    for node in _list_nodes(flat):
        outputs = _compute_specs(node, specs)
        if FAILED in outputs:
            failing.append(graph.get_name(node.operation))
        specs |= zip(map(id, node.outputs), outputs, strict=True)
    return failing


def _compute_specs(node: Any, specs: Mapping[int, Any]) -> Sequence[Any]:
    """Return the shapes of a call's outputs from those that it reads, `FAILED` if it cannot."""
    failed = [FAILED] * len(node.outputs)
    if FAILED in map(specs.get, map(id, node.input_tensors)):
        return failed
    args, kwargs = node.arguments.fill_in(specs)
    try:
        return list(tree.flatten(node.operation.compute_output_spec(*args, **kwargs)))
    # Keras and TensorFlow raise exceptions of all kinds.
    except Exception:
        return failed


class Called:
    """Layers that are called one by one, each under a name of its own.

    Attributes:
        tensors: what they gave.
        fixed: names of those that were left out.
    """

    def __init__(self) -> None:
        self.tensors: list[Any] = []
        self.fixed: list[str] = []
        self._names: Counter[str] = Counter()

    def add(self, layer: Any, name: str, *args: Any, **kwargs: Any) -> Any:
        """Call a layer; its name gets a number where another has it already."""
        unique = f"{name}_{self._names[name]}" if self._names[name] else name
        layer.name = graph.name_in_keras(unique)
        outputs = layer(*args, **kwargs)
        self._names[name] += 1
        self.tensors += tree.flatten(outputs)
        return outputs


class _Builder:
    """Calls copies of a model's layers, one by one, on new tensors."""

    def __init__(self) -> None:
        self.called = Called()

    def run(self, model: Any, inputs: Sequence[Any], path: str) -> list[Any]:
        """Add all layers of a model; return its outputs, None where an input is missing.

        Args:
            model: it may hold others.
            inputs: for each of its own, a tensor of the flat model, `FAILED` or None.
            path: of the model, in front of its layers' names.
        """
        known = {id(own): each for own, each in zip(model.inputs, inputs, strict=True)}
        known = {key: each for key, each in known.items() if each is not None}
        for node in _list_nodes(model):
            if all(id(each) in known for each in node.input_tensors):
                outputs = self._call(node, known, path)
                known |= {
                    id(own): each
                    for own, each in zip(node.outputs, outputs, strict=True)
                    if each is not None
                }
        return [known.get(id(each)) for each in model.outputs]

    def _call(self, node: Any, known: Mapping[int, Any], path: str) -> list[Any]:
        operation, name = node.operation, path + node.operation.name
        read = [known[id(each)] for each in node.input_tensors]
        if isinstance(operation, keras.Model) and operation.inputs:
            return self.run(operation, read, f"{name}/")
        if FAILED in read:
            self.called.fixed.append(name)
            return [FAILED] * len(node.outputs)
        args, kwargs = node.arguments.fill_in(known)
        if _acts_in_training_alone(operation):
            return read[:1]
        try:
            return list(tree.flatten(self._copy(operation, name, args, kwargs)))
        # Keras raises these for shapes that do not fit, and for what a layer cannot compute.
        except (ValueError, TypeError, NotImplementedError):
            self.called.fixed.append(name)
            return [FAILED] * len(node.outputs)

    def _copy(self, operation: Any, name: str, args: Any, kwargs: Mapping[str, Any]) -> Any:
        """Call a copy of a layer or an operation."""
        kwargs = {key: each for key, each in kwargs.items() if key not in graph.OF_TRAINING}
        if is_rectified(operation):
            linear = graph.copy_layer(operation, activation="linear")
            maps = self.called.add(linear, name + graph.PRE_RELU, *args, **kwargs)
            graph.set_weights(linear, operation.get_weights())
            return self.called.add(layers.Activation(operation.activation), name, maps)
        copy = _try_to_copy(operation)
        if copy is None:
            copy = Step(operation, args, kwargs)
            return self.called.add(copy, name, *copy.find_tensors(args, kwargs))
        outputs = self.called.add(copy, name, *args, **kwargs)
        if copy.weights:
            graph.set_weights(copy, operation.get_weights())
        return outputs


def is_rectified(operation: Any) -> bool:
    """Tell whether a layer with weights ends in a ReLU of its own."""
    return isinstance(operation, _WEIGHING) and graph.find_rectifier(operation) is not None


def _try_to_copy(operation: Any) -> Any:
    """Return a copy; None of what is no layer, or of a class of one's own that cannot be copied."""
    if not isinstance(operation, layers.Layer):
        return None
    try:
        return graph.copy_layer(operation)
    # Keras raises the first of a layer whose configuration it does not know.
    except (NotImplementedError, TypeError, ValueError):
        return None


def _acts_in_training_alone(operation: Any) -> bool:
    kind = type(operation).__name__
    return kind.startswith("Random") or kind in _IN_TRAINING


class Step(layers.Layer):  # type: ignore[misc]
    """An operation as a layer; or a layer of a class of one's own, as it is.

    Args:
        operation: it takes the arguments, and gives tensors.
        args, kwargs: tensors may be among them, for which others are given when it is called.
        kind: what the operation is called; its class's name unless given.
    """

    def __init__(
        self, operation: Any, args: Any, kwargs: Mapping[str, Any], kind: str = "", **own: Any
    ) -> None:
        super().__init__(**{"dtype": "float32", **own})
        self.operation, self.kind = operation, kind or type(operation).__name__
        self._arguments = args, dict(kwargs)

    @staticmethod
    def find_tensors(args: Any, kwargs: Mapping[str, Any]) -> list[Any]:
        """Return the tensors among the arguments, in order."""
        return [each for each in tree.flatten((args, dict(kwargs))) if _is_tensor(each)]

    def call(self, *tensors: Any) -> Any:
        """Return what the operation makes of other tensors."""
        given = iter(tensors)
        args, kwargs = tree.map_structure(
            lambda each: next(given) if _is_tensor(each) else each, self._arguments
        )
        return self.operation(*args, **kwargs)

    def copy(self, dtype: str) -> Step:
        """Return the same layer for another type."""
        return Step(self.operation, *self._arguments, self.kind, name=self.name, dtype=dtype)


def _is_tensor(value: Any) -> bool:
    return isinstance(value, keras.KerasTensor)
