"""Graphs as plain data: they give the same bytes, and hold nothing that is not computation."""

from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from helpers import make, normalized

from dreamer.arrays import Image
from dreamer.ascent import optimizers, regularizers, transforms
from dreamer.ascent.ascent import Ascent, octave_seed
from dreamer.ascent.kept_graph import keep_graph, restore_graph
from dreamer.ascent.steps import amount, numbers, ramp


def make_full(tiny: Any) -> Ascent:
    return make(
        tiny,
        transform=transforms.jitter(5),
        update=normalized("laplacian"),
        optimizer=optimizers.OPTIMIZERS["adam"],
        regularize=regularizers.chain(
            regularizers.every(2, regularizers.blur(amount("blur"))), regularizers.clip
        ),
        numbers=numbers(0.01, {"blur": ramp(0.5, 1.0)}),
    )


def climb(ascent: Ascent, photo: Image) -> list[Any]:
    start, seed = ascent.begin(tf.constant(photo[None])), octave_seed(0, 0, 0)
    given = numbers(0.02, {"blur": ramp(0.7, 0.9)})
    ended = ascent.run(ascent.run(start, seed, 0, 2, 5), seed, 2, 5, 5, given)
    return [each.numpy().tobytes() for each in tf.nest.flatten(ended)]


def test_a_restored_graph_gives_the_same_bytes_untraced(tiny: Any, photo: Image) -> None:
    traced = make_full(tiny)
    assert traced.keep() is None
    expected = climb(traced, photo)
    kept = traced.keep()
    assert kept
    assert {each.dtype for each in kept.weights} == {np.dtype("float32")}
    restored = make_full(tiny)
    restored.value_and_gradient = None  # type: ignore[assignment]
    restored.restore(kept)
    assert climb(restored, photo) == expected


def test_a_graph_that_calls_python_is_not_kept() -> None:
    function = tf.function(
        lambda x: tf.py_function(lambda y: y + 1, [x], tf.float32),
        input_signature=[tf.TensorSpec([], tf.float32)],
        autograph=False,
    )
    function(tf.constant(1.0))
    assert keep_graph(function) is None


def test_a_graph_on_variables_is_not_kept() -> None:
    variable = tf.Variable(1.0)
    function = tf.function(
        lambda x: x + variable, input_signature=[tf.TensorSpec([], tf.float32)], autograph=False
    )
    function(tf.constant(1.0))
    assert keep_graph(function) is None


def test_a_graph_that_reads_or_writes_files_is_refused(tmp_path: Any) -> None:
    path = str(tmp_path / "written.txt")

    def write(x: tf.Tensor) -> tf.Tensor:
        tf.io.write_file(path, "text")
        return x + 1

    function = tf.function(write, input_signature=[tf.TensorSpec([], tf.float32)], autograph=False)
    function.get_concrete_function()
    kept = keep_graph(function)
    assert kept
    with pytest.raises(ValueError, match="more than compute"):
        restore_graph(kept)
    assert not (tmp_path / "written.txt").exists()
