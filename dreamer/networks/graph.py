"""Queries about the layers of a Keras model: outputs, connections and activations."""

import itertools
import math
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

import keras
import numpy as np
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
_USUAL_SIDE = 512
"""Side, in pixels, of the picture on which values are counted if a model accepts any size."""

PRE_RELU = "_pre_relu"
"""Suffix of a layer whose ReLU has a name of its own, as in the original network's graph."""

OF_TRAINING = ("mask", "training")
"""Arguments of a layer's call that mean nothing to a frozen one."""


_SLASH = ">"
"""Stands in Keras's own names for a slash, which it does not allow."""


def name_in_keras(name: str) -> str:
    """Return the name by which Keras knows a layer."""
    return name.replace("/", _SLASH)


def get_name(layer: Any) -> str:
    """Return a layer's name, which is a path where it was in a model within a model."""
    return str(layer.name.replace(_SLASH, "/"))


def get_kind(layer: Any) -> str:
    """Return the name of a layer's class, or of that of the operation which it runs."""
    return str(getattr(layer, "kind", type(layer).__name__))


def get_layer(model: Any, name: str) -> Any:
    """Return the layer of a model that has a name, or a path."""
    return model.get_layer(name_in_keras(name))


def copy_layer(layer: Any, dtype: str = "float32", **changes: Any) -> Any:
    """Return a layer of the same configuration but for some changes, without the weights.

    Raises what the layer's class does if it cannot be made from its configuration.
    """
    return layer.__class__.from_config({**layer.get_config(), "dtype": dtype, **changes})


def set_weights(layer: Any, weights: Sequence[np.ndarray]) -> None:
    """Set the weights of a layer, and what it computes from them."""
    layer.set_weights(weights)
    if isinstance(layer, layers.Normalization):
        layer.finalize_state()


class AverageColors(layers.Layer):  # type: ignore[misc]
    """The mean of the colors, which a network for gray pictures reads."""

    is_aid = True

    def call(self, image: Any) -> Any:
        """Return the mean of `(n, h, w, 3)`, `(n, h, w, 1)`."""
        return keras.ops.mean(image, -1, keepdims=True)


def list_widths(model: Any, rank: int) -> Mapping[str, int]:
    """Return the layers whose output has `rank` axes, in order, with its last axis's length."""
    outputs = {
        get_name(layer): tuple(getattr(layer.output, "shape", ()))
        for layer in model.layers
        if not (isinstance(layer, layers.InputLayer) or getattr(layer, "is_aid", False))
    }
    return {
        name: shape[-1]
        for name, shape in outputs.items()
        if len(shape) == rank and shape[-1] is not None
    }


def list_maps(model: Any) -> Mapping[str, int]:
    """Return the layers with feature maps, in order, with their numbers of channels.

    What a transformer makes of a picture's patches, `(n, patches, c)`, counts as maps, too.
    """
    batch = model.inputs[0].shape[0]
    found = {**list_widths(model, 3), **list_widths(model, 4)}
    return {
        name: found[name]
        for name in map(get_name, model.layers)
        if name in found and get_layer(model, name).output.shape[0] == batch
    }


def find_readers(model: Any, layer: Any) -> list[Any]:
    """Return the layers that read a layer's output."""
    outputs = keras.tree.flatten(layer.output)
    return [
        other
        for other in model.layers
        if not isinstance(other, layers.InputLayer)
        and any(read is output for read in keras.tree.flatten(other.input) for output in outputs)
    ]


def find_source(model: Any, layer: Any) -> Any:
    """Return the layer whose output a layer reads, the first one if there are several."""
    first = keras.tree.flatten(layer.input)[0]
    return next(other for other in model.layers if other.output is first)


class Rectifier(NamedTuple):
    """A ReLU's parameters: its slope below `threshold` and the limit above which it is flat."""

    slope: float = 0.0
    limit: float | None = None
    threshold: float = 0.0


_RECTIFIERS: Mapping[Any, Rectifier] = {
    keras.activations.relu: Rectifier(),
    keras.activations.relu6: Rectifier(limit=6.0),
}


