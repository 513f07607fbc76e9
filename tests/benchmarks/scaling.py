"""What a dream costs as pictures grow, and what a step costs beside the network."""

import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
import tensorflow as tf
from measure import Row, command, medians

from dreamer.arrays import Image
from dreamer.ascent import regularisers, updates
from dreamer.ascent.climb import octave_seed
from dreamer.ascent.steps import Step, annealed
from dreamer.assemble import Plan, assemble
from dreamer.files import photos
from dreamer.nets.network import Network
from dreamer.recipe import Recipe

MEGAPIXELS = (0.25, 1.0, 4.0, 12.0)
LARGE = ("--size", "full", "--octaves", "2", "--octave-scale", "1.6", "--steps", "2")
AMOUNTS = {"median": 3, "blur": 0.4}
"""Of regularisers that the default recipe leaves out, or that need another than 0.01."""


def memory(photo: Path) -> Iterator[Row]:
    """Peak memory of 4096 by 3072 pixels, octaves up to the full size."""
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
    """A dream's time by the picture's size, with all octaves up to it."""
    assembly = assemble(Recipe(network=net.name, octaves=3, steps=2), net)
    seconds = []
    for megapixels in MEGAPIXELS:
        height = round((megapixels * 1e6 / 1.5) ** 0.5)
        image = photos.noise("fractal", (height, height * 3 // 2), 0).image
        plan = assembly.plan(image.shape[:2])

        def dream(image: Image = image, plan: Plan = plan) -> None:
            *_, last = assembly.dream(image, plan)
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
    """What each update and regulariser takes, as a share of a default step."""
    recipe = Recipe(network=net.name)
    assembly = assemble(recipe, net)
    picture = tf.constant(photos.noise("fractal", (512, 768), 0).image[None])
    ascent, seed = assembly._ascent("float32", None), octave_seed(0, 0, 0)
    start = ascent.begin(picture)
    count = 4
    runs: dict[str, Callable[[], object]] = {
        "step": lambda: ascent.run(start, seed, 0, count, count).scores.numpy()
    }
    every = {}
    for name, normalise in updates.NORMALISATIONS.items():
        runs[f"normalise {name}"] = partial(_ready, tf.function(normalise), picture)
    step = Step(tf.constant(3), tf.constant(10), {})
    runs["cascade"] = partial(_ready, tf.function(updates.cascade(0.5)), picture, step)
    for name, make in regularisers.REGULARISERS.items():
        regularise = make(annealed(AMOUNTS.get(name, 0.01)))
        runs[name] = partial(_ready, tf.function(regularise), picture, picture, step)
        every[name] = getattr(recipe, f"{name}_every")
    runs["clip"] = partial(_ready, tf.function(regularisers.clip), picture, picture, step)
    times = medians(runs)
    whole = times.pop("step") / count
    part = {name: seconds / every.get(name, 1) / whole for name, seconds in times.items()}
    for name, share in part.items():
        rare = f", after every {every[name]}. step" if every.get(name, 1) > 1 else ""
        yield f"of a default step on {net.name}, 512×768: {name}{rare}", f"{share:.1%}"
    default = sum(part[name] for name in (f"normalise {recipe.normalise}", "blur", "clip"))
    yield "all that a default step does beside the network's gradient", f"{default:.1%}"


def _ready(function: Callable[..., tf.Tensor], *arguments: object) -> object:
    return function(*arguments).numpy()
