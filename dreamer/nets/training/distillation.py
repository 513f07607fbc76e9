"""Student and teacher side by side: which activations are compared, and how."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers, ops

from dreamer.nets.googlenet import PRE_RELU, LocalResponseNormalization

FLOOR = 0.1
"""The least weight a channel's mean square is given, as a share of the layer's: the error of a
channel that is hardly ever active is not blown up."""


class NormalisedError(layers.Layer):  # type: ignore[misc]
    """The square error of a student's activations, `(n, h, w, c)` twice to `(n,)`.

    Every channel counts alike (its error is over its own mean square in the batch), and so does
    every picture (over its own size, as large in a dream as in a photo): 0 is perfect, 1 is what
    silence would get.
    """

    def call(self, student: Any, teacher: Any) -> Any:
        """Compare."""
        square = ops.square(teacher)
        power = ops.mean(square, axis=(0, 1, 2))
        power = power + FLOOR * ops.mean(power) + keras.config.epsilon()
        error = ops.mean(ops.square(student - teacher) / power, axis=(1, 2, 3))
        return error / (ops.mean(square / power, axis=(1, 2, 3)) + keras.config.epsilon())


COMPARED = (layers.Conv2D, layers.ReLU, LocalResponseNormalization)


def counterparts(student: keras.Model, teacher: keras.Model) -> list[str]:
    """The names of the student's layers that have the teacher's name, channels and meaning.

    Activations are compared behind their ReLU; a block is its four arms.
    """
    names = {layer.name for layer in teacher.layers if not layer.name.endswith(PRE_RELU)}
    compared = [layer.name for layer in student.layers if isinstance(layer, COMPARED)]
    return [name for name in compared if name in names]


class Distillation(keras.Model):  # type: ignore[misc]
    """Pictures `(n, h, w, 3)` to the student's error at every counterpart, which is the loss.

    Args:
        student: the network that learns.
        teacher: the network that it learns from; it is frozen.
        piecewise: whether every counterpart is computed from the *teacher's* activations, so that
            no error piles up and each layer learns on its own, or from the student's.
    """

    def __init__(self, student: keras.Model, teacher: keras.Model, *, piecewise: bool) -> None:
        names = counterparts(student, teacher)
        teacher.trainable = False
        image = keras.Input((None, None, 3))
        outputs = {name: teacher.get_layer(name).output for name in names}
        truths = keras.Model(teacher.input, outputs)(image)
        errors = {}

        def call(layer: Any, *args: Any, **kwargs: Any) -> Any:
            made = layer(*args, **kwargs)
            if layer.name not in names:
                return made
            truth = truths[layer.name]
            errors[layer.name] = NormalisedError(name=f"{layer.name}_error")(made, truth)
            return truth if piecewise else made

        keras.models.clone_model(
            student, input_tensors=image, clone_function=lambda layer: layer, call_function=call
        )
        super().__init__(image, errors)

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, *args: Any, **kwargs: Any
    ) -> Any:
        """The sum of all errors; `y` is not used."""
        return ops.sum(ops.stack([ops.mean(error) for error in y_pred.values()]))

    def compute_metrics(
        self, x: Any, y: Any, y_pred: Any, *args: Any, **kwargs: Any
    ) -> dict[str, Any]:
        """The batch's mean error at every counterpart."""
        return {name: ops.mean(error) for name, error in y_pred.items()}
