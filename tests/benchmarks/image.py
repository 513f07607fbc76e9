"""Measure what `dream image` costs, against other tools' loops on the same machine and run.

    DREAMER_WEIGHTS=FOLDER python tests/benchmarks/image.py PHOTO…

Five photos are needed, or more; any will do. The figures of the precision are of five of them, and
those of the resolution of three. The weights of inception_v3 and googlenet must be found
(`DREAMER_WEIGHTS`). Every figure is printed as a line of a
Markdown table. Times are medians; the loops take turns, because a shared machine's speed drifts.
"""

import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np

from dreamer.networks import runtime

THREADS = runtime.start()

import keras  # noqa: E402
import peers  # noqa: E402
import scaling  # noqa: E402
import tensorflow as tf  # noqa: E402
from measure import Row, at, command, medians  # noqa: E402

from dreamer.arrays import Image  # noqa: E402
from dreamer.ascent.ascent import octave_seed  # noqa: E402
from dreamer.files import photos  # noqa: E402
from dreamer.networks import loading  # noqa: E402
from dreamer.networks.network import Network  # noqa: E402
from dreamer.pipelines.goal import NO_GAINS  # noqa: E402
from dreamer.pipelines.image import ImagePipeline, build_pipeline  # noqa: E402
from dreamer.recipe import Recipe  # noqa: E402

SIZE = (384, 512)
STEPS = 4


def our_steps(pipeline: ImagePipeline, dtype: str, image: Image) -> Callable[[], object]:
    """A run of `STEPS` steps on one picture."""
    ascent = pipeline._ascent(dtype, None, NO_GAINS)
    start, seed = ascent.begin(tf.constant(image[None])), octave_seed(0, 0, 0)
    return lambda: ascent.run(start, seed, 0, STEPS, STEPS).scores.numpy()


def keras_steps(net: Network, layer: str, image: Image) -> Callable[[], object]:
    """The Keras example's loop, as many steps."""
    step = peers.keras_example(net.model, {layer: 1.0})

    def run() -> object:
        picture = tf.constant(image[None] * 2 - 1)
        for _ in range(STEPS):
            loss, picture = step(picture)
        return loss.numpy()

    return run


def tutorial_steps(net: Network, layer: str, image: Image) -> Callable[[], object]:
    """The TensorFlow tutorial's loop, as many steps."""
    run = peers.tf_tutorial(net.model, [layer])
    picture = tf.constant(image[None] * 2 - 1)
    return lambda: run(picture, tf.constant(STEPS)).numpy()


def step_flops(net: Network, layer: str) -> float:
    """Floating-point operations of one step: forward, and backward to the picture."""
    cut = keras.Model(net.model.inputs, net.model.get_layer(layer).output)
    shapes = keras.Model(
        cut.inputs, [x.output for x in cut.layers if isinstance(x, keras.layers.Conv2D)]
    ).compute_output_shape((1, *SIZE, 3))
    kernels = [x.kernel.shape for x in cut.layers if isinstance(x, keras.layers.Conv2D)]
    products = [
        np.prod(shape[1:]) * np.prod(kernel[:3])
        for shape, kernel in zip(shapes, kernels, strict=True)
    ]
    return 2 * 2 * float(sum(products))


def matrix_peak(dtype: str) -> float:
    """Operations a second of a large matrix product."""
    square = tf.cast(tf.random.stateless_normal([2048, 2048], [0, 0]), dtype)
    product = tf.function(lambda: tf.matmul(square, square))
    product()
    times = []
    for _ in range(8):
        start = time.perf_counter()
        product().numpy()
        times.append(time.perf_counter() - start)
    return 2 * 2048**3 / min(times)


def speed(image: Image) -> Iterator[Row]:
    """One step against the other loops, and against the machine's peak."""
    net = loading.load("inception_v3")
    layer = "mixed5"
    like_keras = Recipe().changed(
        {
            "network": "inception_v3",
            "layers": [layer],
            "border": 2,
            "normalization": "mean-abs",
            "jitter": 0,
            "clip": False,
            "blur": 0,
        }
    )
    same_work = build_pipeline(like_keras, net)
    own = Recipe().changed({"network": "inception_v3", "layers": [layer]})
    default = build_pipeline(own, net)
    runs = {
        "Keras example": keras_steps(net, layer, image),
        "TensorFlow tutorial": tutorial_steps(net, layer, image),
        "the same step, float32": our_steps(same_work, "float32", image),
        "the same step, bfloat16": our_steps(same_work, "bfloat16", image),
        "default step, float32": our_steps(default, "float32", image),
        "default step, bfloat16": our_steps(default, "bfloat16", image),
    }
    times = medians(runs)
    base = times["Keras example"]
    for name, seconds in times.items():
        yield (
            f"inception_v3 mixed5, 384×512: {name}",
            f"{seconds / STEPS:.3f} s, {seconds / base:.2f}×",
        )
    flops = step_flops(net, layer)
    for dtype in ("float32", "bfloat16"):
        reached = flops / (times[f"the same step, {dtype}"] / STEPS)
        peak = matrix_peak(dtype)
        yield (
            f"of the matrix peak, {dtype}",
            f"{reached / peak:.0%} ({reached / 1e9:.0f} of {peak / 1e9:.0f} GFLOP/s)",
        )


