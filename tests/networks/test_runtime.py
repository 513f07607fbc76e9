"""TensorFlow as this package starts it."""

import os
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from dreamer.errors import DreamerError
from dreamer.networks import freezing, runtime
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


def test_a_gpu_turns_off_what_is_for_processors_only(
    monkeypatch: pytest.MonkeyPatch, tiny: Network
) -> None:
    def kinds() -> set[str]:
        layers = freezing.freeze_model(tiny, ["mixed"], "float32").layers
        return {type(layer).__name__ for layer in layers}

    assert "FrozenConv2D" in kinds()
    assert "Conv2D" not in kinds()
    here = freezing.freeze(tiny, ["mixed"], "float32")(tf.ones([1, 32, 32, 3]))["mixed"]
    monkeypatch.setattr(runtime, "on_processors", lambda: False)
    assert "Conv2D" in kinds()
    assert "FrozenConv2D" not in kinds()
    there = freezing.freeze(tiny, ["mixed"], "float32")(tf.ones([1, 32, 32, 3]))["mixed"]
    np.testing.assert_allclose(here, there, atol=1e-5)


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
