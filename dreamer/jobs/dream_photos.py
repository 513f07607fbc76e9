"""Dreaming on photos, one after the other, on one network: what several jobs share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dreamer.arrays import Image
from dreamer.errors import DreamerError, speaking_of
from dreamer.files import atomic, photos
from dreamer.files.framing import Framed, frame_photo
from dreamer.files.photos import Photo
from dreamer.jobs import drafts
from dreamer.jobs.ascent_film import film_ascent
from dreamer.jobs.events import (
    Done,
    Failed,
    Note,
    Outcome,
    Planned,
    Preview,
    Progress,
    Sink,
    Stop,
    Stopped,
    format_count,
)
from dreamer.jobs.failures import describe_failure
from dreamer.jobs.framing import find_framing
from dreamer.jobs.mask_and_guide_files import Companions
from dreamer.jobs.outputs import Encoding
from dreamer.jobs.requests import DreamRequest
from dreamer.jobs.resolve import name_goal, network_file
from dreamer.jobs.sources import Naming, Source, make_folder
from dreamer.jobs.workbench import Workbench
from dreamer.recipe import Recipe
from dreamer.recipe.provenance import Provenance

if TYPE_CHECKING:
    from dreamer.ascent import multiscale
    from dreamer.pipelines.image import ImagePipeline
    from dreamer.pipelines.plan import Plan

ENLARGED = 2.5
"""A dream that is enlarged more than so many times lacks detail, which is said."""

SILENT = (
    "The picture excites nothing of what is asked for, so there is no gradient to follow: ask for "
    "more channels or another layer, or start from another photo or --noise."
)

CELL_SIZE = "400"
"""Longest side of a cell of a sheet, in pixels, where `--size` does not say otherwise."""


@dataclass(frozen=True)
class Dreaming:
    """What holds for all pictures of a job.

    Attributes:
        wanted: the recipe, with the facts of the picture that is repeated.
        weights: of the network, where they are not at their usual place.
        companions: the mask and the guide.
        threads: as asked for.
        emit, stop, bench: of the job.
    """

    wanted: Provenance
    weights: Path | None
    companions: Companions
    threads: int | None
    emit: Sink
    stop: Stop
    bench: Workbench

    @cached_property
    def started(self) -> int:
        """Start TensorFlow; return the number of its threads."""
        return self.bench.start(self.threads, self.wanted, self.emit)

    @cached_property
    def pipeline(self) -> ImagePipeline:
        """Return the pipeline of the recipe, and note what is otherwise than when it was made."""
        recipe, facts, _ = self.wanted
        made = self.build(recipe)
        if recipe.precision not in ("auto", made.recipe.precision):
            self.note(f"{recipe.precision} needs bfloat16 units, which are not here: float32.")
        if facts and facts.get("network_sha256") != made.network.sha256:
            self.note(
                f"The weights of {recipe.network} are not those that the picture was made on."
            )
        return made

    def build(self, recipe: Recipe, photo: Photo | None = None) -> ImagePipeline:
        """Return the pipeline of a recipe; channels are chosen on the photo."""
        _ = self.started
        net = self.bench.load(recipe, self.weights, self.emit)
        return self.bench.build(recipe, net, photo, self._guide)

    @cached_property
    def _guide(self) -> Image | Path | None:
        """Return the guide at the size at which it is looked at; a folder as it is."""
        photo = self.companions.guide_photo
        if photo is None:
            return self.companions.guide
        from dreamer.networks.channels import resize_for_measurement

        return resize_for_measurement(photo)

    def mask(self, framed: Framed) -> NDArray[np.float32] | None:
        """Return the mask at a picture's size; a recipe that was made with one needs it again."""
        if mask := self.companions.mask_photo:
            with speaking_of("--mask"):
                return framed.apply_to_mask(mask, f"The mask {self.companions.mask}")
        if self.wanted.recipe.mask:
            raise DreamerError("This recipe was made with a mask: give it again by --mask.")
        return None

    def note(self, text: str) -> None:
        """Tell the person who waits."""
        self.emit(Note(text))


def start_dreaming(
    request: DreamRequest,
    wanted: Provenance,
    companions: Companions,
    emit: Sink,
    stop: Stop,
    bench: Workbench,
) -> Dreaming:
    """Gather what holds for all pictures of a request."""
    _, file = network_file(request)
    return Dreaming(wanted, file, companions, request.threads, emit, stop, bench)


