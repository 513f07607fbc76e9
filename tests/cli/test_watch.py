"""Pictures that are redrawn at every save."""

import os
import signal
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


@pytest.mark.skipif(os.name == "nt", reason="signals are sent as on POSIX")
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
            signal.raise_signal(signal.SIGINT)
        else:
            preset.write_text(text)

    monkeypatch.setattr("dreamer.jobs.watch.time.sleep", save)
    code, out, err = dream("image", source, "--watch", preset)
    assert code == 0
    assert "Watching" in err
    assert "is not valid TOML" in err
    assert "did you mean steps" in err
    first, finished, rest = out.splitlines()
    assert "from octave 1 of 3" in first
    assert "only finished" in finished
    assert "from octave 2 of 3" in rest
    assert len(set(drawn)) == 3
    direct = source.with_name("direct.png")
    dream("image", source, "-p", preset, "-o", direct)
    assert drawn[-1] == direct.read_bytes()
