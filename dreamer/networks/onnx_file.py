"""Networks in ONNX files, from PyTorch and others, as flat Keras models.

A file is data: none of its parts is run, and what it refers to has to lie in its folder.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import layers

from dreamer.errors import DreamerError
from dreamer.networks import graph
from dreamer.networks.flattening import FAILED, Called, Flat, Step, prune
from dreamer.networks.input_check import choose_picture
from dreamer.networks.onnx_calls import CHANNELS_LAST, Call, Unsupported, Value
from dreamer.networks.onnx_layers import OPERATIONS
from dreamer.networks.onnx_shapes import KNOWN

MOST_BYTES = 4 * 1024**3
"""The largest size of a file with what it refers to."""

MOST_FOLDED = 2**27
"""The most numbers of a constant that is computed."""

MOST_LENGTHS = 1024
"""The most numbers of a constant that may say how large another one is to be."""

_DOMAINS = ("", "ai.onnx")


class Picture(NamedTuple):
    """The input that takes the picture: its name, number of colors, height and width, and batch.

    None stands for any.
    """

    name: str
    colors: int
    size: tuple[int | None, int | None]
    batch: int | None


@dataclass(frozen=True)
class OnnxModel:
    """A graph of ONNX.

    Attributes:
        name: of its file.
        nodes: each behind those that it reads.
        constants: by name.
        shapes: of what the nodes give, by name, where the graph says them.
        picture: its input.
        opset: the version of its operations.
        parts: other files in which some of the constants lie.
        pictures: the names of the inputs that could take the picture.
    """

    name: str
    nodes: Sequence[Any]
    constants: Mapping[str, np.ndarray]
    shapes: Mapping[str, Sequence[int]]
    picture: Picture
    opset: int
    parts: Sequence[Path]
    pictures: Sequence[str]


def read_model(path: Path, wanted: str | None = None) -> OnnxModel:
    """Read an ONNX file.

    Args:
        path: the file.
        wanted: the name of the input that takes the picture; the first that can unless given.

    Raises DreamerError if it is none, is too large, refers to other folders, or reads no picture.
    """
    try:
        import onnx
    except ImportError:
        raise DreamerError(
            f'{path.name} is an ONNX model: pip install "dreamer[onnx]" first.'
        ) from None
    from google.protobuf.message import DecodeError
    from onnx import inliner, numpy_helper

    if path.stat().st_size > MOST_BYTES:
        raise DreamerError(f"{path} is too large: at most {MOST_BYTES >> 30} GiB are read.")
    try:
        model = onnx.load(path, load_external_data=False)
    except (DecodeError, ValueError):
        raise DreamerError(f"{path} is not an ONNX model: it cannot be read.") from None
    parts = _load_parts(model, path)
    if model.functions:
        model = inliner.inline_local_functions(model)
    opset = next((each.version for each in model.opset_import if each.domain in _DOMAINS), 1)
    constants = {each.name: numpy_helper.to_array(each) for each in model.graph.initializer}
    pictures = _find_pictures(path.name, model, constants)
    picture = pictures[choose_picture(path.name, list(pictures), wanted)]
    shapes = _find_shapes(model)
    from dreamer.networks.onnx_patterns import find_patterns

    nodes = find_patterns(model.graph.node, constants)
    return OnnxModel(
        *(path.name, nodes, constants, shapes, picture, opset, parts), pictures=list(pictures)
    )


def _find_shapes(model: Any) -> Mapping[str, Sequence[int]]:
    """Return the shapes that a graph was written for, where they are all numbers."""
    from onnx import shape_inference

    inferred = shape_inference.infer_shapes(model).graph
    found = {}
    for each in (*inferred.input, *inferred.value_info):
        lengths = [dim.dim_value for dim in each.type.tensor_type.shape.dim]
        if all(lengths):
            found[each.name] = lengths
    return found


def _load_parts(model: Any, path: Path) -> Sequence[Path]:
    """Load the constants that lie in other files of the same folder; return these."""
    from onnx import external_data_helper

    folder = path.resolve().parent
    parts: set[str] = set()
    for tensor in external_data_helper._get_all_tensors(model):
        if external_data_helper.uses_external_data(tensor):
            parts.update(each.value for each in tensor.external_data if each.key == "location")
    total = path.stat().st_size
    for part in parts:
        file = (folder / part).resolve()
        if folder not in file.parents or Path(part).is_absolute():
            raise DreamerError(f"{path} refers to {part}, which is not in its folder: refused.")
        if not file.is_file():
            raise DreamerError(f"{path} needs {part} beside it, which is not there.")
        total += file.stat().st_size
    if total > MOST_BYTES:
        raise DreamerError(f"{path} is too large: at most {MOST_BYTES >> 30} GiB are read.")
    if parts:
        external_data_helper.load_external_data_for_model(model, str(folder))
    return [folder / part for part in sorted(parts)]


def _find_pictures(name: str, model: Any, constants: Mapping[str, Any]) -> Mapping[str, Picture]:
    """Return the inputs that can take the picture, by name."""
    given = [each for each in model.graph.input if each.name not in constants]
    shapes = [[dim.dim_value or None for dim in each.type.tensor_type.shape.dim] for each in given]
    found = {
        each.name: Picture(each.name, dims[1], (dims[2], dims[3]), dims[0])
        for each, dims in zip(given, shapes, strict=True)
        if len(dims) == 4 and dims[1] in (1, 3)
    }
    if not found:
        raise DreamerError(
            f"{name} reads {shapes}, and no picture of one or three colors, which come first."
        )
    return found


def flatten(model: OnnxModel, size: tuple[int | None, int | None] = (None, None)) -> Flat:
    """Return a flat Keras model of a graph; see `flattening.flatten`.

    Of a size, it reads a single picture where it has more layers so: what is written for one
    picture may have one in all its shapes.
    """
    flat = _flatten(model, size, None)
    if not flat.fixed or None in size or model.picture.batch != 1:
        return flat
    return min(flat, _flatten(model, size, 1), key=lambda each: len(each.fixed))


def _flatten(model: OnnxModel, size: tuple[int | None, int | None], batch: int | None) -> Flat:
    image = keras.Input((*size, 3), batch_size=batch, name="picture")
    builder = _Builder(model)
    builder.run(image if model.picture.colors == 3 else graph.AverageColors()(image))
    return prune(image, builder.called)


class _Builder:
    """Makes layers of a graph's nodes, one by one."""

    def __init__(self, model: OnnxModel) -> None:
        self.model = model
        self.called = Called()
        self._uses = Counter(_find_scope(node) for node in model.nodes)

    def run(self, picture: Any) -> None:
        """Make the layers, from a picture with its channels last."""
        known: dict[str, Any] = dict(self.model.constants)
        known[self.model.picture.name] = Value(picture, CHANNELS_LAST)
        for node in self.model.nodes:
            # Leave out whatever reads another input.
            if all(name in known for name in node.input if name):
                read = [known[name] if name else None for name in node.input]
                outputs = self._make(node, read)
                known |= zip(node.output, outputs, strict=False)

    def _make(self, node: Any, read: Sequence[Any]) -> Sequence[Any]:
        failed = [FAILED] * len(node.output)
        name = self._name(node)
        if any(each is FAILED for each in read):
            self.called.fixed.append(name)
            return failed
        if not any(isinstance(each, Value) for each in read):
            return _fold(node, read, self.model.opset) or failed
        if node.domain not in _DOMAINS or node.op_type not in OPERATIONS:
            self.called.fixed.append(name)
            return failed
        attributes = _read_attributes(node)
        attributes |= {"opset": self.model.opset, "outputs": len(node.output)}

        def add(
            run: Any, *tensors: Any, weights: Sequence[np.ndarray] = (), is_aid: bool = False
        ) -> Any:
            return self._add(node.op_type, name, run, tensors, weights, is_aid=is_aid)

        shape = self.model.shapes.get(node.input[0])
        call = Call(node.op_type, read, attributes, add, self.model.picture.batch, shape)
        try:
            made = OPERATIONS[node.op_type](call)
        # Keras and TensorFlow raise these for shapes that do not fit.
        except (Unsupported, ValueError, TypeError, IndexError):
            self.called.fixed.append(name)
            return failed
        return made if isinstance(made, list) else [_find_known(call, made)]

    def _add(
        self,
        kind: str,
        name: str,
        run: Any,
        tensors: Sequence[Any],
        weights: Sequence[np.ndarray],
        *,
        is_aid: bool,
    ) -> Any:
        layer = run if isinstance(run, layers.Layer) else Step(run, tensors, {}, kind)
        layer.is_aid = is_aid
        if is_aid:
            name = f"{name}/before"
        outputs = self.called.add(layer, name, *tensors)
        if weights:
            layer.set_weights([np.asarray(each, np.float32) for each in weights])
        return outputs

    def _name(self, node: Any) -> str:
        """Return a node's name: that of its module in PyTorch, or its own."""
        scope, kind = _find_scope(node), node.op_type.lower()
        if scope:
            return scope if self._uses[scope] == 1 else f"{scope}/{kind}"
        own = re.sub(r"[^A-Za-z0-9_.\\/-]+", "_", node.name or node.output[0]).strip("/")
        return own or kind


