"""Films in, by films that ffmpeg makes of frames whose gray tells their time."""

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from helpers import SHARED
from PIL import Image as Pillow

from dreamer.errors import DreamerError
from dreamer.files import clips, ffmpeg, films, photos
from dreamer.files.film_spec import Film
from dreamer.files.framing import Framing

Maker = Callable[..., Path]
NTSC = Fraction(30000, 1001)
# Gray rises by 100 a second; red marks the upper left corner.
PICTURE = "geq=r='if(lt(X,20)*lt(Y,20),255,20+100*T)':g='20+100*T':b='20+100*T'"


@pytest.fixture
def made(tmp_path: Path) -> Maker:
    """A film of two seconds with sound: its name, the filters, and the encoder's arguments."""

    def make(name: str, *encoder: str, filters: str = "null", rate: str = "30") -> Path:
        path = tmp_path / name
        picture = f"color=black:size=64x48:rate={rate}:duration=2,format=gbrp,{PICTURE},{filters}"
        sources = ("-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", "aevalsrc=sin(2000*t*t):d=2")
        ffmpeg.run((*sources, *encoder, ffmpeg.target(path)), name)
        return path

    return make


@pytest.fixture
def plain(made: Maker) -> Path:
    return made("a film, [100%].mp4", "-pix_fmt", "yuv420p", "-movflags", "+faststart")


def grays(clip: clips.Clip) -> list[float]:
    """The seconds that the gray of the frames tells."""
    return [(float(frame[-10:, -10:].mean()) * 255 - 20) / 100 for frame in clip.frames()]


def assert_tells_its_time(clip: clips.Clip, start: float = 0.0) -> None:
    told = grays(clip)
    assert len(told) == clip.count
    wanted = start + np.arange(clip.count) / float(clip.fps)
    # Gray is kept to about 1/50 s; where a rate varies, a frame is held for up to three.
    tolerance = 0.02 + (2 / float(clip.facts.fps) if clip.facts.variable else 0)
    np.testing.assert_allclose(told, wanted, atol=tolerance)


@pytest.mark.parametrize(
    ("name", "rate", "fps", "encoder", "sound"),
    [
        ("x.mp4", "30", Fraction(30), ("-pix_fmt", "yuv420p"), "aac"),
        ("x.mp4", "30000/1001", NTSC, ("-pix_fmt", "yuv420p"), "aac"),
        ("x.mkv", "24000/1001", Fraction(24000, 1001), ("-pix_fmt", "yuv420p"), "vorbis"),
        ("x.webm", "30", Fraction(30), ("-deadline", "realtime"), "opus"),
        ("x.avi", "12", Fraction(12), ("-q:v", "2"), "mp3"),
        ("x.ts", "25", Fraction(25), ("-pix_fmt", "yuv420p", "-c:v", "libx264"), "mp2"),
        ("x.gif", "25", Fraction(25), ("-map", "0"), None),
        ("x.mov", "60", Fraction(60), ("-c:v", "prores"), "aac"),
    ],
)
def test_a_clip_is_what_its_source_is(
    name: str, rate: str, fps: Fraction, encoder: tuple[str, ...], sound: str | None, made: Maker
) -> None:
    clip = clips.select(made(name, *encoder, rate=rate))
    assert clip.size == clip.facts.size == (48, 64)
    assert (clip.fps, clip.facts.variable, clip.facts.sound) == (fps, False, sound)
    assert clip.facts.notes == ()
    assert clip.count == round(2 * fps)
    assert_tells_its_time(clip)
    first = next(clip.frames())
    assert first.dtype == np.float32
    assert first[:16, :16, 0].mean() > 0.9
    assert first[:16, :16, 1].mean() < 0.2


