"""Networks by name, from a file, or from a Keras model in memory."""

import hashlib
import importlib
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import keras
import numpy as np

from dreamer.errors import DreamerError
from dreamer.files.cache import name_entry
from dreamer.networks import (
    flattening,
    graph,
    input_check,
    keras_file,
    registry,
    weight_files,
)
from dreamer.networks.flattening import Flat
from dreamer.networks.network import Network
from dreamer.networks.registry import NetSpec
from dreamer.recipe import Recipe

INPUT = ("input_range", "input_mean", "input_order", "input_name")
"""The fields of a recipe that describe the input of a network in a file."""


def load_network(source: Any, *, weights: str | Path | None = None, **inputs: Any) -> Network:
    """Load a network, or make a Keras model ready to dream on; see `dreamer.load_network`."""
    if isinstance(source, Network):
        return source
    if not isinstance(source, str | Path):
        recipe = Recipe().changed(inputs)
        return load_model(source, describe_input(recipe), described=bool(inputs))
    file = registry.find_model_file(str(source))
    recipe = Recipe().changed({"network": file.name if file else str(source), **inputs})
    return load_for_recipe(recipe, file or (Path(weights) if weights else None))


def load_for_recipe(recipe: Recipe, file: Path | None = None) -> Network:
    """Load the network that a recipe names.

    Args:
        recipe: its `network` is a name of the registry, or the name of a file with a whole model.
        file: the weights, or that file itself.
    """
    if not registry.is_model_file(recipe.network) or file is None:
        return load(recipe.network, file)
    usual = Recipe()
    described = any(getattr(recipe, name) != getattr(usual, name) for name in INPUT)
    return load_file(file, describe_input(recipe), described=described)


def describe_input(recipe: Recipe) -> NetSpec:
    """Return what a recipe says of the input of a network that is the user's own."""
    low, high = recipe.input_range
    red, green, blue = (low - mean for mean in recipe.input_mean)
    return NetSpec(
        summary="the user's own",
        build="",
        files=(),
        url=None,
        scale=high - low,
        offset=(red, green, blue),
        order=recipe.input_order,
        layers=(),
        smallest=0,
        motifs={},
        picture=recipe.input_name,
    )


def load(name: str, given: Path | None = None) -> Network:
    """Load a network of the registry with its weights (see `weight_files.find_or_fetch`)."""
    return build(name, weight_files.find_or_fetch(name, given))


def load_file(path: Path, spec: NetSpec, *, described: bool = True) -> Network:
    """Load a user's network from a file (see `keras_file.read_model`).

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
    if path.suffix.lower() == ".onnx":
        net = _load_onnx(path, spec, described=described)
    else:
        whole = keras_file.read_model(path)
        sha256 = weight_files.sha256(path, *_list_variables(path))
        net = load_model(whole, spec, path.name, sha256, described=described)
    return replace(net, entry=_name_entry(net))


def _list_variables(path: Path) -> list[Path]:
    """Return the files of a SavedModel's variables; of another file none."""
    return (
        sorted((path.parent / "variables").glob("variables.*"))
        if path.name == registry.SAVED_MODEL
        else []
    )


def _load_onnx(path: Path, spec: NetSpec, *, described: bool) -> Network:
    from dreamer.networks import onnx_file

    model = onnx_file.read_model(path, spec.picture)
    sha256 = weight_files.sha256(path, *model.parts)
    if not described:
        spec = replace(spec, scale=registry.TORCH_SCALE, offset=registry.TORCH_OFFSET)
    flatten = partial(onnx_file.flatten, model)
    net = _make_network(path.name, spec, flatten, model.picture.size, sha256, described=described)
    return _note_inputs(net, model.pictures)


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
    pictures = _find_pictures(name, whole)
    picture = pictures[input_check.choose_picture(name, list(pictures), spec.picture)]
    net = _make_network(
        *(name, spec, partial(flattening.flatten, whole, picture), tuple(picture.shape[1:3])),
        sha256 or _hash_weights(whole),
        described=described,
    )
    return _note_inputs(net, list(pictures))


