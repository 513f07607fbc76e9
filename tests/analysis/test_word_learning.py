"""Words learnt from photos."""

import numpy as np
import pytest

from dreamer.analysis import word_learning
from dreamer.arrays import Image
from dreamer.errors import DreamerError
from dreamer.networks import loading
from dreamer.recipe import words


def stripes(seed: int) -> Image:
    """Slanted stripes of some width and colors."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[:160, :200]
    wave = np.sin((x + y) / random.uniform(3, 4) + random.uniform(0, 6))[..., None]
    light, dark = random.uniform(0.6, 1, 3), random.uniform(0, 0.3, 3)
    return np.asarray(np.where(wave > 0, light, dark), np.float32)


def clouds(seed: int) -> Image:
    """Large soft spots."""
    small = np.random.default_rng(seed).uniform(0, 1, (4, 5, 3)).astype(np.float32)
    return np.asarray(np.kron(small, np.ones((40, 40, 1), np.float32)), np.float32)


def test_a_learnt_word_is_strong_where_it_was_learnt_and_not_elsewhere() -> None:
    net, table = loading.load("dreamnet"), words.load("dreamnet")
    usual = word_learning.find_usual(net)
    assert usual is not None
    assert set(usual) == set(word_learning.LAYERS)
    word = word_learning.learn(net, [stripes(n) for n in range(4)], usual, table)
    own, others = (
        word_learning.measure_contrast(net, word, [draw(9)]) for draw in (stripes, clouds)
    )
    assert own > 2 * others
    assert all(1 <= len(term.channels or ()) <= 32 for term in word.terms)
    energy = {layer: each[2].tolist() for layer, each in usual.items()}
    pulls = [each.measure_pull(energy) for each in table.subjects.values()]
    assert word.measure_pull(energy) == pytest.approx(np.median(pulls), rel=0.02)


def test_what_is_usual_is_measured_over_photos() -> None:
    net = loading.load("dreamnet")
    shown = [clouds(0), clouds(1)]
    usual = word_learning.measure_usual(net, ["mixed4d"], shown)
    (mean, spread, square), means = usual["mixed4d"], word_learning.measure(net, ["mixed4d"], shown)
    np.testing.assert_allclose(mean, means["mixed4d"][0].mean(0), rtol=1e-5)
    np.testing.assert_allclose(
        spread, np.abs(np.diff(means["mixed4d"][0], axis=0))[0] / 2, atol=1e-5
    )
    assert (square >= mean**2 - 1e-4).all()
    # Far less of everything than is usual.
    flood = {layer: each + np.float32([[1e3], [0], [0]]) for layer, each in usual.items()}
    with pytest.raises(DreamerError, match="nothing that others do not"):
        word_learning.learn(net, shown, flood)
