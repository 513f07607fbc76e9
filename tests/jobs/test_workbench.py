"""What the jobs of a process share: networks, and the graphs that were traced on them."""

import pytest

from dreamer.errors import DreamerError
from dreamer.jobs.workbench import Workbench
from dreamer.recipe import Recipe


def test_a_missing_file_is_asked_for() -> None:
    with pytest.raises(DreamerError, match="give that file by --model"):
        Workbench().load(Recipe().changed({"network": "mine.keras"}), None)


def test_a_network_is_loaded_once() -> None:
    bench = Workbench()
    assert bench.load(Recipe(), None) is bench.load(Recipe(steps=3), None)
