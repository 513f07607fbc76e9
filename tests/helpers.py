"""What tests of several floors share: the repository's folders, small networks, plain ascents."""

from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from dreamer.arrays import Image
from dreamer.ascent import normalizations, objectives, optimizers, regularizers, steps, transforms
from dreamer.ascent.ascent import Ascent, Climb, octave_seed
from dreamer.ascent.normalizations import Update
from dreamer.ascent.steps import Numbers, Ramp
from dreamer.files import metadata
from dreamer.networks import freezing
from dreamer.recipe import Recipe, from_toml, provenance
from dreamer.recipe.provenance import Provenance

TESTS = Path(__file__).parent
ROOT = TESTS.parent
MEDIA = ROOT / "media"
SHIPPED = ROOT / "presets"
SHARED = ROOT.parent / "shared"


def tiny_network(padding: str = "same") -> Any:
    """Build a seeded network of two strided stages with a batch normalization of each kind."""
    import keras
    from keras import layers

    from dreamer.networks.network import Network
    from dreamer.networks.registry import NetSpec

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
    return Network("tiny", spec, lambda: model, "")


def normalized(name: str) -> Update:
    """Return a plain normalization as an update."""
    return lambda gradient, step: normalizations.NORMALIZATIONS[name](gradient)


def make(net: Any, rate: Ramp | float = 0.01, **parts: Any) -> Ascent:
    """Make an ascent on `mixed` with plain parts, some of them replaced."""
    goal = parts.pop("objective", None) or objectives.layer("mixed")
    features = parts.pop("features", None) or freezing.freeze(net, goal.layers, "float32")
    numbers = parts.pop("numbers", None) or steps.numbers(rate)
    standard = {
        "transform": transforms.jitter(0),
        "update": normalized("rms"),
        "optimizer": optimizers.OPTIMIZERS["ascent"],
        "regularize": regularizers.chain(),
    }
    return Ascent(features, goal, numbers, **{**standard, **parts})


def climb(
    ascent: Ascent,
    photo: Image,
    steps: int = 6,
    first: int = 0,
    seed: int = 0,
    numbers: Numbers | None = None,
) -> Climb:
    """Climb from a picture, or from a batch of them."""
    images = tf.constant(photo[None] if photo.ndim == 3 else photo)
    begun, random = ascent.begin(images), octave_seed(seed, 0, 0)
    return ascent.run(begun, random, first, steps, steps, numbers)


def shipped(name: str) -> Recipe:
    """Read a preset of the package."""
    return from_toml((SHIPPED / f"{name}.toml").read_text("utf-8"), f"preset {name}")


def read_finished(path: Path) -> Provenance:
    """Read the recipe and the facts that a finished picture or film carries."""
    return provenance.parse(metadata.read(path), str(path))
