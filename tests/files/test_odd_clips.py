"""Clips of kinds that phones, cameras and editors write: their right pixels are known."""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from dreamer.errors import DreamerError
from dreamer.files import clips, content, ffmpeg, photos
from dreamer.files.photos import Photo

SOURCE = "testsrc2=size=160x120:rate=25:duration=0.4"
DISC = (
    "color=c=0x00ff00:s=160x120:r=25:d=0.2,format=rgba,"
    "geq=r='255*lt(hypot(X-80,Y-60),40)':g='255':b='255*lt(hypot(X-80,Y-60),40)'"
    ":a='255*lt(hypot(X-80,Y-60),40)'"
)
"""A white disc; behind it is nothing, and the color of that nothing is green."""

Encode = Callable[..., Path]


@pytest.fixture
def encode(tmp_path: Path) -> Encode:
    """Encode what filters draw: the file's name, the source, and ffmpeg's arguments."""

    def run(name: str, source: str, *arguments: str) -> Path:
        path = tmp_path / name
        ffmpeg.run(("-f", "lavfi", "-i", source, *arguments, ffmpeg.target(path)), name)
        return path

    return run


@pytest.fixture(scope="module")
def truth() -> NDArray[np.float32]:
    """The first picture of `SOURCE`, as it is meant to be seen."""
    raw = ("-frames:v", "1", "-vf", "format=gbrp,format=rgb24", "-f", "rawvideo", "pipe:1")
    data = ffmpeg.run(("-f", "lavfi", "-i", SOURCE, *raw), "the source")
    return np.frombuffer(data, np.uint8).reshape(120, 160, 3).astype(np.float32) / 255


def encode_colors(encode: Encode, transfer: str, primaries: str, matrix: str) -> Path:
    given = "format=gbrp,zscale=min=gbr:tin=iec61966-2-1:pin=bt709:rin=full"
    wanted = f"m={matrix}:t={transfer}:p={primaries}:r=limited:npl=203:d=none"
    about = f"colorprim={primaries}:transfer={transfer}:colormatrix={matrix}"
    return encode(
        f"{transfer}.mp4",
        SOURCE,
        *("-vf", f"{given}:{wanted},format=yuv420p10le"),
        *("-c:v", "libx265", "-x265-params", f"log-level=none:crf=10:{about}"),
        *("-color_primaries", primaries, "-color_trc", transfer, "-colorspace", matrix),
    )


@pytest.mark.parametrize(
    ("transfer", "primaries", "matrix", "said"),
    [
        ("smpte2084", "bt2020", "bt2020nc", "high dynamic range (PQ)"),
        ("arib-std-b67", "bt2020", "bt2020nc", "high dynamic range (HLG)"),
        ("bt709", "bt2020", "bt2020nc", "the colors of BT.2020"),
        ("iec61966-2-1", "smpte432", "bt709", "the colors of Display P3"),
        ("bt709", "bt709", "bt709", ""),
    ],
)
def test_wide_colors_and_light_are_converted(
    transfer: str,
    primaries: str,
    matrix: str,
    said: str,
    encode: Encode,
    truth: NDArray[np.float32],
) -> None:
    clip = clips.select(encode_colors(encode, transfer, primaries, matrix))
    # Of that, half coarser colors take .027, and another curve in the dark some more.
    assert np.abs(next(clip.frames()) - truth).mean() < 0.05
    assert len(clip.facts.notes) == bool(said)
    assert all(f"has {said}: it is converted to BT.709" in note for note in clip.facts.notes)


def test_light_beyond_white_is_pressed_together(encode: Encode) -> None:
    """Of a ramp to 1000 cd/m² each step is brighter than the one before, and none is clipped."""
    # In PQ, 203 cd/m² are .58 of the signal, and 1000 are .75.
    ramp = "color=black:size=160x64:rate=5:duration=0.2,format=gray10le"
    steps = f"{ramp},geq=lum='64+876*(0.3+0.45*floor(X/16)/9)',format=yuv420p10le"
    path = encode(
        "ramp.mp4",
        steps,
        *("-c:v", "libx265", "-x265-params"),
        "log-level=none:crf=4:colorprim=bt2020:transfer=smpte2084:colormatrix=bt2020nc",
        *("-color_primaries", "bt2020", "-color_trc", "smpte2084", "-colorspace", "bt2020nc"),
    )
    row = next(clips.select(path).frames())[32, 8::16].mean(-1)
    assert (np.diff(row) > 0.001).all()
    assert row[-1] > 0.98


