"""`dream filters --on`: the channels that a photo excites most, to choose from.

Their pictures are grown once, and then kept in the user's cache folder.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import platformdirs

from dreamer.arrays import Image
from dreamer.errors import DreamerError, speaking_of
from dreamer.files import photos
from dreamer.files.cell_store import Cell, CellStore
from dreamer.imaging import contact_sheet
from dreamer.jobs.requests import FiltersRequest
from dreamer.jobs.sheet_cache import grow_missing
from dreamer.jobs.sources import name_file
from dreamer.jobs.visualization import Visualization
from dreamer.recipe import to_fields
from dreamer.recipe.layer_spec import Choice, LayerSpec

if TYPE_CHECKING:
    from dreamer.networks.network import Network


def catalog_folder() -> Path:
    """Return where pictures of channels are kept."""
    return platformdirs.user_cache_path("dreamer", appauthor=False) / "filters"


def write_catalog(
    job: Visualization, request: FiltersRequest, photo: Path, output: Path | None
) -> None:
    """Write a sheet of the channels that a photo excites most, the strongest first.

    Each is labeled with its strength as a share of that of the strongest.

    Args:
        job: its recipe names the layers, and says how the channels' pictures grow.
        request: says how many of each layer there are, where the recipe does not.
        photo: what they are chosen on.
        output: a file or a folder; None for this folder.
    """
    if job.run.scores.table or job.run.scores.log:
        raise DreamerError("--on shows strengths on a photo: leave tables and --log out.")
    film, each = request.film, request.each
    if request.every_channel or request.vary or request.between or film or each:
        raise DreamerError(
            "--on shows one sheet: leave --all, --vary, --between, --film and --each out."
        )
    if job.wanted.recipe.visualization.diverse > 1:
        raise DreamerError("--on shows one picture of each channel: leave --diverse out.")
    with speaking_of("--on"):
        read = photos.read(photo)
    path = name_file(output, f"filters-on-{photo.stem}.png", overwrite=job.run.overwrite)
    net = job.net
    from dreamer.networks import channels

    image, wanted = channels.resize_for_measurement(read), job.wanted.recipe
    found = [
        layer for term in wanted.terms for layer in _find_strongest(net, term, image, request.first)
    ]
    job.run.parts.count = len(found)
    cells = [
        (cell.picture, f"{cell.label}  {strength / max(strengths.values()):.0%}")
        for layer, strengths in found
        for cell, strength in zip(
            _grow(job, layer, list(strengths)), strengths.values(), strict=True
        )
    ]
    # By number, so that a friend gets these channels without the photo.
    named = [f"{layer}:{','.join(map(str, strengths))}" for layer, strengths in found]
    provenance = job.describe(wanted.changed({"layers": named}))
    columns = request.columns or contact_sheet.choose_columns(len(cells))
    job.write_sheet(path, cells, columns, provenance)
    job.note(f"The pictures of channels are kept in {catalog_folder()}.")


def _find_strongest(
    net: Network, term: LayerSpec, image: Image, first: int
) -> Iterator[tuple[str, dict[int, float]]]:
    """Yield the channels that are taken of each layer that a term means, with their strengths."""
    from dreamer.networks import channels
    from dreamer.pipelines.targets import find_layers, find_targets

    for layer in find_layers(net, term.layer):
        strength = channels.measure_strengths(net, layer, image)
        among = [target.mix.argmax() for target in find_targets(net, layer, term.channels)]
        # What is zero is never taken.
        masked = np.zeros_like(strength)
        masked[among] = strength[among]
        chosen = channels.pick_channels(masked, term.choice or Choice("strongest", first))
        if not chosen:
            raise DreamerError(
                f"The photo excites nothing in {layer} of {net.name}: choose another layer."
            )
        yield layer, {channel: float(strength[channel]) for channel in chosen}


def _grow(job: Visualization, layer: str, chosen: Sequence[int]) -> list[Cell]:
    """Return what channels want to see; those that are not kept yet are grown."""
    from dreamer.pipelines.targets import find_targets

    key = {
        "recipe": to_fields(job.wanted.recipe.changed({"layers": [layer]})),
        "network": job.net.sha256,
        "photo": job.photo_sha256,
        "dreamer": version("dreamer"),
    }
    digest = hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()
    store = CellStore(catalog_folder() / digest[:32], key, fresh=False)
    return grow_missing(job, job.wanted.recipe, find_targets(job.net, layer, chosen), store)
