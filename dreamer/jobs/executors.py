"""Where a job runs: in this process, or in a child of its own.

TensorFlow's threads are set once in a process, so that a recipe's own number of them can be kept
only in a fresh one; and what runs out of memory there ends one job, and nothing else.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from threading import Thread
from typing import IO

from dreamer.errors import DreamerError
from dreamer.jobs.events import Outcome, Sink, Stop, from_plain, to_plain
from dreamer.jobs.failures import describe_failure
from dreamer.jobs.requests import REQUESTS, Request
from dreamer.jobs.run import run_job
from dreamer.networks import runtime

Executor = Callable[[Request, Sink, Stop], Outcome]
"""Runs a job to its end; events come in the order in which they happen."""

POLL_SECONDS = 0.05
KEEP, DROP = "keep\n", "drop\n"


def run_here(request: Request, emit: Sink, stop: Stop) -> Outcome:
    """Run a job in this process."""
    return run_job(request, emit, stop)


def run_in_child(request: Request, emit: Sink, stop: Stop) -> Outcome:
    """Run a job in a process of its own.

    Raises DreamerError where the job does, or where its process dies.
    """
    command = [sys.executable, "-m", "dreamer.jobs.executors"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as child:
        try:
            return _follow(child, request, emit, stop)
        finally:
            # It has ended, unless what happened here keeps anybody from listening to it.
            child.kill()


def _follow(child: subprocess.Popen[str], request: Request, emit: Sink, stop: Stop) -> Outcome:
    """Send a request to a child, and pass on what it says until it ends."""
    assert child.stdin is not None
    assert child.stdout is not None
    child.stdin.write(write_request(request) + "\n")
    child.stdin.flush()
    watcher = Thread(target=_pass_on_stop, args=(child, child.stdin, stop), daemon=True)
    watcher.start()
    for line in child.stdout:
        if not line.endswith("\n"):
            # It ended while it spoke.
            break
        said = json.loads(line)
        if "event" in said:
            emit(from_plain(said))
            continue
        # The child waits for the end of its input.
        child.stdin.close()
        child.wait()
        if "error" in said:
            raise DreamerError(said["error"])
        return Outcome(*said["outcome"])
    raise DreamerError(
        f"The process of this job ended by itself (code {child.wait()}), as one does that runs "
        "out of memory: give a smaller --size."
    )


def _pass_on_stop(child: subprocess.Popen[str], pipe: IO[str], stop: Stop) -> None:
    kept = dropped = False
    while True:
        try:
            child.wait(POLL_SECONDS)
        except subprocess.TimeoutExpired:
            pass
        else:
            return
        try:
            if stop.drops and not dropped:
                dropped = bool(pipe.write(DROP))
                pipe.flush()
            elif stop.asked and not (kept or dropped):
                kept = bool(pipe.write(KEEP))
                pipe.flush()
        except (OSError, ValueError):
            # It has ended, or nobody listens to it any more.
            return


def write_request(request: Request) -> str:
    """Return a request as a line of JSON."""
    return json.dumps({"command": request.command, **request.model_dump(mode="json")})


def read_request(text: str) -> Request:
    """Read a request from JSON. Raises ValueError where it is none."""
    values = json.loads(text)
    return REQUESTS[values.pop("command")].model_validate(values)


def _serve(requests: IO[str], replies: IO[str]) -> None:
    """Run the job that is asked for on a stream; write its events, and how it ended, on another."""
    stop = Stop()

    def reply(values: object) -> None:
        replies.write(json.dumps(values) + "\n")
        replies.flush()

    request = read_request(requests.readline())

    def listen() -> None:
        for line in requests:
            stop.ask(drop=line == DROP)
        # Whoever has asked for the job is gone, or has heard how it ended.
        stop.ask()

    listener = Thread(target=listen, daemon=True)
    listener.start()
    try:
        reply({"outcome": list(run_job(request, lambda event: reply(to_plain(event)), stop))})
    except Exception as error:
        reply({"error": describe_failure(request.command, error)})
    # A thread that still reads would disturb the end of the process.
    listener.join()


if __name__ == "__main__":
    runtime.collect_garbage_rarely()
    _serve(sys.stdin, sys.stdout)
