"""Naturalness: photos are natural, dreams less, noise least."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers import MEDIA

from dreamer.analysis import naturalness
from dreamer.arrays import Image
from dreamer.errors import DreamerError
from dreamer.files import photos
from dreamer.imaging import noise
from dreamer.networks import channels, freezing, loading


def folder_of(tmp_path: Path, photo: Image) -> Path:
    """Four pictures of unlike contrast, one of them in a folder within, and what is none."""
    (tmp_path / "within").mkdir()
    for number, name in enumerate(("a.png", "b.png", "c.png", "within/d.png")):
        photos.write(tmp_path / name, 0.5 + (photo - 0.5) * np.float32(0.4 + 0.2 * number))
    (tmp_path / "e.jpg").write_text("no picture")
    return tmp_path


def test_by_the_package_a_photo_is_natural_and_its_dream_is_not() -> None:
    measure = naturalness.load(loading.load("dreamnet"))
    # The photo and, beside it, its dream.
    both = photos.read(MEDIA / "sample-dream.jpg").image
    halves = both[:, : both.shape[1] // 2], both[:, both.shape[1] // 2 :]
    photo, dream = (
        measure.distance(channels.resize_for_measurement(photos.Photo(half, None, "")))
        for half in halves
    )
    grain = measure.distance(noise.draw_noise("uniform", (240, 320), 0))
    assert photo < 1.3
    assert 1.3 * photo < dream < grain


def test_the_distance_is_that_of_a_folders_photos(tmp_path: Path, photo: Image, tiny: Any) -> None:
    folder = folder_of(tmp_path, photo)
    layers = ("relu", "mixed")
    told: dict[str, list[Any]] = {layer: [] for layer in layers}
    for path in sorted(folder.rglob("*.png")):
        maps = freezing.freeze(tiny, layers, "float32")(photos.read(path).image[None])
        for layer in layers:
            values = np.asarray(maps[layer][0], np.float64)
            told[layer].append(np.sqrt(np.abs([values.mean((0, 1)), values.std((0, 1))])))
    parts = []
    for layer in layers:
        mean, spread = np.mean(told[layer], 0), np.std(told[layer], 0)
        spread = np.maximum(spread, 0.02 * spread.mean())
        parts.append(np.square((told[layer][0] - mean) / spread).mean())
    wanted = np.sqrt(np.mean(parts))
    measure = naturalness.Naturalness(tiny, naturalness.measure_statistics(tiny, folder))
    assert list(measure.usual) == list(layers)
    assert measure.distance(photos.read(folder / "a.png").image) == pytest.approx(wanted, rel=1e-3)


def test_what_cannot_be_measured_is_said(tmp_path: Path, photo: Image, tiny: Any) -> None:
    with pytest.raises(DreamerError, match="no photo in the folder"):
        naturalness.measure_statistics(tiny, tmp_path)
    (tmp_path / "e.jpg").write_text("no picture")
    with pytest.raises(DreamerError, match="that can be used"):
        naturalness.measure_statistics(tiny, tmp_path)
    photos.write(tmp_path / "one.png", photo)
    with pytest.raises(DreamerError, match="one photo"):
        naturalness.measure_statistics(tiny, tmp_path)
    with pytest.raises(DreamerError, match="not known: dream on dreamnet or googlenet"):
        naturalness.load(tiny)
    with pytest.raises(DreamerError, match="too small"):
        naturalness.load(loading.load("dreamnet")).distance(photo[:20])


@pytest.mark.parametrize("name", ["googlenet", "dreamnet"])
def test_what_the_package_knows_is_small_and_fits(name: str) -> None:
    path = Path(naturalness.__file__).parents[1] / "data" / f"naturalness-{name}.npz"
    assert path.stat().st_size < 50_000
    net = loading.build(name, None)
    with np.load(path) as archive:
        shapes = {layer: archive[layer].shape for layer in archive}
        assert all((archive[layer][1] > 0).all() for layer in archive)
    assert shapes == {layer: (2, 2, net.channels(layer)) for layer in naturalness.layers(net)}
