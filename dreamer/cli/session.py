"""One call of `dream image`: the network loaded once, then photo after photo."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import typer
from numpy.typing import NDArray

from dreamer import presets, sheets
from dreamer import recipe as recipes
from dreamer.arrays import Image, Size
from dreamer.cli import options, show
from dreamer.errors import DreamerError
from dreamer.files import atomic, photos
from dreamer.files.metadata import Made
from dreamer.files.photos import Photo
from dreamer.nets import runtime
from dreamer.recipe import Recipe

if TYPE_CHECKING:
    from dreamer.assemble import Assembly, Plan
    from dreamer.nets.network import Network


GUIDE_SIZE = 320
"""The longest side, in pixels, at which a guide's activations are taken."""


class Source(NamedTuple):
    """Something to dream on: a name for its output, and how it is read."""

    path: Path
    read: Callable[[], Photo]


def sources(paths: Sequence[Path], noise: str | None, seed: int) -> list[Source]:
    """Photos, or the noise that `--noise` describes, named in the working folder."""
    if bool(paths) == bool(noise):
        both = ", not both" if noise else ""
        raise DreamerError(f"Give photos to dream on, or --noise WIDTHxHEIGHT{both}.")
    if noise:
        kind, size = options.noise(noise)
        return [Source(Path(f"{kind}.png"), lambda: photos.noise(kind, size, seed))]
    return [Source(path, partial(photos.read, path)) for path in paths]


def destination(
    output: Path | None, *, many: bool, overwrite: bool
) -> tuple[Path | None, Path | None]:
    """The file or the folder that `--output` names; both None where it was not given."""
    if output is None:
        return None, None
    if output.is_dir() or not output.suffix:
        return None, output
    if many:
        raise DreamerError(f"Several pictures do not fit into {output}: give a folder.")
    if output.suffix.lower() not in photos.WRITERS:
        known = " ".join(photos.WRITERS)
        raise DreamerError(f"Cannot write {output.suffix} files: end --output in one of {known}.")
    if output.exists() and not overwrite:
        raise atomic.exists(output)
    return output, None


def _make_folder(path: Path) -> None:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DreamerError(f"Cannot make the folder {path}: {error.strerror}.") from None


def file_sha256(path: Path) -> str:
    """The hash of a photo that a recipe refers to."""
    return photos.read(path).sha256


