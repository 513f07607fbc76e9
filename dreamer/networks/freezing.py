"""Freezing a network: cut behind the deepest layer, batch normalizations folded, weights cast."""

from collections.abc import Callable, Collection, Iterable, Mapping
from functools import cache
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from dreamer.arrays import Activations
from dreamer.networks import fast_convolution, graph, runtime
from dreamer.networks.fast_convolution import FrozenConv2D
from dreamer.networks.flattening import Step
from dreamer.networks.network import Network
from dreamer.networks.registry import NetSpec

Features = Callable[[tf.Tensor], Activations]
"""Function from pictures `(n, h, w, 3)`, RGB, 0 to 1, to the activations of chosen layers."""

LEAK = 0.2
"""Slope below zero, Keras's default, of a ReLU that is pooled into a class score, in an ascent (see
`graph.find_pooled_relu`)."""


def freeze(
    network: Network, layers: Collection[str], dtype: str, leak: float | None = None
) -> Features:
    """Return a function that computes the activations of layers, with frozen weights.

    The weights are copied when it is first called, which may be within a graph that is traced; the
    model is loaded now, which may not.

    A batch normalization after a convolution is folded into it; any other one becomes a scale and
    a shift. Pictures are brought to the network's own range inside, so a gradient is always with
    respect to a picture of 0 to 1. A layer with a softmax or sigmoid activation gives its logits.

    Args:
        network: the network, whose model is not changed.
        layers: names of its layers, which become the keys of the activations; the network is cut
            after the deepest one.
        dtype: `float32` or `bfloat16`, the type of the weights and of the computation.
        leak: None for the activations of the unchanged network. For an ascent, the slope below
            zero that every plain ReLU gets, so that there is a gradient even where all units are
            silent; a ReLU whose maps are pooled into one of the class scores gets `LEAK`.
    """

    _ = network.model

    @cache
    def prepare() -> tuple[Any, list[list[tf.Tensor]]]:
        # Outside the graph that is being traced.
        with tf.init_scope():
            model = freeze_model(network, layers, dtype, leak)
            kinds = (model.trainable_variables, model.non_trainable_variables)
            # Plain tensors are quicker to trace than variables, and can be kept with a graph.
            return model, [[tf.identity(each.value) for each in kind] for kind in kinds]

    def look(ranged: tf.Tensor) -> Activations:
        model, weights = prepare()
        if runtime.arithmetic_in_use() == 1:
            # Short tensors become constants, with which a graph would be rewritten otherwise.
            maps = model(ranged, training=False)
        else:
            maps, _ = model.stateless_call(*weights, ranged, training=False)
        # Patches in a row are maps of one column.
        maps = {
            name: value[:, :, None] if value.shape.rank == 3 else value
            for name, value in maps.items()
        }
        return {name: tf.cast(value, tf.float32) for name, value in maps.items()}

    def look_one_by_one(ranged: tf.Tensor) -> Activations:
        outputs = prepare()[0].output
        specs = {
            name: tf.TensorSpec(
                (*each.shape[1:-1], *[1] * (len(each.shape) == 3), each.shape[-1]), "float32"
            )
            for name, each in outputs.items()
        }
        seen: Activations = tf.map_fn(
            lambda one: {name: each[0] for name, each in look(one[None]).items()},
            ranged,
            fn_output_signature=specs,
        )
        return seen

    def features(image: tf.Tensor) -> Activations:
        ranged = tf.cast(convert_to_network_range(network.spec, image), dtype)
        single = network.model.inputs[0].shape[0] == 1
        return look_one_by_one(ranged) if single else look(ranged)

    return features


def convert_to_network_range(spec: NetSpec, image: tf.Tensor) -> tf.Tensor:
    """Bring pictures `(n, h, w, 3)`, RGB, 0 to 1, to the size, order and range of a network."""
    if spec.reads:
        image = tf.image.resize(image, spec.reads, antialias=True)
    ordered = image[..., ::-1] if spec.order == "BGR" else image
    return ordered * spec.scale + spec.offset


def freeze_model(
    network: Network, layers: Collection[str], dtype: str, leak: float | None = None
) -> Any:
    """Return the Keras model behind `freeze`, which reads pictures in the network's own range."""
    model = network.model
    cut = keras.Model(model.inputs, {name: graph.get_layer(model, name).output for name in layers})
    folded = _find_foldable(cut)
    changes = {**_configure_logits(model, layers)}
    if leak is not None:
        silencers = _find_silencers(model, layers)
        changes |= {**_configure_leaks(cut.layers, leak), **_configure_leaks(silencers, LEAK)}
    copy = keras.models.clone_model(
        cut,
        clone_function=_make_clone_function(cut, dtype, folded, changes),
        # The layers that replace batch normalizations accept no mask.
        call_function=lambda layer, *inputs, **others: layer(
            *inputs,
            **{key: each for key, each in others.items() if key not in graph.OF_TRAINING},
        ),
    )
    for layer in copy.layers:
        if layer.weights:
            graph.set_weights(layer, _read_weights(cut, layer.name, folded))
    return copy


def _read_weights(model: Any, name: str, folded: Mapping[str, str]) -> list[np.ndarray]:
    """Return the weights of a layer, with a batch normalization that is folded into it."""
    layer = model.get_layer(name)
    norm = next((bn for bn, conv in folded.items() if conv == name), None)
    return _fold_weights(layer, model.get_layer(norm)) if norm else layer.get_weights()


