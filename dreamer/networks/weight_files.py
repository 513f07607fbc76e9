"""Search and download of weights files, and their hashes."""

import hashlib
import os
import shutil
import urllib.request
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, cast

import platformdirs

from dreamer.errors import DreamerError
from dreamer.files import atomic
from dreamer.networks import registry

FOLDER_VARIABLE = "DREAMER_WEIGHTS"
"""Environment variable with a folder of weights that is searched first."""

_PACKAGED = Path(__file__).parent / "weights"


def folders() -> list[Path]:
    """Return the folders that are searched for weights, in order."""
    named = os.environ.get(FOLDER_VARIABLE)
    return [*([Path(named)] if named else []), store(), _PACKAGED]


def store() -> Path:
    """Return the folder into which `fetch` puts weights."""
    return platformdirs.user_data_path("dreamer", appauthor=False) / "weights"


def find(name: str, given: Path | None = None) -> Path | None:
    """Find the weights file of a network: `given`, or the first in `folders()`, or None.

    Raises DreamerError if the file `given` does not exist.
    """
    spec = registry.get_spec(name)
    if given is not None:
        if not given.is_file():
            raise DreamerError(f"There is no weights file {given}: check --weights.")
        return given
    for folder in folders():
        # Skip folders that may not be read.
        with suppress(OSError):
            for pattern in spec.files:
                if matches := sorted(folder.glob(pattern)):
                    return matches[0]
    return None


def find_or_fetch(name: str, given: Path | None = None) -> Path:
    """Find the weights file of a network, or fetch it if it is nowhere on this machine."""
    return find(name, given) or fetch(name)


def fetch(name: str, source: Path | None = None) -> Path:
    """Copy a network's weights into `store()`, from `source` or from where they are published.

    A download, or a source with the published name, must have the hash of the published file.

    Raises DreamerError if that fails; a file that was there before is then untouched.
    """
    url = registry.get_spec(name).url
    if url is None:
        raise DreamerError(
            f"The weights of {name} come with the package: nothing is to be fetched."
        )
    target = store() / url.rpartition("/")[2]
    if source:
        # Under a name that `find` looks for, whatever the source is called.
        target = target.with_name(target.stem + _get_suffix(source))
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with _open(source, url) as stream, atomic.open_replacing(target) as file:
            shutil.copyfileobj(stream, file)
            if source is None or source.name == target.name:
                file.flush()
                _check_digest(Path(file.name), registry.get_spec(name).digest, url)
    except OSError as error:
        cause = getattr(error, "reason", error)
        why = getattr(cause, "strerror", None) or cause
        if source:
            raise DreamerError(f"Cannot copy {source}: {why}.") from None
        raise DreamerError(
            f"The weights of {name} are not on this machine and cannot be downloaded ({why}): "
            f"run `dream models fetch {name} --from {target.name}` with a copy of that file, or, "
            "for all but classes, use -m dreamnet, which needs no download."
        ) from None
    return target


def _get_suffix(path: Path) -> str:
    # Keras reads `.weights.h5` files in another way than other `.h5` files.
    return ".weights.h5" if path.name.endswith(".weights.h5") else path.suffix


def _check_digest(file: Path, digest: str | None, url: str) -> None:
    """Raise DreamerError if a file does not have the hash of the published one."""
    if digest is None:
        return
    method, _, wanted = digest.partition(":")
    with file.open("rb") as stream:
        found = hashlib.file_digest(stream, method).hexdigest()
    if found != wanted:
        raise DreamerError(
            f"What came is not the published {url.rpartition('/')[2]} ({method} {found} instead "
            f"of {wanted}): fetch it again, or another copy."
        )


def _open(source: Path | None, url: str) -> BinaryIO:
    if source:
        return source.open("rb")
    return cast(BinaryIO, urllib.request.urlopen(url, timeout=30))


def sha256(path: Path, *parts: Path) -> str:
    """Return the hash of a weights file, as recorded in every picture.

    Where it has other parts in files of their own, it is the hash of all the files' hashes.
    """
    own = [_hash_file(each) for each in (path, *parts)]
    return hashlib.sha256("".join(own).encode()).hexdigest() if parts else own[0]


def _hash_file(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
