"""Gradient ascent on pictures of one size, with many steps in one graph call."""

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from dreamer.arrays import Activations, Size
from dreamer.ascent.kept_graph import KeptGraph, keep_graph, restore_graph
from dreamer.ascent.normalizations import Update
from dreamer.ascent.objectives import Objective
from dreamer.ascent.optimizers import Memory, Optimizer
from dreamer.ascent.parametrizations import PIXELS, Parametrization
from dreamer.ascent.regularizers import Regularizer
from dreamer.ascent.steps import Numbers, Step, read_ramp, specify
from dreamer.ascent.tiling import Gradient, Slope, Tiles, tile_gradient
from dreamer.ascent.transforms import Transform

CHUNK_SECONDS = 0.3
"""The target duration of a chunk of steps; progress and cancellation come between chunks."""

_SHIFTED = 1 << 16
"""Added to the number of a shift, so that its random numbers are no transform's."""

_SEED = tf.TensorSpec([2], tf.int32)
_COUNT = tf.TensorSpec([], tf.int32)


def _relax_spec(tensor: tf.Tensor) -> tf.TensorSpec:
    """Return the spec of a tensor with any number of pictures of any height and width."""
    rank = tensor.shape.rank
    shape = [None, None, None, tensor.shape[-1]] if rank == 4 else [None] * rank
    return tf.TensorSpec(shape, tensor.dtype)


def _relax_shape(tensor: tf.Tensor) -> tf.TensorShape:
    return _relax_spec(tensor).shape if tensor.shape.rank else tensor.shape


class Climb(NamedTuple):
    """The state of an ascent between steps.

    Attributes:
        images: the pictures, `(n, h, w, 3)`, or the parameters that the ascent decodes to pictures.
        memory: the optimizer's memory.
        alive: `(n,)`; False for pictures whose ascent has stopped.
        scores: `(n,)`; the objective before the last step.
        best: `(n, cycle)`; the highest score so far at each point of the regularizers' cycle.
        waited: `(n,)`; the number of steps since an entry of `best` rose.
        strengths: the mean square of each channel before the last step, `(n, c)` by layer.
        kept: the images with the highest score so far, `(n, h, w, 3)`; empty unless the ascent
            keeps the best.
        taken: `(n,)`; the number of steps that led to `kept`, or else to `images`.
    """

    images: tf.Tensor
    memory: Memory
    alive: tf.Tensor
    scores: tf.Tensor
    best: tf.Tensor
    waited: tf.Tensor
    strengths: Mapping[str, tf.Tensor]
    kept: tf.Tensor
    taken: tf.Tensor


class Stopping(NamedTuple):
    """The conditions under which the ascent of a picture stops early.

    Attributes:
        limit: the score above which the ascent stops, before the next step is taken.
        patience: the number of cycles without a higher score after which the ascent stops; None
            for no such limit.
        cycle: the period of the regularizers, in steps. Scores are compared only with scores at
            the same point of the cycle, because a median filter or a blur lowers the next score.
    """

    limit: float = float("inf")
    patience: int | None = None
    cycle: int = 1


NO_STOPPING = Stopping()
"""The conditions of an ascent that never stops early."""


