"""What a person is told: every option by its own name, and never an exception for a message."""

import errno
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from dreamer.arrays import Stored
from dreamer.errors import DreamerError
from dreamer.files import work_folder
from dreamer.files.work_folder import WorkFolder


def test_two_films_of_one_name_are_worked_on_apart(tmp_path: Path) -> None:
    places = {work_folder.folder_for(tmp_path / f"n.{kind}") for kind in ("gif", "mp4", "webm")}
    assert len(places) == 3


IDENTITY = {"recipe": {"steps": 10, "layers": ("mixed4c",)}, "source": "ab" * 32}

KILLED = '''
"""Makes a film with a stub dreamer, killed at 20 random moments, and prints how far each came."""
import os, random, shutil, signal, sys, threading, time
from fractions import Fraction
from pathlib import Path

import numpy as np

from dreamer.files import films, work_folder
from dreamer.files.film_spec import Film

FRAMES = 16
out = Path(sys.argv[1])

def dream(before, state):
    """Any change of a bit that is fed back changes all that comes after."""
    mean = state["mean"] * 0.9 + before.mean(0) * 0.1
    frame = np.roll(before, 1, 1) * 31 + mean.sum().astype(np.uint16) + state["count"]
    return frame.astype(np.uint16), {"mean": mean, "count": state["count"] + 1}

def film(path):
    first = np.random.default_rng(0).integers(0, 65536, (48, 64, 3)).astype(np.uint16)
    folder = path.with_suffix(".work")
    with work_folder.open_folder(folder, {"steps": 3}, lambda old, new: "") as work:
        frame = first if not work.frames_done else list(work.frames())[-1]
        state = work.state or {"mean": np.zeros((64, 3)), "count": 0}
        with films.open_writer(Film(path, (48, 64), Fraction(25)), overwrite=True) as writer:
            for done in work.frames():
                writer.write(done)
            while work.frames_done < FRAMES:
                frame, state = dream(frame, state)
                work.append(frame, state)
                writer.write(frame)
                time.sleep(0.01)
        work.finish(path.with_suffix(""))

def everything(path):
    pictures = sorted(path.with_suffix("").iterdir())
    return path.read_bytes(), [(file.name, file.read_bytes()) for file in pictures]

path = out / "killed.mp4"
moments = random.Random(5)

def frames():
    return len(list(path.with_suffix(".work").glob("*.npy")))

def kill(count, seconds):
    """Ends this process when so many frames are there, and a little later."""
    while frames() < count:
        time.sleep(0.001)
    time.sleep(seconds)
    os.kill(os.getpid(), signal.SIGKILL)

film(out / "whole.mp4")
kills = 0
while True:
    later = moments.random() * moments.choice([0, 0.02, 0.4])
    moment = moments.randint(frames(), FRAMES), later
    pid = os.fork()
    if not pid:
        if kills < 20:
            threading.Thread(target=kill, args=moment, daemon=True).start()
        film(path)
        os._exit(0)
    _, status = os.waitpid(pid, 0)
    kills += os.WIFSIGNALED(status)
    print(kills, frames(), flush=True)
    if os.WIFEXITED(status):
        assert os.WEXITSTATUS(status) == 0
        assert everything(path) == everything(out / "whole.mp4")
        assert not path.with_suffix(".work").exists()
        if kills == 20:
            break
        path.unlink()
        shutil.rmtree(path.with_suffix(""))
'''


def test_a_film_killed_at_20_moments_is_the_film_that_never_was(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", KILLED, tmp_path], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    reached = {int(line.split()[1]) for line in done.stdout.splitlines()}
    assert len(reached) > 4, "the kills did not come at different moments"
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "killed",
        "killed.mp4",
        "whole",
        "whole.mp4",
    ]