def _note_inputs(net: Network, pictures: Sequence[str]) -> Network:
    """Add a note on which of several inputs takes the picture, where nobody has said."""
    if len(pictures) < 2 or net.spec.picture:
        return net
    first, *others = pictures
    note = (
        f"{net.name} reads {len(pictures)} pictures: the dream is what {first} gets, and what is "
        f"made of {' and '.join(others)} is left out; --set input_name={others[0]} for another."
    )
    return replace(net, notes=(*net.notes, note))


def _make_network(
    name: str,
    spec: NetSpec,
    flatten: Callable[..., Flat],
    size: tuple[int | None, int | None],
    sha256: str,
    *,
    described: bool,
) -> Network:
    """Make a network of what gives a flat model for pictures of a size, or of any.

    Args:
        name: of the network.
        spec: how it wants its input.
        flatten: gives the flat model.
        size: the height and width of the pictures that it was made for.
        sha256: the hash of its weights.
        described: whether the user has described the input.
    """
    model, fixed = flatten()
    if not graph.list_maps(model):
        raise DreamerError(f"{name} has no layer with feature maps to dream on.")
    spec = replace(spec, fixed=fixed, smallest=_find_smallest_side(name, model))
    notes = () if described else tuple(input_check.check_input(name, model, spec))
    whole = (lambda: flatten(size=size).model) if fixed and all(size) else None
    net = Network(name, spec, lambda: model, sha256, whole, notes)
    names = [each for each in net.layers if net.is_own(each)] or list(net.layers)
    return replace(net, spec=replace(spec, layers=spec.layers or (names[len(names) // 2],)))


def _hash_weights(model: Any) -> str:
    whole = hashlib.sha256()
    for values in model.get_weights():
        whole.update(np.ascontiguousarray(values).tobytes())
    return whole.hexdigest()


def _find_pictures(name: str, model: Any) -> Mapping[str, Any]:
    """Return the inputs that can take the picture, by name."""
    if not getattr(model, "inputs", None):
        raise DreamerError(
            f"{name} is a class of its own, whose layers cannot be seen from outside: give "
            "keras.Model(inputs, outputs) of them."
        )
    pictures = [each for each in model.inputs if len(each.shape) == 4 and each.shape[-1] in (1, 3)]
    if not pictures:
        shapes = ", ".join(str(tuple(each.shape[1:])) for each in model.inputs)
        raise DreamerError(
            f"{name} reads {shapes}, and no picture of one or three colors, which come last."
        )
    return {each.name: each for each in pictures}


def _find_smallest_side(name: str, model: Any) -> int:
    """Find the shortest of a few usual sides, in pixels, that reaches the deepest feature maps."""
    last = list(graph.list_maps(model))[-1]
    trunk = keras.Model(model.inputs, graph.get_layer(model, last).output)
    for side in (16, 32, 48, 64, 96, 128, 160, 224, 299):
        try:
            if min(trunk.compute_output_shape((1, side, side, 3))[1:3]) > 0:
                return side
        except ValueError:
            continue
    raise DreamerError(f"{name} reads no picture of a usual size.")


_UNREADABLE = (OSError, ValueError, KeyError, TypeError, StopIteration, BadZipFile, zlib.error)


def build(name: str, path: Path | None) -> Network:
    """Return a network of the registry, with the weights of a file or, for None, random ones.

    Its model is built when it is first asked for, which raises DreamerError if the file does not
    hold them.
    """
    spec = registry.get_spec(name)

    @cache
    def get_model() -> Any:
        module, _, function = spec.build.partition(":")
        make = getattr(importlib.import_module(module), function)
        try:
            return make(path)
        except _UNREADABLE as error:
            why = (str(error).splitlines() or ["it cannot be read"])[0]
            raise DreamerError(f"{path} does not hold the weights of {name}: {why}") from error

    net = Network(name, spec, get_model, weight_files.sha256(path) if path else "")
    return replace(net, entry=_name_entry(net)) if path else net


def _name_entry(net: Network) -> str:
    return name_entry("network", net.name, net.spec, net.sha256)
