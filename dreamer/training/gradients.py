"""Gradients of a score with respect to a picture, on each of Keras's backends."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import keras

Score: TypeAlias = Callable[..., Any]
"""Function from `(image, *constants)` to a scalar."""

Gradient: TypeAlias = Callable[..., Any]
"""Function from `(image, *constants)` to a score's gradient for `image`, `(n, h, w, 3)`."""


def _tensorflow(score: Score) -> Any:
    import tensorflow as tf

    def gradient(image: Any, *constants: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(image)
            value = score(image, *constants)
        return tape.gradient(value, image)

    return tf.function(gradient, reduce_retracing=True, autograph=False)


def _torch(score: Score) -> Any:
    import torch  # type: ignore[import-not-found,unused-ignore]

    def gradient(image: Any, *constants: Any) -> Any:
        image = image.detach().requires_grad_()
        return torch.autograd.grad(score(image, *constants), image)[0]

    return gradient


def _jax(score: Score) -> Any:
    import jax  # type: ignore[import-not-found,unused-ignore]

    # Not compiled: a compiled score would forever use the network's weights of its first call.
    return jax.grad(score)


BACKENDS: Mapping[str, Callable[[Score], Gradient]] = {
    "tensorflow": _tensorflow,
    "torch": _torch,
    "jax": _jax,
}
"""Functions that differentiate a score, by the name of Keras's backend."""


def input_gradient(score: Score) -> Gradient:
    """Return the gradient of a score on the backend that Keras uses."""
    return BACKENDS[keras.backend.backend()](score)
