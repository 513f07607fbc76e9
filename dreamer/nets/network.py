"""A Keras model, made ready to be dreamt on: cut, folded and frozen."""

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

from dreamer import words
from dreamer.arrays import Activations
from dreamer.errors import DreamerError, unknown
from dreamer.nets import convolution, graph, inputs, registry, userfile, weightfiles
from dreamer.nets.convolution import FrozenConv2D
from dreamer.nets.registry import NetSpec

Features = Callable[[tf.Tensor], Activations]
"""From pictures `(n, h, w, 3)`, RGB of 0 to 1, to the activations of the layers asked for."""


OVERVIEW = 16
"""About how many layers an overview shows."""

LEAK = 0.2
"""The slope below zero, Keras's own, that a class score's ReLU gets where it is climbed (see
`graph.silencer`)."""


@dataclass(frozen=True)
class Network:
    """A Keras model with its spec; `sha256` is that of its weights file.

    `whole` is a model as it came, where some of its layers need pictures of one size and `model`
    ends before them. `notes` are what a person should know of it.
    """

    name: str
    spec: NetSpec
    model: Any
    sha256: str
    whole: Any = None
    notes: tuple[str, ...] = ()

    @cached_property
    def layers(self) -> Mapping[str, int]:
        """The layers with feature maps, in order, with their numbers of channels."""
        return graph.widths(self.model, 4)

    @cached_property
    def units(self) -> Mapping[str, int]:
        """The layers behind a pool over all places, as a classifier's logits, with their widths."""
        return graph.widths(self.model, 2)

    @property
    def ends(self) -> list[str]:
        """The layers of units that are outputs of the model."""
        outputs = {id(each) for each in self.model.outputs}
        return [name for name in self.units if id(self.model.get_layer(name).output) in outputs]

    def entire(self) -> "Network":
        """The network with all its layers, which may read pictures of one size only."""
        if self.whole is None:
            return self
        reads = tuple(self.whole.inputs[0].shape[1:3])
        return replace(
            self, model=self.whole, whole=None, spec=replace(self.spec, fixed=(), reads=reads)
        )

    @property
    def landmarks(self) -> Sequence[str]:
        """Layers that give an overview, from first to last."""
        if self.spec.motifs:
            return list(self.spec.motifs)
        own = [name for name in self.layers if self.resolve(name) == name]
        return own[:: -(-len(own) // OVERVIEW)]

    def resolve(self, name: str) -> str:
        """The layer that `name` means (see `graph.meant`).

        A name in `_pre_relu` is taken at its word.

        Raises DreamerError with the nearest names where there is none.
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
        return str(graph.meant(self.model, self.model.get_layer(name)).name)

    def checked(self, name: str, channels: Sequence[int]) -> str:
        """The layer that `name` means (see `resolve`), which has these channels.

        Raises DreamerError where there is no such layer, or no such channel in it.
        """
        layer = self.resolve(name)
        last = self.channels(layer) - 1
        if beyond := [channel for channel in channels if channel > last]:
            raise DreamerError(
                f"{layer} of {self.name} has no channel {beyond[0]}: its channels are 0 to {last}."
            )
        return layer

    def channels(self, layer: str) -> int:
        """How many channels, or units, a layer has."""
        return {**self.layers, **self.units}[layer]


def load(name: str, given: Path | None = None) -> Network:
    """A network of the registry with its weights (see `weightfiles.need`)."""
    return build(name, weightfiles.need(name, given))


def load_file(path: Path, spec: NetSpec, *, described: bool = True) -> Network:
    """The user's own network in a `.keras` file (see `userfile.read`), read as `spec` says.

    The layers' default is the one in the middle of those with feature maps. Where nobody has
    `described` its input, what speaks against that of `spec` is among its notes.
    """
    if not path.is_file():
        raise DreamerError(f"There is no network file {path}: check --model.")
    whole = userfile.read(path)
    if inner := next((each for each in whole.layers if isinstance(each, keras.Model)), None):
        raise DreamerError(
            f"{path} holds a model within a model ({inner.name}), which cannot be dreamt on: save "
            f"that one by model.get_layer({inner.name!r}).save('NAME.keras'), and give it instead."
        )
    try:
        model, fixed = _of_any_size(path, whole)
    except ValueError as error:
        why = (str(error).splitlines() or ["it does not say why"])[0]
        raise DreamerError(
            f"{path} reads pictures of few sizes only ({why}), and a dream has many: give another "
            "network."
        ) from error
    spec = replace(spec, fixed=fixed, smallest=_smallest(path, model))
    notes = () if described else tuple(inputs.notes(path.name, model, spec))
    net = Network(path.name, spec, model, weightfiles.sha256(path), whole if fixed else None, notes)
    names = [name for name in net.layers if net.resolve(name) == name]
    return replace(net, spec=replace(spec, layers=spec.layers or (names[len(names) // 2],)))


def _of_any_size(path: Path, model: Any) -> tuple[Any, tuple[str, ...]]:
    """The model, of free height and width, without the layers that cannot be; their names."""
    given = model.inputs
    if len(given) != 1 or len(given[0].shape) != 4 or given[0].shape[-1] != 3:
        raise DreamerError(f"{path} does not take one picture of three colours, channels last.")
    names = list(graph.widths(model, 4))
    if not names:
        raise DreamerError(f"{path} has no layer with feature maps to dream on.")
    try:
        return graph.freed(model), ()
    except ValueError:
        trunk = graph.freed(keras.Model(given, model.get_layer(names[-1]).output))
        return trunk, tuple(graph.widths(model, 2))


def _smallest(path: Path, model: Any) -> int:
    """The shortest side in pixels, of a few, that passes through."""
    last = list(graph.widths(model, 4))[-1]
    trunk = keras.Model(model.inputs, model.get_layer(last).output)
    for side in (16, 32, 48, 64, 96, 128, 160, 224, 299):
        try:
            if min(trunk.compute_output_shape((1, side, side, 3))[1:3]) > 0:
                return side
        except ValueError:
            continue
    raise DreamerError(f"{path} reads no picture of a usual size.")


_UNREADABLE = (OSError, ValueError, KeyError, TypeError, StopIteration, BadZipFile, zlib.error)


def build(name: str, path: Path | None) -> Network:
    """A network of the registry with the weights of a file, or with random ones."""
    spec = registry.spec(name)
    module, _, function = spec.build.partition(":")
    make = getattr(importlib.import_module(module), function)
    try:
        model = make(path)
    except _UNREADABLE as error:
        why = (str(error).splitlines() or ["it cannot be read"])[0]
        raise DreamerError(f"{path} does not hold the weights of {name}: {why}") from error
    return Network(name, spec, model, weightfiles.sha256(path) if path else "")


def freeze(
    network: Network, layers: Collection[str], dtype: str, leak: float | None = None
) -> Features:
    """The network up to the deepest of `layers`, with weights stored in `dtype`.

    A batch normalisation behind a convolution is folded into it, any other one becomes one scale
    and one shift. The input's range is made inside, so that a gradient is always with respect to
    a picture of 0 to 1. Of a classifier's output that is asked for, the logits are given, before
    a softmax or sigmoid.

    Args:
        network: whose model is not changed.
        layers: names of its layers; they become the keys of the activations.
        dtype: `float32` or `bfloat16`, the type in which activations are computed.
        leak: None for the activations of the network as it is. A number, for an ascent, is the
            slope below zero that every plain ReLU gets, so that where all is silent there is a
            gradient nevertheless; a ReLU whose maps are pooled into class scores that are asked
            for gets `LEAK`.
    """
    spec, model = network.spec, frozen(network, layers, dtype, leak)

    def features(image: tf.Tensor) -> Activations:
        maps = model(tf.cast(ranged(spec, image), dtype), training=False)
        return {name: tf.cast(value, tf.float32) for name, value in maps.items()}

    return features


def ranged(spec: NetSpec, image: tf.Tensor) -> tf.Tensor:
    """Pictures `(n, h, w, 3)`, RGB of 0 to 1, as a network reads them."""
    if spec.reads:
        image = tf.image.resize(image, spec.reads, antialias=True)
    ordered = image[..., ::-1] if spec.order == "BGR" else image
    return ordered * spec.scale + spec.offset


def frozen(network: Network, layers: Collection[str], dtype: str, leak: float | None = None) -> Any:
    """The Keras model behind `freeze`: it reads pictures in the network's own range."""
    model = network.model
    cut = keras.Model(model.inputs, {name: model.get_layer(name).output for name in layers})
    folded = _foldable(cut)
    changes = {**_before_softmax(model, layers)}
    if leak is not None:
        changes |= {**_leaking(cut.layers, leak), **_leaking(_silencers(model, layers), LEAK)}
    copy = keras.models.clone_model(
        cut,
        clone_function=_recast(dtype, folded, changes),
        # The stand-ins for batch normalisations take no mask.
        call_function=lambda layer, *inputs, **_: layer(*inputs),
    )
    for layer in copy.layers:
        if layer.weights:
            source = cut.get_layer(layer.name)
            norm = next((bn for bn, conv in folded.items() if conv == layer.name), None)
            layer.set_weights(_fold(source, cut.get_layer(norm)) if norm else source.get_weights())
    return copy


def _leaking(layers: Iterable[Any], leak: float) -> dict[str, Mapping[str, Any]]:
    """What changes in the configuration of those layers that rectify, by name, so that they leak.

    One that leaks already keeps its own slope.
    """
    found = ((layer.name, graph.rectifier(layer)) for layer in layers if leak)
    return {
        name: {"activation": _leaky(leak, *own)} for name, own in found if own and not own.slope
    }


def _leaky(
    leak: float, slope: float, limit: float | None, threshold: float
) -> Callable[[tf.Tensor], tf.Tensor]:
    """A ReLU with a slope below its threshold; above its limit it stays as flat as it is."""

    def rectify(maps: tf.Tensor) -> tf.Tensor:
        # TensorFlow's own behind a convolution makes its optimiser stumble, and say so.
        if threshold:
            maps = tf.where(maps >= threshold, maps, leak * (maps - threshold))
        else:
            maps = tf.maximum(maps, leak * maps)
        return maps if limit is None else tf.minimum(maps, limit)

    return rectify


def _before_softmax(model: Any, names: Collection[str]) -> Mapping[str, Mapping[str, Any]]:
    """What changes in the configuration of layers, by name, for logits instead of probabilities."""
    own = [layer for layer in _of_units(model, names) if graph.gives_probabilities(layer)]
    return {layer.name: {"activation": "linear"} for layer in own}


def _silencers(model: Any, names: Collection[str]) -> list[Any]:
    """The ReLUs whose maps are pooled into the class scores among `names`."""
    found = (graph.silencer(model, layer) for layer in _of_units(model, names))
    return [layer for layer in found if layer]


def _of_units(model: Any, names: Collection[str]) -> list[Any]:
    return [layer for layer in map(model.get_layer, names) if len(layer.output.shape) == 2]


def _foldable(model: Any) -> Mapping[str, str]:
    """Batch normalisations by name, each with the convolution that it is folded into."""
    pairs = {}
    for layer in model.layers:
        if isinstance(layer, _CONVOLUTIONS) and graph.is_linear(layer):
            after = graph.readers(model, layer)
            if len(after) == 1 and isinstance(after[0], keras.layers.BatchNormalization):
                pairs[after[0].name] = layer.name
    return pairs


_CONVOLUTIONS = (keras.layers.Conv2D, keras.layers.DepthwiseConv2D, keras.layers.SeparableConv2D)


def _recast(
    dtype: str, folded: Mapping[str, str], changes: Mapping[str, Mapping[str, Any]]
) -> Callable[[Any], Any]:
    def recast(layer: Any) -> Any:
        change = changes.get(layer.name, {})
        config = {**layer.get_config(), "dtype": dtype, **change}
        if layer.name in folded:
            return keras.layers.Identity(name=layer.name, dtype=dtype)
        if change and isinstance(layer, keras.layers.ReLU):
            return keras.layers.Activation(**change, name=layer.name, dtype=dtype)
        if isinstance(layer, keras.layers.BatchNormalization):
            scale, shift = _scale_and_shift(layer)
            return keras.layers.Rescaling(
                scale.tolist(), shift.tolist(), name=layer.name, dtype=dtype
            )
        if layer.name in folded.values():
            config["use_bias"] = True
        kind = FrozenConv2D if convolution.pays(layer) else layer.__class__
        return kind.from_config(config)

    return recast


def _scale_and_shift(norm: Any) -> tuple[np.ndarray, np.ndarray]:
    scale = 1 / np.sqrt(np.asarray(norm.moving_variance) + norm.epsilon)
    if norm.scale:
        scale = scale * np.asarray(norm.gamma)
    shift = -np.asarray(norm.moving_mean) * scale
    return scale, shift + np.asarray(norm.beta) if norm.center else shift


def _fold(conv: Any, norm: Any) -> list[np.ndarray]:
    scale, shift = _scale_and_shift(norm)
    *others, kernel = conv.get_weights()[: -1 if conv.use_bias else None]
    bias = np.asarray(conv.bias) if conv.use_bias else 0
    if isinstance(conv, keras.layers.DepthwiseConv2D):
        # Its last two axes are the input's channels and how often each is read.
        kernel = kernel * scale.reshape(kernel.shape[-2:])
    else:
        kernel = kernel * scale
    return [*others, kernel, bias * scale + shift]
