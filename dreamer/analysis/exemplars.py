"""Exemplars: the photos of a folder, and the places in them, that excite a channel most.

These are the top images of Yosinski et al., "Understanding Neural Networks Through Deep
Visualization" (2015), https://arxiv.org/abs/1506.06579. A photo is ranked by its strongest cell,
duplicate files count once, and the result does not depend on the order of the photos.
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
from dreamer.networks import folders, freezing, receptive_fields
from dreamer.networks.network import Network
from dreamer.networks.receptive_fields import Field

Box = tuple[slice, slice]
"""Rows and columns of a picture."""


class Channel(NamedTuple):
    """A channel or unit of a layer."""

    layer: str
    number: int

    def __str__(self) -> str:
        return f"{self.layer}:{self.number}"


class Exemplar(NamedTuple):
    """A photo that excites a channel.

    Attributes:
        activation: the channel's largest value in the photo.
        path: the photo's file.
        sha256: the hash of that file.
        own: the photo's original height and width in pixels.
        size: the height and width, in pixels, at which the network saw it.
        cell: the row and column of that value in the layer's grid; (0, 0) for a unit.
    """

    activation: float
    path: Path
    sha256: str
    own: Size
    size: Size
    cell: Size


class State(NamedTuple):
    """The state of a search.

    Attributes:
        seen: number of photos that were searched.
        skipped: number of files that were not, because they cannot be read or are too small.
        best: exemplars by channel, strongest first; updated in place as the search goes on.
    """

    seen: int
    skipped: int
    best: Mapping[Channel, Sequence[Exemplar]]


def search(
    net: Network, channels: Sequence[Channel], folder: Path, count: int, longest: int
) -> Iterator[State]:
    """Search for the strongest exemplars of each channel, yielding the state after every photo.

    Only those exemplars are kept, without their pictures, so there may be any number of photos.

    Args:
        net: the network.
        channels: channels of its layers, as `Network.resolve` names them.
        folder: the folder of photos (see `folders.read_photos`).
        count: number of exemplars per channel.
        longest: the longest side, in pixels, to which larger photos are reduced.

    Raises DreamerError if the folder cannot be read or holds no usable photo.
    """
    best: dict[Channel, list[Exemplar]] = {channel: [] for channel in channels}
    numbers = {
        layer: [channel.number for channel in best if channel.layer == layer]
        for layer in dict.fromkeys(channel.layer for channel in best)
    }
    features = tf.function(
        freezing.freeze(net, numbers, "float32"), reduce_retracing=True, autograph=False
    )
    seen = skipped = 0
    for photo in folders.read_photos(net, folder, longest):
        if photo is None:
            skipped += 1
        else:
            seen += 1
            maps = features(photo.image[None])
            for layer, chosen in numbers.items():
                peaks = _find_peaks(np.asarray(maps[layer][0]), chosen)
                for number, (value, cell) in zip(chosen, peaks, strict=True):
                    size = photo.image.shape[:2]
                    found = Exemplar(value, photo.path, photo.sha256, photo.own, size, cell)
                    _keep_best(best[Channel(layer, number)], found, count)
        yield State(seen, skipped, best)


def _find_peaks(maps: NDArray[np.float32], channels: Sequence[int]) -> list[tuple[float, Size]]:
    """Return the largest value of each channel, or each unit's value, and its cell."""
    grid = maps if maps.ndim == 3 else maps[None, None]
    places = grid[..., channels].reshape(-1, len(channels))
    rows, columns = np.unravel_index(places.argmax(0), grid.shape[:2])
    cells = zip(rows.tolist(), columns.tolist(), strict=True)
    return list(zip(places.max(0).tolist(), cells, strict=True))


def _keep_best(kept: list[Exemplar], found: Exemplar, count: int) -> None:
    """Insert an exemplar among the strongest ones of a channel, if it belongs there."""
    if len(kept) == count and found.activation < kept[-1].activation:
        return
    twins = [each for each in kept if each.sha256 == found.sha256]
    others = [each for each in kept if each.sha256 != found.sha256]
    kept[:] = sorted([*others, min([*twins, found], key=_sort_key)], key=_sort_key)[:count]


def _sort_key(exemplar: Exemplar) -> tuple[float, str]:
    return -exemplar.activation, str(exemplar.path)


class Patch(NamedTuple):
    """An exemplar's photo, and the part of it that excites the channel.

    Attributes:
        photo: the photo as the network saw it.
        box: the rows and columns of the patch in the photo.
        cut: the patch, centered on the cell's field; NaN beyond the photo's edges.
    """

    photo: Image
    box: Box
    cut: Image


@dataclass(frozen=True)
class PatchCutter:
    """A cutter of patches from photos.

    Attributes:
        net: the network.
        largest: the side, in pixels, by layer, of the square that is kept in the middle of a
            receptive field, such as the motif size (`motif_size.find_motif_size`); a layer without
            one keeps the whole field.
    """

    net: Network
    largest: Mapping[str, float]
    _fields: dict[Size, Mapping[str, Field | None]] = field(default_factory=dict)

    def box(self, channel: Channel, exemplar: Exemplar) -> Box:
        """Return the rows and columns of the patch in an exemplar's photo."""
        return self._field(channel, exemplar).box(*exemplar.cell, exemplar.size)

    def patch(self, channel: Channel, exemplar: Exemplar) -> Patch:
        """Read an exemplar's photo again and cut out its patch.

        Raises DreamerError if the photo cannot be read anymore.
        """
        photo = photos.read_small(exemplar.path, max(exemplar.size))[0].image
        seen = self._field(channel, exemplar)
        begin = [span.begin(cell) for span, cell in zip(seen, exemplar.cell, strict=True)]
        cut = _crop(photo, begin, [math.ceil(span.size) for span in seen])
        return Patch(photo, self.box(channel, exemplar), cut)

    def _field(self, channel: Channel, exemplar: Exemplar) -> Field:
        size = exemplar.size
        if size not in self._fields:
            self._fields[size] = receptive_fields.fields(self.net.model, size)
        known = self._fields[size][channel.layer]
        if known is None:
            return receptive_fields.middle(size)
        return known.narrowed(self.largest.get(channel.layer, math.inf))


def _crop(photo: Image, begin: Sequence[int], sides: Sequence[int]) -> Image:
    """Return a rectangle of a photo, NaN outside of the photo."""
    cut = np.full((*sides, 3), np.nan, np.float32)
    first = [max(start, 0) for start in begin]
    last = [max(start + side, 0) for start, side in zip(begin, sides, strict=True)]
    inside = photo[first[0] : last[0], first[1] : last[1]]
    rows, columns = (top - start for top, start in zip(first, begin, strict=True))
    cut[rows : rows + inside.shape[0], columns : columns + inside.shape[1]] = inside
    return cut


def average_patches(patches: Sequence[Patch]) -> Image:
    """Return the mean of patches as an image `(h, w, 3)` of the first one's size.

    Each pixel is the mean over the photos that reach it, or the mean color if none does. This is
    the mean-image initialization of Nguyen, Yosinski and Clune, "Multifaceted Feature
    Visualization" (2016), https://arxiv.org/abs/1602.03616.
    """
    side = patches[0].cut.shape[1::-1]
    stack = np.stack([cv2.resize(each.cut, side) for each in patches])
    inside = ~np.isnan(stack)
    total, count = np.where(inside, stack, 0).sum(0), inside.sum(0)
    color = total.sum((0, 1)) / np.maximum(count.sum((0, 1)), 1)
    return np.asarray(np.where(count > 0, total / np.maximum(count, 1), color), np.float32)
