"""Pictures of sixteen bits."""

import io
from pathlib import Path

import numpy as np
import pytest
import tifffile
from helpers import read_finished
from PIL import Image as Pillow
from PIL.PngImagePlugin import putchunk

from dreamer.arrays import Image
from dreamer.files import photos, sixteen_bit
from dreamer.recipe import Recipe
from dreamer.recipe.provenance import Provenance

SQUARE = np.random.default_rng(0).integers(0, 255, (24, 32, 3)).astype(np.uint8)


def saved(path: Path, picture: Pillow.Image, **options: object) -> Path:
    picture.save(path, **options)  # type: ignore[arg-type]
    return path


@pytest.mark.parametrize("suffix", sixteen_bit.WRITERS)
@pytest.mark.parametrize("planes", [3, 4])
def test_sixteen_bits_survive_the_way_out_and_in(
    suffix: str, planes: int, tmp_path: Path, photo: Image
) -> None:
    made = Provenance(Recipe().changed({"about": {"name": "Café ∞"}}), {"depth": 16})
    alpha = None if planes == 3 else np.ascontiguousarray(photo[..., 0])
    path = tmp_path / f"x{suffix}"
    photos.write(path, photo, alpha, made, depth=16)
    again = photos.read(path)
    np.testing.assert_allclose(again.image, photo, atol=0.51 / 65535)
    assert any("16 bits" in note for note in again.notes)
    assert read_finished(path) == made
    if alpha is not None:
        np.testing.assert_allclose(again.alpha, alpha, atol=0.51 / 65535)


@pytest.mark.parametrize("orientation", range(10))
@pytest.mark.parametrize("suffix", sixteen_bit.WRITERS)
def test_deep_pictures_are_turned_as_pillow_turns_others(
    suffix: str, orientation: int, tmp_path: Path
) -> None:
    exif = Pillow.Exif()
    exif[274] = orientation
    expected = saved(tmp_path / "plain.png", Pillow.fromarray(SQUARE), exif=exif)
    path = tmp_path / f"deep{suffix}"
    if suffix == ".png":
        photos.write(path, SQUARE.astype(np.float32) / 255, depth=16)
        data, chunk = path.read_bytes(), io.BytesIO()
        putchunk(chunk, b"eXIf", exif.tobytes()[6:])
        path.write_bytes(data[:33] + chunk.getvalue() + data[33:])
    else:
        tag = [(274, "H", 1, orientation, True)]
        pixels = SQUARE.astype(np.uint16) * 257
        tifffile.imwrite(path, pixels, photometric="rgb", extratags=tag, metadata=None)
    np.testing.assert_allclose(photos.read(path).image, photos.read(expected).image, atol=1e-6)
