"""Pictures that are trained on."""

import zipfile
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from dreamer.files import photo_sets
from dreamer.networks import googlenet
from dreamer.training import dreams, pictures, train

SIZE = 40
OPTIONS = train.Options(
    minutes=4 / 60, batch=3, size=SIZE, dream_every=3, dream_batch=2, save_every=0
)
"""Four steps a stage, by a clock that gains half a second whenever it is read."""


def photos(count: int = 3) -> list[np.ndarray]:
    """Noise, uint8."""
    rng = np.random.default_rng(0)
    return [rng.integers(0, 256, (50, 60, 3)).astype("uint8") for _ in range(count)]


def test_held_out_photos_are_every_tenth_and_never_trained_on(tmp_path: Path) -> None:
    folder, archive = tmp_path / "photos", tmp_path / "photos.zip"
    folder.mkdir()
    with zipfile.ZipFile(archive, "w") as file:
        for i in range(21):
            path = folder / f"{i:02}.png"
            cv2.imwrite(str(path), np.full((4, 5, 3), i, np.uint8))
            file.write(path, path.name)
    for source in (folder, archive):
        held_out = [int(photo[0, 0, 0]) for photo in photo_sets.load(source, held_out=True)]
        seen = [int(photo[0, 0, 0]) for photo in photo_sets.load(source)]
        assert held_out == [0, 10, 20]
        assert sorted(seen + held_out) == list(range(21))


@pytest.mark.parametrize("render", pictures.RENDERED)
def test_rendered_pictures(render: Callable[[int, np.random.Generator], np.ndarray]) -> None:
    for seed in range(5):
        one, again = (render(SIZE, np.random.default_rng(seed)) for _ in range(2))
        assert one.shape == (SIZE, SIZE, 3)
        assert one.dtype == np.float32
        assert np.isfinite(one).all()
        np.testing.assert_array_equal(one, again)


def test_a_batch_follows_from_seed_and_step() -> None:
    pool = dreams.Pool(SIZE)
    pool.add(np.full((4, SIZE, SIZE, 3), 250.0))
    one, again, other = (train.batch(photos(), pool, OPTIONS, step) for step in (7, 7, 8))
    assert one.shape == (3, SIZE, SIZE, 3)
    assert one.dtype == np.float32
    assert one.min() >= -googlenet.MEAN
    assert one.max() <= 255 - googlenet.MEAN
    np.testing.assert_array_equal(one, again)
    assert (one != other).any()
    assert (one[0] == 250 - googlenet.MEAN).all()
