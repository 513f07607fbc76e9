"""Work beside the dream: files are written while the next frame is made."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager


class Beside:
    """A thread that does one thing after the other; made by `beside`."""

    def __init__(self, pool: ThreadPoolExecutor) -> None:
        self._pool = pool
        self._doing: Future[None] = pool.submit(lambda: None)

    def do(self, work: Callable[[], None]) -> None:
        """Do this next. Waits for what came before, and raises its error."""
        self.wait()
        self._doing = self._pool.submit(work)

    def wait(self) -> None:
        """Wait until all is done, and raise its error."""
        self._doing.result()


@contextmanager
def beside() -> Iterator[Beside]:
    """A thread for as long as the block lasts; leaving it waits for what is being done."""
    with ThreadPoolExecutor(1) as pool:
        yield Beside(pool)
