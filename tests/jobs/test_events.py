"""What a job reports while it runs."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dreamer.arrays import Image
from dreamer.jobs import events
from dreamer.jobs.events import (
    KINDS,
    Done,
    Event,
    Failed,
    Frame,
    Note,
    Planned,
    Preview,
    Progress,
    Stop,
    Table,
    from_plain,
    to_plain,
)
from dreamer.jobs.requests import (
    CompareRequest,
    ExemplarsRequest,
    FiltersRequest,
    ImageRequest,
    Request,
    SearchRequest,
    VideoRequest,
)
from dreamer.jobs.run import run_job
from dreamer.jobs.workbench import Workbench

SAMPLES: list[Event] = [
    Planned("a dream of birds"),
    Planned("About 3 s to go", 3.25, 12_000_000),
    Progress(None, "loading the network …"),
    Progress(0.125, "octave 1 of 3", -1.5e-3),
    Frame(3, 240, 1.75),
    Note("Nothing → «excites» it."),
    Table(("layer", "corr."), (("mixed3a", "0.97"), ("mixed4c", "-0.10"))),
    Table(("layer",), ()),
    Done("seen as hen 12.5"),
    Done("out/a b.png  3.1 s", Path("out") / "a b.png"),
    Failed("bad.jpg is not a picture."),
]


@pytest.mark.parametrize("event", SAMPLES, ids=lambda event: type(event).__name__)
def test_an_event_survives_json(event: Event) -> None:
    text = json.dumps(to_plain(event))
    assert "\n" not in text
    assert from_plain(json.loads(text)) == event


def test_a_preview_survives_json_in_eight_bits(photo: Image) -> None:
    sent = json.loads(json.dumps(to_plain(Preview(photo))))
    assert sent["event"] == "preview"
    found = from_plain(sent)
    assert isinstance(found, Preview)
    assert found.picture.dtype == np.float32
    np.testing.assert_allclose(found.picture, photo, atol=0.5 / 255 + 1e-6)
    again = from_plain(to_plain(found))
    assert isinstance(again, Preview)
    np.testing.assert_array_equal(again.picture, found.picture)


def test_every_kind_of_event_is_tried() -> None:
    assert {type(event) for event in SAMPLES} | {Preview} == set(KINDS.values())


def test_dropping_is_the_stronger_way_to_stop() -> None:
    stop = Stop()
    assert (stop.asked, stop.drops) == (False, False)
    stop.ask()
    assert (stop.asked, stop.drops) == (True, False)
    stop.ask(drop=True)
    stop.ask()
    assert (stop.asked, stop.drops) == (True, True)


QUICK = {"octaves": "2", "octave_scale": "1.3", "steps": "2", "jitter": "0"}
FILM = {"film.size": "64", "film.steps": "1", "film.frames": "5", "octaves": "1", "jitter": "0"}
REQUESTS: dict[str, Request] = {
    "image": ImageRequest(photos=(Path("photos"),), fields=QUICK | {"layers": ("mixed",)}),
    "sheet": ImageRequest(
        photos=(Path("photo.png"),),
        vary=("strength=10,20",),
        fields=QUICK | {"layers": ("mixed",), "size": "64"},
    ),
    "video": VideoRequest(source=Path("photo.png"), fields=FILM | {"layers": ("mixed",)}),
    "clip": VideoRequest(
        source=Path("photos"), fields={"film.steps": "1", "octaves": "1", "layers": ("mixed",)}
    ),
    "filters": FiltersRequest(layers=("mixed:0-2",), fields={"steps": "2", "size": "32"}),
    "filters varied": FiltersRequest(
        layers=("mixed:0", "relu"),
        first=2,
        vary=("rate=0.01,0.02",),
        fields={"steps": "2", "size": "32"},
    ),
    "exemplars": ExemplarsRequest(
        folder=Path("photos"), layers=("mixed:1",), count=1, settings=("steps=2",)
    ),
    "compare": CompareRequest(
        first=Path("photo.png"), second=Path("photos") / "2.png", layers=("mixed",)
    ),
    "search": SearchRequest(
        photo=Path("photo.png"),
        count=2,
        over=("strength",),
        fields={"steps": "2", "motif": "0.3", "layers": ("mixed",), "size": "96"},
    ),
}


@pytest.mark.parametrize("job", REQUESTS)
def test_a_job_plans_advances_and_ends(
    job: str, work: Path, bench: Workbench, network_fields: dict[str, str]
) -> None:
    asked: Any = REQUESTS[job]
    request = asked.model_copy(update={"fields": {**asked.fields, **network_fields}})
    heard: list[Event] = []
    outcome = run_job(request, heard.append, bench=bench)
    assert outcome == events.Outcome()
    shares = [event.share for event in heard if isinstance(event, Progress) and event.share]
    assert shares == sorted(shares)
    assert all(0 <= share <= 1 for share in shares)
    frames = [event.number for event in heard if isinstance(event, Frame)]
    assert frames == list(range(1, len(frames) + 1))
    assert bool(shares) != bool(frames) or job == "compare"
    last = [event for event in heard if not isinstance(event, Note)][-1]
    assert isinstance(last, Done)
    written = [event.path for event in heard if isinstance(event, Done) and event.path]
    assert written
    assert all(path.exists() for path in written)
    if job in ("image", "video", "clip", "filters", "filters varied"):
        planned = next(place for place, event in enumerate(heard) if isinstance(event, Planned))
        moved = (
            place
            for place, event in enumerate(heard)
            if isinstance(event, Frame) or (isinstance(event, Progress) and event.share)
        )
        assert planned < next(moved)


def test_one_photo_of_many_that_fails_is_reported_and_counted(
    work: Path, bench: Workbench, network_fields: dict[str, str]
) -> None:
    (work / "bad.jpg").write_text("no picture")
    fields = QUICK | {"layers": ("mixed",)} | network_fields
    request = ImageRequest(photos=(Path("bad.jpg"), Path("photo.png")), fields=fields)
    heard: list[Event] = []
    assert run_job(request, heard.append, bench=bench) == events.Outcome(failed=1)
    (failed,) = (event.text for event in heard if isinstance(event, Failed))
    assert "bad.jpg" in failed
    assert [event.path for event in heard if isinstance(event, Done)] == [Path("photo-dream.png")]
