"""Folders of photos of any size, looked at by a network one after the other."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from dreamer.arrays import Image, Size
from dreamer.errors import DreamerError
from dreamer.files import listing, photos
from dreamer.nets import channels
from dreamer.nets.network import Network


class Looked(NamedTuple):
    """A photo as it is looked at, with the hash of its file and its own height and width."""

    path: Path
    sha256: str
    own: Size
    image: Image


def look(net: Network, folder: Path, longest: int) -> Iterator[Looked | None]:
    """The photos in a folder and those within it, in no order, of which one at a time is held.

    Args:
        net: the network.
        folder: of photos.
        longest: side in pixels, to which a larger photo is reduced.

    Yields None for a file that cannot be read, or whose photo is too small for the network.

    Raises DreamerError where the folder holds no photo, or none that can be looked at.
    """
    seen = skipped = 0
    for path in listing.walk(folder):
        try:
            photo, own = photos.read_small(path, longest)
            image = channels.large_enough(net, photo.image)
        except DreamerError:
            skipped += 1
            yield None
        else:
            seen += 1
            yield Looked(path, photo.sha256, own, image)
    if not seen:
        raise listing.no_photo(folder, skipped)
