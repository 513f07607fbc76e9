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

from dreamer import recipe as recipes
from dreamer import sheets
from dreamer.arrays import Image
from dreamer.cli import sheeting, sources
from dreamer.cli.visualisation import Visualisation
from dreamer.errors import DreamerError, speaking_of
from dreamer.files import atomic, photos
from dreamer.files.cells import Cell, Cells
from dreamer.layers import Choice, LayerSpec

if TYPE_CHECKING:
    from dreamer.nets.network import Network


def folder() -> Path:
    """Where pictures of channels are kept."""
    return platformdirs.user_cache_path("dreamer", appauthor=False) / "filters"


def run(
    call: Visualisation, photo: Path, *, first: int, columns: int | None, output: Path | None
) -> None:
    """Write a sheet of the channels that a photo excites most, the strongest first.

    Each is labelled with its strength as a share of that of the strongest.

    Args:
        call: its recipe names the layers, and says how the channels' pictures grow.
        photo: what they are chosen on.
        first: how many of each layer, where it does not say so itself.
        columns: of the sheet.
        output: its name, or a folder for it.
    """
    if call.wanted.recipe.feature.diverse > 1:
        raise DreamerError("--on shows one picture of each channel: leave --diverse out.")
    with speaking_of("--on"):
        looked_at = photos.read(photo)
    file, where = sources.destination(output, many=False, depth=None, overwrite=call.overwrite)
    usual = (where or Path()) / f"filters-on-{photo.stem}.png"
    path = file or atomic.usual_name(usual, overwrite=call.overwrite)
    sources.make_folder(path.parent)
    net = call.net
    from dreamer.nets import channels

    image = channels.looked_at(looked_at)
    wanted = call.wanted.recipe
    found = [each for term in wanted.terms for each in _strongest(net, term, image, first)]
    cells = [
        (cell.picture, f"{cell.label}  {strength / max(strengths.values()):.0%}")
        for layer, strengths in found
        for cell, strength in zip(
            _pictures(call, layer, list(strengths)), strengths.values(), strict=True
        )
    ]
    # By number, so that a friend gets these channels without the photo.
    named = [f"{layer}:{','.join(map(str, strengths))}" for layer, strengths in found]
    made = call.made(wanted.changed({"layers": named}))
    call.write_sheet(path, cells, columns or sheets.square(len(cells)), made)
    call.note(f"The pictures of channels are kept in {folder()}.")


def _strongest(
    net: Network, term: LayerSpec, image: Image, first: int
) -> Iterator[tuple[str, dict[int, float]]]:
    """The channels that are taken of each layer that a term means, with their strengths."""
    from dreamer import targets
    from dreamer.nets import channels

    for layer in targets.layers(net, term.layer):
        strength = channels.strengths(net, layer, image)
        among = [target.mix.argmax() for target in targets.targets(net, layer, term.channels)]
        # What is zero is never taken.
        masked = np.zeros_like(strength)
        masked[among] = strength[among]
        chosen = channels.choose(masked, term.choice or Choice("strongest", first))
        if not chosen:
            raise DreamerError(
                f"The photo excites nothing in {layer} of {net.name}: choose another layer."
            )
        yield layer, {channel: float(strength[channel]) for channel in chosen}


def _pictures(call: Visualisation, layer: str, chosen: Sequence[int]) -> list[Cell]:
    """What channels want to see; those that are not kept yet are grown."""
    from dreamer import targets

    key = {
        "recipe": recipes.to_fields(call.wanted.recipe.changed({"layers": [layer]})),
        "network": call.net.sha256,
        "photo": call.photo_sha256,
        "dreamer": version("dreamer"),
    }
    digest = hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()
    store = Cells(folder() / digest[:32], key, fresh=False)
    wanted = targets.targets(call.net, layer, chosen)
    return sheeting.kept(call, call.wanted.recipe, wanted, store)
