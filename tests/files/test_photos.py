"""Photos in: upright, in RGB, of their size, or refused with a remedy."""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image as Pillow
from PIL import ImageCms

from dreamer.arrays import Image
from dreamer.errors import DreamerError
from dreamer.files import ffmpeg, photos

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


def test_sixteen_bit_gray_keeps_its_range(tmp_path: Path) -> None:
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
    assert photos.fit_size(size, limit, enlarge=enlarge) == fitted


def test_scaling_keeps_colors_and_opacity(photo: Image) -> None:
    alpha = np.full(photo.shape[:2], 0.5, np.float32)
    for size in ((36, 48), (144, 192)):
        scaled = photos.resize(photos.Photo(photo, alpha, ""), size)
        assert scaled.image.shape[:2] == size
        assert scaled.alpha is not None
        assert scaled.alpha.shape == size
        np.testing.assert_allclose(scaled.image.mean((0, 1)), photo.mean((0, 1)), atol=0.01)


def test_a_color_profile_is_converted(tmp_path: Path) -> None:
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


def icc(name: str) -> bytes:
    """A profile of another kind than sRGB, with a known effect."""
    return ImageCms.ImageCmsProfile(ImageCms.createProfile(name)).tobytes()


def wide_gamut() -> bytes:
    """A matrix profile with primaries of its own and a gamma of 2.2, by way of Pillow's sRGB."""
    data = bytearray(icc("sRGB"))
    # Exchanging the tags of the red and the green primary gives a profile that swaps them.
    red, green = data.index(b"rXYZ"), data.index(b"gXYZ")
    data[red : red + 4], data[green : green + 4] = b"gXYZ", b"rXYZ"
    return bytes(data).replace("sRGB".encode("utf-16-be"), "Swap".encode("utf-16-be"))


def test_a_color_profile_is_obeyed_at_either_depth_and_said(tmp_path: Path) -> None:
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
def test_what_was_done_to_the_colors_is_said(
    mode: str, options: dict[str, bytes], said: str, tmp_path: Path
) -> None:
    path = saved(tmp_path / "x.jpg", Pillow.fromarray(SQUARE).convert(mode), **options)
    assert said in "".join(photos.read(path).notes)
    assert bool(photos.read(path).notes) == bool(said)


@pytest.mark.parametrize("suffix", [".gif", ".webp", ".png", ".avif"])
def test_of_an_animation_the_first_frame_is_taken_and_said(suffix: str, tmp_path: Path) -> None:
    frames = [Pillow.new("RGB", (32, 24), color) for color in ("red", "blue", "green")]
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


def test_a_decompression_bomb_is_refused_and_a_large_photo_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = saved(tmp_path / "x.png", Pillow.fromarray(SQUARE))
    monkeypatch.setattr(Pillow, "MAX_IMAGE_PIXELS", SQUARE.shape[0] * SQUARE.shape[1] - 1)
    assert photos.read(path).image.shape == SQUARE.shape
    monkeypatch.setattr(Pillow, "MAX_IMAGE_PIXELS", 100)
    with pytest.raises(DreamerError, match=r"x\.png is too large to be opened safely"):
        photos.read(path)


@pytest.mark.parametrize("orientation", [1, 3, 6, 9])
def test_a_photo_is_read_in_small_as_if_it_were_reduced(tmp_path: Path, orientation: int) -> None:
    exif = Pillow.Exif()
    exif[0x0112] = orientation
    waves = np.sin(np.arange(600)[:, None] / 40) * np.cos(np.arange(900)[None] / 60)
    colors = np.stack([waves, waves**2, -waves], -1) * 100 + 128
    path = saved(tmp_path / "x.jpg", Pillow.fromarray(colors.astype(np.uint8)), exif=exif)
    whole = photos.read(path)
    small, own = photos.read_small(path, 60)
    assert own == whole.image.shape[:2]
    assert small.sha256 == whole.sha256
    reduced = photos.resize(whole, photos.fit_size(own, 60)).image
    assert small.image.shape == reduced.shape
    assert np.abs(small.image - reduced).mean() < 0.01
    large, _ = photos.read_small(path, 5000)
    np.testing.assert_array_equal(large.image, whole.image)


RAMP = np.stack(np.meshgrid(np.linspace(0, 1, 40), np.linspace(0, 1, 30)), -1)
COLORS = np.dstack([RAMP, 1 - RAMP[..., :1]]).astype(np.float32)
"""`(30, 40, 3)`."""

DEEP = np.rint(COLORS * 65535).astype(np.uint16)


