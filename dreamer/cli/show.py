"""What a person sees while a dream grows: notes, a progress bar, an orderly Ctrl-C."""

from __future__ import annotations

import codecs
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from io import TextIOWrapper
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

import typer

from dreamer.errors import DreamerError
from dreamer.layers import brief

if TYPE_CHECKING:
    from rich import progress as bars

    from dreamer.arrays import Size
    from dreamer.ascent.engine import Progress
    from dreamer.assemble import Assembly, Plan
    from dreamer.files.photos import Photo

INTERRUPTED = 130
"""The exit code of a run that Ctrl-C ended, as shells have it."""


SILENT = (
    "The picture excites nothing of what is asked for, so there is no gradient to follow: ask for "
    "more channels or another layer, or begin with another photo or --noise."
)


_PLAINER = {
    **{"×": "x", "→": "->", "…": "...", "·": "-", "–": "-", "−": "-", "Δ": "d", "▸": ">"},
    **{"│": "|", "─": "-", "╭": "+", "╮": "+", "╰": "+", "╯": "+", "━": "-", "•": "*"},
}
"""What stands for a character of ours where a terminal or a log cannot show it."""


def _plainer(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeEncodeError)
    lost = error.object[error.start : error.end]
    return "".join(_PLAINER.get(each, "?") for each in lost), error.end


def make_legible() -> None:
    """See to it that no message ends a run: what cannot be shown is shown plainer."""
    codecs.register_error("dreamer.plainer", _plainer)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="dreamer.plainer")


def say(text: object) -> None:
    """One line on stdout, as the path of a finished picture."""
    # A log that is full, or nobody who reads on, loses no picture.
    with suppress(OSError):
        typer.echo(text)


def note(text: str, *, quiet: bool) -> None:
    """One line on stderr, unless quiet."""
    if not quiet:
        with suppress(OSError):
            typer.echo(text, err=True)


def complain(text: str) -> None:
    """One sentence on stderr about what could not be done."""
    note(f"dream: {text}", quiet=False)


def of_system(error: OSError) -> str:
    """What the system refuses, in a sentence."""
    why = error.strerror or str(error)
    named = f" {error.filename}" if error.filename else ""
    return f"Cannot use{named}: {why[:1].lower()}{why[1:]}; give another name or place."


def of_failure(name: object, error: Exception) -> str:
    """What went wrong with one of many, whatever it is, in a sentence."""
    if isinstance(error, DreamerError):
        return str(error)
    if isinstance(error, MemoryError):
        return f"There is not enough memory for {name}: give a smaller --size."
    why = (str(error).splitlines() or [""])[0][:200]
    return f"{name} failed ({type(error).__name__}: {why}): try it alone."


def announcement(
    source: Path, photo: Photo, read_size: Size, assembly: Assembly, plan: Plan, last: int
) -> str:
    """What is about to be done, in one line."""
    size = photo.image.shape[:2]
    scaled = {-1: " (reduced, see --size)", 0: "", 1: " (enlarged)"}[
        (max(size) > max(read_size)) - (max(size) < max(read_size))
    ]
    notes = "".join(f", {note}" for note in photo.notes)
    layers = " ".join(map(brief, assembly.recipe.layers))
    named = [term.layer for term in assembly.terms]
    asked = [term.layer for term in assembly.recipe.terms]
    taken = f" (that is {', '.join(named)})" if asked != named else ""
    octaves = ", ".join(
        f"{width}×{height}" + (" bfloat16" if dtype == "bfloat16" else "")
        for (height, width), dtype in plan.stages[:last]
    )
    draft = f", {last} of {len(plan.sizes)} octaves" if last < len(plan.sizes) else ""
    dropped = f"; {len(plan.dropped)} too small for the network, left out" if plan.dropped else ""
    return (
        f"{source.name}, {size[1]}×{size[0]}{scaled}{notes}: {assembly.network.name} {layers}"
        f"{taken}, {assembly.recipe.steps} steps at {octaves}{draft}{dropped}"
    )


