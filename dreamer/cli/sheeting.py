"""What `dream filters` writes: sheets of channels, or single pictures."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from dreamer.cli import sources
from dreamer.cli.sources import make_folder
from dreamer.cli.visualisation import Visualisation
from dreamer.errors import DreamerError
from dreamer.files import atomic, photos
from dreamer.layers import LayerSpec

if TYPE_CHECKING:
    from dreamer.visualise import Target


def run(
    call: Visualisation, *, first: int, columns: int | None, each: bool, output: Path | None
) -> None:
    """Grow what the recipe's layers name, and write it."""
    started = time.perf_counter()
    recipe = call.wanted.recipe
    file, folder = sources.destination(output, many=each, depth=None, overwrite=call.overwrite)
    targets = [target for term in recipe.terms for target in _targets(call, term, first)]
    where = file.parent if file else folder or Path()
    make_folder(where)
    atomic.check_writable(where)
    height, width = call.visualiser(recipe).size
    call.note(f"{call.net.name}: {len(targets)} pictures of {width}×{height}, {recipe.steps} steps")
    grown = call.grow(recipe, targets)
    if each:
        for picture in grown:
            path = where / f"{picture.label.replace(':', '-')}.png"
            layer = recipe.changed({"layers": [picture.label]})
            photos.write(path, picture.picture, made=call.made(layer), overwrite=call.overwrite)
            typer.echo(str(path))
    else:
        path = file or atomic.free_name(where / "filters.png")
        columns = columns or math.ceil(math.sqrt(len(grown)))
        cells = [(each.picture, f"{each.label}  {each.score:.4g}") for each in grown]
        call.write_sheet(path, cells, columns, call.made(recipe))
    call.note(f"{time.perf_counter() - started:.1f} s")


def _targets(call: Visualisation, term: LayerSpec, first: int) -> Sequence[Target]:
    net = call.net
    from dreamer import visualise

    if term.choice:
        raise DreamerError(f"{term.layer} is chosen on a photo, and here is none: give numbers.")
    channels = term.channels or range(min(first, net.channels(net.resolve(term.layer))))
    return visualise.targets(net, term.layer, channels, term.channel_weights)
