"""A climb: k steps of gradient ascent on pictures of one size, as one graph."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from dreamer.arrays import Activations, Size
from dreamer.ascent.objectives import Objective
from dreamer.ascent.parametrisations import PIXELS, Decode
from dreamer.ascent.regularisers import Regulariser
from dreamer.ascent.steps import Amount, Numbers, Step
from dreamer.ascent.tiles import Tiles, tiled
from dreamer.ascent.transforms import Transform
from dreamer.ascent.updates import Memory, Optimiser, Update

CHUNK_SECONDS = 0.3
"""About how long a chunk of steps takes: progress and cancelling live between chunks."""

_PICTURES = tf.TensorSpec([None, None, None, 3], tf.float32)
_SEED = tf.TensorSpec([2], tf.int32)
_COUNT = tf.TensorSpec([], tf.int32)


def _any_size(tensor: tf.Tensor) -> tf.TensorSpec:
    """The spec of such a tensor for any number of pictures, of any height and width."""
    shape = [None, None, None, 3] if tensor.shape.rank == 4 else [None] * tensor.shape.rank
    return tf.TensorSpec(shape, tensor.dtype)


def _number(tensor: tf.Tensor) -> tf.TensorSpec:
    """The spec of a number; the rows of a matrix are the pictures, of which there may be fewer."""
    return tf.TensorSpec([None, None] if tensor.shape.rank == 2 else tensor.shape, tensor.dtype)


def _any_shape(tensor: tf.Tensor) -> tf.TensorShape:
    return _any_size(tensor).shape if tensor.shape.rank else tensor.shape


class Climb(NamedTuple):
    """Where an ascent stands.

    Attributes:
        images: `(n, h, w, 3)`; what is changed, where the ascent decodes it.
        memory: the optimiser's.
        alive: `(n,)`; False where a picture's ascent has stopped.
        scores: `(n,)`; the objective as of the last step's beginning.
        best: `(n, cycle)`; the highest score so far, at each point of the regularisers' cycle.
        waited: `(n,)`; steps since any of these rose.
        strengths: the mean square of each channel by layer, `(n, c)`, as of then.
        kept: the images of the highest score so far, `(n, h, w, 3)`; empty where the last count.
        taken: `(n,)`; the steps that led to those, or to the last.
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


