"""Measure what a dream costs as pictures grow, and what a step costs beside the network.

`tests/benchmarks/image.py` runs these measurements, and prints them in its table.
"""

import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
import tensorflow as tf
from measure import Row, command, medians

from dreamer.arrays import Image
from dreamer.ascent import normalizations, regularizers, steps
from dreamer.ascent.ascent import octave_seed
from dreamer.ascent.steps import Amount, Step
from dreamer.files import photos
from dreamer.imaging import noise
from dreamer.networks.network import Network
from dreamer.pipelines.goal import NO_GAINS
from dreamer.pipelines.image import build_pipeline
from dreamer.pipelines.plan import Plan
from dreamer.recipe import Recipe

MEGAPIXELS = (0.25, 1.0, 4.0, 12.0)
LARGE = ("--size", "full", "--octaves", "2", "--octave-scale", "1.6", "--steps", "2")
AMOUNTS = {"median": 3, "blur": 0.4}
"""The amounts of regularizers that need another one than 0.01."""


def memory(photo: Path) -> Iterator[Row]:
    """Measure the peak memory of 4096 by 3072 pixels, with octaves up to the full size."""
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "photo.jpg", Path(folder) / "dream.png"
        read = photos.read(photo)
        photos.write(source, photos.resize(read, (3072, 4096)).image)
        for name, layer in (("dreamnet", "mixed4c"), ("inception_v3", "mixed5")):
            chosen = ("-m", name, "-l", layer, *LARGE, "-o", str(target), "--overwrite")
            seconds, peak = command("-m", "dreamer", "image", str(source), *chosen)
            yield (
                f"{name} {layer}, 12 megapixels, two octaves of two steps",
                (f"{peak:.0f} MB, {seconds:.0f} s"),
            )


def time(net: Network) -> Iterator[Row]:
    """Measure a dream's time by the picture's size, with all octaves up to it."""
    pipeline = build_pipeline(Recipe(network=net.name, octaves=3, steps=2), net)
    seconds = []
    for megapixels in MEGAPIXELS:
        height = round((megapixels * 1e6 / 1.5) ** 0.5)
        image = noise.draw_noise("fractal", (height, height * 3 // 2), 0)
        plan = pipeline.plan(image.shape[:2])

        def dream(image: Image = image, plan: Plan = plan) -> None:
            *_, last = pipeline.dream(image, plan)
            last.picture()

        taken = medians({"dream": dream}, rounds=1 if megapixels > 1 else 3)["dream"]
        seconds.append(taken)
        tiles = f", tiles of {plan.tile}" if plan.tile else ""
        yield (
            f"{net.name}, {megapixels:g} megapixels, three octaves of two steps{tiles}",
            f"{taken:.1f} s, {taken / megapixels:.2f} s a megapixel",
        )
    exponent = np.polyfit(np.log(MEGAPIXELS), np.log(seconds), 1)[0]
    yield "time grows with the pixels to the power of", f"{exponent:.2f}"


def shares(net: Network) -> Iterator[Row]:
    """Measure what each update and regularizer takes, as a share of a default step."""
    recipe = Recipe(network=net.name)
    pipeline = build_pipeline(recipe, net)
    picture = tf.constant(noise.draw_noise("fractal", (512, 768), 0)[None])
    ascent, seed = pipeline._ascent("float32", None, NO_GAINS), octave_seed(0, 0, 0)
    start = ascent.begin(picture)
    count = 4
    runs: dict[str, Callable[[], object]] = {
        "step": lambda: ascent.run(start, seed, 0, count, count).scores.numpy()
    }
    every = {}
    for name, normalize in normalizations.NORMALIZATIONS.items():
        runs[f"normalization {name}"] = partial(_ready, tf.function(normalize), picture)
    step = Step(tf.constant(3), tf.constant(10), steps.numbers())
    runs["cascade"] = partial(_ready, tf.function(normalizations.blur_cascade(0.5)), picture, step)
    for name, make in regularizers.REGULARIZERS.items():
        regularize = make(_constant(AMOUNTS.get(name, 0.01)))
        runs[name] = partial(_ready, tf.function(regularize), picture, picture, step)
        every[name] = getattr(recipe, f"{name}_every")
    runs["clip"] = partial(_ready, tf.function(regularizers.clip), picture, picture, step)
    times = medians(runs)
    whole = times.pop("step") / count
    part = {name: seconds / every.get(name, 1) / whole for name, seconds in times.items()}
    for name, share in part.items():
        rare = f", after every {every[name]}. step" if every.get(name, 1) > 1 else ""
        yield f"of a default step on {net.name}, 512×768: {name}{rare}", f"{share:.1%}"
    default = sum(part[name] for name in (f"normalization {recipe.normalization}", "blur", "clip"))
    yield "all that a default step does beside the network's gradient", f"{default:.1%}"


def _constant(amount: float) -> Amount:
    return lambda step: tf.constant(amount, tf.float32)


def _ready(function: Callable[..., tf.Tensor], *arguments: object) -> object:
    return function(*arguments).numpy()