def test_the_samples_are_read_as_they_are() -> None:
    for name, size, count in (("flower", (540, 960), 150), ("stream-of-water", (360, 480), 90)):
        path = SHARED / "media" / f"{name}.mp4"
        if not path.exists():
            pytest.skip("needs the shared clips")
        clip = clips.select(path)
        assert (clip.size, clip.count, clip.fps) == (size, count, NTSC)


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_a_turned_clip_is_upright(degrees: int, plain: Path, tmp_path: Path) -> None:
    turned = tmp_path / "turned.mp4"
    source = ffmpeg.source(plain, "-display_rotation", str(degrees))
    ffmpeg.run((*source, "-c", "copy", ffmpeg.target(turned)), "x")
    clip = clips.select(turned)
    upright = next(clips.select(plain).frames())
    wanted = np.rot90(upright, degrees // 90)
    assert clip.size == wanted.shape[:2]
    assert np.abs(next(clip.frames()) - wanted).mean() < 0.02


def test_pixels_are_made_square(made: Maker) -> None:
    clip = clips.select(made("x.mp4", "-pix_fmt", "yuv420p", filters="setsar=2"))
    assert clip.size == (48, 128)
    assert next(clip.frames()).shape == (48, 128, 3)


@pytest.mark.parametrize("name", ["x.mp4", "x.mkv"])
def test_a_varying_rate_is_made_constant(name: str, made: Maker) -> None:
    # The second half has every third frame.
    filters = "select='lt(n,30)+not(mod(n,3))'"
    clip = clips.select(made(name, "-pix_fmt", "yuv420p", "-fps_mode", "vfr", filters=filters))
    assert clip.facts.variable
    assert "varies" in clip.facts.notes[0]
    assert clip.fps == 30
    # Matroska does not tell how long the last frame lasts.
    assert clip.count == (60 if name == "x.mp4" else 58)
    assert_tells_its_time(clip)
    part = replace(clip, first=40, stop=50, every=2)
    assert_tells_its_time(part, 40 / 30)
    assert grays(part) == grays(clip)[40:50:2]


def test_a_part_is_the_same_frames(plain: Path) -> None:
    whole = list(clips.select(plain).frames())
    for start, stop, every in ((0, 0.5, 1), (0.5, 1.0, 1), (1, None, 7), (1.96, 2, 1)):
        clip = clips.select(plain, start=start, stop=stop, every=every)
        first = -(-int(start * 3000) // 100)
        wanted = whole[first : None if stop is None else int(stop * 30) : every]
        for skip in (0, len(wanted) - 1, len(wanted)):
            frames = list(clip.frames(skip))
            assert len(frames) == len(wanted) - skip == clip.count - skip
            for got, expected in zip(frames, wanted[skip:], strict=True):
                np.testing.assert_array_equal(got, expected)
        assert clip.fps == Fraction(30, every)
        assert clip.sound is not None
        assert clip.sound.start == pytest.approx(first / 30)
        assert clip.sound.whole == (start == 0 and stop is None)


def test_a_clip_is_scaled(plain: Path) -> None:
    clip = clips.select(plain, framing=Framing(32))
    assert next(clip.frames()).shape == (24, 32, 3)


def test_a_film_written_is_the_film_read(tmp_path: Path) -> None:
    """Colors pass through the encoder and back, and so does sound."""
    y, x = np.mgrid[:48, :64] / 64
    picture = np.dstack([x, y, 1 - x]).astype(np.float32)
    for suffix in (".mp4", ".mov", ".webm"):
        path = tmp_path / f"x{suffix}"
        with films.open_writer(Film(path, (48, 64), NTSC, quality=95)) as writer:
            for _ in range(5):
                writer.write(picture)
        clip = clips.select(path)
        assert (clip.fps, clip.count, clip.facts.sound) == (NTSC, 5, None)
        assert clip.sound is None
        for frame in clip.frames():
            assert np.abs(frame - picture).mean() < 0.01
            assert np.abs((frame - picture).mean((0, 1))).max() < 0.004


@pytest.mark.parametrize(("height", "matrix"), [(480, "bt601"), (720, "bt709")])
def test_untagged_colors_are_those_of_the_size(height: int, matrix: str, tmp_path: Path) -> None:
    path = tmp_path / "x.mkv"
    source = ("-f", "lavfi", "-i", f"color=0x20c040:size=320x{height}:rate=5:duration=0.4")
    tags = "color_primaries=unknown:color_trc=unknown:colorspace=unknown"
    filters = f"format=gbrp,scale=out_color_matrix={matrix},format=yuv444p,setparams={tags}"
    ffmpeg.run((*source, "-vf", filters, "-c:v", "ffv1", ffmpeg.target(path)), "x")
    seen = next(clips.select(path).frames())[8, 8] * 255
    np.testing.assert_allclose(seen, [0x20, 0xC0, 0x40], atol=2)


def test_the_dreamt_film_agrees_with_its_source(plain: Path, tmp_path: Path) -> None:
    clip, out = clips.select(plain), tmp_path / "out.mp4"
    with films.open_writer(Film(out, clip.size, clip.fps, sound=clip.sound)) as writer:
        for frame in clip.frames():
            writer.write(frame)
    assert writer.notes == []
    again = clips.select(out)
    assert (again.facts.frames, again.fps, again.facts.sound) == (60, 30, "aac")
    assert packets(out) == packets(plain)


def packets(path: Path) -> list[str]:
    listed = ("-map", "0:a", "-c", "copy", "-f", "framecrc", "pipe:1")
    return ffmpeg.run((*ffmpeg.source(path), *listed), "x").decode().splitlines()


def test_the_sound_of_a_part_is_cut_to_it(plain: Path, tmp_path: Path) -> None:
    clip, out = clips.select(plain, start=0.5, stop=1.5), tmp_path / "out.mp4"
    with films.open_writer(Film(out, clip.size, clip.fps, sound=clip.sound)) as writer:
        for frame in clip.frames():
            writer.write(frame)
    data = [row.split(",")[4:6] for row in packets(out) if not row.startswith("#")]
    whole = [row.split(",")[4:6] for row in packets(plain) if not row.startswith("#")]
    at = whole.index(data[0])
    assert whole[at : at + len(data)] == data
    # 1024 samples each, of 44100 a second.
    assert abs(at * 1024 / 44100 - 0.5) < 0.05
    assert abs(len(data) * 1024 / 44100 - 1.0) < 0.05


def test_one_frame_is_a_film(made: Maker) -> None:
    clip = clips.select(made("x.mp4", "-pix_fmt", "yuv420p", "-frames:v", "1"))
    assert (clip.count, clip.fps) == (1, Fraction(30))
    assert len(list(clip.frames())) == 1


def test_a_film_that_is_cut_short_gives_what_is_there(plain: Path) -> None:
    data = plain.read_bytes()
    plain.write_bytes(data[: len(data) * 2 // 3])
    clip = clips.select(plain)
    assert 5 < clip.count < 60
    assert f"is cut short or damaged: {clip.count} of about 6" in clip.facts.notes[0]
    assert_tells_its_time(clip)


def test_a_film_that_changes_meanwhile_is_named(plain: Path) -> None:
    clip = clips.select(plain)
    with pytest.raises(DreamerError, match="only up to frame 60 of 99"):
        list(replace(clip, stop=99).frames())


def test_a_folder_is_read_in_the_order_in_which_a_person_counts(tmp_path: Path) -> None:
    for number in (1000, 99, 100, 9):
        gray = np.full((24, 32, 3), number / 2000, np.float32)
        photos.write(tmp_path / f"frame{number}.png", gray)
    (tmp_path / "notes.txt").touch()
    (tmp_path / ".hidden.png").touch()
    clip = clips.select(tmp_path)
    assert (clip.fps, clip.count, clip.size, clip.sound) == (clips.FOLDER_FPS, 4, (24, 32), None)
    assert [round(float(f.mean()) * 2000, -1) for f in clip.frames()] == [10, 100, 100, 1000]
    part = clips.select(tmp_path, start=0.2, stop=0.8, folder_fps=Fraction(5), every=2)
    assert [round(float(f.mean()), 2) for f in part.frames()] == [0.05, 0.5]
    assert len(list(part.frames(1))) == 1
    Pillow.new("RGB", (40, 24)).save(tmp_path / "frame2000.png")
    with pytest.raises(DreamerError, match=r"frame2000\.png has another size"):
        list(clips.select(tmp_path).frames())


def broken(path: Path, kind: str, made: Maker) -> Path:
    """Something that is no film."""
    if kind == "sound":
        return made("x.m4a", "-map", "1")
    if kind == "cover":
        song = made("song.mp3", "-map", "1")
        Pillow.new("RGB", (64, 48)).save(path / "cover.png")
        both = (*ffmpeg.source(song), *ffmpeg.source(path / "cover.png"))
        maps = ("-map", "0", "-map", "1", "-c:a", "copy", "-disposition:v", "attached_pic")
        ffmpeg.run((*both, *maps, ffmpeg.target(path / "x.mp3")), "x")
        return path / "x.mp3"
    if kind == "folder":
        (path / "empty").mkdir()
        return path / "empty"
    data = {"text": b"This is no film.\n" * 9, "empty": b"", "noise": bytes(range(256)) * 40}
    file = path / f"x.{'txt' if kind == 'text' else 'mp4'}"
    if kind in data:
        file.write_bytes(data[kind])
    return file


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("missing", "There is no film"),
        ("text", "is no film"),
        ("empty", "is no film"),
        ("noise", "is no film"),
        ("sound", "only sound"),
        ("cover", "only sound"),
        ("folder", "holds no frames"),
    ],
)
def test_what_is_no_film_is_named(kind: str, said: str, made: Maker, tmp_path: Path) -> None:
    path = broken(tmp_path, kind, made)
    with pytest.raises(DreamerError, match=said) as caught:
        clips.select(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_part_without_frames_is_named(plain: Path) -> None:
    for start, stop in ((5.0, None), (1.0, 0.5), (0.501, 0.502)):
        with pytest.raises(DreamerError, match=r"has no frames from .* it lasts 2\.00 s"):
            clips.select(plain, start=start, stop=stop)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("75", 75),
        ("75.5", 75.5),
        ("7s", 7),
        (".9", 0.9),
        ("1:15", 75),
        ("0:05.25", 5.25),
        ("1:02:03.5", 3723.5),
    ],
)
def test_times_are_read(text: str, seconds: float) -> None:
    assert clips.parse_seconds(text) == seconds


@pytest.mark.parametrize("text", ["", "x", "-1", "1:75", "1:60:00", "1:2:3:4", "nan", "1e9"])
def test_what_is_no_time_is_named(text: str) -> None:
    with pytest.raises(DreamerError, match="is no time"):
        clips.parse_seconds(text)