class Ask(NamedTuple):
    """How the pictures of a job are made and written beside the recipe.

    Attributes:
        naming, encoding: of the files.
        strict: whether octaves that are too small are refused, and not left out.
        draft: whether to stop before the costly octaves.
        finish: the draft that is gone on from.
        film: of the ascent.
    """

    naming: Naming
    encoding: Encoding
    strict: bool = False
    draft: bool = False
    finish: Provenance | None = None
    film: Path | None = None


def dream_all(dreaming: Dreaming, ask: Ask, sources: Sequence[Source]) -> Outcome:
    """Dream on every photo."""

    def dream(source: Source, place: Place) -> None:
        dream_one(dreaming, ask, source, place)

    return for_each(dreaming, sources, dream)


@dataclass(frozen=True)
class Place:
    """Which of a job's photos is at work, from 0; it reports how far all are."""

    number: int
    count: int
    emit: Sink

    def begin(self) -> None:
        """Report that this photo comes next; the first waits for the network."""
        text = "loading the network …" if self.number == 0 else "reading …"
        self.emit(Progress(self.number / self.count if self.number else None, self._name(text)))

    def report(self, state: multiscale.Progress, cell: int = 0, cells: int = 1) -> None:
        """Report where the photo stands, or one cell of its sheet, counted from 0."""
        share = (self.number + (cell + state.done) / cells) / self.count
        text = f"octave {state.octave} of {state.octaves}, score {state.score:.3g}"
        self.emit(Progress(share, self._name(text), state.score))

    def _name(self, text: str) -> str:
        return f"photo {self.number + 1} of {self.count}: {text}" if self.count > 1 else text


def for_each(
    dreaming: Dreaming, sources: Sequence[Source], work: Callable[[Source, Place], None]
) -> Outcome:
    """Do the same to every photo; one that fails ends no other and is named at the end."""
    failed: list[str] = []
    for number, source in enumerate(sources):
        place = Place(number, len(sources), dreaming.emit)
        place.begin()
        try:
            work(source, place)
        except Stopped:
            return Outcome(stopped=True, failed=len(failed))
        # Whatever is wrong with one of them.
        except Exception as error:
            if len(sources) == 1:
                raise
            # What is wrong with the recipe is wrong for every photo, and raises here.
            _ = dreaming.pipeline
            failed.append(describe_failure(source.path, error))
    for each in failed:
        dreaming.emit(Failed(each))
    return Outcome(failed=len(failed))


def dream_one(dreaming: Dreaming, ask: Ask, source: Source, place: Place) -> None:
    """Read one photo, dream on it, and write the picture.

    Raises Stopped, where the job was asked to stop, behind writing what there is.
    """
    recipe, photo = dreaming.wanted.recipe, source.read()
    photo, framed = frame_photo(photo, find_framing(recipe))
    pipeline = dreaming.build(recipe, photo) if recipe.chooses else dreaming.pipeline
    plan = pipeline.plan(framed.size, strict=ask.strict)
    work = Work(dreaming, ask, photo, framed, pipeline, plan)
    dreaming.emit(Planned(describe_plan(source.path, work)))
    path = ask.naming.name(source)
    make_folder(path.parent)
    state, ended = work.dream(path, place)
    if state.score == 0 and not ask.finish:
        dreaming.note(SILENT)
    stopped = dreaming.stop.asked
    if stopped and dreaming.stop.drops:
        raise Stopped
    where = f"octave {state.octave} of {state.octaves}, step {state.step} of {state.steps}"
    work.write(path, state, where if stopped else "", ended, overwrite=ask.naming.overwrite)
    if stopped:
        resume = drafts.describe_resume(ended, path)
        dreaming.note(f"Stopped after {where}: {path} holds the dream so far{resume}.")
        raise Stopped
    dreaming.emit(Done(str(path), path, timed=True))


