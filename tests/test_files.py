"""Photos in, pictures out, recipes inside them."""

import errno
import io
import json
import struct
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image as Pillow
from PIL import ImageCms
from PIL.PngImagePlugin import PngInfo, putchunk

from dreamer.arrays import Image
from dreamer.errors import DreamerError
from dreamer.files import atomic, deep, listing, metadata, photos
from dreamer.files.metadata import Made
from dreamer.recipe import Recipe

SQUARE = np.random.default_rng(0).integers(0, 255, (24, 32, 3)).astype(np.uint8)


def saved(path: Path, picture: Pillow.Image, **options: object) -> Path:
    picture.save(path, **options)  # type: ignore[arg-type]
    return path


def test_a_photo_is_read_upright(tmp_path: Path) -> None:
    exif = Pillow.Exif()
    exif[0x0112] = 6
    path = saved(tmp_path / "turned.png", Pillow.fromarray(SQUARE), exif=exif)
    np.testing.assert_allclose(photos.read(path).image, np.rot90(SQUARE, -1) / 255, atol=1e-6)


@pytest.mark.parametrize("mode", ["L", "P", "1", "CMYK", "RGBA", "LA"])
def test_every_kind_of_picture_becomes_rgb(mode: str, tmp_path: Path) -> None:
    suffix = "tiff" if mode == "CMYK" else "png"
    path = saved(tmp_path / f"x.{suffix}", Pillow.fromarray(SQUARE).convert(mode))
    photo = photos.read(path)
    assert photo.image.shape == (24, 32, 3)
    assert photo.image.dtype == np.float32
    assert 0 <= photo.image.min() < photo.image.max() <= 1
    assert photo.alpha is None


def test_sixteen_bit_grey_keeps_its_range(tmp_path: Path) -> None:
    ramp = np.linspace(0, 65535, 24 * 32).reshape(24, 32).astype(np.uint16)
    path = saved(tmp_path / "deep.png", Pillow.fromarray(ramp))
    np.testing.assert_allclose(photos.read(path).image[..., 1], ramp / 65535, atol=1e-5)


def test_opacity_is_kept_and_put_back(tmp_path: Path) -> None:
    opacity = np.linspace(0, 255, 24 * 32).reshape(24, 32).astype(np.uint8)
    path = saved(tmp_path / "x.png", Pillow.fromarray(np.dstack([SQUARE, opacity])))
    photo = photos.read(path)
    photos.write(tmp_path / "y.png", photo.image, photo.alpha)
    again = np.asarray(Pillow.open(tmp_path / "y.png"))
    np.testing.assert_array_equal(again, np.dstack([SQUARE, opacity]))


def _broken(path: Path, kind: str) -> Path:
    if kind == "missing":
        return path / "nowhere.jpg"
    if kind == "folder":
        return path
    file = path / "x.jpg"
    if kind == "empty":
        file.touch()
    elif kind == "text":
        file.write_text("This is not a picture.")
    elif kind == "second page without content":
        page = Pillow.fromarray(SQUARE)
        page.save(file, "TIFF", save_all=True, append_images=[page])
        data = bytearray(file.read_bytes())
        (first,) = struct.unpack_from("<I", data, 4)
        (entries,) = struct.unpack_from("<H", data, first)
        (second,) = struct.unpack_from("<I", data, first + 2 + 12 * entries)
        struct.pack_into("<H", data, second, 0)
        file.write_bytes(data)
    elif kind == "truncated":
        saved(file, Pillow.fromarray(np.tile(SQUARE, (9, 9, 1))))
        file.write_bytes(file.read_bytes()[:4000])
    else:
        saved(file, Pillow.new("RGB", (1, 1)))
    return file


@pytest.mark.parametrize(
    "kind",
    ["missing", "folder", "empty", "text", "second page without content", "truncated", "1×1"],
)
def test_what_is_no_photo_is_named_with_a_remedy(kind: str, tmp_path: Path) -> None:
    path = _broken(tmp_path, kind)
    with pytest.raises(DreamerError) as caught:
        photos.read(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("size", "limit", "enlarge", "fitted"),
    [
        ((300, 400), 1280, False, (300, 400)),
        ((3000, 4000), 1280, False, (960, 1280)),
        ((3000, 4000), "full", False, (3000, 4000)),
        ((300, 400), 800, True, (600, 800)),
        ((1, 4000), 1280, False, (1, 1280)),
    ],
)
def test_a_photo_is_brought_to_its_size(
    size: tuple[int, int], limit: int | str, enlarge: bool, fitted: tuple[int, int]
) -> None:
    assert photos.fitted(size, limit, enlarge=enlarge) == fitted


