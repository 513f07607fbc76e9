"""Folders of photos, and where their dreams go."""

from pathlib import Path

import pytest

from dreamer.errors import DreamerError
from dreamer.files import photo_folder


def test_photos_of_a_folder_come_in_natural_order(tmp_path: Path) -> None:
    for name in ("b10.jpg", "B2.PNG", "a.webp", "notes.txt", "films.mp4", ".hidden.jpg"):
        (tmp_path / name).touch()
    (tmp_path / "inner.jpg").mkdir()
    found, skipped = photo_folder.list_photos(tmp_path)
    assert [path.name for path in found] == ["a.webp", "B2.PNG", "b10.jpg"]
    assert skipped == 2
    with pytest.raises(DreamerError, match="no photo in the folder"):
        photo_folder.list_photos(tmp_path / "inner.jpg")


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
    assert photo_folder.make_distinct_names([Path(path) for path in paths]) == names
