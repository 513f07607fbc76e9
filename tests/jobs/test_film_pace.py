"""The time that a film still takes, judged by its last keys."""

from pathlib import Path

import pytest

from dreamer.jobs.events import Event, Frame, Planned, Progress
from dreamer.jobs.film import PACE_KEYS, TOLD_AFTER, Pace
from dreamer.jobs.requests import VideoRequest
from dreamer.jobs.run import run_job


def note(pace: Pace, times: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    for each in times:
        monkeypatch.setattr("time.perf_counter", lambda each=each: each)
        pace.note()


def test_the_first_key_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    pace = Pace()
    note(pace, [50.0], monkeypatch)
    assert pace.seconds is None
    note(pace, [50.5, 51.1], monkeypatch)
    assert pace.seconds == pytest.approx(0.55)
    assert pace.count == 3


def test_only_the_last_keys_count(monkeypatch: pytest.MonkeyPatch) -> None:
    pace = Pace()
    note(pace, [float(n) for n in range(20)], monkeypatch)
    note(pace, [20.0 + 2 * n for n in range(PACE_KEYS)], monkeypatch)
    assert pace.seconds == pytest.approx(1.9)


def test_a_loop_reports_its_way_into_its_beginning(tmp_path: Path) -> None:
    events: list[Event] = []
    film = {"film.fps": "6", "film.seconds": "1", "film.loop": True, "film.intro": "0"}
    request = VideoRequest(
        noise="64x64", fields=film, settings=("steps=1",), output=tmp_path / "film.gif"
    )
    run_job(request, events.append)
    frames = [event for event in events if isinstance(event, Frame)]
    assert [frame.number for frame in frames] == list(range(1, 7))
    assert all(frame.left is not None for frame in frames)
    assert frames[-1].left == 0
    (expected,) = [event for event in events if isinstance(event, Planned) and event.seconds]
    leading = [event for event in events if isinstance(event, Progress) and "loop" in event.text]
    assert leading
    shares = [event.share for event in leading if event.share]
    assert shares == sorted(shares)
    assert shares[-1] < 1
    # Told while it leads in, before there is any frame.
    assert events.index(expected) < events.index(frames[0])
    assert len(leading) >= TOLD_AFTER
