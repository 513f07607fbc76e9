"""What the tests of the jobs share: a tiny network in a file, and a folder to work in."""

import warnings
from pathlib import Path
from typing import Any

import pytest

from dreamer.arrays import Image
from dreamer.files import photos
from dreamer.jobs.workbench import Workbench


@pytest.fixture(scope="session")
def bench() -> Workbench:
    """The networks and graphs of all jobs of this process."""
    return Workbench()


@pytest.fixture(scope="session")
def network_fields(tiny: Any, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Name a network that is traced in no time, as options do."""
    path = tmp_path_factory.mktemp("network") / "tiny.keras"
    with warnings.catch_warnings():
        # Keras and NumPy do not agree on how arrays are copied.
        warnings.simplefilter("ignore", DeprecationWarning)
        tiny.model.save(path)
    return {"network": str(path)}


@pytest.fixture
def work(tmp_path: Path, photo: Image, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a photo and a folder of photos, which a job runs in."""
    photos.write(tmp_path / "photo.png", photo)
    (tmp_path / "photos").mkdir()
    for name, picture in (("1", photo), ("2", photo[::-1])):
        photos.write(tmp_path / "photos" / f"{name}.png", picture)
    monkeypatch.chdir(tmp_path)
    return tmp_path
