"""Exemplars: the photos of a folder, and the places in them, that excite a channel most.

As the top images of Yosinski et al., "Understanding Neural Networks Through Deep Visualization"
(2015), https://arxiv.org/abs/1506.06579. A photo is ranked by its strongest cell, one that is
there twice is taken once, and what is found does not depend on the order in which photos come.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from dreamer.arrays import Image, Size
from dreamer.files import photos
from dreamer.nets import folders, network, receptive
from dreamer.nets.network import Network
from dreamer.nets.receptive import Field

Box = tuple[slice, slice]
"""Rows and columns of a picture."""


class Channel(NamedTuple):
    """A channel, or a unit, of a layer."""

    layer: str
    number: int

    def __str__(self) -> str:
        return f"{self.layer}:{self.number}"


class Exemplar(NamedTuple):
    """A photo that excites a channel.

    Attributes:
        activation: the channel's largest value in it.
        path: of the photo.
        sha256: of its file.
        own: its height and width in pixels.
        size: those at which it was looked at.
        cell: row and column of that value in the layer's grid; (0, 0) of a unit.
    """

    activation: float
    path: Path
    sha256: str
    own: Size
    size: Size
    cell: Size


class State(NamedTuple):
    """How far a search has come.

    Attributes:
        seen: photos that were looked at.
        skipped: files that were not, because they cannot be read or are too small.
        best: exemplars by channel, the strongest first; it changes as the search goes on.
    """

    seen: int
    skipped: int
    best: Mapping[Channel, Sequence[Exemplar]]


def search(
    net: Network, channels: Sequence[Channel], folder: Path, count: int, longest: int
) -> Iterator[State]:
    """Look for the `count` strongest exemplars of each channel; yields after every photo.

    Nothing is kept but these, and no picture of theirs, however many photos there are.

    Args:
        net: the network.
        channels: of its layers, as `Network.resolve` names them.
        folder: of photos (see `folders.look`).
        count: exemplars of a channel.
        longest: side in pixels, to which a larger photo is reduced.
    """
    best: dict[Channel, list[Exemplar]] = {channel: [] for channel in channels}
    numbers = {
        layer: [channel.number for channel in best if channel.layer == layer]
        for layer in dict.fromkeys(channel.layer for channel in best)
    }
    features = tf.function(network.freeze(net, numbers, "float32"), reduce_retracing=True)
    seen = skipped = 0
    for photo in folders.look(net, folder, longest):
        if photo is None:
            skipped += 1
        else:
            seen += 1
            maps = features(photo.image[None])
            for layer, chosen in numbers.items():
                peaks = _peaks(np.asarray(maps[layer][0]), chosen)
                for number, (value, cell) in zip(chosen, peaks, strict=True):
                    size = photo.image.shape[:2]
                    found = Exemplar(value, photo.path, photo.sha256, photo.own, size, cell)
                    _take(best[Channel(layer, number)], found, count)
        yield State(seen, skipped, best)


def _peaks(maps: NDArray[np.float32], channels: Sequence[int]) -> list[tuple[float, Size]]:
    """The largest value of each channel, and its cell; of a layer of units, its value."""
    grid = maps if maps.ndim == 3 else maps[None, None]
    places = grid[..., channels].reshape(-1, len(channels))
    rows, columns = np.unravel_index(places.argmax(0), grid.shape[:2])
    cells = zip(rows.tolist(), columns.tolist(), strict=True)
    return list(zip(places.max(0).tolist(), cells, strict=True))


def _take(kept: list[Exemplar], found: Exemplar, count: int) -> None:
    """Put an exemplar among the strongest of a channel, if it belongs there."""
    if len(kept) == count and found.activation < kept[-1].activation:
        return
    twins = [each for each in kept if each.sha256 == found.sha256]
    others = [each for each in kept if each.sha256 != found.sha256]
    kept[:] = sorted([*others, min([*twins, found], key=_order)], key=_order)[:count]


def _order(exemplar: Exemplar) -> tuple[float, str]:
    return -exemplar.activation, str(exemplar.path)


class Patch(NamedTuple):
    """An exemplar's photo, and in it what excites the channel.

    Attributes:
        photo: as it was looked at.
        box: the patch in it, rows and columns.
        cut: the patch; NaN where it reaches beyond the photo, so that its middle is the cell's.
    """

    photo: Image
    box: Box
    cut: Image


@dataclass(frozen=True)
class Scissors:
    """What cuts patches out of photos.

    Attributes:
        net: the network.
        largest: side in pixels, by layer, of the square that is kept of a receptive field's
            middle, as the motif size (`motif.size`); all of it where a layer has none.
    """

    net: Network
    largest: Mapping[str, float]
    _fields: dict[Size, Mapping[str, Field | None]] = field(default_factory=dict)

    def box(self, channel: Channel, exemplar: Exemplar) -> Box:
        """The patch in an exemplar's photo as it was looked at."""
        return self._field(channel, exemplar).box(*exemplar.cell, exemplar.size)

    def patch(self, channel: Channel, exemplar: Exemplar) -> Patch:
        """Read an exemplar's photo again, and cut.

        Raises DreamerError where it cannot be read any more.
        """
        photo = photos.read_small(exemplar.path, max(exemplar.size))[0].image
        seen = self._field(channel, exemplar)
        begin = [span.begin(cell) for span, cell in zip(seen, exemplar.cell, strict=True)]
        cut = _cut(photo, begin, [math.ceil(span.size) for span in seen])
        return Patch(photo, self.box(channel, exemplar), cut)

    def _field(self, channel: Channel, exemplar: Exemplar) -> Field:
        size = exemplar.size
        if size not in self._fields:
            self._fields[size] = receptive.fields(self.net.model, size)
        known = self._fields[size][channel.layer]
        if known is None:
            return receptive.middle(size)
        return known.narrowed(self.largest.get(channel.layer, math.inf))


def _cut(photo: Image, begin: Sequence[int], sides: Sequence[int]) -> Image:
    """A rectangle of a photo, NaN outside of it."""
    cut = np.full((*sides, 3), np.nan, np.float32)
    first = [max(start, 0) for start in begin]
    last = [max(start + side, 0) for start, side in zip(begin, sides, strict=True)]
    inside = photo[first[0] : last[0], first[1] : last[1]]
    rows, columns = (top - start for top, start in zip(first, begin, strict=True))
    cut[rows : rows + inside.shape[0], columns : columns + inside.shape[1]] = inside
    return cut


def mean(patches: Sequence[Patch]) -> Image:
    """The mean of patches, each pixel over the photos that reach there, to grow a picture from.

    The mean-image initialisation of Nguyen, Yosinski and Clune, "Multifaceted Feature
    Visualization" (2016), https://arxiv.org/abs/1602.03616.

    Where no photo reaches, it is of the mean colour.
    """
    side = patches[0].cut.shape[1::-1]
    stack = np.stack([cv2.resize(each.cut, side) for each in patches])
    inside = ~np.isnan(stack)
    total, count = np.where(inside, stack, 0).sum(0), inside.sum(0)
    colour = total.sum((0, 1)) / np.maximum(count.sum((0, 1)), 1)
    return np.asarray(np.where(count > 0, total / np.maximum(count, 1), colour), np.float32)
