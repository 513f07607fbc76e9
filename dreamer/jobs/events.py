"""What a job reports while it runs, and how it is stopped."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from dreamer.arrays import Image


@dataclass(frozen=True)
class Planned:
    """What is about to be done.

    Attributes:
        text: in a line.
        seconds: about how long it takes; None where that is not known yet.
        disk: bytes that it needs on disk until it is done; None where that is not known.
    """

    text: str
    seconds: float | None = None
    disk: int | None = None


@dataclass(frozen=True)
class Progress:
    """How far the job is.

    Attributes:
        share: of the whole work, 0 to 1; None while that is not known.
        text: where it stands.
        score: of the picture that is made, where there is one.
    """

    share: float | None
    text: str
    score: float | None = None


@dataclass(frozen=True)
class Preview:
    """A picture `(h, w, 3)` as it stands."""

    picture: Image


@dataclass(frozen=True)
class Frame:
    """A frame of a film that was written.

    Attributes:
        number: from 1.
        count: of all frames.
        pace: keys dreamt per second, with all that is done between them; None where no two were.
        left: seconds until the film is done, about; None where that is not known yet.
    """

    number: int
    count: int
    pace: float | None = None
    left: float | None = None


@dataclass(frozen=True)
class Note:
    """A line for the person who waits."""

    text: str


@dataclass(frozen=True)
class Table:
    """Figures in rows, each as text; the first column names what a row is about."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Done:
    """Something that is finished.

    Attributes:
        text: a line about it.
        path: of the file, where it is one.
        timed: whether a person should hear how long it took.
    """

    text: str
    path: Path | None = None
    timed: bool = False


@dataclass(frozen=True)
class Failed:
    """One thing of many that could not be done, in a sentence."""

    text: str


Event = Planned | Progress | Preview | Frame | Note | Table | Done | Failed
Sink = Callable[[Event], None]
"""Takes events as they come."""

KINDS: Mapping[str, type[Any]] = {
    kind.__name__.lower(): kind
    for kind in (Planned, Progress, Preview, Frame, Note, Table, Done, Failed)
}


def ignore(event: Event) -> None:
    """Take an event, and do nothing."""


def format_count(number: int, noun: str) -> str:
    """Return a number with its noun, as `1 step` or `2 steps`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def to_plain(event: Event) -> dict[str, Any]:
    """Return an event as JSON holds it; a preview as a PNG in base64."""
    values: dict[str, Any] = dict(vars(event))
    if isinstance(event, Preview):
        import cv2
        import numpy as np

        levels = (event.picture.clip(0, 1) * 255 + 0.5).astype(np.uint8)
        _, data = cv2.imencode(".png", levels[..., ::-1])
        values = {"picture": base64.b64encode(data.tobytes()).decode()}
    if isinstance(event, Done) and event.path is not None:
        values["path"] = str(event.path)
    return {"event": type(event).__name__.lower(), **values}


def from_plain(plain: Mapping[str, Any]) -> Event:
    """Return the event that `to_plain` gave."""
    values = {name: value for name, value in plain.items() if name != "event"}
    kind = KINDS[plain["event"]]
    if kind is Preview:
        import cv2
        import numpy as np

        data = np.frombuffer(base64.b64decode(values["picture"]), np.uint8)
        levels = np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR))
        values = {"picture": np.asarray(levels[..., ::-1], np.float32) / np.float32(255)}
    if kind is Table:
        rows = tuple(tuple(row) for row in values["rows"])
        values = {"columns": tuple(values["columns"]), "rows": rows}
    if kind is Done and values["path"] is not None:
        values["path"] = Path(values["path"])
    event: Event = kind(**values)
    return event


class Stop:
    """A flag by which a job is asked to stop, with two strengths.

    To keep: the job ends behind the step that it is at, writes what there is, and leaves what the
    same request goes on from. To drop: it ends without writing anything.
    """

    def __init__(self) -> None:
        self._asked = self._drops = False

    def ask(self, *, drop: bool = False) -> None:
        """Ask the job to stop."""
        self._asked, self._drops = True, self._drops or drop

    @property
    def asked(self) -> bool:
        """Tell whether the job is asked to stop."""
        return self._asked

    @property
    def drops(self) -> bool:
        """Tell whether what there is shall be dropped."""
        return self._drops


class Stopped(Exception):
    """A job was asked to stop, and has nothing more to do."""


class Outcome(NamedTuple):
    """How a job ended.

    Attributes:
        stopped: whether it was asked to stop, and did.
        failed: how many of many things could not be done.
    """

    stopped: bool = False
    failed: int = 0
