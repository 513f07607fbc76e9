"""What a layer makes of a photo: a picture for each of its places, or one that exaggerates it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from dreamer.arrays import Image
from dreamer.errors import DreamerError, speaking_of
from dreamer.files import photos
from dreamer.files.photos import Photo
from dreamer.jobs.events import Done, Planned
from dreamer.jobs.requests import FiltersRequest
from dreamer.jobs.scores import describe_score
from dreamer.jobs.sources import name_file
from dreamer.jobs.visualization import Visualization
from dreamer.recipe import Recipe

if TYPE_CHECKING:
    from dreamer.pipelines.layer_growth import Grown

STILL = 4
"""Most pixels by which a caricature is shifted: its places are those of the photo."""


def write_view(job: Visualization, request: FiltersRequest, output: Path | None) -> None:
    """Write an activation grid or a caricature, whichever is asked for.

    Raises DreamerError where more than one layer is named, or options do not go together.
    """
    option = "--grid" if request.grid else "--caricature"
    photo = request.grid or request.caricature
    assert photo is not None
    others = (request.vary, request.between, request.film, request.each, request.every_channel)
    if any(others) or (request.grid and request.caricature):
        raise DreamerError(
            f"{option} shows one picture: leave --vary, --between, --each, --all and --film out."
        )
    (first, *more) = job.wanted.recipe.terms
    if more or first.channels:
        raise DreamerError(f"{option} shows a whole layer: name one, as mixed4d.")
    with speaking_of(option):
        read = photos.read(photo)
    overwrite = job.run.overwrite
    path = name_file(output, f"{photo.stem}-{option.strip('-')}.png", overwrite=overwrite)
    layer = job.net.resolve(first.layer)
    if layer not in job.net.layers:
        raise DreamerError(f"{layer} has no places: choose a layer with feature maps.")
    draw = _draw_grid if request.grid else _draw_caricature
    picture, recipe, found = draw(job, layer, read, request.cells)
    for one in found:
        job.run.scores.add(one)
    if job.run.scores.table and not output:
        return
    facts = describe_score(found[0]) if len(found) == 1 else {}
    carried = job.describe(recipe, shown_photo_sha256=read.sha256, **facts)
    photos.write(path, picture, made=carried, overwrite=overwrite)
    job.run.emit(Done(str(path), path))


Drawn = tuple[Image, Recipe, "list[Grown]"]
"""A picture, the recipe that it carries, and what was grown for it."""


def _measure(job: Visualization, layer: str, image: Image) -> NDArray[np.float32]:
    from dreamer.networks.freezing import freeze

    return np.asarray(freeze(job.net, [layer], "float32")(image[None])[layer][0])


def _draw_grid(job: Visualization, layer: str, read: Photo, cells: int) -> Drawn:
    """Draw what each place of a photo excites, side by side (Olah et al., 2018)."""
    from dreamer.networks import channels
    from dreamer.pipelines.targets import Target

    image = channels.resize_for_measurement(read)
    maps = _measure(job, layer, image)
    longest = max(image.shape[:2])
    rows, columns = (max(1, round(cells * side / longest)) for side in image.shape[:2])
    # OpenCV resizes a few channels at a time only.
    places = np.stack(
        [
            cv2.resize(maps[..., channel], (columns, rows), interpolation=cv2.INTER_AREA)
            for channel in range(maps.shape[-1])
        ],
        -1,
    ).reshape(rows * columns, -1)
    lengths = np.linalg.norm(places, axis=1, keepdims=True)
    directions = places / np.maximum(lengths, 1e-6)
    targets = [
        Target(f"{place // columns + 1},{place % columns + 1}", layer, direction)
        for place, direction in enumerate(directions)
    ]
    recipe = job.wanted.recipe
    job.run.emit(Planned(f"{job.net.name}: {layer} on {columns}×{rows} places of the photo"))
    found = job.grow(recipe, targets)
    # The less a place excites, the darker it is.
    strong = np.sqrt(lengths / max(float(lengths.max()), 1e-6)).reshape(-1, 1, 1, 1)
    tiles = np.stack([one.picture for one in found]) * strong.astype(np.float32)
    height, width = tiles.shape[1:3]
    whole = tiles.reshape(rows, columns, height, width, 3).transpose(0, 2, 1, 3, 4)
    return whole.reshape(rows * height, columns * width, 3), recipe, found


def _draw_caricature(job: Visualization, layer: str, read: Photo, cells: int) -> Drawn:
    """Draw what a layer sees in a photo, exaggerated (lucid's caricatures)."""
    side = int(str(job.wanted.recipe.size).partition("x")[0])
    height, width = photos.fit_size(read.image.shape[:2], side)
    image = photos.resize(read, (height, width)).image
    own = job.wanted.recipe
    changes = {"size": f"{width}x{height}", "jitter": min(own.jitter, STILL)}
    still = {"view": None, "pad": 0, "unit": False}
    recipe = own.changed({**changes, "visualization": still})
    maps = _measure(job, layer, image)
    from dreamer.ascent.objectives import caricature
    from dreamer.pipelines.targets import wrap_objective

    target = wrap_objective(job.net, caricature(layer, maps), layer)
    job.run.emit(Planned(f"{job.net.name}: a caricature by {layer}, {width}×{height}"))
    found = job.grow(recipe, [target])
    return found[0].picture, recipe, found
