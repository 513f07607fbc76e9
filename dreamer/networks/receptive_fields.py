"""Receptive fields: the pixels of a picture that a cell of a layer's grid can see.

They are computed layer by layer as in Araujo, Norris and Sim, "Computing Receptive Fields of
Convolutional Neural Networks" (Distill, 2019),
https://distill.pub/2019/computing-receptive-fields. Where branches meet, a cell sees what any of
them sees. A field does not tell how strongly each pixel counts: those in its middle count most (see
`motif_size`).

At the edges of a picture, a cell sees less than those formulas say: a layer that reads padding
reads zeros, and not what a cell there would have seen. So the first and the last pixel that reach
each cell are traced as well.
"""

import math
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import keras

from dreamer.arrays import Size
from dreamer.networks import graph

USUAL: Size = (512, 512)
"""Default height and width of a picture; only the start of a field depends on them."""


Reached = tuple[tuple[int, int], ...]
"""First and last pixel of the picture that reach each cell along an axis."""

UNREACHED = (sys.maxsize, -1)
"""First and last pixel of a cell that no pixel reaches."""


class Span(NamedTuple):
    """The pixels that the cells along one axis of a grid see.

    Attributes:
        size: pixels that one cell sees; they may reach into the padding around the picture.
        stride: pixels from one cell to the next; less than 1 after a layer that enlarges.
        start: the first pixel that the first cell sees, negative in the padding.
        cells: the number of cells.
        reached: the first and the last pixel that reach each cell; `UNREACHED` for a cell that
            reads only padding. None if its whole field reaches every cell.
    """

    size: float
    stride: float
    start: float
    cells: int
    reached: Reached | None = None

    @property
    def center(self) -> float:
        """Return the middle of what the first cell sees; pixels have their middle at integers."""
        return self.start + (self.size - 1) / 2

    def narrowed(self, size: float) -> "Span":
        """Keep at most `size` pixels in the middle of what each cell sees."""
        kept = min(size, self.size)
        return self._replace(size=kept, start=self.center - (kept - 1) / 2)

    def begin(self, cell: int) -> int:
        """Return the first pixel that a cell sees, which may lie outside of the picture."""
        return math.floor(self.start + cell * self.stride)

    def pixels(self, cell: int, length: int) -> slice:
        """Return the pixels of a picture of this length that a cell sees, at least one of them."""
        first, last = self.reached[cell] if self.reached else (0, length - 1)
        end = min(math.ceil(self.start + cell * self.stride + self.size), last + 1)
        first = min(max(self.begin(cell), first), length - 1)
        return slice(first, max(end, first + 1))


class Field(NamedTuple):
    """The receptive field of a layer, vertically and horizontally."""

    rows: Span
    columns: Span

    def narrowed(self, size: float) -> "Field":
        """Keep at most a square of side `size`, in pixels, in the middle of what each cell sees."""
        return Field(self.rows.narrowed(size), self.columns.narrowed(size))

    def box(self, row: int, column: int, size: Size) -> tuple[slice, slice]:
        """Return the rows and columns of a picture of this size that a cell sees."""
        return self.rows.pixels(row, size[0]), self.columns.pixels(column, size[1])