@dataclass(frozen=True)
class Work:
    """One picture of a job: its photo as it is dreamt on, its pipeline, and its plan."""

    dreaming: Dreaming
    ask: Ask
    photo: Photo
    framed: Framed
    pipeline: ImagePipeline
    plan: Plan

    @property
    def last(self) -> int:
        """Return the number of octaves that are dreamt."""
        return self.plan.draft if self.ask.draft else len(self.plan.sizes)

    def provenance(self) -> Provenance:
        """Return what the finished picture carries."""
        from dreamer.pipelines.image import describe_run

        return describe_run(self.pipeline, self.plan, self.photo.sha256, self.dreaming.started)

    def dream(
        self, path: Path, place: Place
    ) -> tuple[multiscale.Progress, multiscale.Progress | None]:
        """Dream until the end, or until the job is asked to stop.

        A preview lies beside `path` meanwhile, from the first steps on.

        Returns the last state, and the last one that ended an octave before it.

        Raises Stopped where what there is shall be dropped.
        """
        dreaming, ask, plan = self.dreaming, self.ask, self.plan
        size = self.photo.size
        begun = None
        if ask.finish:
            begun = drafts.read_state(ask.finish, self.photo, plan, self.pipeline)
        states = self.pipeline.dream(
            self.photo.image, plan, dreaming.mask(self.framed), begun, every=1 if ask.film else None
        )
        preview = atomic.find_free_name(path.with_name(atomic.fit_name(path.stem, ".preview.png")))
        carried = self.provenance() if ask.encoding.recipe else None
        shown, ended = False, None
        count = self.last * self.pipeline.recipe.steps
        film = film_ascent(ask.film, size, carried, overwrite=ask.naming.overwrite, states=count)
        with film as frame:
            try:
                for state in states:
                    place.report(state)
                    frame(state.picture)
                    ends = state.ends_octave and state.octave == self.last
                    if dreaming.stop.drops:
                        # Within the film of the ascent, so that it is not kept either.
                        raise Stopped
                    if dreaming.stop.asked or ends:
                        break
                    if state.ends_octave:
                        ended = state
                    if state.ends_octave or not shown:
                        picture, shown = state.picture(), True
                        photos.write_preview(preview, picture)
                        dreaming.emit(Preview(picture))
            finally:
                preview.unlink(missing_ok=True)
        return state, ended

    def write(
        self,
        path: Path,
        state: multiscale.Progress,
        stopped: str = "",
        ended: multiscale.Progress | None = None,
        *,
        overwrite: bool,
    ) -> None:
        """Write a dream as it stands, with its recipe.

        Args:
            path: of the picture.
            state: of the dream.
            stopped: where it was stopped, in words.
            ended: the last state that ended an octave, from which a stopped dream can be finished.
            overwrite: whether a file that is there may be replaced.
        """
        provenance = self.provenance()
        if stopped:
            provenance.facts["stopped"] = stopped
        kept = ended if stopped else state if self.ask.draft else None
        if kept and path.suffix.lower() == ".png":
            provenance = drafts.add_state(provenance, kept)
        self.ask.encoding.write(path, state.picture(), provenance, self.photo, overwrite=overwrite)


def describe_plan(source: Path, work: Work) -> str:
    """Describe what is about to be done to a photo, in one line."""
    photo, pipeline, plan, last = work.photo, work.pipeline, work.plan, work.last
    size, recipe = photo.size, pipeline.recipe
    used = work.framed.box.height
    scaled = {-1: " (reduced, see --size)", 0: "", 1: " (enlarged)"}[
        (size[0] > used) - (size[0] < used)
    ]
    notes = "".join(f", {note}" for note in photo.notes)
    named = [term.layer for term in pipeline.goal.terms]
    asked = [term.layer for term in recipe.terms]
    meant = f" (that is {', '.join(named)})" if asked != named else ""
    octaves = ", ".join(
        f"{width}×{height}" + (" bfloat16" if dtype == "bfloat16" else "")
        for (height, width), dtype in plan.stages[:last]
    )
    draft = f", {last} of {len(plan.sizes)} octaves" if last < len(plan.sizes) else ""
    dropped = f"; {len(plan.dropped)} too small for the network, left out" if plan.dropped else ""
    steps = format_count(recipe.steps, "step")
    enlarged = size[0] / plan.sizes[-1][0] > ENLARGED and last == len(plan.sizes)
    remedy = "" if recipe.to_full_size else " (--print goes on)"
    ends = f"; behind that the dream is enlarged{remedy}" if enlarged else ""
    return (
        f"{source.name}, {size[1]}×{size[0]}{scaled}{notes}: {pipeline.network.name} "
        f"{name_goal(recipe)}{meant}, {steps} at {octaves}{draft}{dropped}{ends}"
    )
