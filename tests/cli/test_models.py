"""`dream models`."""

from collections.abc import Callable
from typing import Any


def test_models_layers_shows_fields(dream: Callable[..., Any]) -> None:
    lines = [line.split() for line in dream("models", "layers", "dreamnet")[1].splitlines()]
    assert ["mixed3a_5x5", "32", "60", "8", "7.5"] in lines
