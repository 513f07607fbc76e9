"""L-BFGS: an octave's ascent as one search by SciPy, instead of steps in a graph.

A line search finds how far each step goes, so the gradient must be the objective's own: it is not
normalised, `rate` means nothing, and regularisers are left out. The objective must not change
between steps either: an octave has one jitter. So that not only the finest grain rises, the search
is for the picture's spectrum divided by that of photographs, as lucid's pictures are
(Olah et al., "Feature Visualization", 2017, on preconditioning).
"""

from collections.abc import Callable, Iterator
from queue import Queue
from threading import Event, Thread
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from scipy import fft, optimize

from dreamer.ascent.climb import Ascent, Climb
from dreamer.ascent.steps import Numbers

HISTORY = 5
"""Steps whose gradients are kept; each takes 48 bytes a pixel."""

COARSEST = 1 / 32
"""Cycles a pixel; what is coarser is as easily reached as this."""

Array = NDArray[np.float64]


def climbs(
    ascent: Ascent, images: tf.Tensor, seed: tf.Tensor, steps: int, numbers: Numbers, *, clip: bool
) -> Iterator[tuple[Climb, int]]:
    """An octave's ascent step by step, with the steps taken; the last value says all of them.

    Args:
        ascent: whose objective and transform count; above its limit the search stops.
        images: one picture, `(1, h, w, 3)`.
        seed: of the octave.
        steps: at most so many.
        numbers: what enters the objective.
        clip: whether colours stay within 0 to 1.
    """
    begin = np.asarray(images[0], np.float64)
    climb, fixed = ascent.begin(images), tf.random.experimental.stateless_fold_in(seed, 0)
    smooth = _like_photographs(begin.shape)
    strengths = dict(climb.strengths)

    low, high = (0, 1) if clip else (-np.inf, np.inf)

    def free(flat: Array) -> Array:
        return begin + smooth(flat.reshape(begin.shape))

    def falling(flat: Array) -> tuple[float, Array]:
        wanted = free(flat)
        shown = tf.constant(wanted.clip(low, high)[None], tf.float32)
        scores, gradient, found = ascent.value_and_gradient(shown, fixed, numbers)
        strengths.update(found)
        # A colour that is held at its bound changes nothing.
        slope = np.asarray(gradient[0]) * ((low <= wanted) & (wanted <= high))
        return -float(scores[0]), -smooth(slope).ravel()

    searched = _steps(falling, np.zeros(begin.size), steps)
    for taken, (flat, value) in enumerate(searched, 1):
        climb = climb._replace(
            images=tf.constant(free(flat).clip(low, high)[None], tf.float32),
            scores=tf.constant([-value], tf.float32),
            strengths=dict(strengths),
        )
        if -value > ascent.limit:
            break
        if taken < steps:
            yield climb, taken
    yield climb, steps


def _like_photographs(shape: tuple[int, ...]) -> Callable[[Array], Array]:
    """A filter on `(h, w, 3)` that is its own transpose: amplitudes fall with the frequency."""
    height, width, _ = shape
    frequency = np.hypot(fft.fftfreq(height)[:, None], fft.rfftfreq(width))[..., None]
    share = COARSEST / np.maximum(frequency, COARSEST)

    def smooth(values: Array) -> Array:
        spectrum = fft.rfft2(values, axes=(0, 1)) * share
        return np.asarray(fft.irfft2(spectrum, (height, width), axes=(0, 1)))

    return smooth


def _steps(
    falling: Callable[[Array], tuple[float, Array]], start: Array, steps: int
) -> Iterator[tuple[Array, float]]:
    """Where SciPy's L-BFGS-B (Byrd et al., 1995) stands after each of its steps.

    It runs in a thread of its own, because it calls back and does not yield; never more than two
    steps ahead.
    """
    results: Queue[Any] = Queue(maxsize=1)
    stopped = Event()

    def report(intermediate_result: Any) -> None:
        results.put((intermediate_result.x.copy(), float(intermediate_result.fun)))
        if stopped.is_set():
            raise StopIteration

    def search() -> None:
        # Nothing but the number of steps ends it: how small a gradient is depends on the objective.
        options: Any = {"maxiter": steps, "maxcor": HISTORY, "maxfun": 100 * steps}
        options |= {"ftol": 0, "gtol": 0}
        method: Any = "L-BFGS-B"
        try:
            optimize.minimize(
                falling, start, method=method, jac=True, callback=report, options=options
            )
            results.put(None)
        except BaseException as error:
            results.put(error)

    thread = Thread(target=search, daemon=True)
    thread.start()
    try:
        while (result := results.get()) is not None:
            if isinstance(result, BaseException):
                raise result
            yield result
    finally:
        stopped.set()
        while thread.is_alive():
            if not results.empty():
                results.get()
            thread.join(0.01)
