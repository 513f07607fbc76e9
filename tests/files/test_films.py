"""Films out: every format against what ffmpeg and Pillow read back."""

import os
import stat
import subprocess
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from helpers import read_finished
from numpy.typing import NDArray
from PIL import Image as Pillow
from scipy.ndimage import gaussian_filter

from dreamer.arrays import Image
from dreamer.errors import DreamerError
from dreamer.files import animations, atomic, ffmpeg, films, png_frames, sound
from dreamer.files.film_spec import Film
from dreamer.files.sound import Sound
from dreamer.recipe import Recipe
from dreamer.recipe.provenance import Provenance

MADE = Provenance(Recipe().changed({"about": {"name": "Café ∞; a=b #1 \\ x\ny"}}), {"threads": 2})
SINGLE = [suffix for suffix in films.SUFFIXES if suffix]


def frame(number: int, size: tuple[int, int] = (48, 64)) -> Image:
    """A smooth picture of strong colors that moves from frame to frame."""
    y, x = np.mgrid[: size[0], : size[1]].astype(np.float32)
    waves = [np.sin((x + 2 * number) / 9), np.cos((y - number) / 7), np.sin((x + y) / 11)]
    return (0.5 + 0.45 * np.stack(waves, -1)).astype(np.float32)


def film(path: Path, count: int = 12, **options: object) -> list[str]:
    """Write a film of `frame`s; gives the notes."""
    order = replace(Film(path, (48, 64), Fraction(25), MADE), **options)  # type: ignore[arg-type]
    with films.open_writer(order) as writer:
        for number in range(count):
            writer.write(frame(number, order.size))
    return writer.notes


def decoded(path: Path, size: tuple[int, int] = (48, 64)) -> NDArray[np.uint8]:
    """All frames of a film, `(n, h, w, 3)`."""
    if path.is_dir():
        return np.stack([np.asarray(Pillow.open(file)) for file in sorted(path.iterdir())])
    wanted = ("-f", "rawvideo", "-pix_fmt", "rgb24", "pipe:1")
    raw = ffmpeg.run((*ffmpeg.source(path), *wanted), str(path))
    return np.frombuffer(raw, np.uint8).reshape(-1, *size, 3)


@pytest.fixture
def tone(tmp_path: Path) -> Callable[[str], Path]:
    """Two seconds of sound, encoded by a codec."""

    def make(codec: str) -> Path:
        path = tmp_path / "tone.mkv"
        arguments = ("-f", "lavfi", "-i", "sine=440:duration=2", "-c:a", codec)
        ffmpeg.run((*arguments, ffmpeg.target(path)), "the tone")
        return path

    return make


def packets(path: Path) -> list[tuple[int, str]]:
    """Size and checksum of every packet of a film's sound."""
    said = ffmpeg.run(
        (*ffmpeg.source(path), "-map", "0:a", "-c", "copy", "-f", "framecrc", "pipe:1"), "x"
    )
    rows = [row.split(",") for row in said.decode().splitlines() if not row.startswith("#")]
    return [(int(row[4]), row[5]) for row in rows]