@pytest.mark.parametrize("kind", photos.NOISES)
def test_noise_is_seeded_and_fills_the_picture(kind: str) -> None:
    noise = photos.noise(kind, (48, 64), 3)
    assert noise.image.shape == (48, 64, 3)
    assert noise.image.dtype == np.float32
    assert noise.image.std() > 0.02
    assert 0.2 < noise.image.mean() < 0.8
    np.testing.assert_array_equal(noise.image, photos.noise(kind, (48, 64), 3).image)
    assert noise.sha256 != photos.noise(kind, (48, 64), 4).sha256


def test_scaling_keeps_colours_and_opacity(photo: Image) -> None:
    alpha = np.full(photo.shape[:2], 0.5, np.float32)
    for size in ((36, 48), (144, 192)):
        scaled = photos.resize(photos.Photo(photo, alpha, ""), size)
        assert scaled.image.shape[:2] == size
        assert scaled.alpha is not None
        assert scaled.alpha.shape == size
        np.testing.assert_allclose(scaled.image.mean((0, 1)), photo.mean((0, 1)), atol=0.01)


@pytest.mark.parametrize("suffix", photos.WRITERS)
def test_a_picture_of_every_format_carries_its_recipe(
    suffix: str, tmp_path: Path, photo: Image
) -> None:
    made = Made(Recipe().changed({"steps": 3, "about": {"name": "Café ∞"}}), {"threads": 2})
    path = tmp_path / f"x{suffix}"
    photos.write(path, photo, made=made)
    assert metadata.read(path) == made
    assert np.abs(photos.read(path).image.mean(-1) - photo.mean(-1)).mean() < 0.03
    photos.write(path, photo)
    with pytest.raises(DreamerError, match="carries no recipe"):
        metadata.read(path)


def test_a_colour_profile_is_converted(tmp_path: Path) -> None:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    # A display whose red is green and whose green is red.
    profile = srgb.replace(b"rXYZ", b"????").replace(b"gXYZ", b"rXYZ").replace(b"????", b"gXYZ")
    plain = photos.read(saved(tmp_path / "a.png", Pillow.fromarray(SQUARE))).image
    other = photos.read(
        saved(tmp_path / "b.png", Pillow.fromarray(SQUARE), icc_profile=profile)
    ).image
    clear = Pillow.fromarray(np.dstack([SQUARE, SQUARE[..., 0]]))
    alpha = photos.read(saved(tmp_path / "d.png", clear, icc_profile=profile))
    np.testing.assert_allclose(alpha.image, other, atol=0.01)
    broken = photos.read(
        saved(tmp_path / "c.png", Pillow.fromarray(SQUARE), icc_profile=b"no profile")
    ).image
    np.testing.assert_allclose(other, plain[..., [1, 0, 2]], atol=0.05)
    np.testing.assert_array_equal(broken, plain)


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
        metadata.read(path)


def test_only_harmless_formats_are_opened(tmp_path: Path) -> None:
    path = tmp_path / "x.jpg"
    path.write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 64 64\n%%EndComments\n")
    with pytest.raises(DreamerError, match="not a picture in a known format"):
        photos.read(path)
    with pytest.raises(DreamerError, match="not a picture in a known format"):
        metadata.read(path)


def test_a_picture_without_a_recipe_is_named(tmp_path: Path) -> None:
    path = saved(tmp_path / "plain.png", Pillow.fromarray(SQUARE))
    with pytest.raises(DreamerError, match=r"plain\.png carries no recipe"):
        metadata.read(path)


def test_a_file_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_text("before")

    def interrupted() -> None:
        with atomic.replacing(path) as file:
            file.write(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("x", "before")]
    # What a stranger has put where the part might lie is neither followed nor lost.
    (tmp_path / "x.part").symlink_to(tmp_path / "secret")
    with atomic.replacing(path) as file:
        file.write(b"after")
    assert path.read_text() == "after"


def test_nothing_is_overwritten_unasked(tmp_path: Path) -> None:
    path = tmp_path / "x.png"

    def late() -> None:
        with atomic.replacing(path, overwrite=False) as file:
            path.write_text("somebody was faster")
            file.write(b"late")

    with pytest.raises(DreamerError, match="--overwrite"):
        late()
    assert path.read_text() == "somebody was faster"
    assert atomic.free_name(path) == tmp_path / "x-2.png"
    (tmp_path / "x-2.png").touch()
    assert atomic.free_name(path) == tmp_path / "x-3.png"


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(DreamerError, match="Cannot write"), atomic.replacing(tmp_path / "a" / "b"):
        pass