def differ(old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    """Tell what differs, in place of what a person is told; empty where nothing does."""
    names = sorted(name for name in new if old.get(name) != new[name])
    return f"{names} differ" if names else ""


def frame(number: int) -> Stored:
    return np.random.default_rng(number).integers(0, 65536, (8, 9, 3)).astype(np.uint16)


def state(number: int) -> dict[str, Any]:
    channels = np.random.default_rng(number).normal(size=5).astype(np.float32)
    return {"number": number, "strength": 1 / 3 + number, "channels": channels, "flow": None}


@contextmanager
def opened(folder: Path, **changed: Any) -> Iterator[WorkFolder]:
    with work_folder.open_folder(folder, {**IDENTITY, **changed}, differ) as work:
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


def test_frames_and_state_come_back_exactly(tmp_path: Path) -> None:
    folder = tmp_path / "x.work"
    assert not work_folder.unfinished(folder)
    stopped(folder)
    assert work_folder.unfinished(folder)
    with opened(folder) as work:
        assert_holds(work, 4)
        assert [f.tobytes() for f in work.frames(3)] == [frame(3).tobytes()]
        work.append(frame(4), state(4))
    with opened(folder) as work:
        assert_holds(work, 5)
        work.finish(tmp_path / "kept")
    assert not folder.exists()
    assert not work_folder.unfinished(folder)
    kept = cv2.imread(str(tmp_path / "kept" / "000004.png"), cv2.IMREAD_UNCHANGED)
    assert kept is not None
    np.testing.assert_array_equal(kept[..., ::-1], frame(4))


def test_what_the_loop_changes_afterwards_is_not_stored(tmp_path: Path) -> None:
    with opened(tmp_path / "x.work") as work:
        picture, carried = frame(0), state(0)
        work.append(picture, carried)
        picture[:] = 0
        carried["channels"][:] = 0
    with opened(tmp_path / "x.work") as work:
        assert_holds(work, 1)


@pytest.mark.parametrize(
    ("name", "damage", "count"),
    [
        ("000003.npy", "cut", 3),
        ("000003.npy", "flip", 3),
        ("000003.npy", "empty", 3),
        ("000003.npy", "remove", 3),
        ("000003.npz", "cut", 3),
        ("000003.npz", "flip", 3),
        ("000003.npz", "empty", 3),
        ("000003.npz", "remove", 3),
        ("000004.npz.1234abcd.part", "empty", 4),
        ("000001.npy", "flip", 0),
    ],
)
def test_a_broken_last_frame_is_made_again(
    name: str, damage: str, count: int, tmp_path: Path
) -> None:
    folder = tmp_path / "x.work"
    stopped(folder)
    path = folder / name
    data = bytearray(path.read_bytes() if path.exists() else b"")
    if damage == "remove":
        path.unlink()
    else:
        if damage == "flip":
            data[-40] ^= 1
        kept = {"cut": len(data) // 2, "empty": 0}.get(damage, len(data))
        path.write_bytes(data[:kept])
    with opened(folder) as work:
        assert_holds(work, count)
        for number in range(count, 6):
            work.append(frame(number), state(number))
    with opened(folder) as work:
        assert_holds(work, 6)


def test_a_folder_of_another_film_is_refused_with_what_differs(tmp_path: Path) -> None:
    stopped(tmp_path)
    with (
        pytest.raises(DreamerError, match=r"\['source'\] differ.*--fresh"),
        opened(tmp_path, source="cd" * 32),
    ):
        pass
    with opened(tmp_path) as work:
        assert_holds(work, 4)
    other = {**IDENTITY, "source": "cd" * 32}
    with work_folder.open_folder(tmp_path, other, differ, fresh=True) as work:
        assert_holds(work, 0)


def test_two_processes_do_not_share_a_folder(tmp_path: Path) -> None:
    with opened(tmp_path) as work:
        work.append(frame(0), state(0))
        with pytest.raises(DreamerError, match="Another dream"), opened(tmp_path):
            pass
    with opened(tmp_path) as work:
        assert_holds(work, 1)


def test_a_folder_of_other_things_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "wedding.jpg").touch()
    for fresh in (False, True):
        with (
            pytest.raises(DreamerError, match=r"wedding\.jpg"),
            work_folder.open_folder(tmp_path, IDENTITY, differ, fresh=fresh),
        ):
            pass
    assert "wedding.jpg" in [path.name for path in tmp_path.iterdir()]


def test_a_damaged_manifest_is_named(tmp_path: Path) -> None:
    stopped(tmp_path)
    (tmp_path / "manifest.json").write_text("{")
    with pytest.raises(DreamerError, match="--fresh"), opened(tmp_path):
        pass
    with work_folder.open_folder(tmp_path, IDENTITY, differ, fresh=True) as work:
        assert_holds(work, 0)


def test_a_full_disk_keeps_the_frames(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stopped(tmp_path)

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def dream() -> None:
        with opened(tmp_path) as work:
            monkeypatch.setattr(os, "fsync", full)
            work.append(frame(4), state(4))
            work.append(frame(5), state(5))

    with pytest.raises(DreamerError, match=r"No space left.*4 frames before are kept"):
        dream()
    monkeypatch.undo()
    with opened(tmp_path) as work:
        assert_holds(work, 4)


def test_a_folder_that_vanishes_is_named(tmp_path: Path) -> None:
    folder, away = tmp_path / "x.work", tmp_path / "away"

    def dream() -> None:
        with opened(folder) as work:
            work.append(frame(0), state(0))
            work.flush()
            folder.rename(away)
            work.append(frame(1), state(1))

    with pytest.raises(DreamerError, match="vanished"):
        dream()
    away.rename(folder)
    with opened(folder) as work:
        assert_holds(work, 1)
    with pytest.raises(DreamerError, match="Cannot work in"), opened(Path("/proc/x.work")):
        pass