def tiff_kinds() -> Iterator[tuple[str, Any, dict[str, Any]]]:
    yield "pixels", DEEP, {}
    yield "planes", np.moveaxis(DEEP, -1, 0), {"planarconfig": "separate"}
    yield "the other byte order", DEEP, {"byteorder": ">"}
    yield "tiles", DEEP, {"tile": (16, 16)}
    yield "compressed", DEEP, {"compression": "zlib", "predictor": True}
    yield "floating point", COLORS, {}
    yield "half floats", COLORS.astype(np.float16), {}
    yield "32 bits", (COLORS.astype(np.float64) * (2**32 - 1)).astype(np.uint32), {}


@pytest.mark.parametrize("kind", list(tiff_kinds()), ids=lambda kind: kind[0])
def test_a_deep_tiff_has_its_colors(kind: tuple[str, Any, dict[str, Any]], tmp_path: Path) -> None:
    name, pixels, options = kind
    tifffile.imwrite(tmp_path / "x.tif", pixels, photometric="rgb", **options)
    read = photos.read(tmp_path / "x.tif")
    np.testing.assert_allclose(read.image, COLORS, atol=1e-3 if name == "half floats" else 1e-5)
    assert read.alpha is None
    assert "see --depth" in read.notes[0]


@pytest.mark.parametrize("kind", ["assocalpha", "unassalpha"])
def test_a_deep_tiff_has_its_opacity(kind: str, tmp_path: Path) -> None:
    share = np.float32(0.5)
    stored = COLORS * (share if kind == "assocalpha" else 1)
    pixels = np.dstack([stored, np.full_like(COLORS[..., :1], share)])
    whole = np.rint(pixels * 65535).astype(np.uint16)
    tifffile.imwrite(tmp_path / "x.tif", whole, photometric="rgb", extrasamples=[kind])
    read = photos.read(tmp_path / "x.tif")
    np.testing.assert_allclose(read.image, COLORS, atol=1e-4)
    assert read.alpha is not None
    np.testing.assert_allclose(read.alpha, share, atol=1e-4)


def test_a_deep_tiff_is_turned_upright_and_converted(tmp_path: Path) -> None:
    turned = [(274, "H", 1, 6, False), (34675, "B", len(wide_gamut()), wide_gamut(), True)]
    tifffile.imwrite(tmp_path / "x.tif", DEEP, photometric="rgb", extratags=turned)
    read = photos.read(tmp_path / "x.tif")
    assert read.image.shape == (40, 30, 3)
    assert any("sRGB" in note for note in read.notes)


def test_gray_and_light_above_white(tmp_path: Path) -> None:
    gray = np.linspace(0, 2, 40, dtype=np.float32)[None].repeat(30, 0)
    tifffile.imwrite(tmp_path / "x.tif", gray)
    read = photos.read(tmp_path / "x.tif")
    np.testing.assert_allclose(read.image, gray[..., None].clip(0, 1).repeat(3, -1), atol=1e-6)
    assert "light above white is cut" in read.notes[0]


def test_a_damaged_deep_tiff_is_named(tmp_path: Path) -> None:
    path = tmp_path / "x.tif"
    tifffile.imwrite(path, DEEP, photometric="rgb")
    path.write_bytes(path.read_bytes()[:-2000])
    with pytest.raises(DreamerError, match=r"x\.tif is damaged"):
        photos.read(path)


def test_a_palette_has_its_profile(tmp_path: Path) -> None:
    picture = Pillow.fromarray((COLORS * 255).astype(np.uint8)).quantize(16)
    picture.save(tmp_path / "palette.png", icc_profile=wide_gamut())
    picture.convert("RGB").save(tmp_path / "colors.png", icc_profile=wide_gamut())
    pair = [photos.read(tmp_path / f"{name}.png") for name in ("palette", "colors")]
    np.testing.assert_array_equal(pair[0].image, pair[1].image)
    assert pair[0].notes == pair[1].notes
    assert "converted from" in pair[0].notes[0]


