"""Pictures that are redrawn at every save."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dreamer.arrays import Image
from dreamer.files import photos

Dream = Callable[..., Any]


@pytest.fixture
def source(tmp_path: Path, photo: Image) -> Path:
    path = tmp_path / "a.png"
    photos.write(path, np.kron(photo, np.ones((2, 2, 1), np.float32)))
    return path


def test_each_save_redraws_the_picture(
    dream: Dream, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    preset, target = source.with_name("my.toml"), source.with_name("a-my.png")
    base = "steps = 2\noctaves = 3\n"
    saves = iter([base + "opacity = 0.5", "steps = = 3", "stepz = 3", base + "strength = 12"])
    preset.write_text(base)
    drawn = []

    def save(seconds: float) -> None:
        if target.exists():
            drawn.append(target.read_bytes())
        text = next(saves, None)
        if text is None:
            raise KeyboardInterrupt
        preset.write_text(text)

    monkeypatch.setattr("dreamer.cli.watch.time.sleep", save)
    code, _, err = dream("image", source, "--watch", preset)
    assert code == 0
    assert "only its look" in err
    assert "slip in the TOML" in err
    assert "did you mean steps" in err
    assert "from octave 2" in err
    assert len(set(drawn)) == 3
    direct = source.with_name("direct.png")
    dream("image", source, "-p", preset, "-o", direct)
    assert drawn[-1] == direct.read_bytes()
