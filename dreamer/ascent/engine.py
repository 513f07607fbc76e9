"""The engine: a dream climbs through the octaves, from small to large."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from dreamer.arrays import Image, Size
from dreamer.ascent import lbfgs, octaves
from dreamer.ascent.climb import Ascent, Chunk, climbs, octave_seed
from dreamer.ascent.look import Look, unchanged
from dreamer.ascent.octaves import Carry
from dreamer.ascent.steps import Numbers


class Octave(NamedTuple):
    """One working size, and the ascent that runs there."""

    size: Size
    ascent: Ascent


class Begun(NamedTuple):
    """A dream to go on from.

    Attributes:
        octaves: how many are done, at least 1.
        images: float32 `(h, w, 3)`, as the ascent of the last of them left it, before any look.
    """

    octaves: int
    images: Image


@dataclass(frozen=True)
class Progress:
    """Where a dream stands after a chunk of steps.

    Attributes:
        octave, octaves: from 1, and their number.
        step, steps: steps taken in this octave, and their number.
        done: share of the whole work, 0 to 1, by pixels.
        score: the objective's value.
        strengths: the mean square of each channel by layer, `(c,)`.
    """

    octave: int
    octaves: int
    step: int
    steps: int
    done: float
    score: float
    strengths: Mapping[str, NDArray[np.float32]]
    _photo: tf.Tensor
    _images: tf.Tensor
    _shown: Callable[[tf.Tensor], tf.Tensor]
    _method: str
    _finish: Look

    @property
    def ends_octave(self) -> bool:
        """Whether this was an octave's last chunk."""
        return self.step == self.steps

    def begun(self) -> Begun:
        """What `dream` goes on from; at an octave's end."""
        return Begun(self.octave, np.asarray(self._images[0]))

    def picture(self) -> Image:
        """The photo with the dream as it stands, at the photo's size; not clipped."""
        photo, dream, method = self._photo, self._shown(self._images), self._method
        if dream.shape != photo.shape:
            small = octaves.resize(photo, dream.shape[1:3], method)
            dream = photo + octaves.resize(dream - small, photo.shape[1:3], method)
        return self._finish(np.asarray(dream[0]), np.asarray(photo[0]))


def dream(
    photo: Image,
    plan: Sequence[Octave],
    *,
    steps: int,
    carry: Carry,
    method: str,
    seed: int,
    frame: int = 0,
    numbers: Numbers | None = None,
    grow: Callable[[float], Look] | None = None,
    finish: Look = unchanged,
    begun: Begun | None = None,
    search: bool = False,
    clip: bool = True,
    every: int | None = None,
) -> Iterator[Progress]:
    """Dream on a photo, octave by octave from small to large; the last value is the finished one.

    Args:
        photo: float32 `(h, w, 3)` of 0 to 1.
        plan: working sizes from small to large, each with its ascent. The largest may be smaller
            than the photo: its detail is then enlarged onto the photo.
        steps: in each octave.
        carry: how the dream passes from one octave to the next.
        method: the filter between sizes (`octaves.resize`).
        seed, frame: give the random numbers, together with octave and step.
        numbers: other values for those of the ascents.
        grow: what is done to the dream at each octave's end, by the share of octaves done.
        finish: what is done to the picture that is shown.
        begun: a dream on the same photo by the same plan, to go on from; it is the first value.
        search: whether each octave is searched by L-BFGS (see `lbfgs`) instead of taking steps.
        clip: whether such a search keeps colours within 0 to 1.
        every: how many steps there are at most from one value to the next.
    """
    whole = tf.constant(photo[None])
    work = np.cumsum([0] + [size[0] * size[1] * steps for size, _ in plan])
    chunk, done = Chunk(every), begun.octaves if begun else 0
    sizes = [octave.size for octave in plan]
    grown = small = octaves.scaled(whole, sizes, 0, method)
    for number, (size, ascent) in enumerate(plan):
        here = octaves.scaled(whole, sizes, number, method)
        if number + 1 < done:
            small = here
            continue
        blurred = octaves.resize(small, size, method)
        shown = partial(
            _leave,
            carry=carry,
            blurred=blurred if carry.looks_back else None,
            photo=here,
            look=grow((number + 1) / len(plan)) if grow else None,
        )
        if begun and number + 1 == done:
            states = iter([(ascent.begin(tf.constant(begun.images[None])), steps)])
        else:
            entered = carry.enter(octaves.resize(grown, size, method), blurred, here)
            # A large picture is let go as soon as it can be: each takes 150 MB at 12 megapixels.
            del grown, small, blurred
            seeded = octave_seed(seed, frame, number)
            if search:
                used = numbers or ascent.numbers
                states = lbfgs.climbs(ascent, entered, seeded, steps, used, clip=clip)
            else:
                states = climbs(ascent, entered, seeded, steps, chunk, numbers)
            del entered
        for climb, taken in states:
            yield Progress(
                octave=number + 1,
                octaves=len(plan),
                step=taken,
                steps=steps,
                done=float((work[number] + size[0] * size[1] * taken) / work[-1]),
                score=float(climb.scores[0]),
                strengths={name: each[0].numpy() for name, each in climb.strengths.items()},
                _photo=whole,
                _images=climb.images,
                _shown=shown,
                _method=method,
                _finish=finish,
            )
        grown, small = shown(climb.images), here


def _leave(
    images: tf.Tensor,
    *,
    carry: Carry,
    blurred: tf.Tensor | None,
    photo: tf.Tensor,
    look: Look | None,
) -> tf.Tensor:
    """An octave's pictures as the next octave, or the person who looks, gets them."""
    dreamt = carry.leave(images, blurred, photo)
    if look is None:
        return dreamt
    return tf.constant(look(np.asarray(dreamt[0]), np.asarray(photo[0]))[None])
