"""The working folder of an unfinished film: what a killed run left behind, exactly.

Each frame lies there in the form in which it is fed back, `000012.npy`, and what is carried on
from it in `000012.npz`, both with a checksum behind them. They appear whole or not at all, so that
a run which goes on from them makes the same film as one that was never stopped.
"""

import io
import json
import re
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

import cv2
import filelock
import numpy as np
from numpy.typing import NDArray

from dreamer.arrays import Stored
from dreamer.errors import DreamerError
from dreamer.files import atomic, framefolder
from dreamer.files.beside import Beside, beside
from dreamer.recipe import flag

State = Mapping[str, Any]
"""What is carried from frame to frame: arrays, and whatever JSON holds, by name."""

_MANIFEST = "manifest.json"
_LOCK = "lock"
_FRAME = re.compile(r"(\d{6,})\.npy")
_STATE = re.compile(r"(\d{6,})\.npz")
_OURS = re.compile(rf"{_FRAME.pattern}|{_STATE.pattern}|{_MANIFEST}|{_LOCK}|.+\.part")
_PLAIN = "plain"
_ARRAY = "array-"


class WorkFolder:
    """An unfinished film; made by `opened`."""

    def __init__(self, folder: Path, thread: Beside) -> None:
        self.folder = folder
        self._thread = thread
        self.frames_done, self.state = self._found()

    def _found(self) -> tuple[int, State | None]:
        """The frames that can be gone on from, and the state of the last of them."""
        whole = 0
        with suppress(OSError, ValueError):
            while True:
                _read_frame(self._frame(whole))
                whole += 1
        for number in sorted(_numbers(self.folder, _STATE), reverse=True):
            with suppress(OSError, ValueError):
                if number < whole:
                    return number + 1, _read_state(self._state(number))
        return 0, None

    def _frame(self, number: int) -> Path:
        return self.folder / f"{number:06d}.npy"

    def _state(self, number: int) -> Path:
        return self.folder / f"{number:06d}.npz"

    def append(self, frame: Stored, state: State) -> None:
        """Keep the next frame and what is carried on from it.

        It is stored beside the dream: an error shows at the next call, or when the folder closes.

        Args:
            frame: as it is fed back.
            state: plain numbers and text, and arrays; they come back exactly.
        """
        arrays = {name: value for name, value in state.items() if isinstance(value, np.ndarray)}
        plain = {name: value for name, value in state.items() if name not in arrays}
        kept = {_ARRAY + name: value.copy() for name, value in arrays.items()}
        kept[_PLAIN] = np.frombuffer(json.dumps(plain).encode(), np.uint8)
        number, copy = self.frames_done, np.array(frame, "<u2", order="C")
        self._thread.do(lambda: self._store(number, copy, kept))
        self.frames_done, self.state = number + 1, state

    def _store(self, number: int, frame: Stored, state: Mapping[str, NDArray[Any]]) -> None:
        try:
            # A frame counts once its state is there, too.
            _write(self._state(number), lambda file: np.savez(file, allow_pickle=False, **state))
            _write(self._frame(number), lambda file: np.save(file, frame, allow_pickle=False))
            # The one before stays, for when this frame turns out to be broken.
            self._state(number - 2).unlink(missing_ok=True)
        except DreamerError as error:
            if not self.folder.is_dir():
                raise DreamerError(
                    f"The working folder {self.folder} has vanished: bring it back, or run the "
                    "same command again to start over."
                ) from None
            cause = str(error).removesuffix(".")
            raise DreamerError(
                f"{cause}: the {number} frames before are kept; mend that and run the same "
                "command again."
            ) from None

    def flush(self) -> None:
        """Wait until every frame is on disk, and raise the error of one that could not be kept."""
        self._thread.wait()

    def frames(self, start: int = 0) -> Iterator[Stored]:
        """The frames from number `start` on, read one at a time."""
        self.flush()
        for number in range(start, self.frames_done):
            path = self._frame(number)
            try:
                yield _read_frame(path)
            except (OSError, ValueError) as error:
                raise DreamerError(
                    f"{path} can no longer be read ({error}): run the same command again."
                ) from None

    def finish(self, keep_as_png: Path | None = None, start: int = 0) -> None:
        """Remove the working folder of a film that is finished.

        Args:
            keep_as_png: a folder in which the frames are kept, as PNG of 16 bits a colour; frames
                that are already in it are replaced.
            start: the first frame to keep.
        """
        self.flush()
        if keep_as_png:
            self._keep(keep_as_png, start)
        # Without it the folder is no unfinished film any more, whenever this is interrupted.
        (self.folder / _MANIFEST).unlink(missing_ok=True)
        _clear(self.folder)

    def _keep(self, folder: Path, start: int) -> None:
        part = folder.with_name(f".{folder.name}.part")
        framefolder.remove(part)
        part.mkdir()
        for number, frame in enumerate(self.frames(start)):
            _, data = cv2.imencode(".png", frame[..., ::-1])
            with atomic.replacing(framefolder.frame(part, number)) as file:
                file.write(data.tobytes())
        framefolder.publish(part, folder, overwrite=True)


def _numbers(folder: Path, kind: re.Pattern[str]) -> Iterator[int]:
    matches = (kind.fullmatch(path.name) for path in folder.iterdir())
    return (int(match[1]) for match in matches if match)


def _write(path: Path, save: Callable[[BinaryIO], None]) -> None:
    """Write a file with the checksum of all that is in it behind it."""
    buffer = io.BytesIO()
    save(buffer)
    with atomic.replacing(path) as file:
        file.write(buffer.getbuffer())
        file.write(zlib.crc32(buffer.getbuffer()).to_bytes(4, "little"))


