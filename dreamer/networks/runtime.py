"""TensorFlow's quiet start with a fixed number of threads, and what the hardware can do."""

import atexit
import gc
import os
import platform
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

from dreamer.errors import DreamerError

ARITHMETIC = 2
"""The way in which graphs are computed. It decides the last bit of a sum, and in the end a dream.

1: with oneDNN where TensorFlow turns it on by itself, and graphs are rewritten before they are run.
2: with oneDNN on every x86 processor: without AVX512 too, a step takes half the time. Graphs are
run as they are written: no step is slower (measured), and each graph is ready .3 s sooner. On a GPU
they are rewritten.
"""

_AS_WRITTEN = "disable_meta_optimizer"


def processors() -> int:
    """Return the number of processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def versions() -> dict[str, Any]:
    """Return what a picture's bytes depend on: the versions of packages by name, and arithmetic."""
    packages = {name: version(name) for name in ("dreamer", "tensorflow")}
    return {**packages, "arithmetic": arithmetic_in_use()}


def arithmetic_in_use() -> int:
    """Return the arithmetic that TensorFlow was started with; see `ARITHMETIC`."""
    import tensorflow as tf

    return 2 if tf.config.optimizer.get_experimental_options().get(_AS_WRITTEN) else 1


def collect_garbage_rarely() -> None:
    """Let the garbage of cycles grow, for a program of its own, before it is collected.

    Imports and traces make many objects that stay. Looking through them again and again took a
    sixth of the time until the first dream, and once more, at the end, half a second.
    """
    gc.set_threshold(100_000)
    atexit.register(gc.freeze)


def start(
    threads: int | None = None, *, abreast: bool = False, arithmetic: int = ARITHMETIC
) -> int:
    """Import TensorFlow and fix its number of threads, which can change the last bit of a sum.

    Both threads and arithmetic are set once per process, before TensorFlow's first operation.

    Args:
        threads: the number of threads; None for one per processor.
        abreast: whether each thread works on its own pictures (see `lanes`), instead of all on the
            same one; not on a GPU.
        arithmetic: see `ARITHMETIC`.

    Returns:
        The number of threads; if it was too late to set them, those that work on one operation.

    Raises DreamerError if Keras is set to another backend.
    """
    count = threads or processors()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    if arithmetic > 1 and platform.machine() in ("x86_64", "AMD64"):
        os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
    # Checked before the import, which fails for a backend that is not installed.
    _require_tensorflow(os.environ.setdefault("KERAS_BACKEND", "tensorflow"))
    with _hold_stderr():
        import keras
        import tensorflow as tf

        alone = on_processors()
    # Checked again, because Keras may have been imported before with another setting.
    _require_tensorflow(keras.backend.backend())
    keras.config.set_image_data_format("channels_last")
    # TensorFlow warns that an ascent is traced often: it is traced once for each layer and type.
    tf.get_logger().setLevel("ERROR")
    if not tf.config.threading.get_inter_op_parallelism_threads():
        # This is the first start.
        options = {_AS_WRITTEN: alone and arithmetic > 1}
        tf.config.optimizer.set_experimental_options(options)
    try:
        with _hold_stderr():
            for gpu in tf.config.list_physical_devices("GPU"):
                tf.config.experimental.set_memory_growth(gpu, True)
        intra, inter = (1, count) if abreast and alone else (count, 1)
        tf.config.threading.set_intra_op_parallelism_threads(intra)
        tf.config.threading.set_inter_op_parallelism_threads(inter)
    except RuntimeError:
        return int(tf.config.threading.get_intra_op_parallelism_threads()) or processors()
    return count


def _require_tensorflow(backend: str) -> None:
    if backend != "tensorflow":
        raise DreamerError(f"Keras is set to the backend {backend!r}: unset KERAS_BACKEND.")


def lanes() -> int:
    """Return the number of picture batches that TensorFlow was started to process in parallel."""
    import tensorflow as tf

    return int(tf.config.threading.get_inter_op_parallelism_threads()) or 1


@contextmanager
def _hold_stderr() -> Iterator[None]:
    """Hold back what native libraries write to stderr, and show it only on an error."""
    with tempfile.TemporaryFile() as held:
        stderr = os.dup(2)
        os.dup2(held.fileno(), 2)
        try:
            yield
        except Exception:
            held.seek(0)
            os.write(stderr, held.read())
            raise
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)


def has_bfloat16() -> bool:
    """Tell whether a GPU or the processor can multiply bfloat16."""
    return not on_processors() or not _read_cpu_words().isdisjoint({"amx_bf16", "avx512_bf16"})


def gains_by_bfloat16() -> bool:
    """Tell whether bfloat16 is faster than float32 on this machine.

    It is on a GPU, with matrix units (AMX), and with AMD's AVX512-BF16. On Intel processors whose
    AMX is absent or hidden, AVX512-BF16 multiplies at 0.6 times float32's speed (measured).
    """
    words = _read_cpu_words()
    amd = "AuthenticAMD" in words
    return not on_processors() or "amx_bf16" in words or (amd and "avx512_bf16" in words)


def gains_by_own_gradient() -> bool:
    """Tell whether `fast_convolution` is faster than TensorFlow's gradient of a convolution.

    It is with AVX512, and where oneDNN is off. With oneDNN on processors that have AVX2 alone, a
    step by TensorFlow's own took .72 to .86 of the time (measured on three networks).
    """
    return on_processors() and (arithmetic_in_use() == 1 or "avx512f" in _read_cpu_words())


def on_processors() -> bool:
    """Tell whether TensorFlow computes on processors alone.

    On a GPU, nothing is done that helps only them: a convolution's gradient of our own, a batch of
    pictures for each thread, and graphs as they are written instead of optimized ones (`start`).
    """
    import tensorflow as tf

    return not tf.config.list_physical_devices("GPU")


def _read_cpu_words() -> set[str]:
    """Read the words that describe the processor; none if the system describes none."""
    try:
        return set(Path("/proc/cpuinfo").read_text("utf-8").split())
    except OSError:
        return set()
