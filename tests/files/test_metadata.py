"""The recipes inside pictures."""

import json
from pathlib import Path

import numpy as np
import pytest
from helpers import read_finished
from PIL import Image as Pillow
from PIL.PngImagePlugin import PngInfo

from dreamer.arrays import Image
from dreamer.errors import DreamerError
from dreamer.files import metadata, photos
from dreamer.recipe import Recipe
from dreamer.recipe.provenance import Provenance

SQUARE = np.random.default_rng(0).integers(0, 255, (24, 32, 3)).astype(np.uint8)


def saved(path: Path, picture: Pillow.Image, **options: object) -> Path:
    picture.save(path, **options)  # type: ignore[arg-type]
    return path


@pytest.mark.parametrize("suffix", photos.WRITERS)
def test_a_picture_of_every_format_carries_its_recipe(
    suffix: str, tmp_path: Path, photo: Image
) -> None:
    made = Provenance(Recipe().changed({"steps": 3, "about": {"name": "Café ∞"}}), {"threads": 2})
    path = tmp_path / f"x{suffix}"
    photos.write(path, photo, made=made)
    assert read_finished(path) == made
    assert np.abs(photos.read(path).image.mean(-1) - photo.mean(-1)).mean() < 0.03
    photos.write(path, photo)
    with pytest.raises(DreamerError, match="carries no recipe"):
        read_finished(path)


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        '{"recipe": 3, "made": {}}',
        '{"made": {}}',
        "[" * 100_000,
        json.dumps({"recipe": {"steps": -1}, "made": {}}),
        json.dumps({"recipe": {"__class__": "os.system"}, "made": {}}),
    ],
)
def test_a_strangers_recipe_is_validated(text: str, tmp_path: Path) -> None:
    info = PngInfo()
    info.add_itxt(metadata.KEY, text)
    path = saved(tmp_path / "x.png", Pillow.fromarray(SQUARE), pnginfo=info)
    with pytest.raises(DreamerError, match=r"x\.png"):
        read_finished(path)


def test_only_harmless_formats_are_opened(tmp_path: Path) -> None:
    path = tmp_path / "x.jpg"
    path.write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 64 64\n%%EndComments\n")
    with pytest.raises(DreamerError, match="not a picture in a known format"):
        photos.read(path)
    with pytest.raises(DreamerError, match="not a picture in a known format"):
        read_finished(path)


def test_a_picture_without_a_recipe_is_named(tmp_path: Path) -> None:
    path = saved(tmp_path / "plain.png", Pillow.fromarray(SQUARE))
    with pytest.raises(DreamerError, match=r"plain\.png carries no recipe"):
        read_finished(path)


def test_the_place_of_a_photo_is_not_copied(tmp_path: Path) -> None:
    exif = Pillow.Exif()
    exif.get_ifd(0x8825).update({1: "N", 2: (48.0, 51.0, 29.6), 3: "E", 4: (2.0, 17.0, 40.2)})
    exif[0x010F] = "Somebody's camera"
    source = saved(tmp_path / "x.jpg", Pillow.fromarray(SQUARE), exif=exif)
    with Pillow.open(source) as picture:
        assert picture.getexif().get_ifd(0x8825)
    photo = photos.read(source)
    for suffix in photos.WRITERS:
        photos.write(tmp_path / f"y{suffix}", photo.image, made=Provenance(Recipe(), {}))
        with Pillow.open(tmp_path / f"y{suffix}") as picture:
            assert not picture.getexif().get_ifd(0x8825)
        assert b"camera" not in (tmp_path / f"y{suffix}").read_bytes()


def test_names_of_any_language_are_kept(tmp_path: Path) -> None:
    path = saved(tmp_path / "夢 – été ☂.png", Pillow.fromarray(SQUARE))
    for suffix in photos.WRITERS:
        target = path.with_name(f"сон 𝛼{suffix}")
        photos.write(target, photos.read(path).image, made=Provenance(Recipe(), {}))
        assert read_finished(target).recipe == Recipe()
