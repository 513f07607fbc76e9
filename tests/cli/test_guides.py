"""Guides as they are typed."""

from pathlib import Path
from typing import Any

from dreamer.arrays import Image
from dreamer.files import photos
from dreamer.jobs.presets import read_finished


def test_a_folder_is_recorded_and_repeated(dream: Any, photo: Image, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    (folder / "within").mkdir(parents=True)
    for name in ("a.png", "within/b.png"):
        photos.write(folder / name, photo[:, ::-1])
    source, first, again = (tmp_path / name for name in ("p.png", "first.png", "again.png"))
    photos.write(source, photo)
    quick = ("--octaves", 1, "--steps", 2, "-l", "mixed3a", "--set", "guide_match=statistics")
    assert dream("image", source, "--guide", folder, *quick, "-o", first)[0] == 0
    assert len(read_finished(first).recipe.guide or "") == 64
    assert dream("image", source, "--guide", folder, "-p", first, "-o", again)[0] == 0
    assert first.read_bytes() == again.read_bytes()
