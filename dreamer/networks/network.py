"""Networks to dream on: Keras models that are loaded, cut, folded and frozen."""

import hashlib
import importlib
import zlib
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import keras
import numpy as np
import tensorflow as tf

from dreamer.arrays import Activations
from dreamer.errors import DreamerError, unknown
from dreamer.networks import convolution, graph, input_check, keras_file, registry, weight_files
from dreamer.networks.convolution import FrozenConv2D
from dreamer.networks.registry import NetSpec
from dreamer.recipe import words

Features = Callable[[tf.Tensor], Activations]
"""Function from pictures `(n, h, w, 3)`, RGB, 0 to 1, to the activations of chosen layers."""


OVERVIEW = 16
"""Largest number of layers in an overview of a network without known motif sizes."""

LEAK = 0.2
"""Slope below zero, Keras's default, of a ReLU that is pooled into a class score, in an ascent (see
`graph.find_pooled_relu`)."""


@dataclass(frozen=True)
class Network:
    """A Keras model with its spec.

    Attributes:
        name: its name in the registry, or its file's name.
        spec: how the network wants its input.
        model: the Keras model, which accepts pictures of any size (but see `entire`).
        sha256: the hash of the weights file; empty for random weights.
        whole: the original model, if some of its layers need pictures of one size and `model` ends
            before them; None otherwise.
        notes: sentences that a person should read about the network.
    """

    name: str
    spec: NetSpec
    model: Any
    sha256: str
    whole: Any = None
    notes: tuple[str, ...] = ()

    @cached_property
    def layers(self) -> Mapping[str, int]:
        """Return the layers with feature maps, in order, with their numbers of channels."""
        return graph.list_widths(self.model, 4)

    @cached_property
    def units(self) -> Mapping[str, int]:
        """Return the layers of units, as a classifier's logits, in order, with their widths."""
        return graph.list_widths(self.model, 2)

    @property
    def ends(self) -> list[str]:
        """Return the layers of units that are outputs of the model."""
        outputs = {id(each) for each in self.model.outputs}
        return [name for name in self.units if id(self.model.get_layer(name).output) in outputs]

    def entire(self) -> "Network":
        """Return the network with all its layers; it may bring pictures to one size first."""
        if self.whole is None:
            return self
        reads = tuple(self.whole.inputs[0].shape[1:3])
        return replace(
            self, model=self.whole, whole=None, spec=replace(self.spec, fixed=(), reads=reads)
        )

    @property
    def landmarks(self) -> Sequence[str]:
        """Return layers that give an overview of the network, from first to last."""
        if self.spec.motifs:
            return list(self.spec.motifs)
        own = [name for name in self.layers if self.resolve(name) == name]
        return own[:: -(-len(own) // OVERVIEW)]

    def resolve(self, name: str) -> str:
        """Resolve a name to the layer that is meant by it (see `graph.resolve_layer`).

        A name that ends in `_pre_relu` means the layer itself.

        Raises DreamerError with the nearest names if there is no such layer, or if it needs
        pictures of one size.
        """
        known = {**self.layers, **self.units}
        if name in self.spec.fixed and name not in known:
            raise DreamerError(
                f"{name} of {self.name} needs pictures of one size, and a dream has many: choose "
                "a layer before it."
            )
        if name not in known:
            remedy = f"`dream models layers {self.name}` shows what --layer can be."
            if self.name in words.SHARED_BY and words.is_word(name):
                remedy = f"it is a word, so give --of {name} instead of --layer."
            raise unknown(f"layer of {self.name}", name, known, remedy)
        if name.endswith("_pre_relu"):
            return name
        return str(graph.resolve_layer(self.model, self.model.get_layer(name)).name)

    def resolve_with_channels(self, name: str, channels: Sequence[int]) -> str:
        """Resolve a name to a layer (see `resolve`), and check that it has these channels.

        Raises DreamerError if there is no such layer, or no such channel in it.
        """
        layer = self.resolve(name)
        last = self.channels(layer) - 1
        if beyond := [channel for channel in channels if channel > last]:
            raise DreamerError(
                f"{layer} of {self.name} has no channel {beyond[0]}: its channels are 0 to {last}."
            )
        return layer

    def channels(self, layer: str) -> int:
        """Return the number of channels or units of a layer."""
        return {**self.layers, **self.units}[layer]


def load(name: str, given: Path | None = None) -> Network:
    """Load a network of the registry with its weights (see `weight_files.find_or_fetch`)."""
    return build(name, weight_files.find_or_fetch(name, given))


def load_file(path: Path, spec: NetSpec, *, described: bool = True) -> Network:
    """Load a user's network from a `.keras` file (see `keras_file.read_model`).

    Args:
        path: the file.
        spec: how the network wants its input. If it names no layers, the default is the middle
            one of those with feature maps.
        described: whether the user has described the input. If not, the network's notes say what
            speaks against `spec` (see `input_check.check_input`).

    Raises DreamerError if the file does not exist or does not hold a usable network.
    """
    if not path.is_file():
        raise DreamerError(f"There is no network file {path}: check --model.")
    whole = keras_file.read_model(path)
    return load_model(whole, spec, path.name, weight_files.sha256(path), described=described)


def load_model(
    whole: Any, spec: NetSpec, name: str = "", sha256: str = "", *, described: bool = True
) -> Network:
    """Make a Keras model ready to be dreamt on.

    Args:
        whole: the model.
        spec: how the network wants its input; see `load_file`.
        name: what messages call it; the model's own name unless given.
        sha256: the hash of its weights; computed unless given.
        described: whether the user has described the input; see `load_file`.

    Raises DreamerError if it is not a usable network.
    """
    name = name or str(whole.name)
    if inner := next((each for each in whole.layers if isinstance(each, keras.Model)), None):
        raise DreamerError(
            f"{name} holds a model within a model ({inner.name}), which cannot be dreamt on: save "
            f"that one by model.get_layer({inner.name!r}).save('NAME.keras'), and give it instead."
        )
    try:
        model, fixed = _free_size(name, whole)
    except ValueError as error:
        why = (str(error).splitlines() or ["it does not say why"])[0]
        raise DreamerError(
            f"{name} reads pictures of few sizes only ({why}), and a dream has many: give another "
            "network."
        ) from error
    spec = replace(spec, fixed=fixed, smallest=_find_smallest_side(name, model))
    notes = () if described else tuple(input_check.check_input(name, model, spec))
    hashed = sha256 or _hash_weights(whole)
    net = Network(name, spec, model, hashed, whole if fixed else None, notes)
    names = [each for each in net.layers if net.resolve(each) == each]
    return replace(net, spec=replace(spec, layers=spec.layers or (names[len(names) // 2],)))


def _hash_weights(model: Any) -> str:
    whole = hashlib.sha256()
    for values in model.get_weights():
        whole.update(np.ascontiguousarray(values).tobytes())
    return whole.hexdigest()


def _free_size(name: str, model: Any) -> tuple[Any, tuple[str, ...]]:
    """Return the model for pictures of any size, and the names of the layers left out for that."""
    inputs = model.inputs
    if len(inputs) != 1 or len(inputs[0].shape) != 4 or inputs[0].shape[-1] != 3:
        raise DreamerError(f"{name} does not take one picture of three colors, channels last.")
    names = list(graph.list_widths(model, 4))
    if not names:
        raise DreamerError(f"{name} has no layer with feature maps to dream on.")
    try:
        return graph.free_input_size(model), ()
    except ValueError:
        trunk = graph.free_input_size(keras.Model(inputs, model.get_layer(names[-1]).output))
        return trunk, tuple(graph.list_widths(model, 2))


def _find_smallest_side(name: str, model: Any) -> int:
    """Find the shortest of a few usual sides, in pixels, that reaches the deepest feature maps."""
    last = list(graph.list_widths(model, 4))[-1]
    trunk = keras.Model(model.inputs, model.get_layer(last).output)
    for side in (16, 32, 48, 64, 96, 128, 160, 224, 299):
        try:
            if min(trunk.compute_output_shape((1, side, side, 3))[1:3]) > 0:
                return side
        except ValueError:
            continue
    raise DreamerError(f"{name} reads no picture of a usual size.")


_UNREADABLE = (OSError, ValueError, KeyError, TypeError, StopIteration, BadZipFile, zlib.error)


def build(name: str, path: Path | None) -> Network:
    """Build a network of the registry, with the weights of a file or, for None, random ones.

    Raises DreamerError if the file does not hold them.
    """
    spec = registry.get_spec(name)
    module, _, function = spec.build.partition(":")
    make = getattr(importlib.import_module(module), function)
    try:
        model = make(path)
    except _UNREADABLE as error:
        why = (str(error).splitlines() or ["it cannot be read"])[0]
        raise DreamerError(f"{path} does not hold the weights of {name}: {why}") from error
    return Network(name, spec, model, weight_files.sha256(path) if path else "")


def freeze(
    network: Network, layers: Collection[str], dtype: str, leak: float | None = None
) -> Features:
    """Return a function that computes the activations of layers, with frozen weights.

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
    spec, model = network.spec, freeze_model(network, layers, dtype, leak)

    def features(image: tf.Tensor) -> Activations:
        maps = model(tf.cast(convert_to_network_range(spec, image), dtype), training=False)
        return {name: tf.cast(value, tf.float32) for name, value in maps.items()}

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
    cut = keras.Model(model.inputs, {name: model.get_layer(name).output for name in layers})
    folded = _find_foldable(cut)
    changes = {**_configure_logits(model, layers)}
    if leak is not None:
        silencers = _find_silencers(model, layers)
        changes |= {**_configure_leaks(cut.layers, leak), **_configure_leaks(silencers, LEAK)}
    copy = keras.models.clone_model(
        cut,
        clone_function=_make_clone_function(dtype, folded, changes),
        # The layers that replace batch normalizations accept no mask.
        call_function=lambda layer, *inputs, **_: layer(*inputs),
    )
    for layer in copy.layers:
        if layer.weights:
            source = cut.get_layer(layer.name)
            norm = next((bn for bn, conv in folded.items() if conv == layer.name), None)
            weights = _fold_weights(source, cut.get_layer(norm)) if norm else source.get_weights()
            layer.set_weights(weights)
    return copy


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
    return [layer for layer in map(model.get_layer, names) if len(layer.output.shape) == 2]


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
    dtype: str, folded: Mapping[str, str], changes: Mapping[str, Mapping[str, Any]]
) -> Callable[[Any], Any]:
    """Return a function that clones a layer without its weights, as `freeze` needs it."""

    def clone(layer: Any) -> Any:
        change = changes.get(layer.name, {})
        config = {**layer.get_config(), "dtype": dtype, **change}
        if layer.name in folded:
            return keras.layers.Identity(name=layer.name, dtype=dtype)
        if change and isinstance(layer, keras.layers.ReLU):
            return keras.layers.Activation(**change, name=layer.name, dtype=dtype)
        if isinstance(layer, keras.layers.BatchNormalization):
            scale, shift = _compute_scale_and_shift(layer)
            return keras.layers.Rescaling(
                scale.tolist(), shift.tolist(), name=layer.name, dtype=dtype
            )
        if layer.name in folded.values():
            config["use_bias"] = True
        kind = FrozenConv2D if convolution.has_faster_gradient(layer) else layer.__class__
        return kind.from_config(config)

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
