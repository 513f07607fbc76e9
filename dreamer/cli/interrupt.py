"""Ctrl-C in the terminal, as a request to a job to stop."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from dreamer.cli.show import note
from dreamer.jobs.events import Stop

INTERRUPTED = 130
"""The exit code of a run that Ctrl-C ended, as shells have it."""


@contextmanager
def interruptible() -> Iterator[Stop]:
    """Let the first Ctrl-C ask a job to stop and keep what there is, and the second end at once."""
    stop = Stop()

    def handle(number: int, frame: FrameType | None) -> None:
        if stop.asked:
            raise KeyboardInterrupt
        stop.ask()
        note("Stopping after this step; Ctrl-C again stops at once.")

    before = signal.signal(signal.SIGINT, handle)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, before)
