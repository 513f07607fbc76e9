"""What the tests share: TensorFlow started once, a tiny seeded network, the real weights."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dreamer.arrays import Image
from dreamer.nets import runtime

runtime.start()

SHARED = Path(__file__).parents[2] / "shared"


@pytest.fixture(scope="session")
def real_weights() -> Path:
    """The folder of real ImageNet weights; without one, the test is skipped."""
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
    return tiny_network()


def tiny_network(padding: str = "same") -> Any:
    """A seeded network of two strided stages with a batch normalisation of each kind."""
    import keras
    from keras import layers

    from dreamer.nets.network import Network
    from dreamer.nets.registry import NetSpec

    keras.utils.set_random_seed(7)
    image = keras.Input((None, None, 3))
    x = layers.Conv2D(8, 3, 2, padding, use_bias=False, name="conv")(image)
    x = layers.BatchNormalization(name="norm")(x)
    x = layers.ReLU(name="relu")(x)
    one = layers.Conv2D(6, 3, 1, padding, activation="relu", name="one")(x)
    two = layers.BatchNormalization(name="bare")(layers.MaxPooling2D(3, 1, padding)(x))
    mixed = layers.Concatenate(name="mixed")([one, two])
    model = keras.Model(image, mixed)
    random = np.random.default_rng(1)
    for layer in model.layers:
        if isinstance(layer, layers.BatchNormalization):
            layer.set_weights([random.uniform(0.5, 1.5, w.shape) for w in layer.get_weights()])
    spec = NetSpec("", "", (), None, 2, -1, ("mixed",), 8, {"relu": 6, "mixed": 12})
    return Network("tiny", spec, model, "")


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
