"""Compare the pictures of 64 channels as `Visualizer` grows them with one picture at a time.

    python tests/benchmarks/filters.py [CHANNELS]

The reference is the Keras example "Visualizing what convnets learn": one picture, one channel, a
`tf.function` traced for it, the mean of the channel without a border of two cells, the gradient
divided by its Euclidean length, a step of 10. Its pictures run from -1 to 1 where this network's
are of 0 to 1, so that a step of 5 is the same. Both begin with the same noise, take 128 steps of
plain pixels on 128×128, and are scored by the same function. The noise has the spectrum of
photographs, since on the example's own most channels of this layer are silent, and stay so.
"""

import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any, NamedTuple

import numpy as np

from dreamer.networks import runtime

LAYER, SIZE, STEPS, BORDER, RATE = "mixed4d", 128, 128, 2, 5.0


def reference(net: Any) -> Callable[[np.ndarray, int], np.ndarray]:
    """The example's loop, on a network whose input's range is made outside of the picture."""
    import keras
    import tensorflow as tf

    extractor = keras.Model(net.model.inputs, net.model.get_layer(LAYER).output)
    scale, offset = net.spec.scale, net.spec.offset

    @tf.function  # type: ignore[untyped-decorator]
    def step(image: Any, channel: int, rate: float) -> tuple[Any, Any]:
        with tf.GradientTape() as tape:
            tape.watch(image)
            maps = extractor(image * scale + offset)
            loss = tf.reduce_mean(maps[:, BORDER:-BORDER, BORDER:-BORDER, channel])
        gradient = tf.math.l2_normalize(tape.gradient(loss, image))
        return loss, image + rate * gradient

    def grow(start: np.ndarray, channel: int) -> np.ndarray:
        image = tf.constant(start[None])
        for _ in range(STEPS):
            _, image = step(image, channel, RATE)
        return np.asarray(image[0])

    return grow


def _now() -> np.ndarray:
    """Seconds by the clock, and those of this process on all processors."""
    return np.array([time.perf_counter(), time.process_time()])


class Run(NamedTuple):
    """Seconds by the clock and of processors, and each channel's final objective."""

    seconds: np.ndarray
    scores: np.ndarray


def _setting(count: int) -> tuple[Any, list[int]]:
    """The `Visualizer` that both ways begin with, and the channels.

    What imports TensorFlow is imported here, since each way starts it in its own manner.
    """
    from dreamer.jobs import presets
    from dreamer.networks import loading
    from dreamer.pipelines.visualization import Visualizer

    net = loading.load("googlenet")
    # What the machine multiplies fastest, as `dream image` has it in its costly octaves.
    precision = "bfloat16" if runtime.gains_by_bfloat16() else "float32"
    plain = presets.load("filters").recipe.changed(
        {
            **{"network": "googlenet", "steps": STEPS, "size": SIZE, "border": BORDER},
            "precision": precision,
            **{"rate": RATE, "normalization": "l2", "optimizer": "ascent"},
            **{"jitter": 0, "clip": False},
            "visualization": {
                **{"parametrization": "pixels", "init": "fourier", "init_spread": 0.2},
                **{"scale": 0, "turn": 0, "leaky": 0},
            },
        }
    )
    chosen = np.linspace(0, net.channels(LAYER) - 1, count).astype(int).tolist()
    return Visualizer(plain, net), chosen


def own(count: int) -> Run:
    """All channels by `Visualizer`, TensorFlow started as `dream filters` starts it."""
    runtime.start(abreast=True)
    from dreamer.pipelines.targets import find_targets

    visualizer, chosen = _setting(count)
    started = _now()
    *_, last = visualizer.grow(find_targets(visualizer.net, LAYER, chosen))
    return Run(_now() - started, np.array([each.score for each in last.grown]))


def one_by_one(count: int) -> Run:
    """The example's loop, channel after channel, TensorFlow as it starts by itself."""
    from dreamer.networks import freezing

    visualizer, chosen = _setting(count)
    start = np.asarray(visualizer._start([(visualizer.recipe.seed, 0)])[0])
    started = _now()
    grow = reference(visualizer.net)
    pictures = [grow(start, channel) for channel in chosen]
    seconds = _now() - started
    features = freezing.freeze(visualizer.net, [LAYER], "float32")
    scores = [
        np.asarray(features(picture[None])[LAYER])[0, BORDER:-BORDER, BORDER:-BORDER, c].mean()
        for picture, c in zip(pictures, chosen, strict=True)
    ]
    return Run(seconds, np.array(scores))


def alone(way: Callable[[int], Run], count: int) -> Run:
    """A run in a process of its own, since TensorFlow's threads are set once a process."""
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        return pool.submit(way, count).result()


def main() -> None:
    """Print both times, their ratio, and how the channels' final objectives compare."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 64
    (quick, scores), (usual, theirs) = (alone(way, count) for way in (own, one_by_one))
    # Where a ReLU is silent on the noise, plain ascent has no gradient in either way.
    silent = (theirs <= 0) & (scores <= 0)
    share = scores[~silent] / np.maximum(theirs[~silent], 1e-6)
    print(f"{count} channels of {LAYER}, {SIZE}×{SIZE}, {STEPS} steps, {runtime.processors()} CPUs")
    for kind, own_way, slow in zip(("by the clock", "of processors"), quick, usual, strict=True):
        print(
            f"{kind}: dreamer {own_way:.1f} s, one at a time {slow:.1f} s, "
            f"{slow / own_way:.2f} times as fast"
        )
    print(f"silent in both: {silent.sum()}; the others' final objective, own / reference:")
    print(f"least {share.min():.3f}, median {np.median(share):.3f}, ", end="")
    print(f"at least 0.95 in {(share >= 0.95).sum()} of {len(share)}")


if __name__ == "__main__":
    main()
