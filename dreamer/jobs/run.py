"""The jobs by name, and how one is run."""

from collections.abc import Mapping
from importlib import import_module
from typing import Protocol

from dreamer.jobs.events import Outcome, Sink, Stop
from dreamer.jobs.requests import Request
from dreamer.jobs.workbench import Workbench


class Job(Protocol):
    """One run of a kind of work."""

    def __call__(self, request: Request, emit: Sink, stop: Stop, bench: Workbench) -> Outcome:
        """Do what a request asks for.

        Args:
            request: what is asked for.
            emit: takes events as they come.
            stop: asked, the job ends behind the step that it is at.
            bench: lends networks and graphs of earlier jobs.

        Raises DreamerError where nothing can be done.
        """


JOBS: Mapping[str, str] = {
    "image": "dreamer.jobs.image",
    "video": "dreamer.jobs.film",
    "filters": "dreamer.jobs.filters",
    "class": "dreamer.jobs.class_pictures",
    "exemplars": "dreamer.jobs.exemplars",
    "compare": "dreamer.jobs.compare",
    "search": "dreamer.jobs.search",
}
"""The module of each kind of job, whose `run` does it; it is imported when it is needed."""


def run_job(
    request: Request, emit: Sink, stop: Stop | None = None, bench: Workbench | None = None
) -> Outcome:
    """Do what a request asks for, in this process; see `Job`."""
    job: Job = import_module(JOBS[request.command]).run
    bench = bench or Workbench()
    try:
        return job(request, emit, stop or Stop(), bench)
    finally:
        bench.keep()
