"""Questions about a Keras model's layers: what they make, who reads them, what they stand for."""

import itertools
import math
from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

import keras
from keras import layers

_ACTIVATIONS = (layers.ReLU, layers.LeakyReLU, layers.PReLU, layers.ELU, layers.Activation)
_POOLING = (
    layers.GlobalAveragePooling2D,
    layers.GlobalMaxPooling2D,
    layers.Flatten,
    layers.Reshape,
    layers.Dropout,
    layers.Identity,
)
_IN_PLACE = (*_ACTIVATIONS, layers.BatchNormalization, layers.Dropout, layers.Identity)
_SIDE = 512
_ODD_SIZE = (331, 299)
"""A picture's height and width that no network was trained for."""


def widths(model: Any, rank: int) -> Mapping[str, int]:
    """The layers whose output has so many axes, in order, with the length of the last one."""
    outputs = {
        layer.name: tuple(getattr(layer.output, "shape", ()))
        for layer in model.layers
        if not isinstance(layer, layers.InputLayer)
    }
    return {
        name: shape[-1]
        for name, shape in outputs.items()
        if len(shape) == rank and shape[-1] is not None
    }


def readers(model: Any, layer: Any) -> list[Any]:
    """The layers that read a layer's output."""
    outputs = keras.tree.flatten(layer.output)
    return [
        other
        for other in model.layers
        if not isinstance(other, layers.InputLayer)
        and any(given is made for given in keras.tree.flatten(other.input) for made in outputs)
    ]


def source(model: Any, layer: Any) -> Any:
    """The layer whose output a layer reads, or reads first."""
    given = keras.tree.flatten(layer.input)[0]
    return next(other for other in model.layers if other.output is given)


class Rectifier(NamedTuple):
    """What a ReLU does: its slope below `threshold`, and the limit above which it is flat."""

    slope: float = 0.0
    limit: float | None = None
    threshold: float = 0.0


_RECTIFIERS: Mapping[Any, Rectifier] = {
    keras.activations.relu: Rectifier(),
    keras.activations.relu6: Rectifier(limit=6.0),
}


def rectifier(layer: Any) -> Rectifier | None:
    """What the ReLU does that a layer is, or ends in; None where there is none."""
    if isinstance(layer, layers.ReLU):
        limit = None if layer.max_value is None else float(layer.max_value)
        return Rectifier(float(layer.negative_slope), limit, float(layer.threshold))
    return _RECTIFIERS.get(getattr(layer, "activation", None))


def bottlenecks(model: Any) -> list[str]:
    """The layers past which nothing is read, in order: every way to the output leads through them.

    They are the articulation points of the graph, between its input and its output.
    """
    places = {id(layer.output): n for n, layer in enumerate(model.layers)}
    read_until = list(range(len(places)))
    for n, layer in enumerate(model.layers):
        for given in keras.tree.flatten(layer.input):
            read_until[places[id(given)]] = n
    before = [0, *itertools.accumulate(read_until, max)]
    return [layer.name for n, layer in enumerate(model.layers) if before[n] <= n]


def is_linear(layer: Any) -> bool:
    """Whether a convolution or a fully connected layer has no activation of its own."""
    return getattr(layer, "activation", None) is keras.activations.linear


def convolutions(model: Any) -> list[str]:
    """The layers that are convolutions, each by the name of the activation behind it."""
    kinds = (layers.Conv2D, layers.DepthwiseConv2D, layers.SeparableConv2D)
    own = [layer for layer in model.layers if isinstance(layer, kinds)]
    return list(dict.fromkeys(meant(model, layer).name for layer in own))


def gives_probabilities(layer: Any) -> bool:
    """Whether a layer ends in a softmax or a sigmoid."""
    ends = (keras.activations.softmax, keras.activations.sigmoid)
    return isinstance(layer, layers.Softmax) or getattr(layer, "activation", None) in ends


def meant(model: Any, layer: Any) -> Any:
    """The layer that is meant by one that nobody dreams on.

    A linear convolution, or its batch normalisation, stands for the activation behind it, a
    softmax of its own for the logits before it; any other layer for itself.
    """
    if isinstance(layer, layers.Softmax | layers.Activation) and gives_probabilities(layer):
        return source(model, layer)
    after = layer
    if not (is_linear(layer) or isinstance(layer, layers.BatchNormalization)):
        return layer
    while len(behind := readers(model, after)) == 1:
        (after,) = behind
        if isinstance(after, _ACTIVATIONS):
            return layer if gives_probabilities(after) else after
        if not isinstance(after, layers.BatchNormalization):
            break
    return layer


def maps_before(model: Any, layer: Any) -> Any:
    """The last layer with feature maps on the way to a layer of units."""
    while len(layer.output.shape) != 4:
        layer = source(model, layer)
    return layer


def silencer(model: Any, layer: Any) -> Any | None:
    """The ReLU whose maps are pooled into class scores, if a model ends so.

    Where a class's map is zero everywhere, nothing would lead towards that class.
    """
    if any(reader.weights for reader in readers(model, layer)):
        return None
    before = layer
    while isinstance(before, _POOLING):
        before = source(model, before)
    return before if before is not layer and rectifier(before) else None


def freed(model: Any) -> Any:
    """A model with the same weights that reads pictures of any height and width.

    Raises ValueError where a layer in it needs pictures of one size.
    """
    free = keras.models.clone_model(
        keras.Model(model.inputs, model.outputs), input_tensors=[keras.Input((None, None, 3))]
    )
    # A layer that reshapes shows what it needs only now.
    free.compute_output_shape((1, *_ODD_SIZE, 3))
    free.set_weights(model.get_weights())
    return free


def sees_all(model: Any, names: Collection[str]) -> bool:
    """Whether one of the layers reads a pool over all places of the picture."""
    pools = (layers.GlobalAveragePooling2D, layers.GlobalMaxPooling2D, layers.Flatten)
    return any(isinstance(layer, pools) for layer in _up_to(model, names).layers)


def values(model: Any, names: Collection[str]) -> float:
    """How many values a pixel the layers up to some make, those left out that work in place."""
    cut = _up_to(model, names)
    made = [layer.output for layer in cut.layers[1:] if not isinstance(layer, _IN_PLACE)]
    height, width = (side or _SIDE for side in model.inputs[0].shape[1:3])
    shapes = keras.Model(cut.inputs, made).compute_output_shape((1, height, width, 3))
    return sum(map(math.prod, shapes)) / (height * width)


def _up_to(model: Any, names: Collection[str]) -> Any:
    return keras.Model(model.inputs, [model.get_layer(name).output for name in names])
