"""TensorFlow's quiet start with a fixed number of threads, and what the hardware can do."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

from dreamer.errors import DreamerError


def processors() -> int:
    """Return the number of processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def versions() -> dict[str, str]:
    """Return the versions of the packages that a picture's bytes depend on, by name."""
    return {name: version(name) for name in ("dreamer", "tensorflow")}


def start(threads: int | None = None, *, abreast: bool = False) -> int:
    """Import TensorFlow and fix its number of threads, which can change the last bit of a sum.

    Threads can be set only once per process, before TensorFlow's first operation.

    Args:
        threads: the number of threads; None for one per processor.
        abreast: whether each thread works on its own pictures (see `lanes`), instead of all on the
            same one.

    Returns:
        The number of threads; if it was too late to set them, those that work on one operation.

    Raises DreamerError if Keras is set to another backend.
    """
    count = threads or processors()
    intra, inter = (1, count) if abreast else (count, 1)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    # Checked before the import, which fails for a backend that is not installed.
    _require_tensorflow(os.environ.setdefault("KERAS_BACKEND", "tensorflow"))
    with _hold_stderr():
        import keras
        import tensorflow as tf
    # Checked again, because Keras may have been imported before with another setting.
    _require_tensorflow(keras.backend.backend())
    keras.config.set_image_data_format("channels_last")
    # TensorFlow warns that an ascent is traced often: it is traced once for each layer and type.
    tf.get_logger().setLevel("ERROR")
    try:
        tf.config.threading.set_intra_op_parallelism_threads(intra)
        tf.config.threading.set_inter_op_parallelism_threads(inter)
        with _hold_stderr():
            for gpu in tf.config.list_physical_devices("GPU"):
                tf.config.experimental.set_memory_growth(gpu, True)
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
    return _has_gpu() or not _read_cpu_words().isdisjoint({"amx_bf16", "avx512_bf16"})


def gains_by_bfloat16() -> bool:
    """Tell whether bfloat16 is faster than float32 on this machine.

    It is on a GPU, with matrix units (AMX), and with AMD's AVX512-BF16. On Intel processors whose
    AMX is absent or hidden, AVX512-BF16 multiplies at 0.6 times float32's speed (measured).
    """
    words = _read_cpu_words()
    amd = "AuthenticAMD" in words
    return _has_gpu() or "amx_bf16" in words or (amd and "avx512_bf16" in words)


def _has_gpu() -> bool:
    import tensorflow as tf

    return bool(tf.config.list_physical_devices("GPU"))


def _read_cpu_words() -> set[str]:
    """Read the words that describe the processor; none if the system describes none."""
    try:
        return set(Path("/proc/cpuinfo").read_text("utf-8").split())
    except OSError:
        return set()