class Bar:
    """The progress over all pictures of a call."""

    def __init__(self, count: int, update: Callable[..., None], unit: str = "picture") -> None:
        self._count, self._update, self._number = count, update, 0
        self.unit = unit

    def begin(self, number: int) -> None:
        """The picture of this number, from 0, comes next; the first waits for the network."""
        self._number = number
        self._update(
            description=self._named("loading the network …" if number == 0 else "reading …")
        )

    def cell(self, number: int, count: int) -> Callable[[Progress], None]:
        """What shows where one of a picture's cells stands, counted from 0."""
        return partial(self, cell=number, cells=count)

    def __call__(self, state: Progress, cell: int = 0, cells: int = 1) -> None:
        """Show where the picture stands, or one cell of it."""
        octave = f"octave {state.octave}/{state.octaves}"
        self._update(
            description=self._named(f"{octave}  objective {state.score:.4g}"),
            total=self._count,
            completed=self._number + (cell + state.done) / cells,
        )

    def _named(self, text: str) -> str:
        return f"photo {self._number + 1} of {self._count}  {text}" if self._count > 1 else text


@contextmanager
def progress(count: int, *, quiet: bool, unit: str = "picture") -> Iterator[Bar]:
    """A bar over `count` pictures with the time left for all, where stderr is a terminal.

    `unit` is what one of a picture's cells is called.
    """
    if quiet or not sys.stderr.isatty():
        yield Bar(count, lambda **changes: None, unit)
        return
    with _live() as live:
        yield Bar(count, partial(live.update, live.add_task("", total=None)), unit)


@contextmanager
def _live() -> Iterator[bars.Progress]:
    """A line on the terminal with a bar and the time left."""
    from rich import progress as bars
    from rich.console import Console

    columns = (
        bars.SpinnerColumn(),
        bars.TextColumn("{task.description}"),
        bars.BarColumn(),
        bars.TaskProgressColumn(),
        bars.TimeRemainingColumn(compact=True),
    )
    # A descriptor of its own: TensorFlow's start is kept quiet by redirecting the usual one.
    with os.fdopen(os.dup(sys.stderr.fileno()), "w") as terminal:
        console = Console(file=terminal)
        to_terminal = sys.stdout.isatty()
        with bars.Progress(
            *columns, console=console, transient=True, redirect_stdout=to_terminal
        ) as live:
            yield live


@contextmanager
def film_progress(*, quiet: bool) -> Iterator[Callable[[int, int, float], None]]:
    """A bar for the frames that are written, all of them, and how many are dreamt a second."""
    if quiet or not sys.stderr.isatty():
        yield lambda written, count, pace: None
        return
    with _live() as live:
        task = live.add_task("loading the network …", total=None)

        def update(written: int, count: int, pace: float) -> None:
            live.update(
                task,
                completed=written,
                total=count,
                description=f"frame {written} of {count}, {pace:.2f} dreamt a second",
            )

        yield update


@contextmanager
def share_done(*, quiet: bool) -> Iterator[Callable[[float, str], None]]:
    """A bar for a share of 0 to 1 that is done, with a text."""
    if quiet or not sys.stderr.isatty():
        yield lambda done, text: None
        return
    with _live() as live:
        task = live.add_task("loading the network …", total=None)
        yield lambda done, text: live.update(task, completed=done, total=1.0, description=text)


class Interrupt:
    """Whether Ctrl-C was pressed once; the second time it stops the process at once."""

    asked = False

    def __call__(self, number: int, frame: FrameType | None) -> None:
        """The signal's handler."""
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True
        note("Stopping after this step; Ctrl-C again stops at once.", quiet=False)


@contextmanager
def interruptible() -> Iterator[Interrupt]:
    """Let the first Ctrl-C ask and the second one stop."""
    interrupt = Interrupt()
    before = signal.signal(signal.SIGINT, interrupt)
    try:
        yield interrupt
    finally:
        signal.signal(signal.SIGINT, before)
