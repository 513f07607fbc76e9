"""ONNX files: each operation against ONNX's own runtime, graphs of many, and what is refused."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import tensorflow as tf
from onnx import TensorProto, helper, numpy_helper

from dreamer.errors import DreamerError
from dreamer.networks import freezing, onnx_file, receptive_fields
from dreamer.networks.loading import load_for_recipe
from dreamer.recipe import Recipe

RANDOM = np.random.default_rng(7)
PICTURE = RANDOM.standard_normal((2, 3, 13, 11)).astype(np.float32)
CHANNELS = 8

Nodes = Sequence[Any]
Constants = dict[str, np.ndarray]


def node(kind: str, inputs: str, output: str = "y", **attributes: Any) -> Any:
    return helper.make_node(
        kind, inputs.split(","), output.split(","), name=f"{kind} {output}", **attributes
    )


def drawn(*shape: int, least: float | None = None) -> np.ndarray:
    values = RANDOM.standard_normal(shape).astype(np.float32)
    return values if least is None else np.abs(values) + np.float32(least)


def whole(*values: int) -> np.ndarray:
    return np.array(values, np.int64)


def save(
    path: Path, nodes: Nodes, constants: Constants, shape: Sequence[Any], opset: int = 18
) -> Path:
    """Write a graph that reads `x` and gives `y`."""
    given = helper.make_tensor_value_info("x", TensorProto.FLOAT, list(shape))
    result = helper.make_tensor_value_info("y", TensorProto.FLOAT, None)
    held = [numpy_helper.from_array(each, name) for name, each in constants.items()]
    graph = helper.make_graph(list(nodes), "graph", [given], [result], held)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=9)
    onnx.save(model, path)
    return path


def check_same(path: Path, picture: np.ndarray = PICTURE) -> None:
    """Compare what a graph gives with what ONNX's own runtime does, in the order of its axes."""
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    (wanted,) = session.run(None, {"x": picture})
    flat, left_out = onnx_file.flatten(onnx_file.read_model(path))
    assert not left_out
    (given,) = (np.atleast_1d(flat(picture.transpose(0, 2, 3, 1))),)
    scale = max(1.0, float(np.abs(wanted).max()))
    np.testing.assert_allclose(np.asarray(given) / scale, wanted / scale, atol=1e-5)


MAPS = "m"
FLAT = (node("Reshape", "z,flat", "y"), {"flat": whole(0, -1)})
"""Brings what is compared to the order that ONNX means."""

Case = tuple[Nodes, Constants]


def one(kind: str, constants: Constants | None = None, **attributes: Any) -> Case:
    """An operation on maps, and constants behind them."""
    held = constants or {}
    return [node(kind, ",".join([MAPS, *held]), "z", **attributes)], held


def both(kind: str, **attributes: Any) -> Case:
    """An operation on maps and on others of them."""
    return [node("Sigmoid", MAPS, "n"), node(kind, "m,n", "z", **attributes)], {}


def positive(kind: str) -> Case:
    """An operation on maps of .5 to 1.5."""
    nodes = [node("Sigmoid", MAPS, "n"), node("Add", "n,half", "p"), node(kind, "p", "z")]
    return nodes, {"half": np.float32(0.5)}


def through(nodes: Nodes, constants: Constants | None = None) -> Case:
    return nodes, constants or {}


def of_groups(kernel: tuple[int, ...], bias: int, **attributes: Any) -> Case:
    return one("Conv", {"w": drawn(*kernel), "b": drawn(bias)}, **attributes)


