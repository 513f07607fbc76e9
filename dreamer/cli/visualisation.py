"""One call that grows pictures from nothing: the network loaded once, then sheet after sheet."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import typer

from dreamer import sheets
from dreamer.arrays import Image, Size
from dreamer.cli import growth, show
from dreamer.cli.sources import make_folder
from dreamer.errors import DreamerError, speaking_of
from dreamer.files import photos
from dreamer.files.metadata import Made
from dreamer.files.photos import Photo
from dreamer.nets import runtime
from dreamer.recipe import Recipe

if TYPE_CHECKING:
    from dreamer.nets.network import Network
    from dreamer.targets import Target
    from dreamer.visualise import Growing, Grown, Visualiser

ENOUGH = 2
"""Pictures a processor from which on each is better off with pictures of its own."""


SHOWN = 3
"""Labels that are named in a message; the others are counted."""


@dataclass(frozen=True)
class Visualisation:
    """What holds for all pictures of one call.

    `entire` asks for all layers of a network, also where they need pictures of one size. `targets`
    is how many pictures may grow at once: where there are enough, each processor has its own.
    """

    wanted: Made
    weights: Path | None
    photo: Path | None
    asked_threads: int | None
    no_recipe: bool
    overwrite: bool
    quiet: bool
    entire: bool = False
    targets: int = 1

    @cached_property
    def threads(self) -> int:
        """TensorFlow's, started now."""
        count = self.asked_threads or runtime.processors()
        return runtime.start(count, abreast=self.targets >= ENOUGH * count)

    @cached_property
    def net(self) -> Network:
        """The network that the recipe names."""
        # TensorFlow is imported here, and must have been started before.
        _ = self.threads
        from dreamer.assemble import load

        net = load(self.wanted.recipe, self.weights)
        for text in net.notes:
            self.note(text)
        return net.entire() if self.entire else net

    @cached_property
    def _read(self) -> Photo | None:
        with speaking_of("--init"):
            return photos.read(self.photo) if self.photo else None

    @property
    def photo_sha256(self) -> str | None:
        """Of the photo that pictures grow from, if they do."""
        return self._read.sha256 if self._read else None

    @cached_property
    def start(self) -> Image | None:
        """The photo that pictures grow from, at their size."""
        if self._read is None:
            return None
        size = photos.fitted(self._read.image.shape[:2], self.wanted.recipe.size, enlarge=True)
        return photos.resize(self._read, size).image

    def visualiser(self, recipe: Recipe) -> Visualiser:
        """A recipe on the loaded network."""
        net = self.net
        from dreamer.visualise import Visualiser

        return Visualiser(recipe, net, self.start)

    def grow(
        self,
        recipe: Recipe,
        targets: Sequence[Target],
        film: Path | None = None,
        columns: int = 1,
        finished: Callable[[Grown], None] | None = None,
    ) -> list[Grown]:
        """A picture for each target; Ctrl-C ends the call after the step.

        Args:
            recipe: by which they grow; a film carries it.
            targets: what they grow for.
            film: where to write the ascent of all of them, a frame a step.
            columns: of the film's frames, which are sheets where there are several pictures.
            finished: what is done with each picture as soon as it is finished.
        """
        visualiser = self.visualiser(recipe)
        done: dict[str, Grown] = {}
        size = self.film_size(recipe, targets, columns) if film else visualiser.size
        with (
            self.progress() as update,
            growth.filmed(film, size, self.made(recipe), overwrite=self.overwrite) as frame,
        ):
            for state in visualiser.grow(targets, every=1 if film else None):
                first, last = state.labels[0], state.labels[-1]
                named = first if first == last else f"{first} … {last}"
                frame(partial(_now, state, columns))
                for one in state.grown:
                    if finished and one.label not in done:
                        finished(one)
                    done[one.label] = one
                update(state.done, f"{named}  step {state.step} of {state.steps}")
        if silent := [one.label for one in state.grown if one.silent]:
            self.note(_silence(silent, leaky=recipe.feature.leaky > 0))
        if stopped := [one.step for one in state.grown if one.stopped]:
            self.note(
                f"{len(stopped)} of {len(state.grown)} stopped by themselves; the "
                f"{recipe.feature.keep} picture is kept, of step {min(stopped)} to {max(stopped)}."
            )
        return list(state.grown)

    @contextmanager
    def progress(self) -> Iterator[Callable[[float, str], None]]:
        """A bar for the share that is done; its call ends the run where Ctrl-C was pressed."""
        with show.share_done(quiet=self.quiet) as update, show.interruptible() as interrupt:

            def advance(done: float, text: str) -> None:
                update(done, text)
                if interrupt.asked:
                    raise typer.Exit(show.INTERRUPTED)

            yield advance

    def film_size(self, recipe: Recipe, targets: Sequence[Target], columns: int = 1) -> Size:
        """Of the frames. Raises DreamerError where not all of the pictures grow at once."""
        visualiser = self.visualiser(recipe)
        from dreamer.targets import in_ways

        most = visualiser.batch(targets[0].layer)
        grown = in_ways(targets, visualiser.recipe.feature.diverse)
        if len({target.layer for target in targets}) > 1 or len(grown) > most:
            raise DreamerError(
                f"--film shows pictures that grow at once, here up to {most} of one layer: ask "
                "for fewer, or for a smaller --size."
            )
        empty = [np.zeros((*visualiser.size, 3), np.float32)] * len(grown)
        height, width, _ = _frame(empty, [target.label for target in grown], columns).shape
        return height, width

    def made(self, recipe: Recipe) -> Made | None:
        """What a picture or a sheet carries."""
        if self.no_recipe:
            return None
        own: dict[str, Any] = {"network_sha256": self.net.sha256, "threads": self.threads}
        own |= {"photo_sha256": self.photo_sha256} if self.photo else {}
        return Made(recipe, {**own, **runtime.versions()})

    def write_sheet(
        self,
        path: Path,
        cells: Sequence[tuple[Image, str]],
        columns: int,
        made: Made | None,
        across: Sequence[str] = (),
        down: Sequence[str] = (),
    ) -> None:
        """Write labelled pictures side by side, on several sheets where one would be too large.

        `across` and `down` name the columns and the rows (see `sheets.compose`).
        """
        make_folder(path.parent)
        most = sheets.most_cells(cells[0][0].shape[:2], columns)
        parts = [cells[first : first + most] for first in range(0, len(cells), most)]
        for number, part in enumerate(parts, 1):
            name = path.with_stem(f"{path.stem}-{number}") if len(parts) > 1 else path
            pictures, named = zip(*part, strict=True)
            rows = down[(number - 1) * most // columns :]
            sheet = sheets.compose(pictures, named, columns, across, rows)
            photos.write(name, sheet, made=made, overwrite=self.overwrite)
            show.say(str(name))
        if len(parts) > 1:
            self.note(f"One sheet of all {len(cells)} would be too large: there are {len(parts)}.")

    def note(self, text: str) -> None:
        """One line for the person who waits."""
        show.note(text, quiet=self.quiet)


def _silence(labels: Sequence[str], *, leaky: bool) -> str:
    """What there is to say where nothing led upwards."""
    more = f" and {len(labels) - SHOWN} others" if len(labels) > SHOWN else ""
    remedy = "another --seed" if leaky else "--leaky 0.1, another --seed"
    return (
        f"Nothing that these pictures begin with excites {', '.join(labels[:SHOWN])}{more}, so "
        f"there is no gradient to follow and they stay as they began: give {remedy}, or --init "
        "PHOTO."
    )


def _now(state: Growing, columns: int) -> Image:
    return _frame(list(state.pictures()), state.labels, columns)


def _frame(pictures: Sequence[Image], labels: Sequence[str], columns: int) -> Image:
    """A picture alone, or several as a sheet."""
    return pictures[0] if len(pictures) == 1 else sheets.compose(pictures, labels, columns)
