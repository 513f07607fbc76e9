"""The training: its parts, and two steps of the whole in a process without TensorFlow."""

import importlib.util
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import keras
import numpy as np
import pytest

from dreamer.errors import DreamerError
from dreamer.files import photo_sets
from dreamer.networks import dreamnet
from dreamer.training import curves, dreams, train

SIZE = 40
OPTIONS = train.Options(
    minutes=4 / 60, batch=3, size=SIZE, dream_every=3, dream_batch=2, save_every=0
)
"""Four steps a stage, by a clock that gains half a second whenever it is read."""


def photos(count: int = 3) -> list[np.ndarray]:
    """Noise, uint8."""
    rng = np.random.default_rng(0)
    return [rng.integers(0, 256, (50, 60, 3)).astype("uint8") for _ in range(count)]


class Clock:
    """Gains half a second whenever it is read; after `limit` readings the process is killed."""

    def __init__(self, limit: float = float("inf")) -> None:
        self.readings = 0
        self.limit = limit

    def __call__(self) -> float:
        """The time in seconds."""
        self.readings += 1
        if self.readings > self.limit:
            raise KeyboardInterrupt
        return self.readings / 2


def test_a_killed_training_continues_exactly(
    networks: Callable[[], tuple[keras.Model, keras.Model]], tmp_path: Path
) -> None:
    def run(folder: str, limit: float = float("inf")) -> None:
        teacher, student = networks()
        train.train(photos(), teacher, student, tmp_path / folder, OPTIONS, Clock(limit))

    run("whole")
    for limit in (10, 17):
        with pytest.raises(KeyboardInterrupt):
            run("killed", limit)
    run("killed")
    with (
        np.load(tmp_path / "whole" / train.CHECKPOINT) as whole,
        np.load(tmp_path / "killed" / train.CHECKPOINT) as killed,
    ):
        assert whole.files == killed.files
        assert str(whole["identity"]) == str(killed["identity"])
        for name in set(whole.files) - {"identity"}:
            np.testing.assert_allclose(killed[name], whole[name], rtol=1e-3, atol=1e-4)
    for folder in ("whole", "killed"):
        rows = curves.read(tmp_path / folder / train.LOG)
        assert [row["stage"] for row in rows] == ["piecewise"] * 4 + ["chained"] * 4
        assert [int(row["step"]) for row in rows] == list(range(1, 9))
    assert cv2.imread(str(tmp_path / "whole" / train.CURVES)) is not None
    dreamnet.build(tmp_path / "whole" / train.WEIGHTS)


def test_the_end_is_kept_whenever_it_comes(
    networks: Callable[[], tuple[keras.Model, keras.Model]], tmp_path: Path
) -> None:
    seldom = replace(OPTIONS, save_every=1e6)
    for _ in range(2):
        teacher, student = networks()
        train.train(photos(), teacher, student, tmp_path, seldom, Clock())
        rows = curves.read(tmp_path / train.LOG)
        assert [(row["stage"], int(row["step"])) for row in rows] == [
            ("piecewise", 4),
            ("chained", 8),
        ]


def test_the_log_has_the_mean_of_the_steps(tmp_path: Path) -> None:
    state = train.State(dreams.Pool(1), step=9)
    train.report(tmp_path, state, [{"mixed3a_1x1": 0.1}, {"mixed3a_1x1": 0.4}])
    (row,) = curves.read(tmp_path / train.LOG)
    assert (row["step"], float(row["mixed3a_1x1"])) == ("9", 0.25)


def test_another_training_is_not_continued(
    networks: Callable[[], tuple[keras.Model, keras.Model]], tmp_path: Path
) -> None:
    teacher, student = networks()
    train.train(photos(), teacher, student, tmp_path, OPTIONS, Clock())
    kept = (tmp_path / train.CHECKPOINT).read_bytes()
    for options, shown, said in (
        (replace(OPTIONS, batch=2, seed=1), photos(), "other batch and seed: give"),
        (OPTIONS, photos(2), "other photos"),
    ):
        with pytest.raises(DreamerError, match=said):
            train.train(shown, teacher, student, tmp_path, options, Clock())
    assert (tmp_path / train.CHECKPOINT).read_bytes() == kept
    (tmp_path / train.CHECKPOINT).write_bytes(b"")
    with pytest.raises(DreamerError, match="cannot be continued"):
        train.train(photos(), teacher, student, tmp_path, OPTIONS, Clock())


