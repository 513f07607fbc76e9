"""Room on the disk."""

from pathlib import Path

import pytest

from dreamer.errors import DreamerError
from dreamer.files import disk_space


def test_room_on_the_disk_is_asked_for_first(tmp_path: Path) -> None:
    assert disk_space.estimate_bytes((480, 640), 100, 1) == 480 * 640 * 100 * 7
    disk_space.check(tmp_path / "not" / "yet", 1000)
    with pytest.raises(DreamerError, match=r"needs 1000000000\.0 GB.*fewer frames"):
        disk_space.check(tmp_path / "x.work", 10**18)
