"""What a person sees in a terminal of a job's events."""

from __future__ import annotations

import codecs
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from io import TextIOWrapper
from typing import TYPE_CHECKING

import typer

from dreamer.cli.began import BEGAN
from dreamer.jobs.events import Done, Event, Failed, Frame, Note, Planned, Progress, Table

if TYPE_CHECKING:
    from rich import progress as bars

_PLAINER = {
    **{"×": "x", "→": "->", "…": "...", "·": "-", "–": "-", "−": "-", "Δ": "d", "▸": ">"},
    **{"│": "|", "─": "-", "╭": "+", "╮": "+", "╰": "+", "╯": "+", "━": "-", "•": "*"},
}
"""What stands for a character of ours where a terminal or a log cannot show it."""


def _replace_unshown(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeEncodeError)
    lost = error.object[error.start : error.end]
    return "".join(_PLAINER.get(each, "?") for each in lost), error.end


def make_legible() -> None:
    """See to it that no message ends a run: what cannot be shown is shown plainer."""
    codecs.register_error("dreamer.plainer", _replace_unshown)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="dreamer.plainer")


def say(text: object) -> None:
    """Write a line to stdout, as the path of a finished picture."""
    # A log that is full, or nobody who reads on, loses no picture.
    with suppress(OSError):
        typer.echo(text)


def note(text: str) -> None:
    """Write a line to stderr."""
    with suppress(OSError):
        typer.echo(text, err=True)


def complain(text: str) -> None:
    """Write a sentence to stderr about what could not be done."""
    note(f"dream: {text}")


def show_table(table: Table) -> None:
    """Write a table to stdout, whose first column is never cut."""
    from rich.console import Console
    from rich.table import Column
    from rich.table import Table as Rows

    first, *others = table.columns
    rows = Rows(Column(first, no_wrap=True), *others, box=None)
    for row in table.rows:
        rows.add_row(*row)
    Console().print(rows)


class Terminal:
    """Shows the events of a job: what is finished on stdout, all else on stderr.

    Args:
        quiet: whether only errors are shown.
        update: takes changes of the bar; see `rich.progress.Progress.update`.
    """

    def __init__(self, *, quiet: bool, update: Callable[..., None]) -> None:
        self._quiet, self._update = quiet, update
        self._since, self._untimed = BEGAN, False

    def __call__(self, event: Event) -> None:
        """Show an event."""
        if isinstance(event, Failed):
            complain(event.text)
        elif self._quiet:
            return
        elif isinstance(event, Progress):
            share = event.share
            total = None if share is None else 1.0
            self._update(description=event.text, completed=share or 0, total=total)
        elif isinstance(event, Frame):
            pace = f", {event.pace:.2f} dreamt per second" if event.pace else ""
            text = f"frame {event.number} of {event.count}{pace}"
            shown = {"completed": event.number, "total": event.count, "left": event.left}
            self._update(description=text, **shown)
        elif isinstance(event, Planned | Note):
            note(event.text)
        elif isinstance(event, Table):
            show_table(event)
        elif isinstance(event, Done):
            say(f"{event.text}  {self._measure():.1f} s" if event.timed else event.text)
            self._untimed = not event.timed

    def _measure(self) -> float:
        """Return the seconds since the program began, or since they were told last."""
        since, self._since = self._since, time.perf_counter()
        return self._since - since

    def close(self) -> None:
        """Tell how long all took, where no line has said so."""
        if self._untimed and not self._quiet:
            note(f"{self._measure():.1f} s")


@contextmanager
def terminal(*, quiet: bool) -> Iterator[Terminal]:
    """Open a sink for events, with a bar and the time left where stderr is a terminal."""
    if quiet or not sys.stderr.isatty():
        shown = Terminal(quiet=quiet, update=lambda **changes: None)
        yield shown
    else:
        with _open_bar() as bar:
            task = bar.add_task("", total=None, left=None)
            shown = Terminal(quiet=quiet, update=lambda **changes: bar.update(task, **changes))
            yield shown
    shown.close()


def format_minutes(seconds: float) -> str:
    """Return seconds as `MM:SS`, or `H:MM:SS` from an hour on."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes:02}:{rest:02}"


@contextmanager
def _open_bar() -> Iterator[bars.Progress]:
    """Open a line on the terminal with a bar and the time left."""
    from rich import progress as bars
    from rich.console import Console
    from rich.text import Text

    class TimeLeft(bars.TimeRemainingColumn):
        """Shows the time left that an event tells, where it tells one."""

        def render(self, task: bars.Task) -> Text:
            left = task.fields["left"]
            return super().render(task) if left is None else Text(format_minutes(left))

    columns = (
        bars.SpinnerColumn(),
        bars.TextColumn("{task.description}"),
        bars.BarColumn(),
        bars.TaskProgressColumn(),
        TimeLeft(compact=True),
    )
    # A descriptor of its own: TensorFlow's start is kept quiet by redirecting the usual one.
    with os.fdopen(os.dup(sys.stderr.fileno()), "w") as stream:
        console = Console(file=stream)
        to_terminal = sys.stdout.isatty()
        with bars.Progress(
            *columns, console=console, transient=True, redirect_stdout=to_terminal
        ) as bar:
            yield bar