def icc(name: str) -> bytes:
    """A profile of another kind than sRGB, with a known effect."""
    return ImageCms.ImageCmsProfile(ImageCms.createProfile(name)).tobytes()


@pytest.mark.parametrize("suffix", deep.WRITERS)
@pytest.mark.parametrize("planes", [3, 4])
def test_sixteen_bits_survive_the_way_out_and_in(
    suffix: str, planes: int, tmp_path: Path, photo: Image
) -> None:
    made = Made(Recipe().changed({"about": {"name": "Café ∞"}}), {"depth": 16})
    alpha = None if planes == 3 else np.ascontiguousarray(photo[..., 0])
    path = tmp_path / f"x{suffix}"
    photos.write(path, photo, alpha, made, depth=16)
    again = photos.read(path)
    np.testing.assert_allclose(again.image, photo, atol=0.51 / 65535)
    assert any("16 bits" in note for note in again.notes)
    assert metadata.read(path) == made
    if alpha is not None:
        np.testing.assert_allclose(again.alpha, alpha, atol=0.51 / 65535)


@pytest.mark.parametrize("orientation", range(10))
@pytest.mark.parametrize("suffix", deep.WRITERS)
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


def wide_gamut() -> bytes:
    """A matrix profile with primaries of its own and a gamma of 2.2, by way of Pillow's sRGB."""
    data = bytearray(icc("sRGB"))
    # Exchanging the tags of the red and the green primary gives a profile that swaps them.
    red, green = data.index(b"rXYZ"), data.index(b"gXYZ")
    data[red : red + 4], data[green : green + 4] = b"gXYZ", b"rXYZ"
    return bytes(data).replace("sRGB".encode("utf-16-be"), "Swap".encode("utf-16-be"))


def test_a_colour_profile_is_obeyed_at_either_depth_and_said(tmp_path: Path) -> None:
    profile = wide_gamut()
    plain = saved(tmp_path / "x.png", Pillow.fromarray(SQUARE), icc_profile=profile)
    tags = [(34675, "B", len(profile), profile, True)]
    tifffile.imwrite(
        tmp_path / "x.tiff",
        SQUARE.astype(np.uint16) * 257,
        photometric="rgb",
        extratags=tags,
        metadata=None,
    )
    for path in (plain, tmp_path / "x.tiff"):
        photo = photos.read(path)
        np.testing.assert_allclose(photo.image, SQUARE[..., [1, 0, 2]] / 255, atol=2.5 / 255)
        assert any("converted from Swap" in note for note in photo.notes)


@pytest.mark.parametrize(
    ("mode", "options", "said"),
    [
        ("CMYK", {}, "CMYK without a profile"),
        ("RGB", {"icc_profile": b"no profile at all"}, "cannot be used"),
        ("RGB", {"icc_profile": icc("sRGB")}, ""),
    ],
)
def test_what_was_done_to_the_colours_is_said(
    mode: str, options: dict[str, bytes], said: str, tmp_path: Path
) -> None:
    path = saved(tmp_path / "x.jpg", Pillow.fromarray(SQUARE).convert(mode), **options)
    assert said in "".join(photos.read(path).notes)
    assert bool(photos.read(path).notes) == bool(said)


@pytest.mark.parametrize("suffix", [".gif", ".webp", ".png", ".avif"])
def test_of_an_animation_the_first_frame_is_taken_and_said(suffix: str, tmp_path: Path) -> None:
    frames = [Pillow.new("RGB", (32, 24), colour) for colour in ("red", "blue", "green")]
    path = tmp_path / f"x{suffix}"
    frames[0].save(path, save_all=True, append_images=frames[1:])
    photo = photos.read(path)
    np.testing.assert_allclose(photo.image.mean((0, 1)), (1, 0, 0), atol=0.05)
    assert photo.notes == ("the first of 3 frames",)


def test_heic_is_read_or_its_remedy_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x.heic"
    path.write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic")
    with monkeypatch.context() as patch:
        patch.setattr("importlib.util.find_spec", lambda name: None)
        with pytest.raises(DreamerError, match="pip install pillow-heif"):
            photos.read(path)
    heif = pytest.importorskip("pillow_heif")
    heif.from_pillow(Pillow.fromarray(np.kron(SQUARE, np.ones((4, 4, 1), np.uint8)))).save(path)
    assert photos.read(path).image.shape == (96, 128, 3)