class Ascent:
    """Gradient ascent on an objective, traced once for pictures of any size.

    Args:
        features: the frozen network, from pictures to activations.
        objective: the objective to maximize.
        numbers: the numbers of a run. Later runs may pass other values in the same structure.
        transform: random transform of the pictures in each step, inside the gradient tape.
        update: function applied to the gradient, such as a normalization.
        optimizer: turns the gradient into a step.
        regularize: function applied to the pictures after each step.
        stopping: conditions under which the ascent of a picture ends early.
        tiles: the tiles that the network sees one by one; None to show it whole pictures.
        parametrization: of the pictures by `Climb.images`, which are decoded inside the tape.
        keep_best: whether to keep the images with the highest score.
        shifts: how many random transforms a gradient is the mean of.
    """

    def __init__(
        self,
        features: Callable[[tf.Tensor], Activations],
        objective: Objective,
        numbers: Numbers,
        *,
        transform: Transform,
        update: Update,
        optimizer: Optimizer,
        regularize: Regularizer,
        stopping: Stopping = NO_STOPPING,
        tiles: Tiles | None = None,
        parametrization: Parametrization = PIXELS,
        keep_best: bool = False,
        shifts: int = 1,
    ) -> None:
        self.objective, self.stopping, self.numbers = objective, stopping, numbers
        self._features, self._transform = features, transform
        self._decode = parametrization.decode
        self._update, self._optimizer, self._regularize = update, optimizer, regularize
        self._keep_best = keep_best
        signature = specify(numbers)
        sample = parametrization.encode(tf.zeros([1, 8, 8, 3]))
        # Not inlined: inside the loop, the same graph was slower and gave one of two different
        # float32 results at random, depending on the process.
        gradient: Gradient = tf.function(
            self._gradient,
            input_signature=[_relax_spec(sample), _SEED, signature],
            experimental_attributes={"_noinline": True},
            autograph=False,
        )
        if tiles:
            gradient = tile_gradient(gradient, objective.layers, tiles)
        self.value_and_gradient = _average_shifts(gradient, shifts) if shifts > 1 else gradient
        # One signature for all sizes, or each octave would trigger a retrace.
        start = tf.nest.map_structure(_relax_spec, self.begin(sample))
        self._run: Any = tf.function(
            self._steps,
            input_signature=[start, _SEED, _COUNT, _COUNT, _COUNT, signature],
            autograph=False,
        )

    value_and_gradient: Gradient
    """Function from images, a seed and numbers to the scores `(n,)`, their gradient
    `(n, h, w, 3)`, and the strengths of the channels."""

    def _gradient(self, images: tf.Tensor, seed: tf.Tensor, numbers: Numbers) -> Slope:
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(images)
            maps = self._features(self._transform(self._decode(images), seed))
            scores = self.objective(maps, numbers)
        return scores, tape.gradient(scores, images), _measure_strengths(maps)

    def begin(self, images: tf.Tensor) -> Climb:
        """Return the state before the first step."""
        count = tf.shape(images)[0:1]
        return Climb(
            images,
            self._optimizer.init(images),
            alive=tf.ones(count, tf.bool),
            scores=tf.zeros(count),
            best=tf.fill([count[0], self.stopping.cycle], -float("inf")),
            waited=tf.zeros(count, tf.int32),
            # The number of channels is unknown until the first step.
            strengths={name: tf.zeros([count[0], 0]) for name in self.objective.layers},
            kept=images if self._keep_best else images[:, :0, :0],
            taken=tf.zeros(count, tf.int32),
        )

    def run(
        self,
        climb: Climb,
        seed: tf.Tensor,
        first: int,
        stop: int,
        count: int,
        numbers: Numbers | None = None,
    ) -> Climb:
        """Take steps `first` to `stop - 1` out of `count` in one graph call.

        The pixels do not depend on how the steps are divided into runs.
        """
        steps = (tf.constant(step, tf.int32) for step in (first, stop, count))
        ended: Climb = self._run(climb, seed, *steps, numbers or self.numbers)
        return ended

    def keep(self) -> KeptGraph | None:
        """Return the traced graph of a run as plain data; see `keep_graph`."""
        return keep_graph(self._run)

    def restore(self, kept: KeptGraph) -> None:
        """Use the graph of a run that an equal ascent kept, instead of tracing one.

        Raises what `restore_graph` does.
        """
        graph = restore_graph(kept)
        self._run = lambda climb, *others: tf.nest.pack_sequence_as(climb, graph(climb, *others))

    def _steps(
        self,
        climb: Climb,
        seed: tf.Tensor,
        first: tf.Tensor,
        stop: tf.Tensor,
        count: tf.Tensor,
        numbers: Numbers,
    ) -> Climb:
        _, end = tf.while_loop(
            lambda index, climb: (index < stop) & tf.reduce_any(climb.alive),
            lambda index, climb: (index + 1, self._step(climb, seed, Step(index, count, numbers))),
            (first, climb),
            shape_invariants=tf.nest.map_structure(_relax_shape, (first, climb)),
            parallel_iterations=1,
        )
        return Climb(*end)

    def _step(self, climb: Climb, seed: tf.Tensor, step: Step) -> Climb:
        index, cycle = step.index, self.stopping.cycle
        step_seed = tf.random.experimental.stateless_fold_in(seed, index)
        scores, gradient, strengths = self.value_and_gradient(climb.images, step_seed, step.numbers)
        scores = tf.where(climb.alive, scores, climb.scores)
        here = tf.equal(tf.range(cycle), index % cycle)
        rose = scores > tf.reduce_max(tf.where(here, climb.best, -float("inf")), 1)
        waited = tf.where(rose, 0, climb.waited + 1)
        alive = climb.alive & (scores <= self.stopping.limit)
        if self.stopping.patience is not None:
            alive &= waited < self.stopping.patience * cycle
        gradient = self._update(gradient, step)
        rate = read_ramp(step.numbers.rate, step)
        ahead, memory = self._optimizer.apply(gradient, climb.memory, rate)
        images = self._regularize(climb.images + ahead, gradient, step)
        moved = _select_pictures(alive, images, climb.images)
        kept, taken = climb.kept, tf.where(alive, index + 1, climb.taken)
        if self._keep_best:
            highest = scores > tf.reduce_max(climb.best, 1)
            kept = _select_pictures(highest, climb.images, kept)
            taken = tf.where(highest, index, climb.taken)
        best = tf.where(here, tf.maximum(scores[:, None], climb.best), climb.best)
        return Climb(moved, memory, alive, scores, best, waited, strengths, kept, taken)


