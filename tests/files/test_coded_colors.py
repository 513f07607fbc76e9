"""Pictures whose colors are told by code points are brought to sRGB."""

import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from dreamer.arrays import Image
from dreamer.files import clips, coded_colors, ffmpeg, photos
from dreamer.files.coded_colors import Colors

KINDS = {
    "PQ": (Colors(9, 16), "bt2020", "smpte2084"),
    "HLG": (Colors(9, 18), "bt2020", "arib-std-b67"),
    "BT.2020": (Colors(9, 13), "bt2020", "iec61966-2-1"),
    "Display P3": (Colors(12, 13), "smpte432", "iec61966-2-1"),
}


@pytest.fixture
def shown() -> Image:
    """What a person shall see: colors of all hues, none brighter than what is kept as it is."""
    y, x = np.mgrid[:64, :96].astype(np.float32)
    waves = [np.sin(x / 9), np.cos(y / 7), np.sin((x + y) / 11)]
    return (0.45 + 0.4 * np.stack(waves, -1)).astype(np.float32)


def encode(shown: Image, primaries: str, transfer: str, folder: Path) -> NDArray[np.uint16]:
    """The same picture in other colors, by zscale, which knows nothing of this program."""
    raw = folder / "raw"
    raw.write_bytes((shown * 65535 + 0.5).astype("<u2").tobytes())
    kind = ("-f", "rawvideo", "-pixel_format", "rgb48le", "-video_size", "96x64")
    given = "zscale=min=gbr:tin=iec61966-2-1:pin=bt709:rin=full:m=gbr:r=full:npl=203:d=none"
    filters = f"format=gbrp16le,{given}:t={transfer}:p={primaries},format=rgb48le"
    wanted = ("-vf", filters, "-f", "rawvideo", "pipe:1")
    coded = ffmpeg.run((*ffmpeg.source(raw, *kind), *wanted), "x")
    return np.frombuffer(coded, "<u2").reshape(64, 96, 3)


def as_png(levels: NDArray[np.uint16], colors: Colors) -> bytes:
    """A PNG that says its colors in a chunk of its own."""
    data = cv2.imencode(".png", levels[..., ::-1])[1].tobytes()
    body = b"cICP" + bytes([*colors, 0, 1])
    chunk = struct.pack(">I", 4) + body + struct.pack(">I", zlib.crc32(body))
    return data[:33] + chunk + data[33:]


@pytest.mark.parametrize("kind", KINDS)
def test_a_png_is_converted_and_it_is_said(kind: str, shown: Image, tmp_path: Path) -> None:
    colors, primaries, transfer = KINDS[kind]
    levels = encode(shown, primaries, transfer, tmp_path)
    path = tmp_path / "x.png"
    path.write_bytes(as_png(levels, colors))
    read = photos.read(path)
    assert kind in " ".join(read.notes)
    error = np.abs(read.image - shown)
    assert error.mean() < 0.006 < np.abs(levels / 65535 - shown).mean()
    assert error.max() < 0.05


@pytest.mark.parametrize("kind", ["PQ", "HLG"])
def test_an_avif_is_converted(kind: str, shown: Image, tmp_path: Path) -> None:
    _, primaries, transfer = KINDS[kind]
    levels = encode(shown, primaries, transfer, tmp_path)
    (tmp_path / "raw").write_bytes(levels.tobytes())
    raw = ("-f", "rawvideo", "-pixel_format", "rgb48le", "-video_size", "96x64")
    tags = f"setparams=color_primaries={primaries}:color_trc={transfer}:colorspace=bt2020nc"
    to_yuv = f"scale=out_color_matrix=bt2020:out_range=pc,format=yuv444p10le,{tags}"
    path = tmp_path / "x.avif"
    coded = ("-c:v", "libaom-av1", "-still-picture", "1", "-crf", "4", "-color_range", "pc")
    source = ffmpeg.source(tmp_path / "raw", *raw)
    ffmpeg.run((*source, "-vf", to_yuv, *coded, ffmpeg.target(path)), "x")
    read = photos.read(path)
    assert f"converted from {kind} in BT.2020 to sRGB" in read.notes
    assert np.abs(read.image - shown).mean() < 0.02


def test_a_photo_and_a_clip_of_high_dynamic_range_look_alike(shown: Image, tmp_path: Path) -> None:
    """Bright light, too, which both press together."""
    _, primaries, transfer = KINDS["PQ"]
    levels = encode(shown, primaries, transfer, tmp_path)
    levels = (levels * np.linspace(1, 1.25, 96)[None, :, None]).clip(0, 65535).astype(np.uint16)
    (tmp_path / "x.png").write_bytes(as_png(levels, Colors(9, 16)))
    (tmp_path / "raw").write_bytes(levels.astype("<u2").tobytes())
    raw = ("-f", "rawvideo", "-pixel_format", "rgb48le", "-video_size", "96x64")
    to_yuv = "scale=out_color_matrix=bt2020:out_range=tv,format=yuv444p10le"
    about = "log-level=none:crf=2:colorprim=bt2020:transfer=smpte2084:colormatrix=bt2020nc"
    film = tmp_path / "x.mp4"
    source = ffmpeg.source(tmp_path / "raw", *raw)
    coded = ("-c:v", "libx265", "-x265-params", about)
    ffmpeg.run((*source, "-vf", to_yuv, *coded, ffmpeg.target(film)), "x")
    frame = next(clips.select(film).frames())
    assert np.abs(photos.read(tmp_path / "x.png").image - frame).mean() < 0.01


def test_what_is_srgb_or_says_nothing_stays() -> None:
    png = as_png(np.zeros((16, 16, 3), np.uint16), Colors(1, 13))
    assert coded_colors.find(png) is None
    assert coded_colors.find(b"\xff\xd8 a JPEG") is None