def test_the_place_of_a_photo_is_not_copied(tmp_path: Path) -> None:
    exif = Pillow.Exif()
    exif.get_ifd(0x8825).update({1: "N", 2: (48.0, 51.0, 29.6), 3: "E", 4: (2.0, 17.0, 40.2)})
    exif[0x010F] = "Somebody's camera"
    source = saved(tmp_path / "x.jpg", Pillow.fromarray(SQUARE), exif=exif)
    with Pillow.open(source) as picture:
        assert picture.getexif().get_ifd(0x8825)
    photo = photos.read(source)
    for suffix in photos.WRITERS:
        photos.write(tmp_path / f"y{suffix}", photo.image, made=Made(Recipe(), {}))
        with Pillow.open(tmp_path / f"y{suffix}") as picture:
            assert not picture.getexif().get_ifd(0x8825)
        assert b"camera" not in (tmp_path / f"y{suffix}").read_bytes()


def test_a_decompression_bomb_is_refused_and_a_large_photo_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = saved(tmp_path / "x.png", Pillow.fromarray(SQUARE))
    monkeypatch.setattr(Pillow, "MAX_IMAGE_PIXELS", SQUARE.shape[0] * SQUARE.shape[1] - 1)
    assert photos.read(path).image.shape == SQUARE.shape
    monkeypatch.setattr(Pillow, "MAX_IMAGE_PIXELS", 100)
    with pytest.raises(DreamerError, match=r"x\.png is too large to be opened safely"):
        photos.read(path)


def test_names_of_any_language_are_kept(tmp_path: Path) -> None:
    path = saved(tmp_path / "夢 – été ☂.png", Pillow.fromarray(SQUARE))
    for suffix in photos.WRITERS:
        target = path.with_name(f"сон 𝛼{suffix}")
        photos.write(target, photos.read(path).image, made=Made(Recipe(), {}))
        assert metadata.read(target).recipe == Recipe()


def test_a_full_disk_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(DreamerError, match=r"Cannot write .*x\.png: No space left on device"):
        photos.write(tmp_path / "x.png", np.zeros((20, 20, 3), np.float32))
    assert not list(tmp_path.iterdir())


def test_photos_of_a_folder_come_in_natural_order(tmp_path: Path) -> None:
    for name in ("b10.jpg", "B2.PNG", "a.webp", "notes.txt", "films.mp4", ".hidden.jpg"):
        (tmp_path / name).touch()
    (tmp_path / "inner.jpg").mkdir()
    found, skipped = listing.photos_in(tmp_path)
    assert [path.name for path in found] == ["a.webp", "B2.PNG", "b10.jpg"]
    assert skipped == 2
    with pytest.raises(DreamerError, match="no photo in the folder"):
        listing.photos_in(tmp_path / "inner.jpg")


@pytest.mark.parametrize(
    ("paths", "names"),
    [
        (["a/x.jpg", "a/y.jpg"], ["x", "y"]),
        (["rome/x.jpg", "oslo/x.jpg", "oslo/y.jpg"], ["rome-x", "oslo-x", "y"]),
        (["a/x.jpg", "a/x.PNG"], ["x-jpg", "x-png"]),
        (["a/x.jpg", "a/x.jpg"], ["x", "x"]),
    ],
)
def test_outputs_of_photos_of_one_name_are_told_apart(paths: list[str], names: list[str]) -> None:
    assert listing.distinct([Path(path) for path in paths]) == names


@pytest.mark.parametrize("orientation", [1, 3, 6, 9])
def test_a_photo_is_read_in_small_as_if_it_were_reduced(tmp_path: Path, orientation: int) -> None:
    exif = Pillow.Exif()
    exif[0x0112] = orientation
    waves = np.sin(np.arange(600)[:, None] / 40) * np.cos(np.arange(900)[None] / 60)
    colours = np.stack([waves, waves**2, -waves], -1) * 100 + 128
    path = saved(tmp_path / "x.jpg", Pillow.fromarray(colours.astype(np.uint8)), exif=exif)
    whole = photos.read(path)
    small, own = photos.read_small(path, 60)
    assert own == whole.image.shape[:2]
    assert small.sha256 == whole.sha256
    reduced = photos.resize(whole, photos.fitted(own, 60)).image
    assert small.image.shape == reduced.shape
    assert np.abs(small.image - reduced).mean() < 0.01
    large, _ = photos.read_small(path, 5000)
    np.testing.assert_array_equal(large.image, whole.image)