@dataclass(frozen=True)
class Ascent:
    """Everything about a step except the pictures.

    Attributes:
        features: the frozen network.
        objective: what is raised.
        transform: applied inside the tape, anew in each step.
        update: what is done to the gradient.
        optimiser: how it becomes a step.
        regularise: what is done to the pictures after it.
        rate: the step size.
        limit: a picture's ascent stops, before the step is taken, where its score is above.
        patience: or where so many scores in a row have not risen, at every point of the cycle.
        cycle: after so many steps the regularisers do the same again; a score is compared with
            those of the same point, since a median filter or a blur makes the next one drop.
        numbers: what may be other tensors of the same shape in a later run.
        tiles: how the network gets pictures; None where it gets them as they are.
        decode: makes pictures of what is changed, inside the tape (see `parametrisations`).
        keep_best: whether the images of the highest score are kept.
    """

    features: Callable[[tf.Tensor], Activations]
    objective: Objective
    transform: Transform
    update: Update
    optimiser: Optimiser
    regularise: Regulariser
    rate: Amount
    limit: float = float("inf")
    patience: int | None = None
    cycle: int = 1
    numbers: Numbers = field(default_factory=dict)
    tiles: Tiles | None = None
    decode: Decode = PIXELS.decode
    keep_best: bool = False

    def __post_init__(self) -> None:
        numbers = {name: _number(each) for name, each in self.numbers.items()}
        # A function of its own and not inlined: inside the loop, the same graph gave two
        # different float32 results at random across processes, and took longer.
        gradient = tf.function(
            self._gradient,
            input_signature=[_PICTURES, _SEED, numbers],
            experimental_attributes={"_noinline": True},
        )
        if self.tiles:
            gradient = tiled(gradient, self.objective.layers, self.tiles)
        object.__setattr__(self, "_value_and_gradient", gradient)
        # One signature for every size, or the second octave would trace anew.
        start = tf.nest.map_structure(_any_size, self.begin(tf.zeros([1, 8, 8, 3])))
        signature = [start, _SEED, _COUNT, _COUNT, _COUNT, numbers]
        object.__setattr__(self, "_run", tf.function(self._steps, input_signature=signature))

    def _gradient(
        self, images: tf.Tensor, seed: tf.Tensor, numbers: Numbers
    ) -> tuple[tf.Tensor, tf.Tensor, Mapping[str, tf.Tensor]]:
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(images)
            maps = self.features(self.transform(self.decode(images), seed))
            scores = self.objective(maps, numbers)
        return scores, tape.gradient(scores, images), _strengths(maps)

    def value_and_gradient(
        self, images: tf.Tensor, seed: tf.Tensor, numbers: Numbers
    ) -> tuple[tf.Tensor, tf.Tensor, Mapping[str, tf.Tensor]]:
        """The objective `(n,)`, its gradient `(n, h, w, 3)`, and the channels' strengths."""
        result: tuple[tf.Tensor, tf.Tensor, Mapping[str, tf.Tensor]]
        result = self._value_and_gradient(images, seed, numbers)  # type: ignore[attr-defined]
        return result

    def begin(self, images: tf.Tensor) -> Climb:
        """The state before the first step."""
        count = tf.shape(images)[0:1]
        return Climb(
            images,
            self.optimiser.init(images),
            alive=tf.ones(count, tf.bool),
            scores=tf.zeros(count),
            best=tf.fill([count[0], self.cycle], -float("inf")),
            waited=tf.zeros(count, tf.int32),
            # How many channels there are is known once the first step is taken.
            strengths={name: tf.zeros([count[0], 0]) for name in self.objective.layers},
            kept=images if self.keep_best else images[:, :0, :0],
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
        """Take the steps from `first` up to, not including, `stop` of `count`, in one graph.

        Where the steps are cut into runs never changes a pixel.
        """
        steps = (tf.constant(step, tf.int32) for step in (first, stop, count))
        result: Climb = self._run(  # type: ignore[attr-defined]
            climb, seed, *steps, numbers or self.numbers
        )
        return result

    def _steps(
        self,
        climb: Climb,
        seed: tf.Tensor,
        first: tf.Tensor,
        stop: tf.Tensor,
        count: tf.Tensor,
        numbers: Numbers,
    ) -> Climb:
        def step(index: tf.Tensor, climb: Climb) -> tuple[tf.Tensor, Climb]:
            now = Step(index, count, numbers)
            step_seed = tf.random.experimental.stateless_fold_in(seed, index)
            scores, gradient, strengths = self.value_and_gradient(climb.images, step_seed, numbers)
            scores = tf.where(climb.alive, scores, climb.scores)
            here = tf.equal(tf.range(self.cycle), index % self.cycle)
            rose = scores > tf.reduce_max(tf.where(here, climb.best, -float("inf")), 1)
            waited = tf.where(rose, 0, climb.waited + 1)
            alive = climb.alive & (scores <= self.limit)
            if self.patience is not None:
                alive &= waited < self.patience * self.cycle
            gradient = self.update(gradient, now)
            ahead, memory = self.optimiser.apply(gradient, climb.memory, self.rate(now))
            images = self.regularise(climb.images + ahead, gradient, now)
            moved = _pictures(alive, images, climb.images)
            kept, taken = climb.kept, tf.where(alive, index + 1, climb.taken)
            if self.keep_best:
                highest = scores > tf.reduce_max(climb.best, 1)
                kept = _pictures(highest, climb.images, kept)
                taken = tf.where(highest, index, climb.taken)
            best = tf.where(here, tf.maximum(scores[:, None], climb.best), climb.best)
            return index + 1, Climb(
                moved, memory, alive, scores, best, waited, strengths, kept, taken
            )

        _, end = tf.while_loop(
            lambda index, climb: (index < stop) & tf.reduce_any(climb.alive),
            step,
            (first, climb),
            shape_invariants=tf.nest.map_structure(_any_shape, (first, climb)),
            parallel_iterations=1,
        )
        return Climb(*end)


def _pictures(which: tf.Tensor, these: tf.Tensor, others: tf.Tensor) -> tf.Tensor:
    """Of each pair of pictures one; `tf.where` asks again for every pixel, which takes longer."""
    return tf.raw_ops.Select(condition=which, x=these, y=others)


def _strengths(maps: Activations) -> Mapping[str, tf.Tensor]:
    return {
        name: tf.reduce_mean(tf.square(each), range(1, each.shape.rank - 1))
        for name, each in maps.items()
    }


def octave_seed(seed: int, frame: int, octave: int) -> tf.Tensor:
    """Two int32 that depend on nothing but their arguments; octaves count from the coarsest."""
    words = np.random.SeedSequence([seed, frame, octave]).generate_state(2)
    return tf.constant(words.view(np.int32))


def climbs(
    ascent: Ascent,
    images: tf.Tensor,
    seed: tf.Tensor,
    steps: int,
    chunk: "Chunk",
    numbers: Numbers | None = None,
) -> Iterator[tuple[Climb, int]]:
    """An ascent at one size chunk by chunk, with the steps taken.

    Args:
        ascent: what a step does.
        images: to begin with, `(n, h, w, 3)`.
        seed: from `octave_seed`.
        steps: their number.
        chunk: how many are taken in one go.
        numbers: other values for those of the ascent.
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
            # Nothing is left to climb where all have stopped.
            taken = steps
        yield climb, taken


class Chunk:
    """How many steps fit into some seconds, learnt from the runs so far."""

    def __init__(self, most: int | None, seconds: float = CHUNK_SECONDS) -> None:
        self._pace, self._most, self._seconds = float("inf"), most, seconds

    def steps(self, size: Size) -> int:
        """The number of steps to take next at this size, at least 1."""
        fitting = max(1, int(self._seconds / (self._pace * size[0] * size[1])))
        return fitting if self._most is None else min(self._most, fitting)

    def learn(self, size: Size, steps: int, seconds: float) -> None:
        """Take note of a run; the best pace counts, because a first run also traces."""
        self._pace = min(self._pace, seconds / (steps * size[0] * size[1]))