def find_rectifier(layer: Any) -> Rectifier | None:
    """Return the parameters of the ReLU that a layer is, or ends in; None if there is none."""
    if isinstance(layer, layers.ReLU):
        limit = None if layer.max_value is None else float(layer.max_value)
        return Rectifier(float(layer.negative_slope), limit, float(layer.threshold))
    return _RECTIFIERS.get(getattr(layer, "activation", None))


def find_bottlenecks(model: Any) -> list[str]:
    """Return, in order, the layers that every path from the input to the output passes through.

    They are the articulation points of the graph between its input and its output.
    """
    places = {id(layer.output): n for n, layer in enumerate(model.layers)}
    read_until = list(range(len(places)))
    for n, layer in enumerate(model.layers):
        for read in keras.tree.flatten(layer.input):
            read_until[places[id(read)]] = n
    before = [0, *itertools.accumulate(read_until, max)]
    return [get_name(layer) for n, layer in enumerate(model.layers) if before[n] <= n]


def is_linear(layer: Any) -> bool:
    """Tell whether a convolution or fully connected layer has no activation of its own."""
    return getattr(layer, "activation", None) is keras.activations.linear


def list_convolutions(model: Any) -> list[str]:
    """Return the convolutions, each by the activation that follows it (`resolve_layer`)."""
    kinds = (layers.Conv2D, layers.DepthwiseConv2D, layers.SeparableConv2D)
    found = [layer for layer in model.layers if isinstance(layer, kinds)]
    return list(dict.fromkeys(get_name(resolve_layer(model, layer)) for layer in found))


def gives_probabilities(layer: Any) -> bool:
    """Tell whether a layer ends in a softmax or a sigmoid."""
    ends = (keras.activations.softmax, keras.activations.sigmoid)
    return isinstance(layer, layers.Softmax) or getattr(layer, "activation", None) in ends


def resolve_layer(model: Any, layer: Any) -> Any:
    """Resolve a layer that nobody dreams on to the layer that is meant by it.

    A linear convolution or batch normalization stands for the activation that follows it, a
    separate softmax or sigmoid for the logits before it, and any other layer for itself.
    """
    if isinstance(layer, layers.Softmax | layers.Activation) and gives_probabilities(layer):
        return find_source(model, layer)
    after = layer
    if not (is_linear(layer) or isinstance(layer, layers.BatchNormalization)):
        return layer
    while len(behind := find_readers(model, after)) == 1:
        (after,) = behind
        if isinstance(after, _ACTIVATIONS):
            return layer if gives_probabilities(after) else after
        if not isinstance(after, layers.BatchNormalization):
            break
    return layer


def find_feature_maps(model: Any, layer: Any) -> Any:
    """Return the last layer with feature maps on the way to a layer; itself if it has them."""
    while len(layer.output.shape) not in (3, 4):
        layer = find_source(model, layer)
    return layer


def find_pooled_relu(model: Any, layer: Any) -> Any | None:
    """Return the ReLU whose maps are pooled into class scores; None if `layer` is made otherwise.

    Where such a ReLU makes a class's map zero everywhere, no gradient leads toward that class.
    """
    if any(reader.weights for reader in find_readers(model, layer)):
        return None
    before = layer
    while isinstance(before, _POOLING):
        before = find_source(model, before)
    return before if before is not layer and find_rectifier(before) else None


def pools_whole_picture(model: Any, names: Collection[str]) -> bool:
    """Tell whether any of the layers lies behind a pool over the whole picture."""
    pools = (layers.GlobalAveragePooling2D, layers.GlobalMaxPooling2D, layers.Flatten)
    return any(isinstance(layer, pools) for layer in _cut(model, names).layers)


def count_values_per_pixel(model: Any, names: Collection[str]) -> float:
    """Count the values per pixel that the layers up to `names` compute, except those in place."""
    cut = _cut(model, names)
    outputs = [layer.output for layer in cut.layers[1:] if not isinstance(layer, _IN_PLACE)]
    height, width = (side or _USUAL_SIDE for side in model.inputs[0].shape[1:3])
    shapes = keras.Model(cut.inputs, outputs).compute_output_shape((1, height, width, 3))
    return sum(map(math.prod, shapes)) / (height * width)


def _cut(model: Any, names: Collection[str]) -> Any:
    return keras.Model(model.inputs, [get_layer(model, name).output for name in names])
