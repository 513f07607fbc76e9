"""One call of `dream image`: the network loaded once, then photo after photo."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import typer
from numpy.typing import NDArray

from dreamer import presets
from dreamer import recipe as recipes
from dreamer.arrays import Image, Size
from dreamer.cli import drafts, growth, show
from dreamer.cli.drafts import Stopped
from dreamer.cli.show import Bar
from dreamer.cli.sources import Source, make_folder
from dreamer.errors import DreamerError, speaking_of
from dreamer.files import atomic, deep, listing, photos
from dreamer.files.metadata import Made
from dreamer.files.photos import Photo
from dreamer.nets import runtime
from dreamer.recipe import Recipe

if TYPE_CHECKING:
    from dreamer.ascent.engine import Progress
    from dreamer.assemble import Assembly, Plan
    from dreamer.nets.network import Network


def file_sha256(path: Path | None, role: str) -> str | None:
    """The hash of a photo, or of a folder of photos, that a recipe refers to as its mask or guide.

    None where there is none. Raises DreamerError that names the option.
    """
    if path is None:
        return None
    with speaking_of(f"--{role}"):
        return listing.sha256(path) if path.is_dir() else photos.read(path, role).sha256


def brought(
    preset: str | None, mask: Path | None, guide: Path | None, option: str = "--preset"
) -> tuple[Path | None, Path | None]:
    """The mask and the guide: those of the options, or those that the preset brings along.

    `option` is what names the preset.
    """
    with speaking_of(option):
        files = presets.files(preset) if preset else {}
    return mask or files.get("mask"), guide or files.get("guide")


def save_preset(path: Path, recipe: Recipe, *, overwrite: bool) -> None:
    """Write a recipe as a TOML preset."""
    with (
        speaking_of("--save-preset"),
        atomic.replacing(path, overwrite=overwrite) as file,
    ):
        file.write(recipes.to_toml(recipe).encode())


@dataclass(frozen=True)
class Session:
    """What holds for all photos of one call; the network is loaded once, after the first photo."""

    wanted: Made
    weights: Path | None
    mask: Path | None
    guide: Path | None
    asked_threads: int | None
    target: Path | None
    folder: Path | None
    suffix: str
    strict: bool
    quality: int | None
    depth: int | None
    no_recipe: bool
    overwrite: bool
    quiet: bool
    draft: bool = False
    finish: Made | None = None
    film: Path | None = None
    networks: dict[tuple[object, ...], Network] = field(default_factory=dict)
    written: set[Path] = field(default_factory=set)

    @cached_property
    def threads(self) -> int:
        """TensorFlow's, started now; a finished picture is repeated with its own number."""
        recorded = self.wanted.facts.get("threads")
        # A picture may come from a stranger, and from a larger machine.
        known = isinstance(recorded, int) and 1 <= recorded <= runtime.processors()
        count = runtime.start(self.asked_threads or (recorded if known else None))
        if recorded not in (None, count):
            self.note(f"The picture was made with {recorded!r} threads, this one is with {count}.")
        return count

    @cached_property
    def assembly(self) -> Assembly:
        """The recipe on the loaded network."""
        recipe, facts, _ = self.wanted
        made = self.assemble(recipe)
        if recipe.precision not in ("auto", made.recipe.precision):
            self.note(f"{recipe.precision} needs bfloat16 units, which are not here: float32.")
        if facts and facts.get("network_sha256") != made.network.sha256:
            self.note(
                f"The weights of {recipe.network} are not those that the picture was made on."
            )
        return made

    def assemble(
        self, recipe: Recipe, photo: Photo | None = None, before: Assembly | None = None
    ) -> Assembly:
        """A recipe on its network, which is loaded once.

        Channels are chosen on the photo; `before` lends its graphs.
        """
        # TensorFlow is imported by these two, and must have been started before.
        _ = self.threads
        from dreamer.assemble import assemble, load
        from dreamer.nets.channels import settled

        own = (recipe.network, recipe.input_range, recipe.input_mean, recipe.input_order)
        if own not in self.networks:
            self.networks[own] = load(recipe, self.weights)
            for text in self.networks[own].notes:
                self.note(text)
        net = self.networks[own]
        if photo is not None:
            recipe = settled(recipe, net, photo)
        return assemble(recipe, net, self.guide_image, before)

    @cached_property
    def guide_image(self) -> Image | Path | None:
        """The guide at the size at which its activations are taken; a folder as it is."""
        if self.guide is None or self.guide.is_dir():
            return self.guide
        from dreamer.nets.channels import looked_at

        return looked_at(photos.read(self.guide, "guide"))

    def note(self, text: str) -> None:
        """One line for the person who waits."""
        show.note(text, quiet=self.quiet)

    def name(self, source: Source) -> Path:
        """Where the dream of `source` is written."""
        if self.target:
            return self.target
        named = atomic.fitting(source.name, f"-{self.suffix}.png")
        path = (self.folder or source.folder) / named
        taken = self.written if self.overwrite else None
        path = atomic.free_name(path, taken)
        self.written.add(path)
        return path

    def resumable(self, beside: Path, name: str, unfinished: Callable[[Path], bool]) -> Path:
        """Where what can be gone on with is written: an unfinished one of that name comes first.

        Raises DreamerError where it exists.
        """
        path = self.target or (self.folder or beside) / name
        if self.overwrite or unfinished(path) or not path.exists():
            return path
        if self.target:
            raise atomic.exists(path)
        return atomic.free_name(path)

    @property
    def jpeg_quality(self) -> int:
        """As asked for, or as a finished picture was written."""
        recorded = self.wanted.facts.get("quality")
        if self.quality is None and isinstance(recorded, int) and 1 <= recorded <= 100:
            return recorded
        return self.quality or photos.QUALITY

    @property
    def bits(self) -> int:
        """Bits a colour: as asked for, or as a finished picture was written, where it can be."""
        deep_enough = self.target is None or self.target.suffix.lower() in deep.WRITERS
        recorded = self.wanted.facts.get("depth")
        if self.depth is None and recorded in (8, 16) and deep_enough:
            return int(recorded)
        return self.depth or photos.DEPTH

    def read_mask(self, size: Size) -> NDArray[np.float32] | None:
        """The mask at a picture's size; a recipe that was made with one needs it again."""
        if self.mask:
            with speaking_of("--mask"):
                return photos.read_mask(self.mask, size)
        if self.wanted.recipe.mask:
            raise DreamerError("This recipe was made with a mask: give it again by --mask.")
        return None

    def dream_all(self, sources: Sequence[Source]) -> None:
        """Dream on every photo."""
        self.for_each(sources, self.dream_one)

    def for_each(self, sources: Sequence[Source], work: Callable[[Source, Bar], None]) -> None:
        """Do the same to every photo; one that fails stops no other and is named at the end."""
        failed: list[str] = []
        with show.progress(len(sources), quiet=self.quiet) as bar:
            for number, source in enumerate(sources):
                bar.begin(number)
                try:
                    work(source, bar)
                # Whatever is wrong with one of them.
                except Exception as error:
                    if len(sources) == 1 or isinstance(error, typer.Exit):
                        raise
                    # What is wrong with the recipe is wrong for every photo, and raises here.
                    _ = self.assembly
                    failed.append(show.of_failure(source.path, error))
        for each in failed:
            show.complain(each)
        if failed:
            raise typer.Exit(1)

    def dream_one(self, source: Source, bar: Bar) -> None:
        """Read one photo, dream on it, and write the picture; Ctrl-C writes it as it stands."""
        started = time.perf_counter()
        recipe = self.wanted.recipe
        photo = source.read()
        read_size = photo.image.shape[:2]
        size = photos.fitted(read_size, recipe.size, enlarge=recipe.enlarge)
        photo = photos.resize(photo, size)
        assembly = self.assemble(recipe, photo) if recipe.chooses else self.assembly
        mask = self.read_mask(size)
        plan = assembly.plan(size, strict=self.strict)
        begun = drafts.begun(self.finish, photo, plan, assembly) if self.finish else None
        last = plan.draft if self.draft else len(plan.sizes)
        self.note(show.announcement(source.path, photo, read_size, assembly, plan, last))
        path = self.name(source)
        make_folder(path.parent)
        preview = atomic.free_name(path.with_name(atomic.fitting(path.stem, ".preview.png")))
        made = None if self.no_recipe else assembly.made(photo.sha256, plan, self.threads)
        every, ended = 1 if self.film else None, None
        with (
            show.interruptible() as interrupt,
            growth.filmed(self.film, size, made, overwrite=self.overwrite) as frame,
        ):
            try:
                for state in assembly.dream(photo.image, plan, mask, begun, every=every):
                    bar(state)
                    frame(state.picture)
                    if interrupt.asked or (state.ends_octave and state.octave == last):
                        break
                    if state.ends_octave:
                        ended = state
                        photos.write(preview, state.picture())
            finally:
                preview.unlink(missing_ok=True)
        if state.score == 0 and not begun:
            self.note(show.SILENT)
        place = f"octave {state.octave} of {state.octaves}, step {state.step} of {state.steps}"
        stopped = drafts.Stopped(place, ended) if interrupt.asked else None
        self.write(path, state, photo, assembly, plan, stopped, overwrite=self.overwrite)
        seconds = time.perf_counter() - started
        if stopped:
            resumed = drafts.resumed(stopped, path)
            self.note(f"Stopped after {place}: {path} holds the dream so far{resumed}.")
            raise typer.Exit(show.INTERRUPTED)
        if not self.quiet:
            show.say(f"{path}  {seconds:.1f} s")

    def write(
        self,
        path: Path,
        state: Progress,
        photo: Photo,
        assembly: Assembly,
        plan: Plan,
        stopped: Stopped | None = None,
        *,
        overwrite: bool,
    ) -> None:
        """Write a dream as it stands, with its recipe."""
        made = assembly.made(photo.sha256, plan, self.threads)
        if path.suffix.lower() != ".png":
            made.facts["quality"] = self.jpeg_quality
        if self.bits != photos.DEPTH:
            made.facts["depth"] = self.bits
        if stopped:
            made.facts["stopped"] = stopped.place
        ended = stopped.ended if stopped else state if self.draft else None
        if ended and path.suffix.lower() == ".png":
            made = drafts.drafted(made, ended)
        photos.write(
            path,
            state.picture(),
            photo.alpha,
            None if self.no_recipe else made,
            quality=self.jpeg_quality,
            depth=self.bits,
            overwrite=overwrite,
        )
