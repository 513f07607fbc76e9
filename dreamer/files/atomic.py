"""Files that appear whole or not at all."""

import errno
import hashlib
import os
import secrets
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from dreamer.errors import DreamerError

LONGEST = 240
"""Bytes that a name of our own has at most: systems take 255, and some names grow by a few."""


def fitting(begin: str, ending: str) -> str:
    """A file's name of these two parts, the first one shortened where a system would refuse it."""
    room = LONGEST - len(os.fsencode(ending))
    whole = os.fsencode(begin)
    if len(whole) <= room:
        return begin + ending
    # Two names that begin alike stay apart.
    digest = hashlib.sha256(whole).hexdigest()[:8]
    return f"{whole[: room - 9].decode(errors='ignore')}-{digest}{ending}"


_OF_DISK = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EROFS}


def of_disk(error: OSError) -> bool:
    """Whether a disk refuses to be written to.

    What else goes wrong while a file is written, as a source that goes away, is no fault of it.
    """
    return error.errno in _OF_DISK


@contextmanager
def replacing(path: Path, *, overwrite: bool = True) -> Iterator[BinaryIO]:
    """A file to write that takes the name `path` only once it is complete and on disk.

    Args:
        path: the final name; until then the bytes lie in a `.part` of its own beside it.
        overwrite: whether an existing file of that name may be replaced.

    Raises DreamerError where the file cannot be written or, without `overwrite`, exists.
    """
    foreign = False
    # Random, so that nothing that lies there is followed or lost.
    part = path.with_name(fitting(path.name, f".{secrets.token_hex(4)}.part"))
    try:
        with part.open("xb") as file:
            try:
                yield file
            except OSError as error:
                foreign = not of_disk(error)
                raise
            file.flush()
            # Without it a power cut can leave an empty file under the final name.
            os.fsync(file.fileno())
        _rename(part, path, overwrite=overwrite)
    except OSError as error:
        if foreign:
            raise
        if isinstance(error, FileExistsError):
            raise exists(path) from None
        raise DreamerError(f"Cannot write {path}: {error.strerror or error}.") from error
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)


def _rename(part: Path, path: Path, *, overwrite: bool) -> None:
    if not overwrite:
        # Claims the name: this fails where it was taken in the meantime.
        path.open("xb").close()
    part.replace(path)


def publish(part: Path, path: Path, *, overwrite: bool) -> None:
    """Give a complete file that another program wrote its final name, once it is on disk.

    Raises DreamerError where that fails or, without `overwrite`, where `path` exists.
    """
    try:
        with part.open("rb") as file:
            os.fsync(file.fileno())
        _rename(part, path, overwrite=overwrite)
    except FileExistsError:
        raise exists(path) from None
    except OSError as error:
        raise DreamerError(f"Cannot write {path}: {error.strerror or error}.") from error


def exists(path: Path) -> DreamerError:
    """The error for an output that is already there."""
    return DreamerError(f"{path} exists: give --overwrite, or another name.")


def check_writable(folder: Path) -> None:
    """Raise DreamerError now where a file could not be written into `folder` later."""
    probe = folder / f".{secrets.token_hex(4)}.part"
    try:
        probe.open("xb").close()
        probe.unlink()
    except OSError as error:
        raise DreamerError(f"Cannot write into {folder}: {error.strerror}.") from None


def so_far(path: Path) -> Path:
    """Where a run that was stopped leaves what it has made of `path`."""
    return path.with_name(fitting(path.stem, f".partial{path.suffix}"))


def usual_name(path: Path, *, overwrite: bool) -> Path:
    """The name of an output that nobody has named: `path`, or the next free one beside it."""
    return path if overwrite else free_name(path)


def free_name(path: Path, taken: Collection[Path] | None = None) -> Path:
    """`path`, or the first of `NAME-2`, `NAME-3`, … that does not exist, or is not `taken`."""
    number = 1
    free = path
    while free.exists() if taken is None else free in taken:
        number += 1
        free = path.with_stem(f"{path.stem}-{number}")
    return free
