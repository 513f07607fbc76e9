"""`dream models`."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dreamer.files import cache


def test_models_layers_shows_fields(dream: Callable[..., Any]) -> None:
    lines = [line.split() for line in dream("models", "layers", "dreamnet")[1].splitlines()]
    assert ["mixed3a_5x5", "32", "60", "8", "7.5"] in lines


def test_clear_cache_says_what_it_removed(
    dream: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(cache.FOLDER_VARIABLE, str(tmp_path))
    cache.write(cache.name_entry("one"), lambda file: file.write(b"0" * 1_500_000))
    assert dream("models", "clear-cache") == (0, "Removed 1 file, 1.5 MB.\n", "")
    assert dream("models", "clear-cache") == (0, "Removed 0 files, 0.0 MB.\n", "")
