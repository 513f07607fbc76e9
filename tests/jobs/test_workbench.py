"""What the jobs of a process share: networks, and the graphs that were traced on them."""

from typing import Any

import pytest

from dreamer.errors import DreamerError
from dreamer.jobs.workbench import Workbench
from dreamer.networks import runtime
from dreamer.recipe import Recipe
from dreamer.recipe.provenance import Provenance


def test_a_missing_file_is_asked_for() -> None:
    with pytest.raises(DreamerError, match="give that file by --model"):
        Workbench().load(Recipe().changed({"network": "mine.keras"}), None)


def test_a_network_is_loaded_once() -> None:
    bench = Workbench()
    assert bench.load(Recipe(), None) is bench.load(Recipe(steps=3), None)


@pytest.mark.parametrize(
    ("facts", "arithmetic"),
    [
        ({}, runtime.ARITHMETIC),
        ({"threads": 2, "arithmetic": 2}, 2),
        ({"threads": 2, "arithmetic": 1}, 1),
        ({"threads": 2}, 1),
        ({"threads": 2, "arithmetic": "a stranger's"}, runtime.ARITHMETIC),
    ],
)
def test_a_repeated_picture_is_computed_as_it_was(
    facts: dict[str, Any], arithmetic: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []

    def start(threads: int | None, *, abreast: bool, arithmetic: int) -> int:
        asked.append(arithmetic)
        return threads or 1

    monkeypatch.setattr(runtime, "start", start)
    Workbench().start(None, Provenance(Recipe(), facts))
    assert asked == [arithmetic]
