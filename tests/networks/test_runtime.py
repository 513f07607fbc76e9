"""TensorFlow as this package starts it."""

import os
import subprocess
import sys

import pytest
import tensorflow as tf

from dreamer.errors import DreamerError
from dreamer.networks import freezing, runtime
from dreamer.networks.fast_convolution import FrozenConv2D
from dreamer.networks.network import Network


def test_threads_are_fixed_once() -> None:
    tf.zeros([1])
    assert runtime.start() == runtime.start(1)


def test_another_backend_of_keras_is_refused_before_it_is_imported(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("KERAS_BACKEND", "nowhere")
    with pytest.raises(DreamerError, match="'nowhere': unset KERAS_BACKEND"):
        runtime.start()


def test_a_gpu_or_a_lesser_processor_has_no_own_gradient(
    monkeypatch: pytest.MonkeyPatch, tiny: Network
) -> None:
    def own() -> set[bool]:
        layers = freezing.freeze_model(tiny, ["mixed"], "float32").layers
        return {layer.own_gradient for layer in layers if isinstance(layer, FrozenConv2D)}

    for words, processors, arithmetic, expected in (
        ({"avx2", "avx512f"}, True, 2, {True}),
        ({"avx2"}, True, 2, {False}),
        # As an earlier picture was made.
        ({"avx2"}, True, 1, {True}),
        ({"avx2", "avx512f"}, False, 2, {False}),
        # Keras's own layers, since a GPU's graphs are rewritten.
        ({"avx2", "avx512f"}, False, 1, set()),
    ):
        monkeypatch.setattr(runtime, "_read_cpu_words", lambda words=words: words)
        monkeypatch.setattr(runtime, "on_processors", lambda here=processors: here)
        monkeypatch.setattr(runtime, "arithmetic_in_use", lambda one=arithmetic: one)
        assert own() == expected


def test_a_program_of_its_own_collects_garbage_rarely_and_not_at_its_end() -> None:
    code = (
        "import atexit, gc; from dreamer.networks import runtime; "
        "atexit.register(lambda: print(gc.get_freeze_count() > 1000)); "
        "runtime.collect_garbage_rarely(); print(gc.get_threshold()[0])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["100000", "True"]


def test_onednn_is_used_where_tensorflow_leaves_it_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TF_ENABLE_ONEDNN_OPTS")
    monkeypatch.setattr("platform.machine", lambda: "arm64")
    runtime.start()
    assert "TF_ENABLE_ONEDNN_OPTS" not in os.environ
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    runtime.start()
    assert os.environ["TF_ENABLE_ONEDNN_OPTS"] == "1"
    monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", "0")
    runtime.start()
    assert os.environ["TF_ENABLE_ONEDNN_OPTS"] == "0"
