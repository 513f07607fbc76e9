"""Folders with any number of photos, prepared for a network one at a time."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from dreamer.arrays import Image, Size
from dreamer.errors import DreamerError
from dreamer.files import photo_folder, photos
from dreamer.networks import channels
from dreamer.networks.network import Network


class ReducedPhoto(NamedTuple):
    """A photo reduced for a network, with its file's hash and its original height and width."""

    path: Path
    sha256: str
    own: Size
    image: Image


def read_photos(net: Network, folder: Path, longest: int) -> Iterator[ReducedPhoto | None]:
    """Yield the photos in a folder and its subfolders, in no order, holding one at a time.

    Yields None for a file that cannot be read or whose photo is too small for the network.

    Args:
        net: the network.
        folder: the folder of photos.
        longest: the longest side, in pixels, to which larger photos are reduced.

    Raises DreamerError if the folder cannot be read or holds no usable photo.
    """
    seen = skipped = 0
    for path in photo_folder.walk(folder):
        try:
            photo, own = photos.read_small(path, longest)
            image = channels.check_size(net, photo.image)
        except DreamerError:
            skipped += 1
            yield None
        else:
            seen += 1
            yield ReducedPhoto(path, photo.sha256, own, image)
    if not seen:
        raise photo_folder.no_photo_error(folder, skipped)
