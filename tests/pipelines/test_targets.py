"""What pictures are grown for."""

from typing import Any

import pytest

from dreamer.errors import DreamerError
from dreamer.pipelines.targets import find_layers

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


def test_layers_are_found_by_pattern_and_kind(tiny: Any) -> None:
    assert find_layers(tiny, "mi*") == ["mixed"]
    assert find_layers(tiny, "convolutions") == ["relu", "one"]
    assert find_layers(tiny, "conv") == ["relu"]
    with pytest.raises(DreamerError, match="models layers"):
        find_layers(tiny, "z*")
