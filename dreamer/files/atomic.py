"""Files that appear whole or not at all."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from dreamer.errors import DreamerError


@contextmanager
def replacing(path: Path, *, overwrite: bool = True) -> Iterator[BinaryIO]:
    """A file to write that takes the name `path` only once it is complete and on disk.

    Args:
        path: the final name; until then the bytes lie in `NAME.part` beside it.
        overwrite: whether an existing file of that name may be replaced.

    Raises DreamerError where the file cannot be written or, without `overwrite`, exists.
    """
    part = path.with_name(path.name + ".part")
    try:
        with part.open("wb") as file:
            yield file
            file.flush()
            # Without it a power cut can leave an empty file under the final name.
            os.fsync(file.fileno())
        if overwrite:
            part.replace(path)
        else:
            # Unlike a rename, a link fails where the name was taken in the meantime.
            path.hardlink_to(part)
            part.unlink()
    except FileExistsError:
        raise exists(path) from None
    except OSError as error:
        raise DreamerError(f"Cannot write {path}: {error.strerror or error}.") from error
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)


def exists(path: Path) -> DreamerError:
    """The error for an output that is already there."""
    return DreamerError(f"{path} exists: give --overwrite, or another name with --output.")


def free_name(path: Path) -> Path:
    """`path`, or the first of `NAME-2`, `NAME-3`, … that does not exist."""
    number = 1
    free = path
    while free.exists():
        number += 1
        free = path.with_stem(f"{path.stem}-{number}")
    return free