def middle(size: Size) -> Field:
    """Return the field of a single cell that sees the middle square of a picture."""
    side = min(size)
    rows, columns = (Span(side, side, (length - side) // 2, 1) for length in size)
    return Field(rows, columns)


def fields(model: Any, size: Size = USUAL) -> Mapping[str, Field | None]:
    """Return the receptive field of every layer, by name, on a picture of this size.

    None stands for a layer whose cells see the whole picture, such as one after a pool over all
    places, and for a layer of an unknown kind.
    """
    return _trace_model(model, [Field(*map(_make_pixel_span, size))])[0]


def _make_pixel_span(length: int) -> Span:
    """Return the span of a picture's pixels, each of which sees itself."""
    return Span(1, 1, 0, length, tuple((pixel, pixel) for pixel in range(length)))


def _trace_model(
    model: Any, inputs: Sequence[Field | None]
) -> tuple[Mapping[str, Field | None], Sequence[Field | None]]:
    """Return the fields of a model's layers and of its outputs, from those of its inputs."""
    seen = dict(zip(map(id, model.inputs), inputs, strict=True))
    found: dict[str, Field | None] = dict.fromkeys(map(graph.get_name, model.layers))
    for layer in model.layers:
        # The `input` of a layer that is itself a model is not what it reads here.
        for node in layer._inbound_nodes:
            read = [id(tensor) for tensor in node.arguments.keras_tensors]
            if read and all(each in seen for each in read):
                field = found[graph.get_name(layer)] = _trace_layer(
                    layer, [seen[each] for each in read]
                )
                seen |= {id(tensor): field for tensor in node.outputs}
    return found, [seen.get(id(tensor)) for tensor in model.outputs]


def _trace_layer(layer: Any, inputs: Sequence[Field | None]) -> Field | None:
    """Return the field of a layer from those of its inputs; None if it is unknown."""
    if isinstance(layer, keras.Model):
        return _trace_model(layer, inputs)[1][0]
    known = [field for field in inputs if field is not None]
    step = _STEPS.get(graph.get_kind(layer))
    if step is None or len(known) < len(inputs):
        return None
    rows, columns = (_unite([step(layer, axis, field[axis]) for field in known]) for axis in (0, 1))
    return None if rows is None or columns is None else Field(rows, columns)


def _unite(spans: Sequence[Span | None]) -> Span | None:
    """Return what any of the branches sees; None if one is unknown or their grids differ."""
    known = [span for span in spans if span is not None]
    grids = {(span.stride, span.cells) for span in known}
    if len(known) < len(spans) or len(grids) != 1:
        return None
    start = min(span.start for span in known)
    return known[0]._replace(
        start=start,
        size=max(span.start + span.size for span in known) - start,
        reached=tuple(map(_hull, zip(*map(_get_reached, known), strict=True))),
    )


def _get_reached(span: Span) -> Reached:
    # Only `middle` makes spans without it, and those are not traced.
    assert span.reached is not None
    return span.reached


def _hull(cells: Iterable[tuple[int, int]]) -> tuple[int, int]:
    """Return the first and the last pixel that reach any of the cells."""
    firsts, lasts = zip(UNREACHED, *cells, strict=True)
    return min(firsts), max(lasts)


_Step = Callable[[Any, int, Span], Span | None]
"""Function from a layer, an axis (0 vertical, 1 horizontal) and its input's span to its own."""


def _trace_pointwise(layer: Any, axis: int, span: Span) -> Span:
    return span


def _trace_normalization(layer: Any, axis: int, span: Span) -> Span | None:
    spatial = [each for each in keras.tree.flatten(layer.axis) if each not in (-1, 3)]
    return None if spatial else span


def _trace_window(layer: Any, axis: int, span: Span) -> Span:
    widths = layer.kernel_size if hasattr(layer, "kernel_size") else layer.pool_size
    dilation = getattr(layer, "dilation_rate", (1, 1))[axis]
    width, step = (widths[axis] - 1) * dilation + 1, layer.strides[axis]
    if layer.padding == "same":
        cells = -(-span.cells // step)
        # TensorFlow pads as little as possible, and puts an odd pixel at the end.
        before = max((cells - 1) * step + width - span.cells, 0) // 2
    else:
        cells, before = (span.cells - width) // step + 1, 0
    begins = [cell * step - before for cell in range(cells)]
    return Span(
        size=span.size + (width - 1) * span.stride,
        stride=span.stride * step,
        start=span.start - before * span.stride,
        cells=cells,
        reached=tuple(_hull(_list_reached(span, range(at, at + width, dilation))) for at in begins),
    )


def _list_reached(span: Span, cells: range) -> Iterator[tuple[int, int]]:
    """Yield the pixels that reach each of the cells, without cells in the padding."""
    return (_get_reached(span)[cell] for cell in cells if 0 <= cell < span.cells)


def _trace_padding(layer: Any, axis: int, span: Span) -> Span:
    before, after = layer.padding[axis]
    return span._replace(
        start=span.start - before * span.stride,
        cells=span.cells + before + after,
        reached=(*[UNREACHED] * before, *_get_reached(span), *[UNREACHED] * after),
    )


def _trace_cropping(layer: Any, axis: int, span: Span) -> Span:
    before, after = layer.cropping[axis]
    cells = span.cells - before - after
    return span._replace(
        start=span.start + before * span.stride,
        cells=cells,
        reached=_get_reached(span)[before : before + cells],
    )


def _trace_upsampling(layer: Any, axis: int, span: Span) -> Span | None:
    if layer.interpolation not in _NEIGHBORS:
        return None
    factor = layer.size[axis]
    find_neighbors = _NEIGHBORS[layer.interpolation]
    ends = [find_neighbors((cell + 0.5) / factor - 0.5) for cell in range(span.cells * factor)]
    # Farthest offsets, in cells of the input, between what is read and where the stride points.
    first = min(low - cell / factor for cell, (low, _) in enumerate(ends[:factor]))
    last = max(high - cell / factor for cell, (_, high) in enumerate(ends[:factor]))
    return Span(
        size=span.size + (last - first) * span.stride,
        stride=span.stride / factor,
        start=span.start + first * span.stride,
        cells=span.cells * factor,
        reached=tuple(_hull(_list_reached(span, range(low, high + 1))) for low, high in ends),
    )


_NEIGHBORS: Mapping[str, Callable[[float], tuple[int, int]]] = {
    "nearest": lambda place: (math.floor(place + 0.5), math.floor(place + 0.5)),
    "bilinear": lambda place: (math.floor(place), math.ceil(place)),
}
"""By interpolation, the first and the last cell of the input that are read at a place."""


_POINTWISE = (
    *("Activation", "Add", "Average", "BatchNormalization", "Concatenate", "Dense", "Dropout"),
    *("ELU", "Identity", "LeakyReLU", "LocalResponseNormalization", "Maximum", "Minimum"),
    *("Multiply", "PReLU", "ReLU", "Rescaling", "Softmax", "SpatialDropout2D", "Subtract"),
    *(
        "AverageColors",
        "CustomScaleLayer",
        "LayerScale",
        "Divide",
        "TrueDivide",
        "Negative",
        "Power",
        "Square",
        "Sqrt",
    ),
    *("Absolute", "Exp", "Relu", "Relu6", "Sigmoid", "Silu", "Gelu", "Tanh", "HardSigmoid"),
    *("Abs", "Clip", "Cos", "Div", "Erf", "HardSwish", "Log", "LRN", "Mul", "Neg", "PRelu", "Pow"),
    *("Reciprocal", "Sin", "Sub", "Sum", "Swish", "Split"),
    *("HardSilu", "LeakyRelu", "Elu", "Selu", "Softplus", "Mish", "StochasticDepth"),
)
_STEPS: Mapping[str, _Step] = {
    **dict.fromkeys(_POINTWISE, _trace_pointwise),
    **dict.fromkeys(("LayerNormalization", "Normalization"), _trace_normalization),
    **dict.fromkeys(("Conv2D", "DepthwiseConv2D", "SeparableConv2D"), _trace_window),
    **dict.fromkeys(("AveragePooling2D", "MaxPooling2D"), _trace_window),
    "Cropping2D": _trace_cropping,
    "UpSampling2D": _trace_upsampling,
    **dict.fromkeys(("FilledPadding2D", "ZeroPadding2D"), _trace_padding),
}
"""Functions that trace a span through a layer, by the layer's class."""
