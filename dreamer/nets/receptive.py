"""Receptive fields: which pixels of a picture a cell of a layer's grid can see.

Computed layer by layer as in Araujo, Norris and Sim, "Computing Receptive Fields of Convolutional
Neural Networks" (Distill, 2019), https://distill.pub/2019/computing-receptive-fields. Where
branches meet, a cell sees what any of them does. How strongly a pixel counts is another question:
the middle of a field counts most (see `motif`).

At a picture's edges a cell sees less than those formulas say: where a layer reads the padding of
another one, it reads zeros, and not what a cell there would have seen. So the first and the last
pixel of every cell are followed as well.
"""

import math
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import keras

from dreamer.arrays import Size

USUAL: Size = (512, 512)
"""A picture's height and width where none is given; only where a field begins depends on it."""


Reached = tuple[tuple[int, int], ...]
"""The first and the last pixel of the picture that reach each cell along an axis."""

UNREACHED = (sys.maxsize, -1)


class Span(NamedTuple):
    """What the cells along one axis of a grid see, in pixels.

    Attributes:
        size: of what one cell sees; it may reach into the padding around the picture.
        stride: from one cell to the next; less than 1 where a layer enlarges.
        start: where the first cell's begins, negative in the padding.
        cells: their number.
        reached: the first and the last pixel that reach each cell; a cell that reads nothing but
            padding has `UNREACHED`. None where every cell is reached by all of its field.
    """

    size: float
    stride: float
    start: float
    cells: int
    reached: Reached | None = None

    @property
    def centre(self) -> float:
        """The middle of what the first cell sees; a pixel's own middle is a whole number."""
        return self.start + (self.size - 1) / 2

    def narrowed(self, size: float) -> "Span":
        """No more than so many pixels in the middle of what each cell sees."""
        kept = min(size, self.size)
        return self._replace(size=kept, start=self.centre - (kept - 1) / 2)

    def begin(self, cell: int) -> int:
        """Where what a cell sees begins, be it outside of the picture."""
        return math.floor(self.start + cell * self.stride)

    def pixels(self, cell: int, length: int) -> slice:
        """What a cell sees of a picture of this length, and be it one pixel at the edge."""
        first, last = self.reached[cell] if self.reached else (0, length - 1)
        end = min(math.ceil(self.start + cell * self.stride + self.size), last + 1)
        first = min(max(self.begin(cell), first), length - 1)
        return slice(first, max(end, first + 1))


class Field(NamedTuple):
    """The receptive field of a layer, downwards and across."""

    rows: Span
    columns: Span

    def narrowed(self, size: float) -> "Field":
        """No more than a square of so many pixels in the middle of what each cell sees."""
        return Field(self.rows.narrowed(size), self.columns.narrowed(size))

    def box(self, row: int, column: int, size: Size) -> tuple[slice, slice]:
        """The part of a picture of this size that a cell sees."""
        return self.rows.pixels(row, size[0]), self.columns.pixels(column, size[1])


