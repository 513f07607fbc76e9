"""TensorFlow's start: quietly, with a fixed number of threads."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

from dreamer.errors import DreamerError


def processors() -> int:
    """How many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def versions() -> dict[str, str]:
    """Of what a picture's bytes depend on, by name."""
    return {name: version(name) for name in ("dreamer", "tensorflow")}


def start(threads: int | None = None, *, abreast: bool = False) -> int:
    """Import TensorFlow and fix its threads (their number can change the last bit of a sum).

    Returns the number of threads. It can be set only once a process, before the first operation.

    Args:
        threads: their number; None for one a processor.
        abreast: whether each works on pictures of its own (see `lanes`), instead of all on one.
    """
    count = threads or processors()
    together, lanes = (1, count) if abreast else (count, 1)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    # A backend that is not installed would fail in the import.
    _need_tensorflow(os.environ.setdefault("KERAS_BACKEND", "tensorflow"))
    with _quiet():
        import keras
        import tensorflow as tf
    # Keras may have been imported before.
    _need_tensorflow(keras.backend.backend())
    keras.config.set_image_data_format("channels_last")
    # An ascent is traced once for each layer and type, which TensorFlow warns of as a mistake.
    tf.get_logger().setLevel("ERROR")
    try:
        tf.config.threading.set_intra_op_parallelism_threads(together)
        tf.config.threading.set_inter_op_parallelism_threads(lanes)
        with _quiet():
            for gpu in tf.config.list_physical_devices("GPU"):
                tf.config.experimental.set_memory_growth(gpu, True)
    except RuntimeError:
        return int(tf.config.threading.get_intra_op_parallelism_threads()) or processors()
    return count


def _need_tensorflow(backend: str) -> None:
    if backend != "tensorflow":
        raise DreamerError(f"Keras is set to the backend {backend!r}: unset KERAS_BACKEND.")


def lanes() -> int:
    """How many batches of pictures TensorFlow was started to work on side by side."""
    import tensorflow as tf

    return int(tf.config.threading.get_inter_op_parallelism_threads()) or 1


@contextmanager
def _quiet() -> Iterator[None]:
    """Hold back what libraries write to stderr below Python; show it after all on an error."""
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
    """Whether a GPU or the processor has instructions that multiply bfloat16."""
    return _has_gpu() or not _processor().isdisjoint({"amx_bf16", "avx512_bf16"})


def gains_by_bfloat16() -> bool:
    """Whether bfloat16 is faster here than float32.

    It is on a GPU, with matrix units (AMX), and on AMD's AVX512-BF16. On Intel processors whose
    AMX is absent or hidden, AVX512-BF16 multiplies at 0.6 times float32's speed (measured).
    """
    facts = _processor()
    amd = "AuthenticAMD" in facts
    return _has_gpu() or "amx_bf16" in facts or (amd and "avx512_bf16" in facts)


def _has_gpu() -> bool:
    import tensorflow as tf

    return bool(tf.config.list_physical_devices("GPU"))


def _processor() -> set[str]:
    """The words of the processor's own description, where the system gives one."""
    try:
        return set(Path("/proc/cpuinfo").read_text("utf-8").split())
    except OSError:
        return set()
