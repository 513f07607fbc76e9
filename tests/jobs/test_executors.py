"""Jobs in a process of their own: the same events and the same bytes."""

from pathlib import Path

import pytest

from dreamer.errors import DreamerError
from dreamer.jobs.events import (
    Done,
    Event,
    Outcome,
    Planned,
    Preview,
    Progress,
    Stop,
    to_plain,
)
from dreamer.jobs.executors import run_here, run_in_child
from dreamer.jobs.requests import ImageRequest
from dreamer.networks import runtime


@pytest.fixture
def request_(work: Path, network_fields: dict[str, str]) -> ImageRequest:
    """A tiny dream, with as many threads as this process has been given once and for all."""
    fields = {
        **{"octaves": "3", "octave_scale": "1.2", "steps": "2", "jitter": "2"},
        "layers": ("mixed",),
        **network_fields,
    }
    return ImageRequest(photos=(Path("photo.png"),), threads=runtime.start(), fields=fields)


def test_a_job_in_a_child_gives_the_same_events_and_bytes(request_: ImageRequest) -> None:
    near, far = Path("near.png"), Path("far.png")
    here: list[Event] = []
    there: list[Event] = []
    asked = request_.model_copy(update={"output": near})
    assert run_here(asked, here.append, Stop()) == Outcome()
    asked = request_.model_copy(update={"output": far})
    assert run_in_child(asked, there.append, Stop()) == Outcome()
    assert near.read_bytes() == far.read_bytes()
    # As JSON, because previews are arrays.
    assert [*map(to_plain, there)][:-1] == [*map(to_plain, here)][:-1]
    assert {type(event) for event in there} >= {Planned, Preview, Progress, Done}
    assert there[-1] == Done("far.png", far, timed=True)


def test_a_child_is_stopped_and_leaves_nothing(request_: ImageRequest, work: Path) -> None:
    long = request_.model_copy(update={"fields": request_.fields | {"steps": "100000"}})
    stop, heard = Stop(), []

    def hear(event: Event) -> None:
        heard.append(event)
        if isinstance(event, Progress) and event.share:
            stop.ask(drop=True)

    assert run_in_child(long, hear, stop) == Outcome(stopped=True)
    assert sorted(path.name for path in work.iterdir()) == ["photo.png", "photos"]
    assert not [event for event in heard if isinstance(event, Done)]


def test_what_a_child_cannot_do_is_one_sentence(
    work: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(DreamerError, match=r"nowhere\.png") as caught:
        run_in_child(ImageRequest(photos=(Path("nowhere.png"),)), lambda event: None, Stop())
    assert "\n" not in str(caught.value)
    assert capfd.readouterr() == ("", "")


def test_a_child_ends_with_the_program_that_listens(work: Path) -> None:
    def fail(event: Event) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run_in_child(ImageRequest(photos=(Path("photo.png"),)), fail, Stop())
    assert sorted(path.name for path in work.iterdir()) == ["photo.png", "photos"]
