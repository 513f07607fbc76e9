"""Files appear whole or not at all."""

import errno
from pathlib import Path

import numpy as np
import pytest

from dreamer.errors import DreamerError
from dreamer.files import atomic, photos


def test_a_file_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_text("before")

    def interrupted() -> None:
        with atomic.open_replacing(path) as file:
            file.write(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("x", "before")]
    # What a stranger has put where the part might lie is neither followed nor lost.
    (tmp_path / "x.part").symlink_to(tmp_path / "secret")
    with atomic.open_replacing(path) as file:
        file.write(b"after")
    assert path.read_text() == "after"


def test_nothing_is_overwritten_unasked(tmp_path: Path) -> None:
    path = tmp_path / "x.png"

    def late() -> None:
        with atomic.open_replacing(path, overwrite=False) as file:
            path.write_text("somebody was faster")
            file.write(b"late")

    with pytest.raises(DreamerError, match="--overwrite"):
        late()
    assert path.read_text() == "somebody was faster"
    assert atomic.find_free_name(path) == tmp_path / "x-2.png"
    (tmp_path / "x-2.png").touch()
    assert atomic.find_free_name(path) == tmp_path / "x-3.png"


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with (
        pytest.raises(DreamerError, match="Cannot write"),
        atomic.open_replacing(tmp_path / "a" / "b"),
    ):
        pass


def test_a_full_disk_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(DreamerError, match=r"Cannot write .*x\.png: No space left on device"):
        photos.write(tmp_path / "x.png", np.zeros((20, 20, 3), np.float32))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("overwrite", [True, False])
def test_a_rename_that_is_refused_for_a_moment_is_tried_again(
    overwrite: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace, refused, waited = Path.replace, [], []

    def refusing(part: Path, path: Path) -> Path:
        if len(refused) < 3:
            refused.append(path)
            raise PermissionError(errno.EACCES, "Permission denied")
        return replace(part, path)

    monkeypatch.setattr(Path, "replace", refusing)
    monkeypatch.setattr("time.sleep", waited.append)
    with atomic.open_replacing(tmp_path / "x.png", overwrite=overwrite) as file:
        file.write(b"a dream")
    assert (tmp_path / "x.png").read_bytes() == b"a dream"
    assert waited == [0.05, 0.1, 0.2]
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("overwrite", [True, False])
def test_a_finished_file_that_gets_no_name_is_kept(
    overwrite: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refusing(part: Path, path: Path) -> Path:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "replace", refusing)
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    said = r"Permission denied\. It is finished, as .*x\.png\.[0-9a-f]{8}\.part: rename that"
    with (
        pytest.raises(DreamerError, match=said),
        atomic.open_replacing(tmp_path / "x.png", overwrite=overwrite) as file,
    ):
        file.write(b"a dream")
    (kept,) = tmp_path.iterdir()
    assert kept.read_bytes() == b"a dream"
