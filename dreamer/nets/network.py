"""A Keras model, made ready to be dreamt on: cut, folded and frozen."""

import importlib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import keras
import numpy as np
import tensorflow as tf

from dreamer.errors import DreamerError, unknown
from dreamer.nets import registry, userfile, weightfiles
from dreamer.nets.registry import NetSpec

Activations = Mapping[str, tf.Tensor]
"""float32 feature maps `(n, h, w, c)` by layer."""

Features = Callable[[tf.Tensor], Activations]
"""From pictures `(n, h, w, 3)`, RGB of 0 to 1, to the activations of the layers asked for."""


@dataclass(frozen=True)
class Network:
    """A Keras model with its spec; `sha256` is that of its weights file."""

    name: str
    spec: NetSpec
    model: Any
    sha256: str

    @cached_property
    def layers(self) -> Mapping[str, int]:
        """The layers that can be dreamt on, in order, with their numbers of channels."""
        makers = (layer for layer in self.model.layers if _makes_maps(layer))
        return {layer.name: layer.output.shape[-1] for layer in makers}

    def resolve(self, name: str) -> str:
        """The layer that `name` means: a linear convolution stands for its activation.

        A name in `_pre_relu` is taken at its word.

        Raises DreamerError with the nearest names where there is none.
        """
        if name not in self.layers:
            remedy = f"`dream models layers {self.name}` shows them all."
            raise unknown(f"layer of {self.name}", name, self.layers, remedy)
        layer = self.model.get_layer(name)
        while (
            not name.endswith("_pre_relu")
            and _is_linear(layer)
            and len(after := _readers(self.model, layer)) == 1
        ):
            layer = after[0]
        return str(layer.name)


def load(name: str, given: Path | None = None) -> Network:
    """A network of the registry with its weights (see `weightfiles.need`)."""
    return build(name, weightfiles.need(name, given))


