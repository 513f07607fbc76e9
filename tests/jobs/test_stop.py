"""Jobs that are asked to stop: what is kept goes on to the same bytes, what is dropped is gone."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dreamer.arrays import Image
from dreamer.files import clips, photos, work_folder
from dreamer.jobs.events import Done, Event, Frame, Note, Outcome, Progress, Stop
from dreamer.jobs.presets import read_finished
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

Run = Callable[..., tuple[Outcome, list[Event]]]
When = Callable[[Event], bool]


@pytest.fixture
def run(work: Path, bench: Workbench, network_fields: dict[str, str]) -> Run:
    """Run a job on the tiny network; `when` tells at which event it is asked to stop."""

    def run_until(
        request: Any, when: When = lambda event: False, *, drop: bool = False
    ) -> tuple[Outcome, list[Event]]:
        stop, heard = Stop(), []

        def hear(event: Event) -> None:
            heard.append(event)
            if when(event):
                stop.ask(drop=drop)

        whole = request.model_copy(update={"fields": {**request.fields, **network_fields}})
        return run_job(whole, hear, stop, bench), heard

    return run_until


def left(work: Path) -> set[str]:
    """Return the files that are there besides those that were there before."""
    found = {str(path.relative_to(work)) for path in work.rglob("*")}
    return found - {"photo.png", "photos", "photos/1.png", "photos/2.png"}


def at_octave(number: int) -> When:
    return lambda event: isinstance(event, Progress) and f"octave {number} of" in event.text


def at_frame(number: int) -> When:
    return lambda event: isinstance(event, Frame) and event.number == number


IMAGE = ImageRequest(
    photos=(Path("photo.png"),),
    fields={
        **{"octaves": "3", "octave_scale": "1.2", "steps": "2", "jitter": "2"},
        "layers": ("mixed",),
    },
)
FILM = VideoRequest(
    source=Path("photo.png"),
    output=Path("film.mp4"),
    fields={
        **{"film.size": "64", "film.steps": "1", "film.frames": "8", "film.fps": "8"},
        **{"film.intro": "0", "octaves": "1", "jitter": "2", "layers": ("mixed",)},
    },
)


def test_a_kept_picture_goes_on_to_the_same_bytes(run: Run, work: Path) -> None:
    whole = IMAGE.model_copy(update={"output": Path("whole.png")})
    assert run(whole)[0] == Outcome()
    part = IMAGE.model_copy(update={"output": Path("part.png")})
    outcome, heard = run(part, at_octave(2))
    assert outcome == Outcome(stopped=True)
    assert left(work) == {"whole.png", "part.png"}
    facts = read_finished(Path("part.png")).facts
    assert (facts["draft"], "octave 2 of 3" in facts["stopped"]) == (1, True)
    assert not [event for event in heard if isinstance(event, Done)]
    told = [event.text for event in heard if isinstance(event, Note)][-1]
    assert "--finish part.png goes on from the end of octave 1" in told
    rest = IMAGE.model_copy(update={"finish": Path("part.png"), "output": Path("rest.png")})
    assert run(rest)[0] == Outcome()
    assert Path("rest.png").read_bytes() == Path("whole.png").read_bytes()


def test_of_many_photos_those_that_are_finished_stay(run: Run, work: Path) -> None:
    many = IMAGE.model_copy(update={"photos": (Path("photos"),), "output": Path("out")})
    second: When = lambda event: isinstance(event, Progress) and "photo 2 of 2" in event.text  # noqa: E731
    assert run(many, second, drop=True)[0] == Outcome(stopped=True)
    assert left(work) == {"out", "out/1-dream.png"}


def test_a_dropped_picture_leaves_nothing(run: Run, work: Path) -> None:
    filmed = IMAGE.model_copy(update={"film": Path("ascent.mp4")})
    for request in (IMAGE, filmed):
        outcome, heard = run(request, at_octave(2), drop=True)
        assert outcome == Outcome(stopped=True)
        assert left(work) == set()
        assert not [event for event in heard if isinstance(event, Done)]


@pytest.mark.parametrize("looped", [False, True], ids=["film", "loop"])
def test_a_kept_film_goes_on_to_the_same_bytes(run: Run, work: Path, *, looped: bool) -> None:
    fields = FILM.fields | ({"film.loop": True} if looped else {})
    film = FILM.model_copy(update={"fields": fields})
    whole = film.model_copy(update={"output": Path("whole.mp4")})
    assert run(whole)[0] == Outcome()
    outcome, heard = run(film, at_frame(3))
    assert outcome == Outcome(stopped=True)
    assert left(work) >= {"whole.mp4", "film.partial.mp4", "film.mp4.unfinished"}
    assert not Path("film.mp4").exists()
    assert work_folder.unfinished(work_folder.folder_for(Path("film.mp4")))
    told = [event.text for event in heard if isinstance(event, Note)][-1]
    assert "Run the same command again to go on." in told
    count = clips.select(Path("film.partial.mp4")).count
    assert 3 <= count < 8
    outcome, heard = run(film)
    assert outcome == Outcome()
    assert [event.number for event in heard if isinstance(event, Frame)] == list(range(1, 9))
    assert left(work) == {"whole.mp4", "film.mp4"}
    assert Path("film.mp4").read_bytes() == Path("whole.mp4").read_bytes()


def test_a_dropped_film_leaves_nothing(run: Run, work: Path) -> None:
    assert run(FILM, at_frame(3), drop=True)[0] == Outcome(stopped=True)
    assert left(work) == set()


def test_a_film_that_is_asked_to_stop_before_its_first_frame_keeps_its_folder(
    run: Run, work: Path
) -> None:
    loop = FILM.model_copy(update={"fields": FILM.fields | {"film.loop": True}})
    outcome, heard = run(loop, lambda event: "frames of" in getattr(event, "text", ""))
    assert outcome == Outcome(stopped=True)
    assert [event for event in heard if "before the first frame" in getattr(event, "text", "")]
    assert {name.partition("/")[0] for name in left(work)} == {"film.mp4.unfinished"}
    assert run(loop, lambda event: True, drop=True)[0] == Outcome(stopped=True)
    assert left(work) == set()


STOPPED: dict[str, tuple[Request, When]] = {
    "a sheet": (
        IMAGE.model_copy(update={"vary": ("seed=1,2",)}),
        lambda event: isinstance(event, Note) and event.text.startswith("picture 2 of 2"),
    ),
    "channels": (
        FiltersRequest(layers=("mixed:0", "relu:0,1"), fields={"steps": "2", "size": "32"}),
        lambda event: isinstance(event, Progress) and event.share is not None and event.share > 0.4,
    ),
    "a search": (
        SearchRequest(
            photo=Path("photo.png"),
            count=2,
            over=("strength",),
            fields={"steps": "2", "motif": "0.3", "layers": ("mixed",), "size": "96"},
        ),
        lambda event: isinstance(event, Note) and event.text.startswith("trial 2 of 2"),
    ),
    "exemplars": (
        ExemplarsRequest(folder=Path("photos"), layers=("mixed:1",), photos_only=True),
        lambda event: isinstance(event, Progress),
    ),
    "a comparison": (
        CompareRequest(first=Path("photo.png"), second=Path("photos") / "2.png", layers=("mixed",)),
        lambda event: isinstance(event, Progress),
    ),
}


@pytest.mark.parametrize("job", STOPPED)
def test_other_jobs_that_are_dropped_leave_nothing(run: Run, work: Path, job: str) -> None:
    request, when = STOPPED[job]
    outcome, heard = run(request, when, drop=True)
    assert outcome == Outcome(stopped=True)
    assert left(work) == set()
    assert not [event for event in heard if isinstance(event, Done)]


@pytest.mark.parametrize("job", ["channels", "a search"])
def test_other_jobs_that_are_kept_go_on_to_the_same_bytes(run: Run, work: Path, job: str) -> None:
    request, when = STOPPED[job]
    sheet = Path("sheet.png")
    # Some have several outputs.
    several = isinstance(request, FiltersRequest)
    wanted, other = (
        request.model_copy(update={"output": (path,) if several else path})
        for path in (sheet, Path("whole.png"))
    )
    assert run(other)[0] == Outcome()
    before = left(work)
    assert run(wanted, when)[0] == Outcome(stopped=True)
    assert not sheet.exists()
    assert "sheet.png.unfinished" in left(work)
    assert run(wanted)[0] == Outcome()
    assert sheet.read_bytes() == Path("whole.png").read_bytes()
    assert {name for name in left(work) - before if not name.startswith("sheet-cells")} == {
        "sheet.png"
    }


def test_a_watched_picture_ends_without_fault(run: Run, work: Path, photo: Image) -> None:
    (work / "mine.toml").write_text("steps = 1\nopacity = 0\n")
    watched = IMAGE.model_copy(update={"watch": Path("mine.toml")})
    assert run(watched, lambda event: isinstance(event, Done))[0] == Outcome()
    assert left(work) == {"mine.toml", "photo-mine.png"}
    assert (photos.read(Path("photo-mine.png")).image == photos.read(Path("photo.png")).image).all()
