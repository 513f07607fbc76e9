"""What the tests of the command line share: the networks and graphs of one process."""

import pytest

from dreamer.jobs.workbench import Workbench


@pytest.fixture(scope="session")
def bench() -> Workbench:
    """The networks and graphs of all jobs of this process."""
    return Workbench()


@pytest.fixture(autouse=True)
def _shared_bench(bench: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lend every command the same bench, as a session that runs many jobs does."""
    monkeypatch.setattr("dreamer.jobs.run.Workbench", lambda: bench)
