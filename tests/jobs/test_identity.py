"""What decides the frames of an unfinished film, and how two such differ."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dreamer.arrays import Stored
from dreamer.errors import DreamerError
from dreamer.files import work_folder
from dreamer.files.work_folder import WorkFolder
from dreamer.jobs.identity import describe_change


def test_a_film_made_otherwise_is_told_by_its_options(tmp_path: Path) -> None:
    folder, state = tmp_path / "n.mp4.unfinished", {"k": np.zeros(1, np.float32)}
    made = {"recipe": {"layers": ["mixed4b"], "octaves": 3, "seed": 1}, "sizes": [[1, 2]]}
    with work_folder.open_folder(folder, made, describe_change) as work:
        work.append(np.zeros((2, 2, 3), np.uint16), state)
    other = {"recipe": {"layers": ["mixed4c"], "film": {"fps": 3}}, "sizes": [[3, 4]]}
    with (
        pytest.raises(Exception, match="made otherwise") as caught,
        work_folder.open_folder(folder, other, describe_change),
    ):
        pass
    said = str(caught.value)
    assert "--layer was mixed4b and is mixed4c; --octaves was 3 and is the default" in said
    assert "and 2 more" in said
    assert "sizes" not in said


IDENTITY = {"recipe": {"steps": 10, "layers": ("mixed4c",)}, "source": "ab" * 32}


def frame(number: int) -> Stored:
    return np.random.default_rng(number).integers(0, 65536, (8, 9, 3)).astype(np.uint16)


def state(number: int) -> dict[str, Any]:
    channels = np.random.default_rng(number).normal(size=5).astype(np.float32)
    return {"number": number, "strength": 1 / 3 + number, "channels": channels, "flow": None}


@contextmanager
def opened(folder: Path, **changed: Any) -> Iterator[WorkFolder]:
    with work_folder.open_folder(folder, {**IDENTITY, **changed}, describe_change) as work:
        yield work


def stopped(folder: Path, count: int = 4) -> None:
    """What a run leaves that is stopped after some frames."""
    with opened(folder) as work:
        for number in range(count):
            work.append(frame(number), state(number))


def assert_holds(work: WorkFolder, count: int) -> None:
    assert work.frames_done == count
    assert [f.tobytes() for f in work.frames()] == [frame(n).tobytes() for n in range(count)]
    if count:
        assert work.state is not None
        wanted = state(count - 1)
        channels = wanted.pop("channels")
        assert {name: work.state[name] for name in wanted} == wanted
        assert work.state["channels"].dtype == np.float32
        np.testing.assert_array_equal(work.state["channels"], channels)


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"source": "cd" * 32}, ["source"]),
        ({"recipe": {"steps": 12, "layers": ["mixed4c"]}}, ["--steps was 10 and is 12"]),
        ({"recipe": {"steps": 10}, "new": 1}, ["--layer was mixed4c and is the default"]),
    ],
)
def test_a_changed_film_is_refused_with_what_differs(
    changed: Mapping[str, Any], named: list[str], tmp_path: Path
) -> None:
    stopped(tmp_path)
    with pytest.raises(DreamerError, match="--fresh") as caught, opened(tmp_path, **changed):
        pass
    for text in named:
        assert text in str(caught.value)
    assert "--steps" in str(caught.value) or "--steps" not in str(named)
    with opened(tmp_path) as work:
        assert_holds(work, 4)
    with work_folder.open_folder(
        tmp_path, {**IDENTITY, **changed}, describe_change, fresh=True
    ) as work:
        assert_holds(work, 0)
