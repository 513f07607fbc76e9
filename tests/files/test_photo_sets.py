"""Sets of photos."""

from pathlib import Path

import pytest

from dreamer.arrays import Image
from dreamer.errors import DreamerError
from dreamer.files import photo_sets, photos


@pytest.mark.parametrize("kind", ["empty", "one photo", "damaged", "no archive"])
def test_photos_that_no_table_can_be_made_from_are_named(
    kind: str, tmp_path: Path, photo: Image
) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    if kind != "empty":
        photos.write(folder / "a.png", photo)
    if kind == "damaged":
        (folder / "b.jpg").write_bytes(b"no photo")
    source = folder / "a.png" if kind == "no archive" else folder
    with pytest.raises(DreamerError, match="photos") as caught:
        photo_sets.load(source)
    assert "\n" not in str(caught.value)
