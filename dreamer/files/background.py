"""Work in the background: files are written while the next frame is made."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager


class BackgroundThread:
    """A background thread that runs one task at a time; made by `run_background_thread`."""

    def __init__(self, pool: ThreadPoolExecutor) -> None:
        self._pool = pool
        self._task: Future[None] = pool.submit(lambda: None)

    def do(self, work: Callable[[], None]) -> None:
        """Start `work`, after waiting for the task before it and raising its error, if any."""
        self.wait()
        self._task = self._pool.submit(work)

    def wait(self) -> None:
        """Wait for the current task, and raise its error, if any."""
        self._task.result()


@contextmanager
def run_background_thread() -> Iterator[BackgroundThread]:
    """Run a background thread during the block; leaving the block waits for the current task."""
    with ThreadPoolExecutor(1) as pool:
        yield BackgroundThread(pool)
