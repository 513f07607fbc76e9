"""The multi-octave engine: gradient ascent at one working size after another, small to large."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from dreamer.arrays import Image, Size
from dreamer.ascent import lbfgs, octaves, steps
from dreamer.ascent.ascent import Ascent, Chunk, Climb, climb_in_chunks, octave_seed
from dreamer.ascent.octaves import Carry
from dreamer.ascent.steps import Numbers

Finish = Callable[[Image, Image], Image]
"""A function from a dream and its photo, both float32 `(h, w, 3)`, to a dream of the same size."""


class Octave(NamedTuple):
    """A working size, the ascent that runs at it, and a factor on the size of its steps."""

    size: Size
    ascent: Ascent
    rate: float = 1.0


class Begun(NamedTuple):
    """An unfinished dream that can be continued.

    Attributes:
        octaves: the number of octaves done, at least 1.
        images: float32 `(h, w, 3)`, as the ascent of the last of them left it, before any finish.
    """

    octaves: int
    images: Image


@dataclass(frozen=True)
class Passage:
    """The settings of a dream that apply to all octaves.

    Attributes:
        steps: the number of steps in each octave.
        carry: passes the dream from one octave to the next.
        resample: the filter between sizes, a key of `octaves.RESIZES`.
        seed, frame: determine the random numbers, together with octave and step.
        finish: applied to each picture that is shown.
        grow: returns the function to apply to the dream at the end of an octave, given the share
            of octaves done, above 0 and up to 1.
        search: whether L-BFGS searches each octave (see `lbfgs`) instead of taking steps.
        clip: whether that search keeps colors within 0 to 1.
    """

    steps: int
    carry: Carry
    resample: str
    seed: int
    frame: int
    finish: Finish
    grow: Callable[[float], Finish] | None = None
    search: bool = False
    clip: bool = True


@dataclass(frozen=True)
class Progress:
    """The state of a dream after a chunk of steps.

    Attributes:
        octave, octaves: the current octave, from 1, and the number of octaves.
        step, steps: the number of steps taken in this octave, and the number planned.
        done: the share of the whole work done, 0 to 1, weighted by pixels.
        score: the value of the objective before the last step.
        strengths: the mean square of each channel, `(c,)` by layer.
    """

    octave: int
    octaves: int
    step: int
    steps: int
    done: float
    score: float
    strengths: Mapping[str, NDArray[np.float32]]
    _images: tf.Tensor
    _picture: Callable[[tf.Tensor], Image]

    @property
    def ends_octave(self) -> bool:
        """Tell whether this was the last chunk of an octave."""
        return self.step == self.steps

    def begun(self) -> Begun:
        """Return the state for `dream` to continue from; call it at the end of an octave."""
        return Begun(self.octave, np.asarray(self._images[0]))

    def picture(self) -> Image:
        """Return the dream so far, finished, at the size of the photo; not clipped."""
        return self._picture(self._images)


def dream(
    photo: Image,
    plan: Sequence[Octave],
    passage: Passage,
    numbers: Numbers | None = None,
    *,
    begun: Begun | None = None,
    every: int | None = None,
) -> Iterator[Progress]:
    """Dream on a photo, octave by octave; the last value yielded holds the finished dream.

    Args:
        photo: float32 `(h, w, 3)`, 0 to 1.
        plan: working sizes from small to large, each with its ascent. The largest may be smaller
            than the photo; the dream's detail is then enlarged onto the photo.
        passage: the settings of all octaves.
        numbers: values to use in place of the ascents' own.
        begun: a dream on the same photo by the same plan to continue; yielded first.
        every: the most steps from one value to the next; None for as many as fit a chunk's time.
    """
    whole, chunk = tf.constant(photo[None]), Chunk(every)
    sizes, method = [octave.size for octave in plan], passage.resample
    first = begun.octaves - 1 if begun else 0
    grown = small = octaves.resize_to_octave(whole, sizes, max(first - 1, 0), method)
    for number in range(first, len(plan)):
        size, ascent, rate = plan[number]
        paced = steps.scale_rate(numbers or ascent.numbers, rate)
        here = octaves.resize_to_octave(whole, sizes, number, method)
        blurred = octaves.resize(small, size, method)
        leave = partial(
            _leave,
            carry=passage.carry,
            blurred=blurred if passage.carry.looks_back else None,
            photo=here,
            finish=passage.grow((number + 1) / len(plan)) if passage.grow else None,
        )
        show = partial(_show, whole, leave=leave, method=method, finish=passage.finish)
        if begun and number == first:
            states = iter([(ascent.begin(tf.constant(begun.images[None])), passage.steps)])
        else:
            entered = passage.carry.enter(octaves.resize(grown, size, method), blurred, here)
            # Free large pictures early: each takes 150 MB at 12 megapixels.
            del grown, small, blurred
            states = _climb(ascent, entered, number, passage, paced, chunk)
            del entered
        for climb, taken in states:
            yield Progress(
                octave=number + 1,
                octaves=len(plan),
                step=taken,
                steps=passage.steps,
                done=_share(sizes, number, taken / passage.steps),
                score=float(climb.scores[0]),
                strengths={name: each[0].numpy() for name, each in climb.strengths.items()},
                _images=climb.images,
                _picture=show,
            )
        grown, small = leave(climb.images), here


def _climb(
    ascent: Ascent,
    entered: tf.Tensor,
    number: int,
    passage: Passage,
    numbers: Numbers,
    chunk: Chunk,
) -> Iterator[tuple[Climb, int]]:
    """Run the ascent of one octave, by steps or by L-BFGS search."""
    seed, count = octave_seed(passage.seed, passage.frame, number), passage.steps
    if passage.search:
        return lbfgs.climb_in_steps(ascent, entered, seed, count, numbers, clip=passage.clip)
    return climb_in_chunks(ascent, entered, seed, count, chunk, numbers)


def _share(sizes: Sequence[Size], number: int, taken: float) -> float:
    """Return the share of the whole work done, given the share of octave `number`, by pixels."""
    pixels = np.array([height * width for height, width in sizes], np.float64)
    return float((pixels[:number].sum() + pixels[number] * taken) / pixels.sum())


def _show(
    photo: tf.Tensor,
    images: tf.Tensor,
    *,
    leave: Callable[[tf.Tensor], tf.Tensor],
    method: str,
    finish: Finish,
) -> Image:
    """Return the dream of an octave at the size of the whole photo `(1, h, w, 3)`, finished."""
    dreamt = leave(images)
    if dreamt.shape != photo.shape:
        small = octaves.resize(photo, dreamt.shape[1:3], method)
        dreamt = photo + octaves.resize(dreamt - small, photo.shape[1:3], method)
    return finish(np.asarray(dreamt[0]), np.asarray(photo[0]))


def _leave(
    images: tf.Tensor,
    *,
    carry: Carry,
    blurred: tf.Tensor | None,
    photo: tf.Tensor,
    finish: Finish | None,
) -> tf.Tensor:
    """Return the pictures that leave an octave, to be shown or passed to the next octave."""
    dreamt = carry.leave(images, blurred, photo)
    if finish is None:
        return dreamt
    return tf.constant(finish(np.asarray(dreamt[0]), np.asarray(photo[0]))[None])
