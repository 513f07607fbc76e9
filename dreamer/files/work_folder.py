"""The working folder of an unfinished film, from which a stopped run resumes exactly.

Each frame is stored as it is fed back, in `000012.npy`, and the state that is carried on from it in
`000012.npz`, each followed by a checksum. Files appear readable or not at all, so that a run that
resumes makes the same film as one that was never stopped.
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
from dreamer.files import atomic, png_frames
from dreamer.files.background import BackgroundThread, run_background_thread

State = Mapping[str, Any]
"""The values carried from frame to frame, by name: arrays, and whatever JSON can hold."""

DescribeChange = Callable[[State, State], str]
"""Takes an old and a new identity, and says in words how they differ; empty if they do not."""

_MANIFEST = "manifest.json"
_LOCK = "lock"
_FRAME = re.compile(r"(\d{6,})\.npy")
_STATE = re.compile(r"(\d{6,})\.npz")
_OWN_FILES = re.compile(rf"{_FRAME.pattern}|{_STATE.pattern}|{_MANIFEST}|{_LOCK}|.+\.part")
_PLAIN_ENTRY = "plain"
_ARRAY_PREFIX = "array-"


class WorkFolder:
    """The working folder of an unfinished film; made by `open_folder`."""

    def __init__(self, folder: Path, thread: BackgroundThread) -> None:
        self.folder = folder
        self._thread = thread
        self.frames_done, self.state = self._find_last()

    def _find_last(self) -> tuple[int, State | None]:
        """Return the number of frames that can be resumed from, and the state of the last one."""
        readable = 0
        with suppress(OSError, ValueError):
            while True:
                _read_frame(self._frame_path(readable))
                readable += 1
        for number in sorted(_list_numbers(self.folder, _STATE), reverse=True):
            with suppress(OSError, ValueError):
                if number < readable:
                    return number + 1, _read_state(self._state_path(number))
        return 0, None

    def _frame_path(self, number: int) -> Path:
        return self.folder / f"{number:06d}.npy"

    def _state_path(self, number: int) -> Path:
        return self.folder / f"{number:06d}.npz"

    def append(self, frame: Stored, state: State) -> None:
        """Store the next frame, and the state that is carried on from it.

        This happens in the background: an error is raised by the next call, or when the folder
        is closed.

        Args:
            frame: the frame as it is fed back.
            state: plain numbers and text, and arrays; they come back exactly.
        """
        arrays = {name: value for name, value in state.items() if isinstance(value, np.ndarray)}
        plain = {name: value for name, value in state.items() if name not in arrays}
        kept = {_ARRAY_PREFIX + name: value.copy() for name, value in arrays.items()}
        kept[_PLAIN_ENTRY] = np.frombuffer(json.dumps(plain).encode(), np.uint8)
        number, copy = self.frames_done, np.array(frame, "<u2", order="C")
        self._thread.do(lambda: self._store(number, copy, kept))
        self.frames_done, self.state = number + 1, state

    def _store(self, number: int, frame: Stored, state: Mapping[str, NDArray[Any]]) -> None:
        try:
            # The state first: a frame without one cannot be resumed from.
            _write_checked(
                self._state_path(number), lambda file: np.savez(file, allow_pickle=False, **state)
            )
            _write_checked(
                self._frame_path(number), lambda file: np.save(file, frame, allow_pickle=False)
            )
            # The state before this one stays, in case this frame turns out to be broken.
            self._state_path(number - 2).unlink(missing_ok=True)
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
        """Wait until every frame is on disk, and raise the error of one that cannot be stored."""
        self._thread.wait()

    def frames(self, start: int = 0) -> Iterator[Stored]:
        """Yield the frames from number `start` on, read one at a time."""
        self.flush()
        for number in range(start, self.frames_done):
            path = self._frame_path(number)
            try:
                yield _read_frame(path)
            except (OSError, ValueError) as error:
                raise DreamerError(
                    f"{path} can no longer be read ({error}): run the same command again."
                ) from None

    def finish(self, keep_as_png: Path | None = None, start: int = 0) -> None:
        """Remove the working folder of a film that is finished.

        Args:
            keep_as_png: a folder in which the frames are kept, as PNG of 16 bits per color; frames
                that are already in it are replaced.
            start: number of the first frame to keep.
        """
        self.flush()
        if keep_as_png:
            self._export_png(keep_as_png, start)
        # First, so that the folder no longer counts as unfinished if this is interrupted.
        (self.folder / _MANIFEST).unlink(missing_ok=True)
        _clear(self.folder)

    def _export_png(self, folder: Path, start: int) -> None:
        part = folder.with_name(f".{folder.name}.part")
        png_frames.remove(part)
        part.mkdir()
        for number, frame in enumerate(self.frames(start)):
            _, data = cv2.imencode(".png", frame[..., ::-1])
            with atomic.open_replacing(png_frames.frame(part, number)) as file:
                file.write(data.tobytes())
        png_frames.publish(part, folder, overwrite=True)


def _list_numbers(folder: Path, kind: re.Pattern[str]) -> Iterator[int]:
    matches = (kind.fullmatch(path.name) for path in folder.iterdir())
    return (int(match[1]) for match in matches if match)


def _write_checked(path: Path, save: Callable[[BinaryIO], None]) -> None:
    """Write a file that ends with a checksum of everything before it."""
    buffer = io.BytesIO()
    save(buffer)
    with atomic.open_replacing(path) as file:
        file.write(buffer.getbuffer())
        file.write(zlib.crc32(buffer.getbuffer()).to_bytes(4, "little"))


def _read_checked(path: Path) -> BinaryIO:
    """Read what `_write_checked` saved.

    Raises OSError or ValueError if it is missing or damaged.
    """
    data = memoryview(path.read_bytes())
    if zlib.crc32(data[:-4]).to_bytes(4, "little") != data[-4:]:
        raise ValueError("its checksum is another")
    return io.BytesIO(data[:-4])


def _read_frame(path: Path) -> Stored:
    return np.asarray(np.load(_read_checked(path), allow_pickle=False), np.uint16)


def _read_state(path: Path) -> State:
    with np.load(_read_checked(path), allow_pickle=False) as kept:
        arrays = {
            name.removeprefix(_ARRAY_PREFIX): kept[name]
            for name in kept.files
            if name.startswith(_ARRAY_PREFIX)
        }
        return {**json.loads(kept[_PLAIN_ENTRY].tobytes()), **arrays}


@contextmanager
def open_folder(
    folder: Path, identity: State, describe_change: DescribeChange, *, fresh: bool = False
) -> Iterator[WorkFolder]:
    """Open the working folder of a film: a new one, or the one that a stopped run has left.

    Args:
        folder: made if it is missing; only one process at a time can work in it.
        identity: everything that decides the film's pixels, as JSON can hold it.
        describe_change: says in an error how another identity differs.
        fresh: whether to start over.

    Raises DreamerError if the frames in the folder belong to another film, if they cannot be
    stored, or if another process is at work there.
    """
    from_block = False
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # A run killed a moment ago may still hold the lock, through a process that it was starting.
        with filelock.FileLock(folder / _LOCK, timeout=1), run_background_thread() as thread:
            _prepare(folder, json.loads(json.dumps(identity)), describe_change, fresh=fresh)
            work = WorkFolder(folder, thread)
            try:
                yield work
            except OSError as error:
                from_block = not atomic.is_disk_error(error)
                raise
            work.flush()
    except filelock.Timeout:
        raise DreamerError(
            f"Another dream is at work in {folder}: wait for it, or give another --output."
        ) from None
    except OSError as error:
        if from_block:
            raise
        raise DreamerError(f"Cannot work in {folder}: {error.strerror or error}.") from error
    _remove_empty(folder)


def folder_for(film: Path) -> Path:
    """Return the working folder of a film."""
    # From the readable name, because `film.gif` and `film.mp4` are two films.
    return film.with_name(atomic.fit_name(film.name, ".unfinished"))


def unfinished(folder: Path) -> bool:
    """Tell whether a stopped run has left a film in `folder`."""
    return (folder / _MANIFEST).is_file()


def _remove_empty(folder: Path) -> None:
    if folder.is_dir() and {path.name for path in folder.iterdir()} <= {_LOCK}:
        (folder / _LOCK).unlink(missing_ok=True)
        folder.rmdir()


def _prepare(
    folder: Path, identity: State, describe_change: DescribeChange, *, fresh: bool
) -> None:
    """Make sure that the folder holds this film and nothing else."""
    for path in folder.iterdir():
        if not _OWN_FILES.fullmatch(path.name):
            raise DreamerError(
                f"{folder} is no working folder, since it holds {path.name}: give another --output."
            )
    manifest = folder / _MANIFEST
    if manifest.exists() and not fresh:
        if changed := describe_change(_read_identity(manifest), identity):
            raise DreamerError(
                f"{folder} holds an unfinished film that was made otherwise: {changed}. Give "
                "--fresh to start over, or the former options to go on."
            )
        return
    manifest.unlink(missing_ok=True)
    _clear(folder)
    with atomic.open_replacing(manifest) as file:
        file.write(json.dumps({"format": 1, "identity": identity}, indent=1).encode())


def _read_identity(manifest: Path) -> State:
    try:
        identity = json.loads(manifest.read_bytes())["identity"]
    except (ValueError, KeyError, TypeError):
        raise DreamerError(f"{manifest} is damaged: give --fresh to start over.") from None
    return identity if isinstance(identity, dict) else {}


def _clear(folder: Path) -> None:
    """Remove everything that this module has written, except the lock."""
    for path in folder.iterdir():
        if _OWN_FILES.fullmatch(path.name) and path.name != _LOCK:
            path.unlink()
