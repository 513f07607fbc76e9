"""Which part of a photo or clip is used, and at how many pixels."""

import re
from pathlib import Path

import numpy as np
import pytest

from dreamer.arrays import Image
from dreamer.errors import DreamerError
from dreamer.files import clips, ffmpeg, photos
from dreamer.files.framing import Box, Framing, frame_photo
from dreamer.files.photos import Photo


@pytest.fixture
def ramps() -> Image:
    """A picture whose red says the column and whose green says the row, of 200×100 pixels."""
    y, x = np.mgrid[:100, :200].astype(np.float32)
    return np.dstack([x / 199, y / 99, np.zeros_like(x)])


@pytest.mark.parametrize(
    ("framing", "box", "size"),
    [
        (Framing("192x48"), Box(25, 0, 50, 200), (48, 192)),
        (Framing("50x100"), Box(0, 75, 100, 50), (100, 50)),
        (Framing("51x33", even=True), Box(0, 22, 100, 155), (33, 51)),
        (Framing(100, "1:1"), Box(0, 50, 100, 100), (100, 100)),
        (Framing(64, "16:9"), Box(0, 11, 100, 178), (36, 64)),
        (Framing(65, "16:9", even=True), Box(0, 11, 100, 178), (36, 64)),
        (Framing("full", crop="10,20,30,40"), Box(20, 10, 40, 30), (40, 30)),
        (Framing("full", "1:1", "10,20,30,40"), Box(25, 10, 30, 30), (30, 30)),
        (Framing(400, crop="10,20,30,40"), Box(20, 10, 40, 30), (40, 30)),
        (Framing(400, crop="10,20,30,40", enlarge=True), Box(20, 10, 40, 30), (400, 300)),
    ],
)
def test_the_part_and_the_pixels_are_those_asked_for(
    framing: Framing, box: Box, size: tuple[int, int], ramps: Image
) -> None:
    photo, framed = frame_photo(Photo(ramps, None, ""), framing)
    assert (framed.box, photo.size) == (box, size)
    # Nothing is stretched: each color lies where the part's own pixels were.
    wide, high = (np.arange(count) + 0.5 for count in (size[1], size[0]))
    red = (box.left + wide * box.width / size[1] - 0.5) / 199
    green = (box.top + high * box.height / size[0] - 0.5) / 99
    inner = slice(2, -2)
    assert np.abs(photo.image[5, inner, 0] - red[inner]).max() < 0.01
    assert np.abs(photo.image[inner, 5, 1] - green[inner]).max() < 0.012


@pytest.mark.parametrize(("size", "axis"), [("40x100", 1), ("200x30", 0)])
def test_entropy_keeps_what_says_most(size: str, axis: int) -> None:
    image = np.full((100, 200, 3), 0.5, np.float32)
    noise = np.random.default_rng(0).random((100, 200, 3), np.float32)
    busy = (slice(None), slice(150, 185)) if axis else (slice(60, 85), slice(None))
    image[busy] = noise[busy]
    box = frame_photo(Photo(image, None, ""), Framing(size, crop="entropy"))[1].box
    start, length = (box.left, box.width) if axis else (box.top, box.height)
    assert start <= busy[axis].start < busy[axis].stop <= start + length


def test_of_parts_that_say_the_same_the_middle_is_kept() -> None:
    flat = Photo(np.full((100, 200, 3), 0.5, np.float32), None, "")
    assert frame_photo(flat, Framing("40x100", crop="entropy"))[1].box == Box(0, 80, 100, 40)


def test_a_part_outside_is_refused_with_the_size_there_is(ramps: Image) -> None:
    with pytest.raises(DreamerError, match=re.escape("has 200×100 pixels")):
        frame_photo(Photo(ramps, None, ""), Framing(crop="150,0,51,10"))


def test_a_part_is_given_in_the_pixels_of_the_file(ramps: Image) -> None:
    read = Photo(ramps, None, "", original=(400, 800))
    assert frame_photo(read, Framing(crop="40,80,120,160"))[1].box == Box(20, 10, 40, 30)


def test_a_mask_may_be_of_the_whole_or_of_the_part(ramps: Image) -> None:
    _, framed = frame_photo(Photo(ramps, None, ""), Framing("60x60", crop="100,0,100,100"))
    whole = np.zeros((50, 100, 3), np.float32)
    whole[:, 75:] = 1
    part = np.zeros((30, 30, 3), np.float32)
    part[:, 15:] = 1
    for mask in (whole, part):
        white = framed.apply_to_mask(Photo(mask, None, ""), "The mask")
        assert white.shape == (60, 60)
        assert white[:, :28].max() < 1e-6
        assert white[:, 32:].min() > 1 - 1e-6
    with pytest.raises(DreamerError, match="other proportions"):
        framed.apply_to_mask(Photo(whole[:30], None, ""), "The mask")


def test_a_clip_is_cut_like_a_photo(ramps: Image, tmp_path: Path) -> None:
    photos.write(tmp_path / "0.png", ramps)
    framing = Framing("61x31", crop="20,30,122,62")
    clip = clips.select(tmp_path, framing=framing)
    wanted, _ = frame_photo(photos.read(tmp_path / "0.png"), framing)
    np.testing.assert_array_equal(next(clip.frames()), wanted.image)
    film = tmp_path / "x.mkv"
    still = ("-loop", "1", *ffmpeg.source(tmp_path / "0.png"))
    ffmpeg.run((*still, "-frames:v", "3", "-c:v", "ffv1", ffmpeg.target(film)), "x")
    read = list(clips.select(film, framing=framing).frames(1))
    assert len(read) == 2
    assert np.abs(read[1] - wanted.image).max() < 0.02