def middle(size: Size) -> Field:
    """What a single cell sees that looks at the middle square of a picture."""
    side = min(size)
    rows, columns = (Span(side, side, (length - side) // 2, 1) for length in size)
    return Field(rows, columns)


def fields(model: Any, size: Size = USUAL) -> Mapping[str, Field | None]:
    """The receptive field of every layer, by name, on a picture of this size.

    None stands for a layer whose cells see the whole picture, as behind a pool over all places,
    and for one of a kind that is not known.
    """
    return _walk(model, [Field(*map(_pixels, size))])[0]


def _pixels(length: int) -> Span:
    """The pixels of a picture, each of which sees itself."""
    return Span(1, 1, 0, length, tuple((pixel, pixel) for pixel in range(length)))


def _walk(
    model: Any, given: Sequence[Field | None]
) -> tuple[Mapping[str, Field | None], Sequence[Field | None]]:
    """The fields of a model's layers, and of its outputs, from those of its inputs."""
    seen = dict(zip(map(id, model.inputs), given, strict=True))
    found: dict[str, Field | None] = dict.fromkeys(layer.name for layer in model.layers)
    for layer in model.layers:
        # A layer that is itself a model does not tell by its `input` what it reads here.
        for node in layer._inbound_nodes:
            read = [id(tensor) for tensor in node.arguments.keras_tensors]
            if read and all(each in seen for each in read):
                field = found[layer.name] = _through(layer, [seen[each] for each in read])
                seen |= {id(tensor): field for tensor in node.outputs}
    return found, [seen.get(id(tensor)) for tensor in model.outputs]


def _through(layer: Any, given: Sequence[Field | None]) -> Field | None:
    if isinstance(layer, keras.Model):
        return _walk(layer, given)[1][0]
    known = [field for field in given if field is not None]
    step = _STEPS.get(type(layer).__name__)
    if step is None or len(known) < len(given):
        return None
    rows, columns = (_union([step(layer, axis, field[axis]) for field in known]) for axis in (0, 1))
    return None if rows is None or columns is None else Field(rows, columns)


def _union(spans: Sequence[Span | None]) -> Span | None:
    known = [span for span in spans if span is not None]
    grids = {(span.stride, span.cells) for span in known}
    if len(known) < len(spans) or len(grids) != 1:
        return None
    start = min(span.start for span in known)
    return known[0]._replace(
        start=start,
        size=max(span.start + span.size for span in known) - start,
        reached=tuple(map(_hull, zip(*map(_reached, known), strict=True))),
    )


def _reached(span: Span) -> Reached:
    assert span.reached is not None
    return span.reached


def _hull(cells: Iterable[tuple[int, int]]) -> tuple[int, int]:
    """The first and the last pixel that reach any of some cells."""
    firsts, lasts = zip(UNREACHED, *cells, strict=True)
    return min(firsts), max(lasts)


_Step = Callable[[Any, int, Span], Span | None]
"""From a layer, an axis (0 downwards, 1 across) and what its input sees to what it sees."""


def _same(layer: Any, axis: int, span: Span) -> Span:
    return span


def _normalised(layer: Any, axis: int, span: Span) -> Span | None:
    places = [each for each in keras.tree.flatten(layer.axis) if each not in (-1, 3)]
    return None if places else span


def _window(layer: Any, axis: int, span: Span) -> Span:
    widths = layer.kernel_size if hasattr(layer, "kernel_size") else layer.pool_size
    dilation = getattr(layer, "dilation_rate", (1, 1))[axis]
    width, step = (widths[axis] - 1) * dilation + 1, layer.strides[axis]
    if layer.padding == "same":
        cells = -(-span.cells // step)
        # As TensorFlow pads: no more than it needs, and the odd one behind.
        before = max((cells - 1) * step + width - span.cells, 0) // 2
    else:
        cells, before = (span.cells - width) // step + 1, 0
    begins = [cell * step - before for cell in range(cells)]
    return Span(
        size=span.size + (width - 1) * span.stride,
        stride=span.stride * step,
        start=span.start - before * span.stride,
        cells=cells,
        reached=tuple(_hull(_read(span, range(at, at + width, dilation))) for at in begins),
    )


def _read(span: Span, cells: range) -> Iterator[tuple[int, int]]:
    """What reaches some cells of a grid, of which those in the padding are none."""
    return (_reached(span)[cell] for cell in cells if 0 <= cell < span.cells)


def _padded(layer: Any, axis: int, span: Span) -> Span:
    before, after = layer.padding[axis]
    return span._replace(
        start=span.start - before * span.stride,
        cells=span.cells + before + after,
        reached=(*[UNREACHED] * before, *_reached(span), *[UNREACHED] * after),
    )


def _cropped(layer: Any, axis: int, span: Span) -> Span:
    before, after = layer.cropping[axis]
    cells = span.cells - before - after
    return span._replace(
        start=span.start + before * span.stride,
        cells=cells,
        reached=_reached(span)[before : before + cells],
    )


def _enlarged(layer: Any, axis: int, span: Span) -> Span | None:
    if layer.interpolation not in _READ:
        return None
    factor = layer.size[axis]
    read = _READ[layer.interpolation]
    ends = [read((cell + 0.5) / factor - 0.5) for cell in range(span.cells * factor)]
    # How far, in the input's cells, what is read lies from where the stride points.
    first = min(low - cell / factor for cell, (low, _) in enumerate(ends[:factor]))
    last = max(high - cell / factor for cell, (_, high) in enumerate(ends[:factor]))
    return Span(
        size=span.size + (last - first) * span.stride,
        stride=span.stride / factor,
        start=span.start + first * span.stride,
        cells=span.cells * factor,
        reached=tuple(_hull(_read(span, range(low, high + 1))) for low, high in ends),
    )


_READ: Mapping[str, Callable[[float], tuple[int, int]]] = {
    "nearest": lambda place: (math.floor(place + 0.5), math.floor(place + 0.5)),
    "bilinear": lambda place: (math.floor(place), math.ceil(place)),
}
"""The first and the last cell of the input that are read at a place between them."""


_POINTWISE = (
    *("Activation", "Add", "Average", "BatchNormalization", "Concatenate", "Dense", "Dropout"),
    *("ELU", "Identity", "LeakyReLU", "LocalResponseNormalization", "Maximum", "Minimum"),
    *("Multiply", "PReLU", "ReLU", "Rescaling", "Softmax", "SpatialDropout2D", "Subtract"),
)
_STEPS: Mapping[str, _Step] = {
    **dict.fromkeys(_POINTWISE, _same),
    **dict.fromkeys(("LayerNormalization", "Normalization"), _normalised),
    **dict.fromkeys(("Conv2D", "DepthwiseConv2D", "SeparableConv2D"), _window),
    **dict.fromkeys(("AveragePooling2D", "MaxPooling2D"), _window),
    "Cropping2D": _cropped,
    "UpSampling2D": _enlarged,
    "ZeroPadding2D": _padded,
}
"""By the kind of layer."""