@pytest.mark.parametrize("suffix", films.SUFFIXES)
def test_a_film_holds_its_frames_and_its_recipe(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"a film, [100%]{suffix}"
    film(path, made=with_facts(400), quality=95)
    wanted = np.stack([frame(number) for number in range(12)])
    error = decoded(path) / 255 - wanted
    # Dithering is for eyes that see a few pixels as one.
    seen = gaussian_filter(error, (0, 1, 1, 0)) if suffix == ".gif" else error
    assert 10 * np.log10(1 / (seen**2).mean()) > (30 if suffix == ".gif" else 33)
    assert np.abs(error.mean((0, 1, 2))).max() < 0.015
    assert read_finished(path if suffix else path / "000000.png") == with_facts(400)
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def with_facts(count: int) -> Provenance:
    """A recipe too long for one block of a GIF and for a line of a terminal."""
    return MADE._replace(facts={f"fact {number}": number for number in range(count)})


@pytest.mark.parametrize("suffix", SINGLE)
def test_the_same_frames_give_the_same_bytes(suffix: str, tmp_path: Path) -> None:
    paths = [tmp_path / folder / f"x{suffix}" for folder in "ab"]
    for path in paths:
        path.parent.mkdir()
        film(path)
    assert paths[0].read_bytes() == paths[1].read_bytes()


@pytest.mark.parametrize(
    ("suffix", "layout", "rate"),
    [
        (".mp4", "h264 (High).*yuv420p(tv, bt709, ", "29.97 fps"),
        (".webm", "vp9.*yuv420p(tv, bt709, ", "29.97 fps"),
        (".mov", "prores (HQ).*yuv422p10le(tv, bt709, ", "29.97 fps"),
    ],
)
def test_a_film_says_its_colors_and_its_rate(
    suffix: str, layout: str, rate: str, tmp_path: Path
) -> None:
    path = tmp_path / f"x{suffix}"
    film(path, fps=ffmpeg.to_exact_rate(29.97), quality=80)
    said = next(row for row in ffmpeg.describe_file(path).splitlines() if "Video:" in row)
    for part in (*layout.split(".*"), rate):
        assert part in said
    if suffix == ".mp4":
        data = path.read_bytes()
        assert data.index(b"moov") < data.index(b"mdat")


@pytest.mark.parametrize(
    ("fps", "exact"),
    [
        (30, Fraction(30)),
        (29.97, Fraction(30000, 1001)),
        (23.976, Fraction(24000, 1001)),
        (1, Fraction(1)),
        (12.5, Fraction(25, 2)),
        (Fraction(24000, 1001), Fraction(24000, 1001)),
    ],
)
def test_a_rate_is_the_one_that_is_meant(fps: float, exact: Fraction) -> None:
    assert ffmpeg.to_exact_rate(fps) == exact


@pytest.mark.parametrize("suffix", animations.ANIMATIONS)
@pytest.mark.parametrize(("fps", "kept", "lasts"), [(30, 12, 400), (60, 6, 200)])
def test_an_animation_loops_for_ever_at_the_films_rate(
    suffix: str, fps: int, kept: int, lasts: int, tmp_path: Path
) -> None:
    path = tmp_path / f"x{suffix}"
    notes = film(path, fps=Fraction(fps))
    with Pillow.open(path) as picture:
        assert picture.info["loop"] == 0
        count = getattr(picture, "n_frames", 0)
        durations = []
        for number in range(count):
            picture.seek(number)
            picture.load()
            durations.append(picture.info["duration"])
    fast = suffix == ".webp" and fps == 60
    assert count == (12 if fast else kept)
    assert abs(sum(durations) - lasts) <= 20
    assert f"x{suffix}: 64×48, {60 if fast else 30} fps" in notes[0]
    assert len(notes) == (2 if suffix == ".gif" and fps == 60 else 1)


@pytest.mark.parametrize("suffix", animations.ANIMATIONS)
def test_an_animation_gives_up_size_then_frames_then_colors(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"x{suffix}"
    film(path, made=None)
    full = path.stat().st_size / 1e6
    said = {}
    for share in (0.7, 0.2, 0.001):
        path.unlink()
        said[share] = " ".join(film(path, made=None, max_mb=full * share))
        assert (path.stat().st_size <= full * share * 1e6) == (share > 0.01), said
    assert "of the size" in said[0.7]
    assert "one frame of" not in said[0.7]
    assert "one frame of" in said[0.2]
    assert animations.ANIMATIONS[suffix].share in said[0.001]
    assert "larger than" in said[0.001]


def test_higher_quality_is_nearer(tmp_path: Path) -> None:
    wanted = np.stack([frame(number) for number in range(12)])
    for suffix in (".mp4", ".webm", ".webp", ".gif"):
        errors = []
        for quality in (1, 40, 100):
            path = tmp_path / f"{quality}{suffix}"
            film(path, quality=quality)
            errors.append(float(((decoded(path) / 255 - wanted) ** 2).mean()))
        assert errors == sorted(errors, reverse=True), suffix
        assert errors[0] > 1.3 * errors[-1], suffix


@pytest.mark.parametrize("suffix", films.SUFFIXES)
def test_odd_sizes_lose_a_pixel_where_they_must_and_it_is_said(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"x{suffix}"
    notes = " ".join(film(path, 2, size=(49, 65)))
    even = films.format_of(path).multiple == 2
    assert ("64×48" in notes and "65×49" in notes) == even
    frames = decoded(path, (48, 64) if even else (49, 65))
    wanted = frame(1, (49, 65))[: frames.shape[1], : frames.shape[2]]
    assert np.abs(frames[1] / 255 - wanted).mean() < 0.06


@pytest.mark.parametrize("suffix", sound.TRACKS)
@pytest.mark.parametrize("codec", ["aac", "libopus", "flac"])
def test_sound_is_copied_where_the_container_allows_it(
    suffix: str, codec: str, tone: Callable[[str], Path], tmp_path: Path
) -> None:
    source, path = tone(codec), tmp_path / f"x{suffix}"
    notes = film(path, 25, sound=Sound(source, 0.5))
    name = codec.removeprefix("lib")
    copied = name in sound.TRACKS[suffix].copied
    assert (sound.codec(path) == name) == copied
    assert (f"cannot hold {name} sound" in " ".join(notes)) != copied
    if copied:
        assert set(packets(path)) < set(packets(source))
    # One second of film, and of the sound, as near as its packets allow.
    assert "Duration: 00:00:01.0" in ffmpeg.describe_file(path)
    assert read_finished(path) == MADE
    assert len(decoded(path)) == 25


def test_a_sound_that_belongs_to_the_film_is_kept_whole(
    tone: Callable[[str], Path], tmp_path: Path
) -> None:
    source, path = tone("aac"), tmp_path / "x.mp4"
    film(path, 49, sound=Sound(source, whole=True))
    assert packets(path) == packets(source)


def test_what_holds_no_sound_is_said(tone: Callable[[str], Path], tmp_path: Path) -> None:
    notes = film(tmp_path / "x.gif", 2, sound=Sound(tone("aac")))
    assert "holds no sound" in notes[0]
    for source in (tmp_path / "x.gif", tmp_path / "nowhere.wav"):
        with pytest.raises(
            DreamerError, match=r"holds no sound that can be read|There is no sound file"
        ):
            film(tmp_path / "y.mp4", 2, sound=Sound(source))
    assert not (tmp_path / "y.mp4").exists()


def test_a_film_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    for suffix in films.SUFFIXES:
        path = tmp_path / f"x{suffix}"

        def interrupted(path: Path = path) -> None:
            with films.open_writer(Film(path, (48, 64), Fraction(25))) as writer:
                writer.write(frame(0))
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            interrupted()
        with pytest.raises(DreamerError, match="no frames"):
            film(path, 0)
        assert list(tmp_path.iterdir()) == []


def test_a_film_may_be_renamed_before_it_is_finished(tmp_path: Path) -> None:
    with films.open_writer(Film(tmp_path / "x.mp4", (48, 64), Fraction(25))) as writer:
        writer.write(frame(0))
        writer.path = tmp_path / "x.partial.mp4"
    assert [file.name for file in tmp_path.iterdir()] == ["x.partial.mp4"]


@pytest.mark.parametrize("suffix", [".mp4", ""])
def test_no_film_is_overwritten_unasked(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"x{suffix}"
    film(path, 3)
    with (
        pytest.raises(DreamerError, match="--overwrite"),
        films.open_writer(Film(path, (48, 64), Fraction(25))),
    ):
        pytest.fail("a film was begun that cannot take its name")
    with films.open_writer(Film(path, (48, 64), Fraction(25)), overwrite=True) as writer:
        writer.write(frame(0))
    assert len(decoded(path)) == 1
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_of_other_things_is_never_replaced(tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    (folder / "wedding.jpg").touch()
    with (
        pytest.raises(DreamerError, match=r"photos holds wedding\.jpg"),
        films.open_writer(Film(folder, (48, 64), Fraction(25)), overwrite=True),
    ):
        pytest.fail("a film was begun that cannot take its name")
    assert [file.name for file in folder.iterdir()] == ["wedding.jpg"]


def test_what_comes_into_a_folder_of_frames_stays_in_it(tmp_path: Path) -> None:
    folder = tmp_path / "frames"
    film(folder, 3)
    (folder / ".DS_Store").touch()
    with films.open_writer(Film(folder, (48, 64), Fraction(25)), overwrite=True) as writer:
        writer.write(frame(0))
        (folder / "notes.txt").touch()
    assert sorted(file.name for file in folder.iterdir()) == [
        ".DS_Store",
        "000000.png",
        "notes.txt",
    ]
    assert list(tmp_path.iterdir()) == [folder]


@pytest.mark.parametrize("suffix", films.SUFFIXES)
def test_no_other_file_of_a_persons_is_lost(suffix: str, tmp_path: Path) -> None:
    mine = tmp_path / f"x.part{suffix}"
    mine.write_text("mine")
    film(tmp_path / f"x{suffix}", 2)
    assert mine.read_text() == "mine"


def test_an_unknown_suffix_is_named(tmp_path: Path) -> None:
    with pytest.raises(DreamerError, match=r"'\.mp5'.*\.mp4") as caught:
        film(tmp_path / "x.mp5")
    assert "folder" in str(caught.value)


@pytest.mark.parametrize("fps", [0, -1, float("nan"), float("inf"), 1e9])
def test_a_rate_that_no_film_has_is_refused(fps: float) -> None:
    with pytest.raises(DreamerError, match="frames a second"):
        ffmpeg.to_exact_rate(fps)


@pytest.mark.parametrize("suffix", SINGLE)
def test_an_encoder_that_dies_is_quoted(
    suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dying = tmp_path / "ffmpeg"
    dying.write_text("#!/bin/sh\nhead -c 9999 > /dev/null\necho 'disk on fire' >&2\nexit 1\n")
    dying.chmod(dying.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setattr(ffmpeg, "executable", lambda: str(dying))
    with pytest.raises(DreamerError, match=rf"x\{suffix}.*disk on fire"):
        film(tmp_path / f"x{suffix}", 200)
    assert list(tmp_path.iterdir()) == [dying]


def test_a_folder_that_vanishes_is_named(tmp_path: Path) -> None:
    for suffix in films.SUFFIXES:
        with pytest.raises(DreamerError, match="nowhere") as caught:
            film(tmp_path / "nowhere" / "deep" / f"x{suffix}", 2)
        assert "\n" not in str(caught.value)


def test_ctrl_c_reaches_the_dream_alone(tmp_path: Path) -> None:
    with films.open_writer(Film(tmp_path / "x.mp4", (48, 64), Fraction(25))) as writer:
        writer.write(frame(0))
        said = subprocess.run(
            ["ps", "-o", "pgid=", "--ppid", str(os.getpid())], capture_output=True, check=False
        )
        groups = {int(group) for group in said.stdout.split()}
        assert groups - {os.getpgid(0)}
    assert len(decoded(tmp_path / "x.mp4")) == 1


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("x.mp4", b"not a film"),
        ("x.webm", b""),
        ("x.mov", b"#EXTM3U\n#EXTINF:1,\n/etc/passwd\n"),
        ("x.gif", b"GIF89a"),
    ],
)
def test_what_is_no_film_carries_no_recipe(name: str, data: bytes, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(DreamerError, match=name):
        read_finished(path)
    path.unlink()
    with pytest.raises(DreamerError, match=name):
        read_finished(path)


@pytest.mark.parametrize("error", [PermissionError(13, "Permission denied"), None])
def test_a_folder_of_frames_that_gets_no_name_leaves_nothing(
    error: OSError | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refusing(part: Path, path: Path, *, overwrite: bool) -> None:
        raise error or atomic.exists_error(path)

    monkeypatch.setattr(png_frames, "publish", refusing)
    said = "Permission denied" if error else "exists"
    with (
        pytest.raises(DreamerError, match=said),
        films.open_writer(Film(tmp_path / "frames", (16, 16), Fraction(5))) as writer,
    ):
        writer.write(np.zeros((16, 16, 3), np.uint16))
    assert not list(tmp_path.iterdir())