def _configure_leaks(layers: Iterable[Any], leak: float) -> dict[str, Mapping[str, Any]]:
    """Return changed settings, by layer name, that make rectifying layers leak.

    A layer that leaks already keeps its own slope.
    """
    found = ((layer.name, graph.find_rectifier(layer)) for layer in layers if leak)
    return {
        name: {"activation": _make_leaky_relu(leak, *own)}
        for name, own in found
        if own and not own.slope
    }


def _make_leaky_relu(
    leak: float, slope: float, limit: float | None, threshold: float
) -> Callable[[tf.Tensor], tf.Tensor]:
    """Return a ReLU with the slope `leak` below its threshold and its own limit above."""

    def rectify(maps: tf.Tensor) -> tf.Tensor:
        # After a convolution, `tf.nn.leaky_relu` makes TensorFlow's graph optimizer fail with a
        # warning.
        if threshold:
            maps = tf.where(maps >= threshold, maps, leak * (maps - threshold))
        else:
            maps = tf.maximum(maps, leak * maps)
        return maps if limit is None else tf.minimum(maps, limit)

    return rectify


def _configure_logits(model: Any, names: Collection[str]) -> Mapping[str, Mapping[str, Any]]:
    """Return changed settings, by layer name, that give logits instead of probabilities."""
    ends = [layer for layer in _list_unit_layers(model, names) if graph.gives_probabilities(layer)]
    return {layer.name: {"activation": "linear"} for layer in ends}


def _find_silencers(model: Any, names: Collection[str]) -> list[Any]:
    """Find the ReLUs whose maps are pooled into the class scores among `names`."""
    found = (graph.find_pooled_relu(model, layer) for layer in _list_unit_layers(model, names))
    return [layer for layer in found if layer]


def _list_unit_layers(model: Any, names: Collection[str]) -> list[Any]:
    found = (graph.get_layer(model, name) for name in names)
    return [layer for layer in found if len(layer.output.shape) == 2]


def _find_foldable(model: Any) -> Mapping[str, str]:
    """Find the batch normalizations, by name, with the convolution that each is folded into."""
    pairs = {}
    for layer in model.layers:
        if isinstance(layer, _CONVOLUTIONS) and graph.is_linear(layer):
            after = graph.find_readers(model, layer)
            if len(after) == 1 and isinstance(after[0], keras.layers.BatchNormalization):
                pairs[after[0].name] = layer.name
    return pairs


_CONVOLUTIONS = (keras.layers.Conv2D, keras.layers.DepthwiseConv2D, keras.layers.SeparableConv2D)


def _make_clone_function(
    model: Any, dtype: str, folded: Mapping[str, str], changes: Mapping[str, Mapping[str, Any]]
) -> Callable[[Any], Any]:
    """Return a function that clones a layer as `freeze` needs it, mostly without its weights."""

    def clone(layer: Any) -> Any:
        change = changes.get(layer.name, {})
        if isinstance(layer, Step):
            return layer.copy(dtype)
        if layer.name in folded:
            return keras.layers.Identity(name=layer.name, dtype=dtype)
        if change and isinstance(layer, keras.layers.ReLU):
            return keras.layers.Activation(**change, name=layer.name, dtype=dtype)
        if isinstance(layer, keras.layers.BatchNormalization):
            scale, shift = _compute_scale_and_shift(layer)
            return keras.layers.Rescaling(
                scale.tolist(), shift.tolist(), name=layer.name, dtype=dtype
            )
        own = runtime.gains_by_own_gradient() and fast_convolution.has_faster_gradient(layer)
        # Without variables, a layer is made and traced sooner; see `freeze` for arithmetic 1.
        if own or (runtime.arithmetic_in_use() > 1 and fast_convolution.is_plain(layer)):
            kernel, *bias = _read_weights(model, layer.name, folded)
            return FrozenConv2D(
                *(layer, kernel, bias[0] if bias else None, change.get("activation"), dtype),
                own_gradient=own,
            )
        if layer.name in folded.values():
            change = {**change, "use_bias": True}
        return graph.copy_layer(layer, dtype, **change)

    return clone


def _compute_scale_and_shift(norm: Any) -> tuple[np.ndarray, np.ndarray]:
    scale = 1 / np.sqrt(np.asarray(norm.moving_variance) + norm.epsilon)
    if norm.scale:
        scale = scale * np.asarray(norm.gamma)
    shift = -np.asarray(norm.moving_mean) * scale
    return scale, shift + np.asarray(norm.beta) if norm.center else shift


def _fold_weights(conv: Any, norm: Any) -> list[np.ndarray]:
    """Return the weights of a convolution into which its batch normalization is folded."""
    scale, shift = _compute_scale_and_shift(norm)
    *others, kernel = conv.get_weights()[: -1 if conv.use_bias else None]
    bias = np.asarray(conv.bias) if conv.use_bias else 0
    if isinstance(conv, keras.layers.DepthwiseConv2D):
        # The last two axes of its kernel are the input's channels and the depth multiplier.
        kernel = kernel * scale.reshape(kernel.shape[-2:])
    else:
        kernel = kernel * scale
    return [*others, kernel, bias * scale + shift]
