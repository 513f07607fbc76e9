"""What the tests share: TensorFlow started once, a tiny seeded network, the real weights."""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dreamer.arrays import Image
from dreamer.networks import runtime

# The folders of whoever runs the tests are not theirs: neither presets nor caches.
_HOME = tempfile.TemporaryDirectory(prefix="dreamer-tests-")
os.environ.setdefault("DREAMER_CACHE", "")
for _kind in ("CONFIG", "CACHE", "DATA"):
    os.environ[f"XDG_{_kind}_HOME"] = str(Path(_HOME.name, _kind.lower()))

runtime.start()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let the golden pictures be written anew; see tests/pipelines/test_golden.py."""
    about = "write the pictures of tests/golden anew"
    parser.addoption("--rewrite-golden", action="store_true", help=about)


@pytest.fixture(scope="session")
def real_weights() -> Path:
    """The folder of real ImageNet weights; without one, the test is skipped."""
    from helpers import SHARED

    named = os.environ.get("DREAMER_WEIGHTS")
    folder = Path(named) if named else SHARED / "weights"
    if not (folder / "tensorflow_inception_graph.pb").is_file():
        pytest.skip("needs real weights: DREAMER_WEIGHTS names a folder that holds them")
    return folder


@pytest.fixture(scope="session")
def photo() -> Image:
    """A picture with structure at every scale, `(72, 96, 3)`."""
    random = np.random.default_rng(3)
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(72), np.fft.rfftfreq(96), indexing="ij"))
    spectrum = np.fft.rfft2(random.normal(size=(3, 72, 96))) / np.maximum(frequency, 0.02)
    noise = np.fft.irfft2(spectrum, s=(72, 96)).transpose(1, 2, 0)
    return (0.5 + 0.15 * noise / noise.std()).clip(0, 1).astype(np.float32)


@pytest.fixture(scope="session")
def tiny() -> Any:
    """A small network with names `conv` (before its ReLU), `relu`, `mixed`; random but seeded."""
    from helpers import tiny_network

    return tiny_network()


@pytest.fixture(scope="session")
def dreamnet() -> Any:
    """The network of the package."""
    from dreamer.networks.loading import load_for_recipe
    from dreamer.recipe import Recipe

    return load_for_recipe(Recipe())


@pytest.fixture
def dream(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Any]:
    """Run `dream` in this process: `dream("image", photo, …)` gives code, out and err."""
    from dreamer.cli import main

    def run(*arguments: object) -> Any:
        monkeypatch.setattr("sys.argv", ["dream", *map(str, arguments)])
        with pytest.raises(SystemExit) as stopped:
            main()
        said = capsys.readouterr()
        return stopped.value.code or 0, said.out, said.err

    return run