def load_file(path: Path, spec: NetSpec) -> Network:
    """The user's own network in a `.keras` file (see `userfile.read`), read as `spec` says.

    The layers' default is the one in the middle of those with feature maps.
    """
    if not path.is_file():
        raise DreamerError(f"There is no network file {path}: check --model.")
    model = _of_any_size(path, userfile.read(path))
    net = Network(path.name, spec, model, weightfiles.sha256(path))
    names = [name for name in net.layers if net.resolve(name) == name]
    layers = spec.layers or (names[len(names) // 2],)
    return replace(net, spec=replace(spec, layers=layers, smallest=_smallest(path, model)))


def _of_any_size(path: Path, model: Any) -> Any:
    """The model up to its last feature maps, of free height and width."""
    inputs = model.inputs
    if len(inputs) != 1 or len(inputs[0].shape) != 4 or inputs[0].shape[-1] != 3:
        raise DreamerError(f"{path} does not take one picture of three colours, channels last.")
    maps = [layer.output for layer in model.layers if _makes_maps(layer)]
    if not maps:
        raise DreamerError(f"{path} has no layer with feature maps to dream on.")
    cut = keras.Model(inputs, maps[-1])
    free = keras.models.clone_model(cut, input_tensors=[keras.Input((None, None, 3))])
    free.set_weights(cut.get_weights())
    return free


def _makes_maps(layer: Any) -> bool:
    shape = tuple(getattr(layer.output, "shape", ()))
    if isinstance(layer, keras.layers.InputLayer):
        return False
    return len(shape) == 4 and shape[-1] is not None


def _smallest(path: Path, model: Any) -> int:
    """The shortest side in pixels, of a few, that passes through."""
    for side in (16, 32, 48, 64, 96, 128, 160, 224, 299):
        try:
            if min(model.compute_output_shape((1, side, side, 3))[1:3]) > 0:
                return side
        except ValueError:
            continue
    raise DreamerError(f"{path} reads no picture of a usual size.")


def build(name: str, path: Path | None) -> Network:
    """A network of the registry with the weights of a file, or with random ones."""
    spec = registry.spec(name)
    module, _, function = spec.build.partition(":")
    make = getattr(importlib.import_module(module), function)
    try:
        model = make(path)
    except (OSError, ValueError, KeyError, TypeError, StopIteration, BadZipFile) as error:
        why = (str(error).splitlines() or ["it cannot be read"])[0]
        raise DreamerError(f"{path} does not hold the weights of {name}: {why}") from error
    return Network(name, spec, model, weightfiles.sha256(path) if path else "")


def _readers(model: Any, layer: Any) -> list[Any]:
    outputs = keras.tree.flatten(layer.output)
    return [
        other
        for other in model.layers
        if not isinstance(other, keras.layers.InputLayer)
        and any(given is made for given in keras.tree.flatten(other.input) for made in outputs)
    ]


def _is_linear(layer: Any) -> bool:
    if isinstance(layer, keras.layers.BatchNormalization):
        return True
    return getattr(layer, "activation", None) is keras.activations.linear


def freeze(network: Network, layers: Collection[str], dtype: str) -> Features:
    """The network up to the deepest of `layers`, with weights stored once in `dtype`.

    A batch normalisation behind a convolution is folded into it, any other one becomes one scale
    and one shift. The input's range is made inside, so that a gradient is always with respect to
    a picture of 0 to 1.

    Args:
        network: whose model is not changed.
        layers: names of its layers; they become the keys of the activations.
        dtype: `float32` or `bfloat16`, the type in which activations are computed.
    """
    model, spec = network.model, network.spec
    cut = keras.Model(model.inputs, {name: model.get_layer(name).output for name in layers})
    folded = _foldable(cut)
    frozen = keras.models.clone_model(
        cut,
        clone_function=_recast(dtype, folded),
        # The stand-ins for batch normalisations take no mask.
        call_function=lambda layer, *inputs, **_: layer(*inputs),
    )
    for layer in frozen.layers:
        if layer.weights:
            source = cut.get_layer(layer.name)
            norm = next((bn for bn, conv in folded.items() if conv == layer.name), None)
            layer.set_weights(_fold(source, cut.get_layer(norm)) if norm else source.get_weights())

    def features(image: tf.Tensor) -> Activations:
        ordered = image[..., ::-1] if spec.order == "BGR" else image
        ranged = tf.cast(ordered * spec.scale + spec.offset, dtype)
        maps = frozen(ranged, training=False)
        return {name: tf.cast(value, tf.float32) for name, value in maps.items()}

    return features


def _foldable(model: Any) -> Mapping[str, str]:
    """Batch normalisations by name, each with the convolution that it is folded into."""
    pairs = {}
    for layer in model.layers:
        if isinstance(layer, keras.layers.Conv2D) and _is_linear(layer):
            after = _readers(model, layer)
            if len(after) == 1 and isinstance(after[0], keras.layers.BatchNormalization):
                pairs[after[0].name] = layer.name
    return pairs


def _recast(dtype: str, folded: Mapping[str, str]) -> Callable[[Any], Any]:
    def recast(layer: Any) -> Any:
        config = {**layer.get_config(), "dtype": dtype}
        if layer.name in folded:
            return keras.layers.Identity(name=layer.name, dtype=dtype)
        if isinstance(layer, keras.layers.BatchNormalization):
            scale, shift = _scale_and_shift(layer)
            return keras.layers.Rescaling(
                scale.tolist(), shift.tolist(), name=layer.name, dtype=dtype
            )
        if layer.name in folded.values():
            config["use_bias"] = True
        return layer.__class__.from_config(config)

    return recast


def _scale_and_shift(norm: Any) -> tuple[np.ndarray, np.ndarray]:
    scale = 1 / np.sqrt(np.asarray(norm.moving_variance) + norm.epsilon)
    if norm.scale:
        scale = scale * np.asarray(norm.gamma)
    shift = -np.asarray(norm.moving_mean) * scale
    return scale, shift + np.asarray(norm.beta) if norm.center else shift


def _fold(conv: Any, norm: Any) -> list[np.ndarray]:
    scale, shift = _scale_and_shift(norm)
    bias = np.asarray(conv.bias) if conv.use_bias else 0
    return [np.asarray(conv.kernel) * scale, bias * scale + shift]