def test_what_has_no_end_is_not_kept(
    networks: Callable[[], tuple[keras.Model, keras.Model]], tmp_path: Path
) -> None:
    teacher, student = networks()
    student.get_layer("mixed3a_1x1").bias.assign(np.full(16, np.inf))
    with pytest.raises(DreamerError, match="went wrong at step 1"):
        train.train(photos(), teacher, student, tmp_path, OPTIONS, Clock())
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("nowhere", "teacher.npz", "run"), "Cannot read the teacher from teacher.npz"),
        (("photos", "empty.npz", "run"), "it does not hold that network"),
        (("photos", "empty.npz", "empty.npz"), "Cannot make the folder empty.npz"),
        (("photos", "empty.npz", "run", "--minutes", "0"), "--minutes must be 0.01 at least"),
        (("photos", "empty.npz", "run", "--dream-share", "2"), "must be from 0.0 to 1.0, not 2.0"),
    ],
)
def test_what_is_wrong_is_one_sentence(
    arguments: tuple[str, ...],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("photos").mkdir()
    Path("empty.npz").touch()
    with pytest.raises(SystemExit) as stop:
        train.main(arguments)
    assert stop.value.code == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1


def test_photos_that_cannot_be_had_are_named(tmp_path: Path) -> None:
    Path(tmp_path / "._hidden.jpg").touch()
    with zipfile.ZipFile(tmp_path / "mac.zip", "w") as file:
        file.writestr("__MACOSX/._a.jpg", b"no picture")
    (tmp_path / "text.zip").write_text("no archive")
    for source, said in (
        (tmp_path, "too few photos"),
        (tmp_path / "mac.zip", "too few photos"),
        (tmp_path / "text.zip", "neither a folder nor a whole, open .zip"),
        (tmp_path / "nowhere", "No such file"),
    ):
        with pytest.raises(DreamerError, match=said):
            photo_sets.load(source)
    for i in range(2):
        cv2.imwrite(str(tmp_path / f"{i}.png"), np.zeros((1, 9, 3), np.uint8))
    with pytest.raises(DreamerError, match="too small to train on"):
        photo_sets.load(tmp_path)


WITHOUT_TENSORFLOW = """
import sys
sys.modules["tensorflow"] = None
from pathlib import Path
import numpy as np
from dreamer.networks import dreamnet, googlenet
from dreamer.training import dreams, train
block = googlenet.Branches(16, 8, 16, 4, 8, 8)
googlenet.BLOCKS = dreamnet.BLOCKS = {"mixed3a": block}
dreams.STEPS = 1
photo = np.random.default_rng(0).integers(0, 256, (50, 60, 3)).astype("uint8")
readings = iter(range(1000))
options = train.Options(minutes=2 / 60, batch=2, size=40, dream_batch=1, save_every=0)
train.train(
    [photo], googlenet.build(head=False), dreamnet.build(), Path(sys.argv[1]), options,
    lambda: next(readings) / 2,
)
"""


@pytest.mark.parametrize("backend", ["torch", "jax"])
def test_it_trains_without_tensorflow(backend: str, tmp_path: Path) -> None:
    if not importlib.util.find_spec(backend):
        pytest.skip(f"needs {backend}, a backend of Keras that is not TensorFlow")
    result = subprocess.run(
        [sys.executable, "-c", WITHOUT_TENSORFLOW, str(tmp_path)],
        env={**os.environ, "KERAS_BACKEND": backend},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    assert len(curves.read(tmp_path / "log.csv")) >= 2