def comb(picture: NDArray[np.float32]) -> float:
    """How much neighboring rows differ, and agree with those beyond: the teeth of a comb."""
    gray = picture.mean(-1)
    return float(np.abs(gray[1:-1] - (gray[:-2] + gray[2:]) / 2).mean())


def test_fields_are_brought_together(encode: Encode) -> None:
    moving = "testsrc2=size=160x120:rate=50:duration=0.8"
    woven = ("-vf", "tinterlace=interleave_top,fieldorder=tff", "-flags", "+ildct+ilme")
    coded = ("-c:v", "libx264", "-x264-params", "tff=1", "-pix_fmt", "yuv420p")
    clip = clips.select(encode("fields.mp4", moving, *woven, *coded))
    still = clips.select(encode("frames.mp4", moving, "-vf", "fps=25", *coded[:2], *coded[4:]))
    assert "interlaced" in clip.facts.notes[0]
    assert clip.count == still.count == 20
    frames = list(clip.frames())
    combs = [comb(frame) for frame in frames]
    assert np.mean(combs) < 1.15 * np.mean([comb(frame) for frame in still.frames()])
    # Whatever a run that was stopped goes on with is the same.
    for skip in (1, 2, 3, 11, 19):
        np.testing.assert_array_equal(next(clip.frames(skip)), frames[skip])


@pytest.mark.parametrize(
    ("name", "coded"),
    [
        ("disc.mov", ("-c:v", "prores_ks", "-profile:v", "4444", "-pix_fmt", "yuva444p10le")),
        ("disc.webm", ("-c:v", "libvpx-vp9", "-pix_fmt", "yuva420p")),
        ("disc.png", ("-f", "apng", "-plays", "0", "-pix_fmt", "rgba")),
    ],
)
def test_what_is_transparent_shows_the_background(
    name: str, coded: tuple[str, ...], encode: Encode
) -> None:
    path = encode(name, DISC, *coded)
    assert clips.is_clip(path)
    black = clips.select(path)
    assert black.facts.transparent
    frame = next(black.frames())
    np.testing.assert_allclose(frame[60, 80], 1, atol=0.02)
    np.testing.assert_allclose(frame[5, 5], 0, atol=0.02)
    from dataclasses import replace

    blue = next(replace(black, background=(0.0, 0.25, 1.0)).frames())
    np.testing.assert_allclose(blue[5, 5], [0, 0.25, 1], atol=0.02)
    np.testing.assert_allclose(blue[60, 80], 1, atol=0.02)
    assert sum(1 for _ in black.frames()) == 5


def test_opaque_frames_have_no_background(encode: Encode) -> None:
    clip = clips.select(encode("opaque.mov", SOURCE, "-c:v", "qtrle", "-pix_fmt", "argb"))
    assert not clip.facts.transparent
    assert not clip.facts.notes


@pytest.mark.parametrize(
    ("name", "coded"),
    [
        ("film.webp", ("-c:v", "libwebp_anim", "-lossless", "1")),
        ("film.png", ("-f", "apng")),
        ("noname", ("-c:v", "libx264", "-f", "matroska")),
        ("photo.jpg", ("-c:v", "libx264", "-f", "mp4")),
    ],
)
def test_a_film_is_known_by_its_content(name: str, coded: tuple[str, ...], encode: Encode) -> None:
    path = encode(name, SOURCE, *coded)
    assert clips.is_clip(path)
    assert clips.select(path).count == 10


def test_pictures_are_no_films(tmp_path: Path) -> None:
    picture = np.zeros((20, 30, 3), np.float32)
    for suffix in (".png", ".jpg", ".webp", ".tif"):
        path = tmp_path / f"still{suffix}"
        photos.write(path, picture)
        assert not clips.is_clip(path)
    assert not content.is_film(b"")
    assert not content.is_film(b"\x00\x00\x00\x1cftypheic\x00\x00\x00\x00")
    assert content.is_film(b"\x00\x00\x00\x1cftypqt  \x00\x00\x00\x00")


