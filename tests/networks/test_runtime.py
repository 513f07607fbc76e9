"""TensorFlow as this package starts it."""

import pytest
import tensorflow as tf

from dreamer.errors import DreamerError
from dreamer.networks import runtime


def test_threads_are_fixed_once() -> None:
    tf.zeros([1])
    assert runtime.start() == runtime.start(1)


def test_another_backend_of_keras_is_refused_before_it_is_imported(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("KERAS_BACKEND", "nowhere")
    with pytest.raises(DreamerError, match="'nowhere': unset KERAS_BACKEND"):
        runtime.start()
