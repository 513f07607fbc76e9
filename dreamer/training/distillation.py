"""Distillation: the student's errors, compared with the teacher's activations layer by layer."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers, ops

from dreamer.networks.googlenet import LocalResponseNormalization
from dreamer.networks.graph import PRE_RELU

FLOOR = 0.1
"""Share of the layer's mean square that is added to each channel's, so that the error of a channel
that is hardly ever active is not blown up."""


class NormalizedError(layers.Layer):  # type: ignore[misc]
    """The normalized square error of a student's activations: two `(n, h, w, c)` to `(n,)`.

    Every channel counts equally (its error is divided by its own mean square in the batch), and so
    does every picture (its error is divided by the size of its own activations, which are larger in
    a dream than in a photo). 0 is perfect; a silent student gets 1.
    """

    def call(self, student: Any, teacher: Any) -> Any:
        """Return the error of each picture, `(n,)`."""
        square = ops.square(teacher)
        power = ops.mean(square, axis=(0, 1, 2))
        power = power + FLOOR * ops.mean(power) + keras.config.epsilon()
        error = ops.mean(ops.square(student - teacher) / power, axis=(1, 2, 3))
        return error / (ops.mean(square / power, axis=(1, 2, 3)) + keras.config.epsilon())


COMPARED = (layers.Conv2D, layers.ReLU, LocalResponseNormalization)
"""Kinds of layers whose activations are compared."""


def counterparts(student: keras.Model, teacher: keras.Model) -> list[str]:
    """Return the names of the student's layers that have a counterpart in the teacher.

    A counterpart has the same name, channels and meaning. Activations are compared after their
    ReLU; a block is compared by its four arms.
    """
    names = {layer.name for layer in teacher.layers if not layer.name.endswith(PRE_RELU)}
    compared = [layer.name for layer in student.layers if isinstance(layer, COMPARED)]
    return [name for name in compared if name in names]


class Distillation(keras.Model):  # type: ignore[misc]
    """A model from pictures `(n, h, w, 3)` to the student's error at every counterpart, its loss.

    Args:
        student: the network that learns.
        teacher: the network that it learns from, which is frozen.
        piecewise: whether every counterpart is computed from the *teacher's* activations, so that
            errors do not accumulate and each layer learns on its own; if not, from the student's.
    """

    def __init__(self, student: keras.Model, teacher: keras.Model, *, piecewise: bool) -> None:
        names = counterparts(student, teacher)
        teacher.trainable = False
        image = keras.Input((None, None, 3))
        outputs = {name: teacher.get_layer(name).output for name in names}
        truths = keras.Model(teacher.input, outputs)(image)
        errors = {}

        def call(layer: Any, *args: Any, **kwargs: Any) -> Any:
            output = layer(*args, **kwargs)
            if layer.name not in names:
                return output
            truth = truths[layer.name]
            errors[layer.name] = NormalizedError(name=f"{layer.name}_error")(output, truth)
            return truth if piecewise else output

        keras.models.clone_model(
            student, input_tensors=image, clone_function=lambda layer: layer, call_function=call
        )
        super().__init__(image, errors)

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, *args: Any, **kwargs: Any
    ) -> Any:
        """Return the sum of all errors; `y` is not used."""
        return ops.sum(ops.stack([ops.mean(error) for error in y_pred.values()]))

    def compute_metrics(
        self, x: Any, y: Any, y_pred: Any, *args: Any, **kwargs: Any
    ) -> dict[str, Any]:
        """Return the batch's mean error at every counterpart."""
        return {name: ops.mean(error) for name, error in y_pred.items()}
