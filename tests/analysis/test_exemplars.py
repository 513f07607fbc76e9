"""Exemplars: found wherever they lie, cut out around the cell that is excited."""

import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from dreamer.analysis import exemplars
from dreamer.analysis.exemplars import Channel, Exemplar, Patch, PatchCutter
from dreamer.arrays import Image
from dreamer.files import photo_folder, photos
from dreamer.networks import receptive_fields
from dreamer.networks.network import Network

RED, BLUE = Channel("mean", 0), Channel("mean", 2)


@pytest.fixture
def net(tiny: Network) -> Network:
    """A network whose channels are the mean colors of 5×5 pixels, every 5 pixels."""
    image = keras.Input((None, None, 3))
    colors = layers.Conv2D(3, 5, 5, use_bias=False, name="mean")(image)
    pooled = layers.GlobalAveragePooling2D(name="pooled")(colors)
    model = keras.Model(image, pooled)
    kernel = np.zeros((5, 5, 3, 3), np.float32)
    kernel[:, :, range(3), range(3)] = 1 / 25
    model.get_layer("mean").set_weights([kernel])
    return Network("colors", replace(tiny.spec, smallest=20), lambda: model, "")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Gray photos of unlike sizes with a spot of red, the rarer the brighter; and what is none."""
    (tmp_path / "within").mkdir()
    for number in range(8):
        image = np.full((40 + number, 60, 3), 0.5, np.float32)
        image[10:15, 5 * number : 5 * number + 5, 0] = 0.6 + number / 20
        photos.write(tmp_path / ("within" if number % 2 else "") / f"{number}.png", image)
    (tmp_path / "copy.png").write_bytes((tmp_path / "6.png").read_bytes())
    (tmp_path / "broken.jpg").write_text("no picture")
    photos.write(tmp_path / "tiny.png", np.full((16, 16, 3), 1, np.float32))
    photos.write(tmp_path / ".hidden.png", np.full((64, 64, 3), 1, np.float32))
    return tmp_path


def found(net: Network, folder: Path, channels: Sequence[Channel] = (RED, BLUE)) -> Any:
    *_, last = exemplars.search(net, channels, folder, count=3, longest=320)
    return last


def test_the_strongest_are_found_in_any_order(
    net: Network, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = found(net, folder)
    assert (first.seen, first.skipped) == (9, 2)
    red = first.best[RED]
    assert [each.path.name for each in red] == ["7.png", "6.png", "5.png"]
    assert [each.cell for each in red] == [(2, 7), (2, 6), (2, 5)]
    assert red[0].activation == pytest.approx(2 * 0.95 - 1, abs=0.01)
    assert {each.path.name for each in first.best[BLUE]} <= {f"{n}.png" for n in range(8)}
    paths = list(photo_folder.walk(folder))
    for seed in (1, 2):
        random.Random(seed).shuffle(paths)
        monkeypatch.setattr(photo_folder, "walk", lambda folder, order=tuple(paths): iter(order))
        assert found(net, folder).best == first.best


def test_a_unit_has_whole_photos(net: Network, folder: Path) -> None:
    (best,) = found(net, folder, [Channel("pooled", 0)]).best.values()
    patch = PatchCutter(net, {}).patch(Channel("pooled", 0), best[0])
    assert patch.cut.shape[:2] == (min(best[0].size),) * 2
    assert not np.isnan(patch.cut).any()


def test_a_patch_is_what_the_cell_sees(net: Network, folder: Path) -> None:
    best = found(net, folder).best[RED]
    patches = [PatchCutter(net, {}).patch(RED, each) for each in best]
    for each, patch in zip(best, patches, strict=True):
        assert patch.box == (slice(10, 15), slice(5 * each.cell[1], 5 * each.cell[1] + 5))
        np.testing.assert_array_equal(patch.cut, patch.photo[patch.box])
    expected = np.mean([patch.cut for patch in patches], 0)
    np.testing.assert_allclose(exemplars.average_patches(patches), expected, atol=1e-6)
    middle = PatchCutter(net, {"mean": 3}).patch(RED, best[0])
    assert middle.box == (slice(11, 14), slice(36, 39))


def test_beyond_the_photo_there_is_nothing_and_the_mean_leaves_it_out(
    tiny: Network, tmp_path: Path, photo: Image
) -> None:
    path = tmp_path / "photo.png"
    photos.write(path, photo)
    corner = Exemplar(1.0, path, "", photo.shape[:2], photo.shape[:2], (0, 0))
    patch = PatchCutter(tiny, {}).patch(Channel("mixed", 0), corner)
    field = receptive_fields.fields(tiny.model, photo.shape[:2])["mixed"]
    assert field is not None
    outside = -int(field.rows.start)
    assert outside > 0
    assert np.isnan(patch.cut[:outside]).all()
    np.testing.assert_array_equal(patch.cut[outside:, outside:], patch.photo[patch.box])
    whole = np.full_like(patch.cut, 0.25)
    mean = exemplars.average_patches([patch, Patch(patch.photo, patch.box, whole)])
    assert (mean[:outside] == 0.25).all()
    np.testing.assert_allclose(
        mean[outside:, outside:], (0.25 + patch.cut[outside:, outside:]) / 2, atol=1e-6
    )