def save_preset(path: Path, recipe: Recipe, *, overwrite: bool) -> None:
    """Write a recipe as a TOML preset."""
    with atomic.replacing(path, overwrite=overwrite) as file:
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
    no_recipe: bool
    overwrite: bool
    quiet: bool
    networks: dict[str, Network] = field(default_factory=dict)
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
        recipe, facts = self.wanted
        made = self.assemble(recipe)
        if recipe.precision not in ("auto", made.recipe.precision):
            self.note(f"{recipe.precision} needs bfloat16 units, which are not here: float32.")
        if facts and facts.get("network_sha256") != made.network.sha256:
            self.note(
                f"The weights of {recipe.network} are not those that the picture was made on."
            )
        return made

    def assemble(self, recipe: Recipe) -> Assembly:
        """A recipe on its network, which is loaded once."""
        # TensorFlow is imported by these two, and must have been started before.
        _ = self.threads
        from dreamer.assemble import assemble, load

        if recipe.network not in self.networks:
            self.networks[recipe.network] = load(recipe, self.weights)
        return assemble(recipe, self.networks[recipe.network], self.guide_image)

    @cached_property
    def guide_image(self) -> Image | None:
        """The guide at the size at which its activations are taken."""
        if self.guide is None:
            return None
        photo = photos.read(self.guide)
        return photos.resize(photo, photos.fitted(photo.image.shape[:2], GUIDE_SIZE)).image

    def note(self, text: str) -> None:
        """One line for the person who waits."""
        show.note(text, quiet=self.quiet)

    def name(self, source: Path) -> Path:
        """Where the dream of `source` is written."""
        if self.target:
            return self.target
        path = (self.folder or source.parent) / f"{source.stem}-{self.suffix}.png"
        taken = self.written if self.overwrite else None
        path = atomic.free_name(path, taken)
        self.written.add(path)
        return path

    @property
    def jpeg_quality(self) -> int:
        """As asked for, or as a finished picture was written."""
        recorded = self.wanted.facts.get("quality")
        if self.quality is None and isinstance(recorded, int) and 1 <= recorded <= 100:
            return recorded
        return self.quality or photos.QUALITY

    def read_mask(self, size: Size) -> NDArray[np.float32] | None:
        """The mask at a picture's size; a recipe that was made with one needs it again."""
        if self.mask:
            mask = photos.resize(photos.read(self.mask), size).image
            return np.asarray(mask.mean(-1), np.float32)
        if self.wanted.recipe.mask:
            raise DreamerError("This recipe was made with a mask: give it again by --mask.")
        return None

    def dream_all(self, sources: Sequence[Source]) -> None:
        """Dream on every photo; one that fails stops no other and is named at the end."""
        self._for_each(sources, self.dream_one)

    def sheet_all(self, sources: Sequence[Source], kind: str | None, vary: Sequence[str]) -> None:
        """The same for a contact sheet of each photo."""
        self._for_each(sources, lambda source: self.dream_sheet(source, kind, vary))

    def _for_each(self, sources: Sequence[Source], work: Callable[[Source], None]) -> None:
        failed = False
        for source in sources:
            try:
                work(source)
            except DreamerError as error:
                if len(sources) == 1:
                    raise
                # What is wrong with the recipe is wrong for every photo, and raises here.
                _ = self.assembly
                typer.echo(f"dream: {error}", err=True)
                failed = True
        if failed:
            raise typer.Exit(1)

    def _cells(self, kind: str | None, vary: Sequence[str]) -> list[tuple[str, Recipe]]:
        """The recipes of a sheet's pictures, each with the options that make it."""
        base = self.wanted.recipe
        if kind is None:
            return recipes.variations(base, vary)
        if kind == "layers":
            layers = self.assemble(base).network.spec.motifs
            return recipes.variations(base, [f"layers={','.join(layers)}", *vary])
        size = {"size": base.size, "enlarge": base.enlarge}
        named = [(name.strip(), presets.load(name.strip()).recipe) for name in kind.split(",")]
        return [
            (f"-p {name} {label}".strip(), recipe)
            for name, preset in named
            for label, recipe in recipes.variations(preset.changed(size), vary)
        ]

    def dream_sheet(self, source: Source, kind: str | None, vary: Sequence[str]) -> None:
        """Dream on one photo by every recipe of a sheet, and write the sheet."""
        started = time.perf_counter()
        read = source.read()
        cells = self._cells(kind, vary)
        pictures = []
        for number, (label, recipe) in enumerate(cells):
            self.note(f"{number + 1} of {len(cells)}: {label}")
            size = photos.fitted(read.image.shape[:2], recipe.size, enlarge=recipe.enlarge)
            photo = photos.resize(read, size)
            assembly = self.assemble(recipe)
            *_, last = assembly.dream(photo.image, assembly.plan(size), self.read_mask(size))
            pictures.append(last.picture())
        square = math.ceil(math.sqrt(len(cells)))
        columns = len(recipes.variations(Recipe(), vary[-1:])) if len(vary) > 1 else square
        path = self.name(source.path)
        _make_folder(path.parent)
        sheet = sheets.compose(pictures, [label for label, _ in cells], columns)
        photos.write(path, sheet, quality=self.jpeg_quality, overwrite=self.overwrite)
        if not self.quiet:
            typer.echo(f"{path}  {time.perf_counter() - started:.1f} s")

    def dream_one(self, source: Source) -> None:
        """Read one photo, dream on it, and write the picture; Ctrl-C writes it as it stands."""
        started = time.perf_counter()
        recipe = self.wanted.recipe
        photo = source.read()
        read_size = photo.image.shape[:2]
        size = photos.fitted(read_size, recipe.size, enlarge=recipe.enlarge)
        photo = photos.resize(photo, size)
        assembly = self.assembly
        mask = self.read_mask(size)
        plan = assembly.plan(size, strict=self.strict)
        self.note(_announcement(source.path, read_size, size, assembly, plan))
        path = self.name(source.path)
        _make_folder(path.parent)
        atomic.check_writable(path.parent)
        preview = atomic.free_name(path.with_name(f"{path.stem}.preview.png"))
        with show.interruptible() as interrupt, show.progress(quiet=self.quiet) as bar:
            try:
                for state in assembly.dream(photo.image, plan, mask):
                    bar(state)
                    if interrupt.asked:
                        break
                    if state.ends_octave and state.octave < state.octaves:
                        photos.write(preview, state.picture())
            finally:
                preview.unlink(missing_ok=True)
        made = assembly.made(photo.sha256, plan, self.threads)
        if path.suffix.lower() != ".png":
            made.facts["quality"] = self.jpeg_quality
        if interrupt.asked:
            stopped = (
                f"octave {state.octave} of {state.octaves}, step {state.step} of {state.steps}"
            )
            made.facts["stopped"] = stopped
        photos.write(
            path,
            state.picture(),
            photo.alpha,
            None if self.no_recipe else made,
            quality=self.jpeg_quality,
            overwrite=self.overwrite,
        )
        seconds = time.perf_counter() - started
        if interrupt.asked:
            self.note(f"Stopped after {stopped}: {path} holds the dream so far.")
            raise typer.Exit(show.INTERRUPTED)
        if not self.quiet:
            typer.echo(f"{path}  {seconds:.1f} s")


def _announcement(source: Path, read_size: Size, size: Size, assembly: Assembly, plan: Plan) -> str:
    """What is about to be done, in one line."""
    scaled = {-1: " (reduced, see --size)", 0: "", 1: " (enlarged)"}[
        (max(size) > max(read_size)) - (max(size) < max(read_size))
    ]
    layers = " ".join(assembly.recipe.layers)
    named = [term.layer for term in assembly.terms]
    asked = [term.layer for term in assembly.recipe.terms]
    taken = f" (that is {', '.join(named)})" if asked != named else ""
    octaves = ", ".join(
        f"{width}×{height}" + (" bfloat16" if dtype == "bfloat16" else "")
        for (height, width), dtype in zip(plan.sizes, plan.dtypes, strict=True)
    )
    dropped = f"; {len(plan.dropped)} too small for the network, left out" if plan.dropped else ""
    return (
        f"{source.name}, {size[1]}×{size[0]}{scaled}: {assembly.network.name} {layers}{taken}, "
        f"{assembly.recipe.steps} steps at {octaves}{dropped}"
    )
