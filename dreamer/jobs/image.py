"""The job behind `dream image`: dream on photos, one after the other, on one network."""

from __future__ import annotations

from pathlib import Path

from dreamer.errors import DreamerError
from dreamer.jobs import drafts
from dreamer.jobs.ascent_film import check_film
from dreamer.jobs.dream_photos import CELL_SIZE, Ask, dream_all, start_dreaming
from dreamer.jobs.events import Note, Outcome, Sink, Stop
from dreamer.jobs.mask_and_guide_files import find_companions
from dreamer.jobs.outputs import choose_encoding, save_preset
from dreamer.jobs.requests import ImageRequest
from dreamer.jobs.resolve import Origin, resolve, take_first_frame
from dreamer.jobs.sheets import write_sheets
from dreamer.jobs.sources import Naming, find_destination, find_sources
from dreamer.jobs.watch import watch
from dreamer.jobs.workbench import Workbench
from dreamer.recipe.field_types import Kind
from dreamer.recipe.provenance import Provenance


def run(request: ImageRequest, emit: Sink, stop: Stop, bench: Workbench) -> Outcome:
    """Dream on photos as a request asks for.

    Raises DreamerError where nothing can be done.
    """
    drafts.check_options(request.draft, request.finish, request.output, request.no_recipe)
    origin = find_origin(request)
    companions = find_companions(request, origin.preset)
    if (request.sheet or request.vary) and "size" not in request.fields:
        request = request.model_copy(update={"fields": {**request.fields, "size": CELL_SIZE}})

    def read(origin: Origin) -> Provenance:
        wanted = resolve(request, Kind.PICTURE, emit, origin, companions)
        return take_first_frame(wanted, emit, None if "size" in request.fields else request.noise)

    wanted = read(origin)
    found, note = find_sources(
        request.photos, request.noise, wanted.recipe.seed, damaged=request.allow_damaged
    )
    if note:
        emit(Note(note))
    depth = int(request.depth.value) if request.depth else None
    target = find_destination(
        request.output, many=len(found) > 1, depth=depth, overwrite=request.overwrite
    )
    sheets = bool(request.sheet or request.vary)
    check_film(request.film, alone=len(found) == 1 and not (request.watch or sheets))
    if request.save_preset:
        save_preset(request.save_preset, wanted.recipe, overwrite=request.overwrite)
    dreaming = start_dreaming(request, wanted, companions, emit, stop, bench)
    ask = Ask(
        Naming(target, choose_suffix(request), request.overwrite),
        choose_encoding(
            wanted,
            request.quality,
            depth,
            target.file,
            recipe=not request.no_recipe,
            dpi=request.dpi,
        ),
        strict=bool({"motif", "octaves", "octave_scale"} & request.fields.keys()),
        draft=request.draft,
        finish=origin.preset.provenance if request.finish and origin.preset else None,
        film=request.film,
    )
    if request.watch:
        # A preset that is watched is read anew.
        read_anew = lambda: read(find_origin(request)).recipe  # noqa: E731
        return watch(dreaming, ask, found, request.watch, read_anew)
    if sheets:
        return write_sheets(dreaming, ask, found, request)
    return dream_all(dreaming, ask, found)


def find_origin(request: ImageRequest) -> Origin:
    """Find out which option names the recipe. Raises DreamerError where two do."""
    own = request.finish or request.watch
    if own is None:
        return Origin(request.preset)
    both = request.finish and request.watch
    if request.preset or request.sheet or request.vary or both:
        raise DreamerError(f"{own} is the recipe here: leave --preset, --sheet and --vary out.")
    return Origin(str(own), "--finish" if request.finish else "--watch")


def choose_suffix(request: ImageRequest) -> str:
    """Choose what the name of an output ends with."""
    if request.sheet or request.vary:
        return "sheet"
    if request.draft:
        return "draft"
    named = request.watch or request.preset
    return Path(named).stem if named else "dream"
