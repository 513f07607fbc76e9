"""What a shell completes."""

import os
import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest

from dreamer.jobs import presets
from dreamer.recipe import words
from dreamer.recipe.film_fields import Motion


@pytest.fixture(autouse=True)
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's own folder, empty."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    folder = tmp_path / "dreamer" / "presets"
    monkeypatch.setattr(presets, "own_folder", lambda: folder)
    return folder


COMPLETED = {
    "dream image -p pup": {"puppyslug"},
    "dream image -m goog": {"googlenet"},
    "dream image --of bir": {"birds"},
    "dream video --motion ": set(get_args(Motion)),
    "dream presets show pagod": {"pagodas"},
    "dream models layers vgg": {"vgg16", "vgg19"},
}


@pytest.mark.parametrize("line", COMPLETED)
def test_a_shell_completes_without_tensorflow(line: str) -> None:
    code = (
        "import sys; sys.argv = ['dream']\nfrom dreamer.cli import main\n"
        "try: main()\nfinally: assert not {'tensorflow', 'keras'} & sys.modules.keys()"
    )
    asked = {
        "_DREAM_COMPLETE": "complete_bash",
        "COMP_WORDS": line,
        "COMP_CWORD": str(len(line.split(" ")) - 1),
    }
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **asked},
    )
    assert not done.stderr
    assert set(done.stdout.split()) == COMPLETED[line]


def test_every_word_that_is_completed_is_known() -> None:
    from dreamer.cli import complete

    offered = [name for name, _ in complete.offer_words("")]
    assert len(offered) > 50
    table = words.read(words.PACKAGED)
    assert all(table.find(name) for name in offered)
    assert not [name for name in offered if " " in name or "," in name]
