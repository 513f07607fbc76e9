"""Where a network's weights are: given, in a folder, in the package, or to be fetched."""

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
from dreamer.nets import registry

FOLDER_VARIABLE = "DREAMER_WEIGHTS"
_PACKAGED = Path(__file__).parent / "weights"


def folders() -> list[Path]:
    """The folders that are searched, in order."""
    named = os.environ.get(FOLDER_VARIABLE)
    return [*([Path(named)] if named else []), store(), _PACKAGED]


def store() -> Path:
    """The folder that `fetch` fills."""
    return platformdirs.user_data_path("dreamer", appauthor=False) / "weights"


def find(name: str, given: Path | None = None) -> Path | None:
    """The weights file of a network: `given`, or the first that a folder holds, or None.

    Raises DreamerError where the file that was `given` does not exist.
    """
    spec = registry.spec(name)
    if given is not None:
        if not given.is_file():
            raise DreamerError(f"There is no weights file {given}: check --weights.")
        return given
    for folder in folders():
        # A folder that may not be read holds nothing for us.
        with suppress(OSError):
            for pattern in spec.files:
                if matches := sorted(folder.glob(pattern)):
                    return matches[0]
    return None


def need(name: str, given: Path | None = None) -> Path:
    """The weights file of a network, fetched if it is nowhere on this machine."""
    return find(name, given) or fetch(name)


def fetch(name: str, source: Path | None = None) -> Path:
    """Copy a network's weights into `store()`, from `source` or from where they are published.

    A download, and a copy under the published name, must be the published file.

    Raises DreamerError where that fails; what was there before is then untouched.
    """
    url = registry.spec(name).url
    if url is None:
        raise DreamerError(
            f"The weights of {name} come with the package: nothing is to be fetched."
        )
    target = store() / url.rpartition("/")[2]
    if source:
        # Under a name that is looked for, whatever the copy is called.
        target = target.with_name(target.stem + _ending(source))
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with _opened(source, url) as stream, atomic.replacing(target) as file:
            shutil.copyfileobj(stream, file)
            if source is None or source.name == target.name:
                file.flush()
                _check(Path(file.name), registry.spec(name).digest, url)
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


def _ending(path: Path) -> str:
    # Keras reads files of this ending in another way than other `.h5`.
    return ".weights.h5" if path.name.endswith(".weights.h5") else path.suffix


def _check(file: Path, digest: str | None, url: str) -> None:
    """Raise DreamerError where a published file is not what it is known to be."""
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


def _opened(source: Path | None, url: str) -> BinaryIO:
    if source:
        return source.open("rb")
    return cast(BinaryIO, urllib.request.urlopen(url, timeout=30))


def sha256(path: Path) -> str:
    """The hash of a weights file, as recorded in every picture."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
