"""What the tests of the training share: a tiny teacher and its student."""

from collections.abc import Callable, Iterator

import keras
import pytest
import tensorflow as tf

from dreamer.networks import dreamnet, googlenet
from dreamer.training import dreams, train

TINY = {"mixed3a": googlenet.Branches(16, 8, 16, 4, 8, 8)}


@pytest.fixture
def networks(
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Callable[[], tuple[keras.Model, keras.Model]]]:
    """Makes teacher and student: the stem and one narrow block, the same at every call."""
    monkeypatch.setattr(googlenet, "BLOCKS", TINY)
    monkeypatch.setattr(dreamnet, "BLOCKS", TINY)
    monkeypatch.setattr(dreams, "STEPS", 1)
    halves = [
        train.Stage("piecewise", piecewise=True, share=0.5, rate=5e-3, own_dreams=False),
        train.Stage("chained", piecewise=False, share=0.5, rate=2e-3, own_dreams=True),
    ]
    monkeypatch.setattr(train, "STAGES", halves)
    # Without it no step of these few would move a kernel by more than is let pass.
    monkeypatch.setattr(train, "WARM_UP", 1)
    # So few steps take less time than their graphs.
    tf.config.run_functions_eagerly(True)

    def make() -> tuple[keras.Model, keras.Model]:
        keras.backend.clear_session()
        keras.utils.set_random_seed(0)
        return googlenet.build(head=False), dreamnet.build()

    yield make
    tf.config.run_functions_eagerly(False)
