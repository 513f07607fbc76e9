"""What a person sees of a job: lines, and the time that all took."""

from collections.abc import Callable
from typing import Any

import pytest

from dreamer.cli import show
from dreamer.cli.show import Terminal
from dreamer.jobs.events import Done, Frame, Note


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Set the time, in seconds since the program began."""
    monkeypatch.setattr(show, "BEGAN", 100.0)

    def tell(seconds: float) -> None:
        monkeypatch.setattr("time.perf_counter", lambda: 100.0 + seconds)

    return tell


def make(quiet: bool = False) -> tuple[Terminal, list[dict[str, Any]]]:
    updates: list[dict[str, Any]] = []
    return Terminal(quiet=quiet, update=lambda **changes: updates.append(changes)), updates


def test_each_picture_is_told_the_time_that_was_waited_for_it(
    clock: Callable[[float], None], capsys: pytest.CaptureFixture[str]
) -> None:
    terminal, _ = make()
    clock(4.3)
    terminal(Done("a.png", timed=True))
    clock(6.05)
    terminal(Done("b.png", timed=True))
    terminal.close()
    assert capsys.readouterr().out == "a.png  4.3 s\nb.png  1.8 s\n"


def test_where_no_line_tells_the_time_the_last_does(
    clock: Callable[[float], None], capsys: pytest.CaptureFixture[str]
) -> None:
    terminal, _ = make()
    clock(4.3)
    terminal(Done("a.png"))
    terminal(Done("b.png"))
    clock(5)
    terminal.close()
    said = capsys.readouterr()
    assert said.out == "a.png\nb.png\n"
    assert said.err == "5.0 s\n"


@pytest.mark.parametrize("quiet", [True, False])
def test_nothing_made_takes_no_time(quiet: bool, capsys: pytest.CaptureFixture[str]) -> None:
    terminal, _ = make(quiet)
    terminal(Done("a.png") if quiet else Note("a note"))
    terminal.close()
    assert capsys.readouterr().err == ("" if quiet else "a note\n")


def test_a_frame_moves_the_bar_and_tells_the_time_left() -> None:
    terminal, updates = make()
    terminal(Frame(1, 24))
    terminal(Frame(5, 24, 2.0, 9.5))
    assert updates == [
        {"description": "frame 1 of 24", "completed": 1, "total": 24, "left": None},
        {
            "description": "frame 5 of 24, 2.00 dreamt per second",
            **{"completed": 5, "total": 24, "left": 9.5},
        },
    ]


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.4, "00:00"), (75, "01:15"), (3600, "1:00:00"), (7325.4, "2:02:05")]
)
def test_the_time_left_is_shown_in_minutes(seconds: float, text: str) -> None:
    assert show.format_minutes(seconds) == text
