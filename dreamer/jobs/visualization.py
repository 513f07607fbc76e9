"""What the jobs share that grow pictures from nothing: of channels, of classes, of exemplars."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dreamer.arrays import Image, Size
from dreamer.errors import DreamerError, speaking_of
from dreamer.files import photos
from dreamer.files.framing import frame_photo
from dreamer.files.photos import Photo
from dreamer.imaging import contact_sheet
from dreamer.jobs.ascent_film import film_ascent
from dreamer.jobs.events import Note, Progress, Sink, Stop, Stopped
from dreamer.jobs.framing import find_framing
from dreamer.jobs.outputs import PLAIN, Headings, write_sheet
from dreamer.jobs.scores import Scores
from dreamer.jobs.workbench import Workbench
from dreamer.networks import runtime
from dreamer.recipe import Recipe
from dreamer.recipe.provenance import Provenance

if TYPE_CHECKING:
    from dreamer.networks.network import Network
    from dreamer.pipelines.layer_growth import Grown
    from dreamer.pipelines.targets import Target
    from dreamer.pipelines.visualization import Growing, Visualizer

ENOUGH = 2
"""So many pictures per processor are enough for each to have pictures of its own."""

SHOWN = 3
"""At most so many labels are named in a message; the others are counted."""


@dataclass
class Parts:
    """How far a job is whose pictures grow in several parts, one after the other.

    Attributes:
        count: how many parts there are.
        done: how many are behind it.
    """

    count: int = 1
    done: int = 0

    def share(self, of_part: float) -> float:
        """Return the share of the whole work, from that of the part at work."""
        return min((self.done + of_part) / self.count, 1.0)


@dataclass(frozen=True)
class Run:
    """How a job that grows pictures runs.

    Attributes:
        threads: as asked for.
        overwrite: whether files that are there may be replaced.
        recipe: whether pictures carry their recipe.
        emit, stop, bench: of the job.
        parts: how far it is.
        scores: where those of its pictures go.
    """

    threads: int | None
    overwrite: bool
    recipe: bool
    emit: Sink
    stop: Stop
    bench: Workbench
    parts: Parts = field(default_factory=Parts)
    scores: Scores = field(default_factory=Scores)


@dataclass(frozen=True)
class Visualization:
    """What holds for all pictures of a job.

    Attributes:
        wanted: the recipe.
        weights: of the network, where they are not at their usual place.
        photo: what pictures grow from, if they do.
        run: how the job runs.
        entire: whether all layers of the network are there, also those that need one size.
        targets: how many pictures may grow at once: where there are enough, each processor has
            its own.
    """

    wanted: Provenance
    weights: Path | None
    photo: Path | None
    run: Run
    entire: bool = False
    targets: int = 1

    @cached_property
    def threads(self) -> int:
        """Start TensorFlow; return the number of its threads."""
        count = self.run.threads or runtime.processors()
        return self.run.bench.start(count, self.wanted, side_by_side=self.targets >= ENOUGH * count)

    @cached_property
    def net(self) -> Network:
        """Return the network that the recipe names."""
        _ = self.threads
        net = self.run.bench.load(self.wanted.recipe, self.weights, self.run.emit)
        return net.entire() if self.entire else net

    @cached_property
    def _read(self) -> Photo | None:
        with speaking_of("--init"):
            return photos.read(self.photo) if self.photo else None

    @property
    def photo_sha256(self) -> str | None:
        """Return the hash of the photo that pictures grow from, if they do."""
        return self._read.sha256 if self._read else None

    @cached_property
    def start(self) -> Image | None:
        """Return the photo that pictures grow from, at their size."""
        if self._read is None:
            return None
        return frame_photo(self._read, find_framing(self.wanted.recipe, enlarge=True))[0].image

    def visualizer(self, recipe: Recipe) -> Visualizer:
        """Return what grows pictures by a recipe on the loaded network."""
        net = self.net
        from dreamer.pipelines.visualization import Visualizer

        return Visualizer(recipe, net, self.start)

    def grow(
        self,
        recipe: Recipe,
        targets: Sequence[Target],
        film: Path | None = None,
        columns: int = 1,
        finished: Callable[[Grown], None] | None = None,
        option: str = "",
    ) -> list[Grown]:
        """Grow a picture for each target.

        Args:
            recipe: by which they grow; a film carries it.
            targets: what they grow for.
            film: where to write the ascent of all of them, a frame per step.
            columns: of the film's frames, which are sheets where there are several pictures.
            finished: what is done with each picture as soon as it is finished.
            option: what tells this recipe from others of the job.

        Raises Stopped where the job was asked to stop.
        """
        visualizer = self.visualizer(recipe)
        done: dict[str, Grown] = {}
        size = self.film_size(recipe, targets, columns) if film else visualizer.size
        carried = self.describe(recipe)
        with film_ascent(film, size, carried, overwrite=self.run.overwrite) as frame:
            every = 1 if film or self.run.scores.log else None
            for state in visualizer.grow(targets, every=every):
                self.run.scores.add_step(state, option)
                first, last = state.labels[0], state.labels[-1]
                named = first if first == last else f"{first} … {last}"
                frame(partial(_compose_state, state, columns))
                for one in state.grown:
                    if finished and one.label not in done:
                        finished(one)
                    done[one.label] = one
                self.advance(state.done, f"{named}, step {state.step} of {state.steps}")
        self.run.parts.done += 1
        leaky = recipe.visualization.leaky > 0
        if silent := [one.label for one in state.grown if one.silent]:
            self.note(_describe_silence(silent, leaky=leaky))
        if stopped := [one.step for one in state.grown if one.stopped]:
            self.note(
                f"{len(stopped)} of {len(state.grown)} stopped by themselves; the "
                f"{recipe.visualization.keep} picture is kept, of step {min(stopped)} to "
                f"{max(stopped)}."
            )
        return list(state.grown)

    def advance(self, share: float, text: str) -> None:
        """Report how far the part at work is. Raises Stopped where the job was asked to stop."""
        self.run.emit(Progress(self.run.parts.share(share), text))
        if self.run.stop.asked:
            raise Stopped

    def film_size(self, recipe: Recipe, targets: Sequence[Target], columns: int = 1) -> Size:
        """Return the size of a film's frames.

        Raises DreamerError where not all of the pictures grow at once.
        """
        visualizer = self.visualizer(recipe)
        from dreamer.pipelines.targets import repeat_targets

        most = visualizer.batch(targets[0])
        grown = repeat_targets(targets, visualizer.recipe.visualization.diverse)
        if len({target.layer for target in targets}) > 1 or len(grown) > most:
            raise DreamerError(
                f"--film shows pictures that grow at once, here up to {most} of one layer: ask "
                "for fewer, or for a smaller --size."
            )
        empty = [np.zeros((*visualizer.size, 3), np.float32)] * len(grown)
        height, width, _ = _compose(empty, [target.label for target in grown], columns).shape
        return height, width

    def describe(self, recipe: Recipe, **facts: Any) -> Provenance | None:
        """Return what a picture or a sheet carries, with other facts; None where it shall not."""
        if not self.run.recipe:
            return None
        own = {**facts, "network_sha256": self.net.sha256, "threads": self.threads}
        own |= {"photo_sha256": self.photo_sha256} if self.photo else {}
        return Provenance(recipe, {**own, **runtime.versions()})

    def write_sheet(
        self,
        path: Path,
        cells: Sequence[tuple[Image, str]],
        columns: int,
        provenance: Provenance | None,
        headings: Headings = PLAIN,
    ) -> None:
        """Write labeled pictures side by side; see `outputs.write_sheet`."""
        write_sheet(
            path,
            cells,
            columns,
            provenance,
            self.run.emit,
            headings,
            overwrite=self.run.overwrite,
        )

    def note(self, text: str) -> None:
        """Tell the person who waits."""
        self.run.emit(Note(text))


def _describe_silence(labels: Sequence[str], *, leaky: bool) -> str:
    """Describe that nothing led upward, and what to do."""
    more = f" and {len(labels) - SHOWN} others" if len(labels) > SHOWN else ""
    remedy = "another --seed" if leaky else "--leaky 0.1, another --seed"
    return (
        f"Nothing that these pictures start from excites {', '.join(labels[:SHOWN])}{more}, so "
        f"there is no gradient to follow and they stay as they were: give {remedy}, or --init "
        "PHOTO."
    )


def _compose_state(state: Growing, columns: int) -> Image:
    return _compose(list(state.pictures()), state.labels, columns)


def _compose(pictures: Sequence[Image], labels: Sequence[str], columns: int) -> Image:
    """Return a picture alone, or several as a sheet."""
    if len(pictures) == 1:
        return pictures[0]
    return contact_sheet.compose(pictures, labels, columns)