def _average_shifts(gradient: Gradient, shifts: int) -> Gradient:
    """Return the mean of several gradients, each with random numbers of its own.

    Most of the finest grain differs from one to the next, and averages out.
    """

    def run(images: tf.Tensor, seed: tf.Tensor, numbers: Numbers) -> Slope:
        slopes: list[Slope] = []
        for number in range(shifts):
            # One after the other: both at once would take twice the memory.
            with tf.control_dependencies([slope for _, slope, _ in slopes]):
                own = tf.random.experimental.stateless_fold_in(seed, _SHIFTED + number)
                slopes.append(gradient(tf.identity(images), own if number else seed, numbers))
        mean: Slope = tf.nest.map_structure(lambda *each: tf.add_n(each) / shifts, *slopes)
        return mean

    return run


def _select_pictures(condition: tf.Tensor, chosen: tf.Tensor, others: tf.Tensor) -> tf.Tensor:
    """Choose one of each pair of pictures, faster than `tf.where`, which selects by pixel."""
    return tf.raw_ops.Select(condition=condition, x=chosen, y=others)


def _measure_strengths(maps: Activations) -> Mapping[str, tf.Tensor]:
    return {
        name: tf.reduce_mean(tf.square(each), range(1, each.shape.rank - 1))
        for name, each in maps.items()
    }


def octave_seed(seed: int, frame: int, octave: int) -> tf.Tensor:
    """Return a seed `(2,)`, int32, for one octave of one frame; octave 0 is the coarsest."""
    words = np.random.SeedSequence([seed, frame, octave]).generate_state(2)
    return tf.constant(words.view(np.int32))


def climb_in_chunks(
    ascent: Ascent,
    images: tf.Tensor,
    seed: tf.Tensor,
    steps: int,
    chunk: "Chunk",
    numbers: Numbers | None = None,
) -> Iterator[tuple[Climb, int]]:
    """Run an ascent chunk by chunk; yield the state and the number of steps taken so far.

    Once all pictures have stopped, all steps count as taken.

    Args:
        ascent: the ascent to run.
        images: the images to start from, `(n, h, w, 3)`.
        seed: the seed from `octave_seed`.
        steps: the total number of steps.
        chunk: chooses the number of steps to take at once.
        numbers: values to use in place of the ascent's own.
    """
    size = int(images.shape[1]), int(images.shape[2])
    climb, taken = ascent.begin(images), 0
    del images
    while taken < steps:
        stop = min(steps, taken + chunk.steps(size))
        started = time.perf_counter()
        climb = ascent.run(climb, seed, taken, stop, steps, numbers)
        if bool(tf.reduce_any(climb.alive)):
            chunk.learn(size, stop - taken, time.perf_counter() - started)
            taken = stop
        else:
            # All pictures have stopped, so the remaining steps would change nothing.
            taken = steps
        yield climb, taken


class Chunk:
    """A chooser of chunk lengths that learns the pace of the steps from past runs.

    Args:
        most: the most steps in a chunk; None for no limit.
        seconds: the target duration of a chunk.
    """

    def __init__(self, most: int | None, seconds: float = CHUNK_SECONDS) -> None:
        self._pace, self._most, self._seconds = float("inf"), most, seconds

    def steps(self, size: Size) -> int:
        """Return the number of steps to take next at this size, at least 1."""
        fitting = max(1, int(self._seconds / (self._pace * size[0] * size[1])))
        return fitting if self._most is None else min(self._most, fitting)

    def learn(self, size: Size, steps: int, seconds: float) -> None:
        """Record the duration of a run; the best pace counts, because a first run also traces."""
        self._pace = min(self._pace, seconds / (steps * size[0] * size[1]))