C = CHANNELS
CASES: dict[str, Case] = {
    "Abs": one("Abs"),
    "Add": both("Add"),
    "Add of a constant": one("Add", {"c": drawn(C, 1, 1)}),
    "Add of a number": one("Add", {"c": drawn()}),
    "AveragePool": one("AveragePool", kernel_shape=[2, 2], strides=[2, 2]),
    "AveragePool padded": one("AveragePool", kernel_shape=[3, 3], pads=[1, 1, 1, 1]),
    "AveragePool padded and stepped": one(
        "AveragePool", kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1]
    ),
    "AveragePool that counts padding": one(
        "AveragePool", kernel_shape=[3, 3], pads=[1, 1, 1, 1], count_include_pad=1
    ),
    "AveragePool rounded up": one("AveragePool", kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1),
    "AveragePool along channels": through(
        [
            *(node("Unsqueeze", "m,a", "t"), node("AveragePool", "t", "p", kernel_shape=[3, 1, 2])),
            node("Squeeze", "p,a", "z"),
        ],
        {"a": whole(1)},
    ),
    "BatchNormalization": one(
        "BatchNormalization",
        {"s": drawn(C), "b": drawn(C), "mean": drawn(C), "var": drawn(C, least=0.5)},
    ),
    "Cast": one("Cast", to=TensorProto.FLOAT),
    "Cast to integers and back": through(
        [
            node("Cast", MAPS, "n", to=TensorProto.INT64),
            node("Cast", "n", "z", to=TensorProto.FLOAT),
        ]
    ),
    "Ceil": one("Ceil"),
    "Clip": one("Clip", {"low": np.float32(-0.5), "high": np.float32(0.7)}),
    "Clip at six": one("Clip", {"low": np.float32(0), "high": np.float32(6)}),
    "Concat": both("Concat", axis=1),
    "Concat of a constant": through(
        [node("ReduceMean", "m,a", "t", keepdims=0), node("Concat", "c,t", "z", axis=1)],
        {"a": whole(2, 3), "c": drawn(1, 2)},
    ),
    "Conv": of_groups((5, C, 3, 3), 5),
    "Conv same": of_groups((5, C, 3, 3), 5, pads=[1, 1, 1, 1]),
    "Conv stepped": of_groups((5, C, 3, 3), 5, pads=[1, 1, 1, 1], strides=[2, 2]),
    "Conv odd": of_groups((5, C, 3, 2), 5, pads=[0, 1, 2, 1], strides=[2, 1]),
    "Conv dilated": of_groups((5, C, 3, 3), 5, dilations=[2, 2], pads=[2, 2, 2, 2]),
    "Conv in groups": of_groups((6, C // 2, 3, 3), 6, group=2),
    "Conv by depth": of_groups((C, 1, 3, 3), C, group=C, pads=[1, 1, 1, 1]),
    "Conv by depth, twice as many": of_groups((2 * C, 1, 3, 3), 2 * C, group=C),
    "Conv by SAME_UPPER": of_groups((5, C, 3, 3), 5, auto_pad="SAME_UPPER", strides=[2, 2]),
    "ConvTranspose": one(
        "ConvTranspose",
        {"w": drawn(C, 4, 3, 3), "b": drawn(4)},
        **{"strides": [2, 2], "pads": [1, 1, 1, 1], "output_padding": [1, 1]},
    ),
    "Cos": one("Cos"),
    "DepthToSpace": one("DepthToSpace", blocksize=2),
    "DepthToSpace by columns": one("DepthToSpace", blocksize=2, mode="CRD"),
    "Div": one("Div", {"c": drawn(1, C, 1, 1, least=1)}),
    "Dropout": one("Dropout"),
    "Einsum": through(
        [node("Reshape", "m,s", "t"), node("Einsum", "t,t", "z", equation="nct,ndt->ncd")],
        {"s": whole(0, C, -1)},
    ),
    "Elu": one("Elu", alpha=0.7),
    "Erf": one("Erf"),
    "Exp": one("Exp"),
    "Expand": through(
        [node("ReduceMax", "m,a", "t"), node("Expand", "t,s", "z")],
        {"a": whole(2, 3), "s": whole(1, 1, 3, 5)},
    ),
    "Flatten": through([node("Flatten", MAPS, "z")]),
    "Floor": one("Floor"),
    "Gather": one("Gather", {"i": whole(3, 1)}, axis=1),
    "Gather of one": one("Gather", {"i": np.int64(2)}, axis=2),
    "Gather by a table": one("Gather", {"i": whole(0, 3).reshape(1, 2)}, axis=1),
    "Gelu": one("Gelu"),
    "Gelu by tanh": one("Gelu", approximate="tanh"),
    "Gemm": through(
        [
            *(node("GlobalAveragePool", MAPS, "p"), node("Flatten", "p", "f")),
            node("Gemm", "f,w,b", "z", transB=1, alpha=0.5, beta=2.0),
        ],
        {"w": drawn(4, C), "b": drawn(4)},
    ),
    "GlobalAveragePool": one("GlobalAveragePool"),
    "GlobalMaxPool": one("GlobalMaxPool"),
    "GroupNormalization": one("GroupNormalization", {"s": drawn(C), "b": drawn(C)}, num_groups=2),
    "HardSigmoid": one("HardSigmoid", alpha=0.3),
    "HardSwish": one("HardSwish"),
    "Identity": one("Identity"),
    "InstanceNormalization": one("InstanceNormalization", {"s": drawn(C), "b": drawn(C)}),
    "LRN": one("LRN", size=5, alpha=0.1, beta=0.75, bias=2.0),
    "LayerNormalization": through(
        [
            node("Transpose", MAPS, "t", perm=[0, 2, 3, 1]),
            node("LayerNormalization", "t,s,b", "z", axis=-1, epsilon=1e-6),
        ],
        {"s": drawn(C), "b": drawn(C)},
    ),
    "LayerNormalization of all": one(
        "LayerNormalization", {"s": drawn(1, 1), "b": drawn(1, 1)}, axis=2
    ),
    "LeakyRelu": one("LeakyRelu", alpha=0.2),
    "Log": positive("Log"),
    "LogSoftmax": one("LogSoftmax", axis=1),
    "MatMul": through(
        [node("Transpose", MAPS, "t", perm=[0, 2, 3, 1]), node("MatMul", "t,w", "z")],
        {"w": drawn(C, 5)},
    ),
    "MatMul of two": through(
        [
            *(node("Reshape", "m,s", "t"), node("Transpose", "t", "u", perm=[0, 2, 1])),
            node("MatMul", "t,u", "z"),
        ],
        {"s": whole(0, C, -1)},
    ),
    "MatMul behind a constant": through(
        [node("Reshape", "m,s", "t"), node("MatMul", "w,t", "z")],
        {"s": whole(0, C, -1), "w": drawn(5, C)},
    ),
    "Max": both("Max"),
    "MaxPool": one("MaxPool", kernel_shape=[2, 2], strides=[2, 2]),
    "MaxPool padded": one("MaxPool", kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1]),
    "MaxPool same": one("MaxPool", kernel_shape=[3, 3], pads=[1, 1, 1, 1]),
    "MaxPool rounded up": one("MaxPool", kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1),
    "MaxPool rounded up from an edge": one(
        "MaxPool", kernel_shape=[2, 2], strides=[2, 2], pads=[1, 1, 1, 1], ceil_mode=1
    ),
    "Mean": both("Mean"),
    "Min": both("Min"),
    "Mish": one("Mish"),
    "Mul": both("Mul"),
    "Neg": one("Neg"),
    "PRelu": one("PRelu", {"s": drawn(C, 1, 1)}),
    "Pad": one("Pad", {"p": whole(0, 0, 1, 2, 0, 0, 0, 3), "v": np.float32(0.5)}),
    "Pad reflected": one("Pad", {"p": whole(0, 0, 1, 2, 0, 0, 1, 2)}, mode="reflect"),
    "Pow": one("Pow", {"c": np.float32(2)}),
    "Reciprocal": positive("Reciprocal"),
    "ReduceL2": one("ReduceL2", {"a": whole(1)}),
    "ReduceMax": one("ReduceMax", {"a": whole(1)}, keepdims=0),
    "ReduceMean": one("ReduceMean", {"a": whole(2, 3)}),
    "ReduceMean without axes": one("ReduceMean", {"a": whole(2, 3)}, keepdims=0),
    "ReduceMin": one("ReduceMin", {"a": whole(-1)}),
    "ReduceSum": one("ReduceSum", {"a": whole(1, 2)}, keepdims=0),
    "Relu": one("Relu"),
    "Reshape": one("Reshape", {"s": whole(0, 2, C // 2, -1)}),
    "Reshape to a shape that is computed": through(
        [
            *(
                node("Shape", MAPS, "s"),
                node("Gather", "s,zero", "n"),
                node("Gather", "s,two", "h"),
            ),
            *(node("Unsqueeze", "n,at", "n1"), node("Unsqueeze", "h,at", "h1")),
            *(node("Concat", "n1,rest,h1", "t", axis=0), node("Reshape", "m,t", "r")),
            node("Transpose", "r", "z", perm=[0, 2, 1, 3]),
        ],
        {"zero": np.int64(0), "two": np.int64(2), "at": whole(0), "rest": whole(C, 11)},
    ),
    "Resize": one(
        "Resize",
        {"roi": np.float32([]), "f": np.float32([1, 1, 2, 2])},
        **{
            "mode": "nearest",
            "coordinate_transformation_mode": "asymmetric",
            "nearest_mode": "floor",
        },
    ),
    "Resize by lines": one(
        "Resize", {"roi": np.float32([]), "f": np.float32([1, 1, 2, 2])}, mode="linear"
    ),
    "Resize between corners": one(
        "Resize",
        {"roi": np.float32([]), "f": np.float32([1, 1, 2, 2])},
        **{"mode": "linear", "coordinate_transformation_mode": "align_corners"},
    ),
    "Selu": one("Selu"),
    "Sigmoid": one("Sigmoid"),
    "Sin": one("Sin"),
    "Slice": one("Slice", {"b": whole(1, 2), "e": whole(2**62, -1), "a": whole(2, 1)}),
    "Slice by twos": one("Slice", {"b": whole(0), "e": whole(99), "a": whole(3), "s": whole(2)}),
    "Softmax": one("Softmax", axis=1),
    "Softplus": one("Softplus"),
    "SpaceToDepth": through(
        [node("Slice", "m,b,e,a", "t"), node("SpaceToDepth", "t", "z", blocksize=2)],
        {"b": whole(1, 1), "e": whole(13, 11), "a": whole(2, 3)},
    ),
    "Split": through(
        [node("Split", "m,s", "p,q", axis=1), node("Concat", "q,p", "z", axis=1)],
        {"s": whole(3, 5)},
    ),
    "Split in equal parts": through(
        [node("Split", "m", "p,q", axis=1, num_outputs=2), node("Mul", "p,q", "z")]
    ),
    "Sqrt": positive("Sqrt"),
    "Squeeze": through(
        [node("ReduceMean", "m,a", "t"), node("Squeeze", "t,a", "z")], {"a": whole(2, 3)}
    ),
    "Sub": one("Sub", {"c": drawn(C, 1, 1)}),
    "Sub from a constant": through([node("Sub", "c,m", "z")], {"c": drawn(C, 1, 1)}),
    "Sum": both("Sum"),
    "Tanh": one("Tanh"),
    "Tile": one("Tile", {"t": whole(1, 1, 2, 1)}),
    "Transpose": one("Transpose", perm=[0, 3, 1, 2]),
    "Unsqueeze": one("Unsqueeze", {"a": whole(1)}),
}
NEWER = {"GroupNormalization": 21, "Gelu": 20, "Gelu by tanh": 20}


@pytest.mark.parametrize("name", CASES)
def test_an_operation_gives_what_onnx_says(name: str, tmp_path: Path) -> None:
    nodes, constants = CASES[name]
    picture = PICTURE[:1] if name == "Concat of a constant" else PICTURE
    kernel = drawn(CHANNELS, 3, 1, 1)
    last, shape = FLAT
    first = node("Conv", "x,kernel", MAPS)
    path = save(
        tmp_path / "one.onnx",
        [first, *nodes, last],
        {"kernel": kernel, **constants, **shape},
        ["n", 3, "h", "w"],
        NEWER.get(name, 18),
    )
    check_same(path, picture)


NORMALIZED = [
    *(node("Mul", "m,m", "q"), node("Unsqueeze", "q,one", "u"), node("Pad", "u,widths", "p")),
    node("AveragePool", "p", "a", kernel_shape=[5, 1, 1], strides=[1, 1, 1]),
    *(node("Squeeze", "a,one", "s"), node("Mul", "s,alpha", "t"), node("Add", "t,bias", "b")),
    *(node("Pow", "b,beta", "d"), node("Div", "m,d", "z")),
]
"""What PyTorch writes for a local response normalization."""

OF_NORMALIZED: Constants = {
    **{"one": whole(1), "widths": whole(0, 0, 2, 0, 0, 0, 0, 2, 0, 0)},
    **{"alpha": np.float32(0.7), "bias": np.float32(2), "beta": np.float32(0.5)},
}


@pytest.mark.parametrize(
    "changes", [{}, {"beta": np.float32(0.75)}, {"bias": drawn(CHANNELS, 1, 1)}]
)
def test_a_normalization_over_channels_is_one_layer(changes: Constants, tmp_path: Path) -> None:
    constants = {"kernel": drawn(CHANNELS, 3, 1, 1), **OF_NORMALIZED, **changes}
    if "bias" in changes:
        constants["bias"] = np.abs(constants["bias"])
    nodes = [node("Conv", "x,kernel", MAPS), *NORMALIZED, FLAT[0]]
    path = save(tmp_path / "one.onnx", nodes, {**constants, **FLAT[1]}, ["n", 3, "h", "w"])
    check_same(path)
    flat, _ = onnx_file.flatten(onnx_file.read_model(path))
    kinds = [type(layer).__name__ for layer in flat.layers]
    assert ("LocalResponseNormalization" in kinds) == ("bias" not in changes)
    assert ("bias" in changes) == any("AveragePool" in layer.name for layer in flat.layers)


def test_every_operation_is_tested() -> None:
    from dreamer.networks.onnx_layers import OPERATIONS

    tested = {each.op_type for nodes, _ in CASES.values() for each in nodes}
    # The newest, and one of old versions alone, which the runtime here does not know.
    assert {*OPERATIONS} - tested == {"Swish", "Upsample"}


KEEPING: dict[str, Callable[[int], Case]] = {
    "conv": lambda c: of_groups((c, c, 3, 3), c, pads=[1, 1, 1, 1]),
    "depth": lambda c: of_groups((c, 1, 3, 3), c, group=c, pads=[1, 1, 1, 1]),
    "norm": lambda c: one(
        "BatchNormalization",
        {"s": drawn(c), "b": drawn(c), "mean": drawn(c), "var": drawn(c, least=0.5)},
    ),
    "pool": lambda c: one("MaxPool", kernel_shape=[3, 3], pads=[1, 1, 1, 1]),
    "relu": lambda c: one("Relu"),
    "gate": lambda c: through([node("Sigmoid", MAPS, "n"), node("Mul", "m,n", "z")]),
    "squeeze": lambda c: through(
        [node("GlobalAveragePool", MAPS, "n"), node("Sigmoid", "n", "g"), node("Mul", "m,g", "z")]
    ),
    "turned": lambda c: through(
        [
            *(node("Transpose", MAPS, "n", perm=[0, 2, 3, 1]), node("MatMul", "n,w", "o")),
            node("Transpose", "o", "z", perm=[0, 3, 1, 2]),
        ],
        {"w": drawn(c, c)},
    ),
    "shuffled": lambda c: through(
        [
            *(node("Shape", MAPS, "s"), node("Slice", "s,two,four", "hw")),
            *(node("Concat", "split,hw", "t", axis=0), node("Reshape", "m,t", "r")),
            node("Transpose", "r", "u", perm=[0, 2, 1, 3, 4]),
            *(node("Concat", "join,hw", "v", axis=0), node("Reshape", "u,v", "z")),
        ],
        {"two": whole(2), "four": whole(4), "split": whole(0, 2, c // 2), "join": whole(0, c)},
    ),
}


@pytest.mark.parametrize("seed", range(6))
def test_random_graphs_give_what_onnx_says(seed: int, tmp_path: Path) -> None:
    """Blocks one behind the other, each of which adds to what it reads or not."""
    random = np.random.default_rng(seed)
    nodes: list[Any] = [node("Conv", "x,kernel", "m0")]
    constants: Constants = {"kernel": drawn(CHANNELS, 3, 3, 3)}
    for number, name in enumerate(random.choice([*KEEPING], 7)):
        made, held = KEEPING[name](CHANNELS)
        new = {each: f"{each}_{number}" for each in (*held, *(o for n in made for o in n.output))}
        new |= {MAPS: f"m{number}"}
        for each in made:
            copy = helper.make_node(
                each.op_type, [new[i] for i in each.input], [new[o] for o in each.output]
            )
            copy.attribute.extend(each.attribute)
            nodes.append(copy)
        constants |= {new[name]: each for name, each in held.items()}
        adds = random.random() < 0.5
        inputs = f"{new['z']},m{number}" if adds else new["z"]
        nodes.append(node("Add" if adds else "Identity", inputs, f"m{number + 1}"))
    nodes.append(node("Reshape", "m7,flat", "y"))
    constants |= {"flat": whole(0, -1)}
    check_same(save(tmp_path / "random.onnx", nodes, constants, ["n", 3, "h", "w"]))


EXPORTED = Path(__file__).with_name("onnx")


@pytest.mark.parametrize("suffix", ["", "-script"])
@pytest.mark.parametrize("name", ["resnet", "mobilenet", "convnext", "vit"])
def test_networks_of_pytorch_answer_as_they_did_there(name: str, suffix: str) -> None:
    """Written by `onnx/export.py`."""
    with np.load(EXPORTED / f"{name}.npz") as archive:
        known = dict(archive)
    path = EXPORTED / f"{name}{suffix}.onnx"
    # The pictures of the file are those that the network gets.
    recipe = Recipe(network=path.name, input_range=(0, 1))
    net = load_for_recipe(recipe, path).entire()
    end = list(net.units)[-1]
    picture = tf.constant(known["picture"].transpose(0, 2, 3, 1))
    see = freezing.freeze(net, [end], "float32")
    with tf.GradientTape() as tape:
        tape.watch(picture)
        answer = see(picture)[end]
        total = tf.reduce_sum(answer * known["weights"])
    np.testing.assert_allclose(answer, known["answer"], rtol=1e-4, atol=1e-4)
    slope = tape.gradient(total, picture).numpy().transpose(0, 3, 1, 2)
    cosine = np.vdot(slope, known["slope"]) / np.linalg.norm(slope) / np.linalg.norm(known["slope"])
    assert cosine > 0.9999
    # Others than transformers read pictures of any size.
    free = load_for_recipe(recipe, path)
    assert bool(free.spec.fixed) == (name == "vit")
    assert free.layers


def test_patches_of_a_transformer_are_dreamt_on_as_maps() -> None:
    path = EXPORTED / "vit.onnx"
    net = load_for_recipe(Recipe(network=path.name), path)
    layer = "encoder/layers/encoder_layer_0"
    (name,) = [each for each in net.spec.fixed if each.startswith(layer) and each.endswith("add_1")]
    whole = net.entire_for([name])
    assert whole.spec.reads == (64, 64)
    maps = freezing.freeze(whole, [name], "float32")(RANDOM.random((2, 50, 40, 3), np.float32))[
        name
    ]
    assert maps.shape == (2, 17, 1, 16)
    assert net.entire_for(["conv_proj"]) is net


@pytest.mark.parametrize(
    ("shape", "target", "again"),
    [
        ([1, 8, 20, 20], [1, 2, 4, 20, 20], [1, 8, 20, 20]),
        ([1, 8, 20, 20], [1, 8, 400], None),
        ([1, 8, 20, 20], [1, 1, 8, 20, -1], [1, 8, 20, 20]),
    ],
)
def test_shapes_that_were_written_for_one_size_are_read_at_any(
    shape: list[int], target: list[int], again: list[int] | None, tmp_path: Path
) -> None:
    nodes = [node("Conv", "x,w", "a"), node("Reshape", "a,s", "b"), node("Softplus", "b", "c")]
    nodes += [node("Reshape", "c,t", "d") if again else node("Identity", "c", "d")]
    constants = {"w": drawn(8, 3, 1, 1), "s": whole(*target), "t": whole(*(again or [0]))}
    path = save(tmp_path / "one.onnx", [*nodes, node("Relu", "d", "y")], constants, [1, 3, 20, 20])
    flat, left_out = onnx_file.flatten(onnx_file.read_model(path))
    assert not left_out
    plain = flat(RANDOM.random((2, 9, 7, 3), np.float32))
    assert plain.shape == ((2, 8, 9, 7) if again and len(target) == 5 else (2, 8, 63))


def small(path: Path, shape: Sequence[Any] = (1, 3, 20, 20)) -> Path:
    """A classifier with a squeezed layer, whose end reads pictures of one size."""
    nodes = [
        *(node("Conv", "x,w", "a"), node("Relu", "a", "b"), node("Reshape", "b,s", "c")),
        node("Gemm", "c,v,d", "y", transB=1),
    ]
    constants = {
        "w": drawn(4, shape[1], 3, 3),
        "s": whole(1, -1),
        "v": drawn(5, 1296),
        "d": drawn(5),
    }
    return save(path, nodes, constants, shape)


def test_a_file_is_a_network_of_any_size_and_whole_at_its_own(tmp_path: Path) -> None:
    path = small(tmp_path / "mine.onnx")
    net = load_for_recipe(Recipe(network=path.name), path)
    assert list(net.layers) == ["Conv_a", "Relu_b"]
    assert net.spec.layers == ("Relu_b",)
    assert "Gemm_y" in net.spec.fixed
    assert "as PyTorch's networks are" in net.notes[0]
    # Unless one says otherwise, as PyTorch's networks read ImageNet.
    black = freezing.freeze(net, ["Conv_a"], "float32")(np.zeros((1, 9, 8, 3), np.float32))[
        "Conv_a"
    ]
    weights = onnx_file.read_model(path).constants["w"]
    expected = np.einsum(
        "fchw,c->f", weights, -np.array([0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
    )
    np.testing.assert_allclose(black[0, 2, 2], expected, rtol=1e-4)
    picture = RANDOM.random((2, 20, 20, 3), np.float32)
    plain = load_for_recipe(Recipe(network=path.name, input_range=(0, 1)), path).entire()
    given = freezing.freeze(plain, ["Gemm_y"], "float32")(picture)["Gemm_y"]
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    wanted = [session.run(None, {"x": each[None].transpose(0, 3, 1, 2)})[0][0] for each in picture]
    np.testing.assert_allclose(given, wanted, rtol=1e-4, atol=1e-4)


def test_receptive_fields_reach_through_padding_and_pools(tmp_path: Path) -> None:
    nodes = [
        node("Conv", "x,w", "a", strides=[2, 2], pads=[1, 1, 1, 1]),
        node("Pad", "a,widths,least", "p"),
        node("MaxPool", "p", "b", kernel_shape=[3, 3], strides=[2, 2]),
        node("Sub", "b,c", "y"),
    ]
    constants = {"w": drawn(4, 3, 3, 3), "c": drawn(4, 1, 1), "least": np.float32(-1e9)}
    constants["widths"] = whole(0, 0, 1, 1, 0, 0, 1, 1)
    path = save(tmp_path / "pool.onnx", nodes, constants, ["n", 3, "h", "w"])
    flat, _ = onnx_file.flatten(onnx_file.read_model(path))
    field = receptive_fields.fields(flat)["Sub_y"]
    assert field is not None
    assert (field.rows.size, field.rows.stride, field.rows.start) == (7, 4, -3)


def test_operations_that_are_unknown_are_left_out_with_those_behind_them(tmp_path: Path) -> None:
    nodes = [
        *(node("Conv", "x,w", "a"), node("Hardmax", "a", "b"), node("Relu", "b", "c")),
        node("Sigmoid", "a", "y"),
    ]
    path = save(tmp_path / "odd.onnx", nodes, {"w": drawn(4, 3, 3, 3)}, ["n", 3, "h", "w"])
    flat, left_out = onnx_file.flatten(onnx_file.read_model(path))
    assert left_out == ("Hardmax_b", "Relu_c")
    assert [layer.name for layer in flat.layers] == ["picture", "Conv_a", "Sigmoid_y"]


def test_layers_have_the_names_of_pytorchs_modules(tmp_path: Path) -> None:
    nodes = [node("Conv", "x,w", "a"), node("Relu", "a", "b"), node("Relu", "b", "y")]
    for each, scope in zip(nodes, ("block.0.conv", "block.0.act", "block.0.act"), strict=True):
        entry = each.metadata_props.add()
        entry.key, entry.value = "pkg.torch.onnx.name_scopes", f"['', 'block', '{scope}', 'op']"
    path = save(tmp_path / "torch.onnx", nodes, {"w": drawn(4, 3, 3, 3)}, ["n", 3, "h", "w"])
    net = load_for_recipe(Recipe(network=path.name), path)
    assert list(net.layers) == ["block/0/conv", "block/0/act/relu", "block/0/act/relu_1"]


def test_of_several_pictures_one_is_chosen(tmp_path: Path) -> None:
    given = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", 3, "h", "w"])
        for name in ("left", "right")
    ]
    nodes = [node("Relu", "left", "a"), node("Sigmoid", "right", "b"), node("Add", "a,b")]
    result = helper.make_tensor_value_info("y", TensorProto.FLOAT, None)
    path = tmp_path / "twins.onnx"
    made = helper.make_model(helper.make_graph(nodes, "twins", given, [result]), ir_version=9)
    onnx.save(made, path)
    first = load_for_recipe(Recipe(network=path.name), path)
    second = load_for_recipe(Recipe(network=path.name, input_name="right"), path)
    assert (list(first.layers), list(second.layers)) == (["Relu_a"], ["Sigmoid_b"])
    assert any("is what left gets" in note for note in first.notes)
    with pytest.raises(DreamerError, match="rigth"):
        load_for_recipe(Recipe(network=path.name, input_name="rigth"), path)


def external(path: Path, place: str) -> None:
    """Point a file's constant to a part outside of it."""
    model = onnx.load(path)
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", place
    path.write_bytes(model.SerializeToString())


@pytest.mark.parametrize("place", ["../secret", "/etc/passwd", "a/../../secret"])
def test_parts_outside_of_a_files_folder_are_refused(place: str, tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"0" * 1000)
    folder = tmp_path / "models"
    folder.mkdir()
    path = small(folder / "mine.onnx")
    external(path, place)
    with pytest.raises(DreamerError, match="not in its folder"):
        onnx_file.read_model(path)


def test_what_cannot_be_read_is_one_sentence(tmp_path: Path) -> None:
    path = small(tmp_path / "mine.onnx")
    external(path, "weights.bin")
    with pytest.raises(DreamerError, match=r"needs weights\.bin beside it"):
        onnx_file.read_model(path)
    path.write_bytes(b"no model")
    with pytest.raises(DreamerError, match="is not an ONNX model"):
        onnx_file.read_model(path)
    words = save(tmp_path / "words.onnx", [node("Relu", "x", "y")], {}, [1, 77])
    with pytest.raises(DreamerError, match=r"reads \[\[1, 77\]\], and no picture"):
        onnx_file.read_model(words)


def loop() -> Any:
    """A loop on constants that ends after years."""
    body = helper.make_graph(
        [helper.make_node("Identity", ["going"], ["on"]), helper.make_node("Neg", ["v"], ["w"])],
        "body",
        [
            helper.make_tensor_value_info("count", TensorProto.INT64, []),
            helper.make_tensor_value_info("going", TensorProto.BOOL, []),
            helper.make_tensor_value_info("v", TensorProto.FLOAT, []),
        ],
        [
            helper.make_tensor_value_info("on", TensorProto.BOOL, []),
            helper.make_tensor_value_info("w", TensorProto.FLOAT, []),
        ],
    )
    return node("Loop", "s,yes,start", "top", body=body)


@pytest.mark.parametrize(
    ("nodes", "constants"),
    [
        (
            [node("Add", "s,t", "sum"), node("ReduceMax", "sum", "top", keepdims=0)],
            {"s": np.zeros((1 << 20, 1), np.float32), "t": np.zeros((1, 1 << 20), np.float32)},
        ),
        (
            [node("MatMul", "s,t", "sum"), node("ReduceMax", "sum", "top", keepdims=0)],
            {"s": np.zeros((1 << 20, 1), np.float32), "t": np.zeros((1, 1 << 20), np.float32)},
        ),
        (
            [node("Range", "s,t,u", "sum"), node("ReduceMax", "sum", "top", keepdims=0)],
            {"s": np.float32(0), "t": np.float32(1e12), "u": np.float32(1)},
        ),
        ([loop()], {"s": np.int64(2**62), "yes": np.bool_(True), "start": np.float32(1)}),
    ],
)
def test_constants_that_would_never_be_done_are_not_computed(
    nodes: Nodes, constants: Constants, tmp_path: Path
) -> None:
    last = [node("Conv", "x,w", "a"), node("Add", "a,top", "y")]
    held = {**constants, "w": drawn(4, 3, 3, 3)}
    path = save(tmp_path / "long.onnx", [*nodes, *last], held, ["n", 3, "h", "w"])
    flat, left_out = onnx_file.flatten(onnx_file.read_model(path))
    assert [layer.name for layer in flat.layers] == ["picture", "Conv_a"]
    assert "Add_y" in left_out


def test_a_constant_that_would_fill_the_memory_is_not_computed(tmp_path: Path) -> None:
    nodes = [
        *(node("ConstantOfShape", "s", "huge"), node("ReduceMax", "huge", "top", keepdims=0)),
        *(node("Conv", "x,w", "a"), node("Add", "a,top", "y")),
    ]
    constants = {"s": whole(1 << 20, 1 << 20), "w": drawn(4, 3, 3, 3)}
    path = save(tmp_path / "huge.onnx", nodes, constants, ["n", 3, "h", "w"])
    flat, left_out = onnx_file.flatten(onnx_file.read_model(path))
    assert [layer.name for layer in flat.layers] == ["picture", "Conv_a"]
    assert "Add_y" in left_out