def whole_command(photo: Path) -> Iterator[Row]:
    """`dream image` from a cold start: small, and with no options on a large photo."""
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "photo.png", Path(folder) / "dream.png"
        dream = ["-m", "dreamer", "image", str(source), "-o", str(target), "--overwrite"]
        for side in (512, 1280):
            read = photos.read(photo)
            size = photos.fit_size(read.image.shape[:2], side, enlarge=True)
            photos.write(source, photos.resize(read, size).image)
            runs = {
                "import": lambda: command("-c", "import tensorflow"),
                "dream": lambda: command(*dream),
            }
            times = medians(runs, rounds=3)
            yield (
                f"`dream image` with no options, {side} px",
                f"{times['dream']:.1f} s; `import tensorflow` alone {times['import']:.1f} s",
            )
        yield "peak memory of that", f"{command(*dream)[1]:.0f} MB"


def finished(recipe: Recipe, net: Network, image: Image) -> Image:
    """A dream, at the picture's size."""
    pipeline = build_pipeline(recipe, net)
    *_, last = pipeline.dream(image, pipeline.plan(image.shape[:2]))
    return last.picture()


def correlation(a: Image, b: Image) -> float:
    """Of two pictures' changes, pixel by pixel."""
    return float(np.corrcoef(a.ravel(), b.ravel())[0, 1])


def precision(net: Network, paths: Sequence[Path]) -> Iterator[Row]:
    """What bfloat16 in the last octaves does to the dream, beside what another seed does."""
    exact = Recipe(network=net.name, precision="float32", size=640)
    changed: Mapping[str, Mapping[str, object]] = {
        "`mixed` against float32": {"precision": "mixed"},
        "all bfloat16 against float32": {"precision": "bfloat16"},
        "another seed against float32": {"seed": 1},
    }
    for label, changes in changed.items():
        dreams = []
        for path in paths:
            image = at(path, 640)
            reference = finished(exact, net, image) - image
            dreams.append(
                correlation(finished(exact.changed(changes), net, image) - image, reference)
            )
        yield f"dreams' correlation, {net.name}: {label}", ", ".join(f"{c:.2f}" for c in dreams)


RESOLUTIONS = {"--motif 0.6-0.37": Recipe(motif=(0.6, 0.37)), "no preset": Recipe()}
"""The recipes that are dreamt at two sizes, by what they are called in the table."""


def resolution(net: Network, paths: Sequence[Path], name: str) -> Iterator[Row]:
    """One recipe on a small and on a large copy of a photo, beside another seed's."""
    recipe = RESOLUTIONS[name].changed({"network": net.name, "size": "full"})
    pairs, seeds = [], []
    for path in paths:
        small, large = at(path, 480), at(path, 1440)
        dream = finished(recipe, net, small) - small
        change = finished(recipe, net, large) - large
        reduced = cv2.resize(change, small.shape[1::-1], interpolation=cv2.INTER_AREA)
        other = finished(recipe.changed({"seed": 1}), net, small) - small
        pairs.append(correlation(dream, reduced))
        seeds.append(correlation(dream, other))
    label = f"dreams' correlation, {net.name}, {name}"
    yield f"{label}: 480 px against 1440 px", ", ".join(f"{c:.2f}" for c in pairs)
    yield f"{label}: another seed", ", ".join(f"{c:.2f}" for c in seeds)


def main() -> None:
    """Print the table."""
    paths = [Path(argument) for argument in sys.argv[1:]]
    if len(paths) < 5:
        sys.exit(__doc__)
    print(f"| on {THREADS} threads | figure |\n|---|---|")

    def rows() -> Iterator[Row]:
        yield from speed(cv2.resize(at(paths[0], 512), SIZE[::-1]))
        yield from whole_command(paths[0])
        yield from scaling.memory(paths[0])
        google, ours = loading.load("googlenet"), loading.load("dreamnet")
        yield from scaling.time(ours)
        yield from scaling.shares(ours)
        yield from precision(google, paths[:5])
        for net in (google, ours):
            for name in RESOLUTIONS:
                yield from resolution(net, paths[:3], name)

    for name, figure in rows():
        print(f"| {name} | {figure} |", flush=True)


if __name__ == "__main__":
    main()