def test_a_film_in_the_place_of_a_photo_is_named(encode: Encode) -> None:
    path = encode("holiday.jpg", SOURCE, "-c:v", "libx264", "-f", "mp4")
    with pytest.raises(DreamerError, match=r"holiday\.jpg is a film: `dream video`"):
        photos.read(path)


def test_a_film_that_goes_on_in_another_size_is_read_up_to_there(
    encode: Encode, tmp_path: Path
) -> None:
    parts = [
        encode(f"{size}.ts", SOURCE.replace("160x120", size), "-c:v", "libx264", "-f", "mpegts")
        for size in ("160x120", "120x160")
    ]
    glued = tmp_path / "glued.ts"
    glued.write_bytes(b"".join(part.read_bytes() for part in parts))
    clip = clips.select(glued)
    assert clip.facts.notes == (
        f"{glued} goes on in 120×160 after 0.40 s: it is read up to there.",
    )
    whole = [frame for part in parts[:1] for frame in clips.select(part).frames()]
    np.testing.assert_array_equal(list(clip.frames()), whole)


@pytest.mark.parametrize(
    ("coder", "packets"), [("libx264", False), ("mpeg2video", False), ("mpeg2video", True)]
)
def test_a_transport_stream_that_was_cut_is_said(
    coder: str, packets: bool, encode: Encode, tmp_path: Path
) -> None:
    whole = encode("whole.ts", SOURCE, "-c:v", coder, "-f", "mpegts")
    assert clips.select(whole).facts.notes == ()
    length = whole.stat().st_size * 2 // 3 // 188 * 188 + (0 if packets else 100)
    cut = tmp_path / "cut.ts"
    cut.write_bytes(whole.read_bytes()[:length])
    clip = clips.select(cut)
    assert "cut short" in " ".join(clip.facts.notes)
    assert len(list(clip.frames())) == clip.count > 0


@pytest.mark.parametrize(
    ("said", "old"),
    [
        ("ffmpeg version 4.2.7-0ubuntu0.1 Copyright", "4.2"),
        ("ffmpeg version n5.0.1 Copyright", "5.0"),
        ("ffmpeg version 5.1 Copyright", ""),
        ("ffmpeg version n9.0.2-17-g2a571b6068 Copyright", ""),
        ("ffmpeg version N-109542-g11ba5c5 Copyright", ""),
    ],
)
def test_an_ffmpeg_that_is_too_old_is_named(
    said: str, old: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "ffmpeg"
    program.write_text(f"#!/bin/sh\necho '{said}'\n")
    program.chmod(0o755)
    monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", str(program))
    if not old:
        assert ffmpeg.executable() == str(program)
        return
    with pytest.raises(DreamerError, match=f"is ffmpeg {old}, which is too old: name one of 5.1"):
        ffmpeg.executable()


def test_what_is_no_ffmpeg_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", str(tmp_path / "nowhere"))
    with pytest.raises(DreamerError, match="cannot be run"):
        ffmpeg.executable()


@pytest.mark.parametrize("hidden", [0.0, 0.5])
def test_what_is_behind_a_hole_does_not_bleed_out_of_it(hidden: float) -> None:
    rows, columns = np.indices((120, 120))
    inside = (np.hypot(rows - 60, columns - 60) < 37.3).astype(np.float32)
    image = np.where(inside[..., None] > 0, np.float32([0.9, 0.8, 0.7]), np.float32(hidden))
    small = photos.resize(Photo(image, inside, ""), (37, 37))
    assert small.alpha is not None
    edge = (small.alpha > 0.01) & (small.alpha < 0.99)
    assert edge.sum() > 50
    np.testing.assert_allclose(small.image[edge], [[0.9, 0.8, 0.7]] * edge.sum(), atol=1e-4)
    np.testing.assert_allclose(small.image[small.alpha == 0], hidden, atol=1e-4)


def test_frames_of_a_constant_rate_keep_it(encode: Encode) -> None:
    clip = clips.select(encode("plain.mp4", SOURCE, "-c:v", "libx264", "-pix_fmt", "yuv420p"))
    assert (clip.fps, clip.count) == (Fraction(25), 10)
    assert clip.facts.decoder == ()
