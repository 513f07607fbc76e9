"""L-BFGS: the ascent of an octave as one search by SciPy instead of steps in a graph.

A line search finds the length of each step, so the gradient must be the objective's own: it is not
normalized, there is no `rate`, and regularizers are left out. The objective must not change between
steps either, so an octave has a single jitter. To keep the finest grain from dominating, the search
variables are the picture's spectrum divided by that of photographs, as in lucid (Olah et al.,
"Feature Visualization", 2017, on preconditioning).
"""

from collections.abc import Callable, Iterator
from queue import Queue
from threading import Event, Thread
from typing import Any

import numpy as np
import scipy  # Its parts are imported where they are first used.
import tensorflow as tf
from numpy.typing import NDArray

from dreamer.ascent.ascent import Ascent, Climb
from dreamer.ascent.steps import Numbers

HISTORY = 5
"""The number of past steps that L-BFGS keeps; each takes 48 bytes per pixel."""

COARSEST = 1 / 32
"""The frequency, in cycles per pixel, below which all amplitudes are scaled alike."""

Array = NDArray[np.float64]
"""A float64 array, as SciPy computes with."""


def climb_in_steps(
    ascent: Ascent, images: tf.Tensor, seed: tf.Tensor, steps: int, numbers: Numbers, *, clip: bool
) -> Iterator[tuple[Climb, int]]:
    """Run the ascent of an octave; yield the state and the number of steps taken so far.

    The last value counts all steps as taken, even if the search ended early.

    Args:
        ascent: provides objective, transform and the score limit at which the search stops.
        images: one picture, `(1, h, w, 3)`.
        seed: the seed of the octave.
        steps: the most steps to take.
        numbers: the numbers of the objective.
        clip: whether to keep colors within 0 to 1.
    """
    begin = np.asarray(images[0], np.float64)
    climb, fixed = ascent.begin(images), tf.random.experimental.stateless_fold_in(seed, 0)
    smooth = _like_photographs(begin.shape)
    strengths = dict(climb.strengths)

    low, high = (0, 1) if clip else (-np.inf, np.inf)

    def to_picture(flat: Array) -> Array:
        return begin + smooth(flat.reshape(begin.shape))

    def negated(flat: Array) -> tuple[float, Array]:
        wanted = to_picture(flat)
        shown = tf.constant(wanted.clip(low, high)[None], tf.float32)
        scores, gradient, found = ascent.value_and_gradient(shown, fixed, numbers)
        strengths.update(found)
        # Moving a color that is clipped changes nothing.
        slope = np.asarray(gradient[0]) * ((low <= wanted) & (wanted <= high))
        return -float(scores[0]), -smooth(slope).ravel()

    searched = _steps(negated, np.zeros(begin.size), steps)
    for taken, (flat, value) in enumerate(searched, 1):
        climb = climb._replace(
            images=tf.constant(to_picture(flat).clip(low, high)[None], tf.float32),
            scores=tf.constant([-value], tf.float32),
            strengths=dict(strengths),
        )
        if -value > ascent.stopping.limit:
            break
        if taken < steps:
            yield climb, taken
    yield climb, steps


def _like_photographs(shape: tuple[int, ...]) -> Callable[[Array], Array]:
    """Return a self-adjoint filter on `(h, w, 3)` with amplitudes that fall as 1/frequency."""
    height, width, _ = shape
    frequency = np.hypot(scipy.fft.fftfreq(height)[:, None], scipy.fft.rfftfreq(width))[..., None]
    share = COARSEST / np.maximum(frequency, COARSEST)

    def smooth(values: Array) -> Array:
        spectrum = scipy.fft.rfft2(values, axes=(0, 1)) * share
        return np.asarray(scipy.fft.irfft2(spectrum, (height, width), axes=(0, 1)))

    return smooth


def _steps(
    objective: Callable[[Array], tuple[float, Array]], start: Array, steps: int
) -> Iterator[tuple[Array, float]]:
    """Yield the point and value after each step of SciPy's L-BFGS-B (Byrd et al., 1995).

    SciPy reports its steps to a callback, so it runs in a thread, at most two steps ahead.

    Args:
        objective: the function to minimize; it returns value and gradient.
        start: the point to start from, `(n,)`.
        steps: the most steps to take.
    """
    results: Queue[Any] = Queue(maxsize=1)
    stopped = Event()

    def report(intermediate_result: Any) -> None:
        results.put((intermediate_result.x.copy(), float(intermediate_result.fun)))
        if stopped.is_set():
            raise StopIteration

    def search() -> None:
        # Only the number of steps ends the search: no tolerance suits the gradients of every
        # objective.
        options: Any = {"maxiter": steps, "maxcor": HISTORY, "maxfun": 100 * steps}
        options |= {"ftol": 0, "gtol": 0}
        method: Any = "L-BFGS-B"
        try:
            scipy.optimize.minimize(
                objective, start, method=method, jac=True, callback=report, options=options
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