def _find_known(call: Call, made: Any) -> Any:
    """Return what an operation gives, with the lengths that are known; or them, where all are."""
    known = made.known
    if call.kind in KNOWN:
        read = [each.known if isinstance(each, Value) else each for each in call.inputs]
        if all(each is not None for each in read):
            known = KNOWN[call.kind](call, *read)
    if known is None:
        return made
    return made._replace(known=known) if None in known.ravel() else known.astype(np.int64)


def _find_scope(node: Any) -> str:
    """Return the path of the module that PyTorch's exporter notes for a node; empty if none."""
    noted = {each.key: each.value for each in node.metadata_props}
    # A list of names in Python's notation, from the whole model to the operation itself.
    scopes = re.findall(r"'([^']*)'", noted.get("pkg.torch.onnx.name_scopes", ""))
    return scopes[-2].replace(".", "/") if len(scopes) > 1 else ""


def _read_attributes(node: Any) -> dict[str, Any]:
    from onnx import helper

    read = {each.name: helper.get_attribute_value(each) for each in node.attribute}
    return {
        name: each.decode("utf-8", "replace") if isinstance(each, bytes) else each
        for name, each in read.items()
    }


def _fold(node: Any, read: Sequence[Any], opset: int) -> Sequence[np.ndarray] | None:
    """Compute an operation on constants; return None where it is too large or not known."""
    from onnx import AttributeProto, helper, numpy_helper, shape_inference
    from onnx.reference import ReferenceEvaluator

    if any(each.type in (AttributeProto.GRAPH, AttributeProto.GRAPHS) for each in node.attribute):
        # A loop of a stranger's might never end.
        return None
    given = {name: each for name, each in zip(node.input, read, strict=True) if name}
    infos = [
        helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(each.dtype), each.shape)
        for name, each in given.items()
    ]
    # Only what is small decides on the shapes of others.
    small = [
        numpy_helper.from_array(each, name)
        for name, each in given.items()
        if each.size <= MOST_LENGTHS
    ]
    outputs = [helper.make_empty_tensor_value_info(name) for name in node.output]
    model = helper.make_model(
        helper.make_graph([node], "constant", infos, outputs, small),
        opset_imports=[helper.make_opsetid("", opset)],
    )
    try:
        inferred = shape_inference.infer_shapes(model, data_prop=True).graph.output
        if any(_count_numbers(each) > MOST_FOLDED for each in inferred):
            return None
        return [np.asarray(each) for each in ReferenceEvaluator(model).run(None, given)]
    # The evaluator raises exceptions of all kinds.
    except Exception:
        return None


def _count_numbers(value: Any) -> int:
    """Return how many numbers a value of a graph has at least."""
    return math.prod(max(dim.dim_value, 1) for dim in value.type.tensor_type.shape.dim)
