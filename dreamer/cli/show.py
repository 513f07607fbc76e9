"""What a person sees while a dream grows: notes, a progress bar, an orderly Ctrl-C."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from dreamer.ascent.engine import Progress

INTERRUPTED = 130
"""The exit code of a run that Ctrl-C ended, as shells have it."""


def note(text: str, *, quiet: bool) -> None:
    """One line on stderr, unless quiet."""
    if not quiet:
        typer.echo(text, err=True)


@contextmanager
def progress(*, quiet: bool) -> Iterator[Callable[[Progress], None]]:
    """A bar with octave, objective and time left, where stderr is a terminal."""
    if quiet or not sys.stderr.isatty():
        yield lambda state: None
        return
    from rich import progress as bars
    from rich.console import Console

    columns = (
        bars.TextColumn("octave {task.fields[octave]}"),
        bars.BarColumn(),
        bars.TaskProgressColumn(),
        bars.TextColumn("objective {task.fields[score]}"),
        bars.TimeRemainingColumn(compact=True),
    )
    with bars.Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=1, octave="…", score="…")

        def show(state: Progress) -> None:
            octave = f"{state.octave}/{state.octaves}"
            bar.update(task, completed=state.done, octave=octave, score=f"{state.score:.4g}")

        yield show


class Interrupt:
    """Whether Ctrl-C was pressed once; the second time it stops the process at once."""

    asked = False

    def __call__(self, number: int, frame: FrameType | None) -> None:
        """The signal's handler."""
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True
        typer.echo("Stopping after this step; Ctrl-C again stops at once.", err=True)


@contextmanager
def interruptible() -> Iterator[Interrupt]:
    """Let the first Ctrl-C ask and the second one stop."""
    interrupt = Interrupt()
    before = signal.signal(signal.SIGINT, interrupt)
    try:
        yield interrupt
    finally:
        signal.signal(signal.SIGINT, before)
