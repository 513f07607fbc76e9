"""Other tools' loops, written afresh from their published description, to be measured against.

Pictures are those tools' own: float32 `(1, h, w, 3)` of −1 to 1; Google's are `(h, w, 3)` of 0 to
255.
"""

from collections.abc import Callable, Mapping
from typing import Any, cast

import numpy as np
import tensorflow as tf
from scipy import ndimage

Step = Callable[[tf.Tensor], tuple[tf.Tensor, tf.Tensor]]
Run = Callable[[tf.Tensor, tf.Tensor], tf.Tensor]


def keras_example(model: Any, weights: Mapping[str, float], rate: float = 0.01) -> Step:
    """One step of the Keras example "deep_dream": picture to its loss and the next picture."""
    import keras

    extract = keras.Model(model.inputs, {name: model.get_layer(name).output for name in weights})

    def loss_of(image: tf.Tensor) -> tf.Tensor:
        features = extract(image)
        loss = tf.zeros(())
        for name, weight in weights.items():
            maps = features[name]
            size = tf.reduce_prod(tf.cast(tf.shape(maps), tf.float32))
            loss += weight * tf.reduce_sum(tf.square(maps[:, 2:-2, 2:-2, :])) / size
        return loss

    def step(image: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        with tf.GradientTape() as tape:
            tape.watch(image)
            loss = loss_of(image)
        gradient = tape.gradient(loss, image)
        gradient /= tf.maximum(tf.reduce_mean(tf.abs(gradient)), 1e-6)
        return loss, image + rate * gradient

    return cast(Step, tf.function(step))


def keras_octaves(
    step: Step,
    photo: tf.Tensor,
    *,
    octaves: int = 3,
    scale: float = 1.4,
    steps: int = 20,
    most: float = 15.0,
) -> tf.Tensor:
    """The Keras example's whole run: lost detail is put back after each octave."""
    height, width = photo.shape[1:3]
    sizes = [(int(height / scale**i), int(width / scale**i)) for i in range(octaves)][::-1]
    shrunk = tf.image.resize(photo, sizes[0])
    image = tf.identity(photo)
    for size in sizes:
        image = tf.image.resize(image, size)
        for _ in range(steps):
            loss, ahead = step(image)
            if loss > most:
                break
            image = ahead
        image += tf.image.resize(photo, size) - tf.image.resize(shrunk, size)
        shrunk = tf.image.resize(photo, size)
    return image


def tf_tutorial(model: Any, layers: list[str], rate: float = 0.01) -> Run:
    """The TensorFlow tutorial's simple loop: picture and number of steps to picture."""
    import keras

    extract = keras.Model(model.inputs, [model.get_layer(name).output for name in layers])

    def run(image: tf.Tensor, steps: tf.Tensor) -> tf.Tensor:
        for _ in tf.range(steps):
            with tf.GradientTape() as tape:
                tape.watch(image)
                maps = extract(image)
                maps = maps if isinstance(maps, list) else [maps]
                loss = tf.add_n([tf.reduce_mean(each) for each in maps])
            gradient = tape.gradient(loss, image)
            gradient /= tf.math.reduce_std(gradient) + 1e-8
            image = tf.clip_by_value(image + gradient * rate, -1, 1)
        return image

    return cast(Run, tf.function(run))


def google_2015(
    gradient_of: Callable[[np.ndarray], np.ndarray],
    photo: np.ndarray,
    shift_of: Callable[[int, int], tuple[int, int]],
    *,
    octaves: int = 4,
    scale: float = 1.4,
    steps: int = 10,
    step_size: float = 1.5,
) -> np.ndarray:
    """Google's notebook of 2015, on a picture's gradient and the shift at (octave, step)."""
    photos = [photo]
    for _ in range(octaves - 1):
        photos.append(ndimage.zoom(photos[-1], (1 / scale, 1 / scale, 1), order=1))
    detail = np.zeros_like(photos[-1])
    for octave, base in enumerate(reversed(photos)):
        if octave:
            ratios = [b / d for b, d in zip(base.shape, detail.shape, strict=True)]
            detail = ndimage.zoom(detail, ratios, order=1)
        picture = base + detail
        for step in range(steps):
            shift = shift_of(octave, step)
            picture = np.roll(picture, shift, (0, 1))
            gradient = gradient_of(picture)
            picture = picture + step_size / np.abs(gradient).mean() * gradient
            picture = np.roll(picture, [-each for each in shift], (0, 1)).clip(0, 255)
        detail = picture - base
    return np.asarray(picture)