def _read(path: Path) -> BinaryIO:
    """What `_write` saved. Raises OSError or ValueError where it is not there, or not as it was."""
    data = memoryview(path.read_bytes())
    if zlib.crc32(data[:-4]).to_bytes(4, "little") != data[-4:]:
        raise ValueError("its checksum is another")
    return io.BytesIO(data[:-4])


def _read_frame(path: Path) -> Stored:
    return np.asarray(np.load(_read(path), allow_pickle=False), np.uint16)


def _read_state(path: Path) -> State:
    with np.load(_read(path), allow_pickle=False) as kept:
        arrays = {
            name.removeprefix(_ARRAY): kept[name] for name in kept.files if name.startswith(_ARRAY)
        }
        return {**json.loads(kept[_PLAIN].tobytes()), **arrays}


@contextmanager
def opened(folder: Path, identity: State, *, fresh: bool = False) -> Iterator[WorkFolder]:
    """The working folder of a film: a new one, or what a run that was stopped left there.

    Args:
        folder: made where it is not there; no two processes work in it at once.
        identity: everything that decides the film's pixels, as JSON holds it.
        fresh: whether to start over.

    Raises DreamerError where the frames in the folder belong to another film, or cannot be kept.
    """
    foreign = False
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # A run that was killed just now may still hold the lock, in a process it was starting.
        with filelock.FileLock(folder / _LOCK, timeout=1), beside() as thread:
            _begin(folder, json.loads(json.dumps(identity)), fresh=fresh)
            work = WorkFolder(folder, thread)
            try:
                yield work
            except OSError as error:
                foreign = not atomic.of_disk(error)
                raise
            work.flush()
    except filelock.Timeout:
        raise DreamerError(
            f"Another dream is at work in {folder}: wait for it, or give another --output."
        ) from None
    except OSError as error:
        if foreign:
            raise
        raise DreamerError(f"Cannot work in {folder}: {error.strerror or error}.") from error
    _remove_empty(folder)


def of(film: Path) -> Path:
    """Where the frames of an unfinished film are kept."""
    # Of the whole name: `film.gif` and `film.mp4` are two.
    return film.with_name(atomic.fitting(film.name, ".unfinished"))


def unfinished(folder: Path) -> bool:
    """Whether a run that was stopped has left a film in `folder`."""
    return (folder / _MANIFEST).is_file()


def _remove_empty(folder: Path) -> None:
    if folder.is_dir() and {path.name for path in folder.iterdir()} <= {_LOCK}:
        (folder / _LOCK).unlink(missing_ok=True)
        folder.rmdir()


def _begin(folder: Path, identity: State, *, fresh: bool) -> None:
    """See to it that the folder holds this film and nothing else."""
    for path in folder.iterdir():
        if not _OURS.fullmatch(path.name):
            raise DreamerError(
                f"{folder} is no working folder, since it holds {path.name}: give another --output."
            )
    manifest = folder / _MANIFEST
    if manifest.exists() and not fresh:
        if differing := _differing(_read_identity(manifest), identity):
            raise DreamerError(
                f"{folder} holds an unfinished film that was made otherwise: {differing}. Give "
                "--fresh to start over, or the former options to go on."
            )
        return
    manifest.unlink(missing_ok=True)
    _clear(folder)
    with atomic.replacing(manifest) as file:
        file.write(json.dumps({"format": 1, "identity": identity}, indent=1).encode())


def _read_identity(manifest: Path) -> State:
    try:
        identity = json.loads(manifest.read_bytes())["identity"]
    except (ValueError, KeyError, TypeError):
        raise DreamerError(f"{manifest} is damaged: give --fresh to start over.") from None
    return identity if isinstance(identity, dict) else {}


NAMED = 2
"""Differences that are named in an error; the others are counted."""

_TELLING: Mapping[str, str] = {
    "photo_sha256": "the photo or clip",
    "network_sha256": "the network's weights",
    "threads": "--threads",
    "first": "--from",
    "every": "--every",
    "tensorflow": "the version of tensorflow",
    "dreamer": "the version of dreamer",
}
"""What a person calls a fact."""


def _differing(old: State, new: State) -> str:
    """What differs, as a person calls it, with both values of options."""
    before, now = dict(_flat(old)), dict(_flat(new))
    names = [name for name in {**before, **now} if before.get(name) != now.get(name)]
    # What follows from the others is no news.
    own = [name for name in names if name.startswith("recipe.") or name in _TELLING] or names
    told = [_told(name, before.get(name), now.get(name)) for name in own[:NAMED]]
    more = f", and {len(own) - NAMED} more" if len(own) > NAMED else ""
    return f"{'; '.join(told)}{more}"


def _told(name: str, before: object, now: object) -> str:
    if name.endswith("_sha256"):
        return f"{_TELLING.get(name, name)} is another"
    option = _TELLING.get(name) or flag(name.removeprefix("recipe."))
    then, since = ("the default" if each is None else _short(each) for each in (before, now))
    return f"{option} was {then} and is {since}"


def _flat(fields: State, prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in fields.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield prefix + name, value


def _short(value: object) -> str:
    each = value if isinstance(value, list) else [value]
    text = " ".join(one if isinstance(one, str) else json.dumps(one) for one in each)
    return text if len(text) <= 40 else f"{text[:20]}…"


def _clear(folder: Path) -> None:
    """Remove what this module has written, but the lock."""
    for path in folder.iterdir():
        if _OURS.fullmatch(path.name) and path.name != _LOCK:
            path.unlink()