@pytest.mark.parametrize("share", [2, 4, 8])
def test_a_jpeg_that_is_too_large_is_read_smaller(
    share: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    exif = Pillow.Exif()
    exif[0x0112] = 6
    large = np.kron((COLORS * 255).astype(np.uint8), np.ones((16, 16, 1), np.uint8))
    path = saved(tmp_path / "x.jpg", Pillow.fromarray(large), quality=95, exif=exif)
    whole = photos.read(path)
    pixels = large.shape[0] * large.shape[1]
    monkeypatch.setattr(Pillow, "MAX_IMAGE_PIXELS", pixels // share**2 // 2 + 1)
    small = photos.read(path)
    height, width = whole.image.shape[:2]
    assert small.image.shape[:2] == (height // share, width // share)
    assert small.notes == (f"read at 1/{share} of its sides, because it is very large",)
    fitted = photos.resize(whole, small.image.shape[:2])
    assert np.abs(small.image - fitted.image).mean() < 0.01


def test_even_a_jpeg_may_be_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = saved(tmp_path / "x.jpg", Pillow.fromarray(SQUARE))
    monkeypatch.setattr(Pillow, "MAX_IMAGE_PIXELS", 5)
    with pytest.raises(DreamerError, match="reduce it first, to at most 0 megapixels"):
        photos.read(path)


@pytest.mark.parametrize("suffix", ["jpg", "png", "tif"])
def test_of_a_damaged_photo_what_is_there_can_be_used(suffix: str, tmp_path: Path) -> None:
    noise = np.random.default_rng(1).integers(0, 255, (192, 256, 3)).astype(np.uint8)
    path = saved(tmp_path / f"x.{suffix}", Pillow.fromarray(noise))
    whole = photos.read(path).image
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 2 // 3])
    with pytest.raises(DreamerError, match="export it again, or use what is there by --allow-dam"):
        photos.read(path, damaged=False)
    with pytest.raises(DreamerError, match=r"export it again\.$"):
        photos.read(path, "mask")
    read = photos.read(path, damaged=True)
    assert "damaged, and read as far as it goes" in read.notes
    np.testing.assert_array_equal(read.image[:80], whole[:80])
    assert np.abs(read.image[-40:] - whole[-40:]).mean() > 0.1
    # Nothing else that is read afterwards is taken for whole.
    with pytest.raises(DreamerError):
        photos.read(path)


def test_a_whole_photo_is_not_called_damaged(tmp_path: Path) -> None:
    path = saved(tmp_path / "x.jpg", Pillow.fromarray(SQUARE))
    assert photos.read(path, damaged=True).notes == ()


@pytest.mark.parametrize("depth", [8, 16])
@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif"])
def test_dots_per_inch_are_read_and_written(suffix: str, depth: int, tmp_path: Path) -> None:
    if depth == 16 and suffix == ".jpg":
        return
    image = (SQUARE / 255).astype(np.float32)
    path = tmp_path / f"x{suffix}"
    photos.write(path, image, style=photos.Style(dpi=300), depth=depth)
    assert photos.read(path).dpi == pytest.approx(300, abs=0.01)
    with Pillow.open(path) as opened:
        assert opened.info["dpi"][0] == pytest.approx(300, abs=0.01)
    photos.write(path, image, depth=depth)
    # In a JPEG without them, 72 is what programs take.
    assert photos.read(path).dpi == (72 if suffix == ".jpg" else None)


def save_exr(path: Path, light: np.ndarray, alpha: np.ndarray | None = None) -> Path:
    """Write linear light, `(h, w, 3)`; ffmpeg multiplies it by opacity, as the format has it."""
    share = np.ones(light.shape[:2]) if alpha is None else alpha
    planes = [*(light[..., channel] for channel in (1, 2, 0)), share]
    raw = path.with_suffix(".raw")
    raw.write_bytes(np.stack(planes).astype("<f4").tobytes())
    size = f"{light.shape[1]}x{light.shape[0]}"
    kind = ("-f", "rawvideo", "-pixel_format", "gbrapf32le", "-video_size", size)
    ffmpeg.run((*ffmpeg.source(raw, *kind), "-c:v", "exr", ffmpeg.target(path)), "x")
    return path


def test_openexr_has_its_colors_and_its_opacity(tmp_path: Path) -> None:
    light = np.zeros((24, 32, 3), np.float32)
    light[:, :16] = (0.214041, 0.5, 4.0)
    alpha = np.ones((24, 32))
    alpha[:12] = 0.5
    read = photos.read(save_exr(tmp_path / "x.exr", light, alpha))
    # Of linear light, as sRGB defines it; what is brighter than white is cut.
    np.testing.assert_allclose(read.image[:, 5], [[0.5, 0.735357, 1]] * 24, atol=1e-4)
    assert read.alpha is not None
    np.testing.assert_allclose(read.alpha, alpha, atol=1e-3)
    assert "floating point, light above white is cut (see --depth)" in read.notes


def test_a_damaged_openexr_is_named(tmp_path: Path) -> None:
    path = save_exr(tmp_path / "x.exr", np.full((24, 32, 3), 0.5))
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(DreamerError, match=r"x\.exr is damaged"):
        photos.read(path)
