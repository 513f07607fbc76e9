"""Files that appear whole or not at all."""

import errno
import hashlib
import os
import secrets
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from dreamer.errors import DreamerError

MAX_NAME_BYTES = 240
"""Longest file name made here, in bytes: systems allow 255, and some names grow a little."""


def fit_name(begin: str, ending: str) -> str:
    """Return the file name `begin + ending`, with `begin` shortened if it would be too long."""
    room = MAX_NAME_BYTES - len(os.fsencode(ending))
    whole = os.fsencode(begin)
    if len(whole) <= room:
        return begin + ending
    # The digest keeps names apart that begin alike.
    digest = hashlib.sha256(whole).hexdigest()[:8]
    return f"{whole[: room - 9].decode(errors='ignore')}-{digest}{ending}"


_DISK_ERRORS = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EROFS}


def is_disk_error(error: OSError) -> bool:
    """Tell whether an error means that the disk cannot be written to.

    Others that occur while a file is written, such as a source that disappears, are not about it.
    """
    return error.errno in _DISK_ERRORS


_PASSING = {errno.EACCES, errno.EPERM, errno.EBUSY}
"""Errors of a rename that may pass, as when a virus scanner or a network drive holds the file."""

_WAITS = (0.05, 0.1, 0.2, 0.4, 0.8, 1.6)
"""Seconds to wait between the attempts to rename a finished file."""


@contextmanager
def open_replacing(path: Path, *, overwrite: bool = True) -> Iterator[BinaryIO]:
    """Open a file for writing that takes the name `path` only once it is complete and on disk.

    Args:
        path: the final name; until then the bytes are in a `.part` file beside it.
        overwrite: whether an existing file of that name may be replaced.

    Raises DreamerError if the file cannot be written or, without `overwrite`, exists. Where only
    its name cannot be given to it, the finished file stays as `.part`, and the error names it.
    """
    from_block = False
    # Random, so that no existing file is lost, and no existing link followed.
    part = path.with_name(fit_name(path.name, f".{secrets.token_hex(4)}.part"))
    try:
        with part.open("xb") as file:
            try:
                yield file
            except OSError as error:
                from_block = not is_disk_error(error)
                raise
            file.flush()
            # Without this, a power cut can leave an empty file under the final name.
            os.fsync(file.fileno())
    except BaseException as error:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        if isinstance(error, OSError) and not from_block:
            raise DreamerError(f"Cannot write {path}: {error.strerror or error}.") from error
        raise
    _rename(part, path, overwrite=overwrite)


def _rename(part: Path, path: Path, *, overwrite: bool) -> None:
    """Give a finished file its name; see `open_replacing` for the errors."""
    try:
        if not overwrite:
            # Claims the name, and fails if it was taken in the meantime.
            path.open("xb").close()
    except FileExistsError:
        part.unlink()
        raise exists_error(path) from None
    except OSError as error:
        raise _describe_kept(part, path, error) from error
    for wait in (*_WAITS, None):
        try:
            part.replace(path)
        except OSError as error:
            if error.errno not in _PASSING or wait is None:
                if not overwrite:
                    path.unlink()
                raise _describe_kept(part, path, error) from error
            time.sleep(wait)
        else:
            return


def _describe_kept(part: Path, path: Path, error: OSError) -> DreamerError:
    return DreamerError(
        f"Cannot write {path}: {error.strerror or error}. It is finished, as {part}: rename that."
    )


def publish(part: Path, path: Path, *, overwrite: bool) -> None:
    """Rename a complete file, written by another program, to `path` once it is on disk.

    Raises DreamerError if that fails or, without `overwrite`, if `path` exists.
    """
    try:
        with part.open("rb") as file:
            os.fsync(file.fileno())
    except OSError as error:
        raise DreamerError(f"Cannot write {path}: {error.strerror or error}.") from error
    _rename(part, path, overwrite=overwrite)


def exists_error(path: Path) -> DreamerError:
    """Return the error for an output that already exists."""
    return DreamerError(f"{path} exists: give --overwrite, or another name.")


def check_writable(folder: Path) -> None:
    """Raise DreamerError if files cannot be written into `folder`, before any work is done."""
    probe = folder / f".{secrets.token_hex(4)}.part"
    try:
        probe.open("xb").close()
        probe.unlink()
    except OSError as error:
        raise DreamerError(f"Cannot write into {folder}: {error.strerror}.") from None


def partial_path(path: Path) -> Path:
    """Return the file in which a stopped run leaves what it has made of `path`."""
    return path.with_name(fit_name(path.stem, f".partial{path.suffix}"))


def choose_default_name(path: Path, *, overwrite: bool) -> Path:
    """Return the default name of an output: `path` or, without `overwrite`, the next free name."""
    return path if overwrite else find_free_name(path)


def find_free_name(path: Path, taken: Collection[Path] | None = None) -> Path:
    """Return `path`, or the first of `NAME-2`, `NAME-3`, … that is free.

    Args:
        path: the preferred name.
        taken: the names that are not free; None for those that exist on disk.
    """
    number = 1
    free = path
    while free.exists() if taken is None else free in taken:
        number += 1
        free = path.with_stem(f"{path.stem}-{number}")
    return free
