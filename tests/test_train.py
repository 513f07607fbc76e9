"""The training: its parts, and two steps of the whole in a process without TensorFlow."""

import importlib.util
import itertools
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
from dreamer.nets import dreamnet, googlenet, train
from dreamer.nets.training import curves, dreams, gradients, muon, pictures
from dreamer.nets.training.distillation import Distillation, NormalisedError

SIZE = 40
TINY = {"mixed3a": googlenet.Branches(16, 8, 16, 4, 8, 8)}
OPTIONS = train.Options(
    minutes=4 / 60, batch=3, size=SIZE, dream_every=3, dream_batch=2, save_every=0
)
"""Four steps a stage, by a clock that gains half a second whenever it is read."""


def photos(count: int = 3) -> list[np.ndarray]:
    """Noise, uint8."""
    rng = np.random.default_rng(0)
    return [rng.integers(0, 256, (50, 60, 3)).astype("uint8") for _ in range(count)]


@pytest.fixture
def networks(monkeypatch: pytest.MonkeyPatch) -> Callable[[], tuple[keras.Model, keras.Model]]:
    """Makes teacher and student: the stem and one narrow block, the same at every call."""
    monkeypatch.setattr(googlenet, "BLOCKS", TINY)
    monkeypatch.setattr(dreamnet, "BLOCKS", TINY)
    monkeypatch.setattr(dreams, "STEPS", 1)
    halves = [
        train.Stage("piecewise", piecewise=True, share=0.5, rate=5e-3, own_dreams=False),
        train.Stage("chained", piecewise=False, share=0.5, rate=2e-3, own_dreams=True),
    ]
    monkeypatch.setattr(train, "STAGES", halves)
    # Without it no step of these few would move a kernel by more than is let pass.
    monkeypatch.setattr(train, "WARM_UP", 1)

    def make() -> tuple[keras.Model, keras.Model]:
        keras.backend.clear_session()
        keras.utils.set_random_seed(0)
        return googlenet.build(head=False), dreamnet.build()

    return make


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
            pictures.load(source)
    for i in range(2):
        cv2.imwrite(str(tmp_path / f"{i}.png"), np.zeros((1, 9, 3), np.uint8))
    with pytest.raises(DreamerError, match="too small to train on"):
        pictures.load(tmp_path)


def test_a_student_learns_piecewise(
    networks: Callable[[], tuple[keras.Model, keras.Model]],
) -> None:
    teacher, student = networks()
    model = Distillation(student, teacher, piecewise=True)
    model.compile(optimizer=muon.Muon(2e-2))
    rng = np.random.default_rng(0)
    image = rng.normal(0, 60, (2, SIZE, SIZE, 3)).astype("float32")
    first, *_, last = (
        sum(float(np.mean(error)) for error in model(image).values())
        for _ in range(12)
        if model.train_on_batch(image, np.zeros(2)) is not None
    )
    assert last < 0.8 * first
    assert not teacher.trainable_variables


def test_the_first_error_is_the_same_chained_and_piecewise(
    networks: Callable[[], tuple[keras.Model, keras.Model]],
) -> None:
    teacher, student = networks()
    image = np.random.default_rng(0).normal(0, 60, (1, SIZE, SIZE, 3)).astype("float32")
    chained, piecewise = (
        Distillation(student, teacher, piecewise=kind)(image) for kind in (False, True)
    )
    assert chained.keys() == piecewise.keys()
    assert {"maxpool0", "maxpool1", "mixed3a_3x3_bottleneck"} < chained.keys()
    np.testing.assert_allclose(chained["maxpool0"], piecewise["maxpool0"], rtol=1e-5)
    assert float(chained["mixed3a_1x1"][0]) != float(piecewise["mixed3a_1x1"][0])


def test_the_error_is_zero_for_equals_and_one_for_silence() -> None:
    truth = np.abs(np.random.default_rng(0).normal(0, 50, (3, 4, 5, 6))).astype("float32")
    np.testing.assert_allclose(NormalisedError()(truth, truth), np.zeros(3))
    np.testing.assert_allclose(NormalisedError()(truth * 0, truth), np.ones(3), rtol=1e-5)


@pytest.mark.parametrize("shape", [(30, 12), (12, 30), (16, 16)])
def test_orthogonal_brings_singular_values_near_one(shape: tuple[int, int]) -> None:
    matrix = np.random.default_rng(0).normal(size=shape).astype("float32")
    singular = np.linalg.svd(np.asarray(muon.orthogonal(matrix)), compute_uv=False)
    assert singular.min() > 0.3
    assert singular.max() < 1.3


def test_muon_solves_a_regression_with_correlated_inputs() -> None:
    rng = np.random.default_rng(0)
    mixing = rng.normal(size=(16, 16)) * np.logspace(0, -2, 16)
    x = (rng.normal(size=(256, 16)) @ mixing.T).astype("float32")
    y = x @ rng.normal(size=(16, 8)).astype("float32")
    model = keras.Sequential([keras.Input((16,)), keras.layers.Dense(8)])
    model.compile(optimizer=muon.Muon(0.3), loss="mse")
    losses = []
    for step in range(80):
        model.optimizer.learning_rate = 0.3 * (1 - step / 80)
        losses.append(float(model.train_on_batch(x, y)))
    assert float(np.square(np.asarray(model(x)) - y).mean()) < 0.01 * losses[0]


def test_the_input_gradient_of_a_square() -> None:
    image = keras.ops.convert_to_tensor(np.arange(12, dtype="float32").reshape(1, 2, 2, 3))
    factor = keras.ops.convert_to_tensor(np.float32(3))
    gradient = gradients.input_gradient(lambda x, k: keras.ops.sum(k * x * x))(image, factor)
    np.testing.assert_allclose(gradient, 6 * np.asarray(image))


def test_held_out_photos_are_every_tenth_and_never_trained_on(tmp_path: Path) -> None:
    folder, archive = tmp_path / "photos", tmp_path / "photos.zip"
    folder.mkdir()
    with zipfile.ZipFile(archive, "w") as file:
        for i in range(21):
            path = folder / f"{i:02}.png"
            cv2.imwrite(str(path), np.full((4, 5, 3), i, np.uint8))
            file.write(path, path.name)
    for source in (folder, archive):
        held_out = [int(photo[0, 0, 0]) for photo in pictures.load(source, held_out=True)]
        seen = [int(photo[0, 0, 0]) for photo in pictures.load(source)]
        assert held_out == [0, 10, 20]
        assert sorted(seen + held_out) == list(range(21))


@pytest.mark.parametrize("render", pictures.RENDERED)
def test_rendered_pictures(render: Callable[[int, np.random.Generator], np.ndarray]) -> None:
    for seed in range(5):
        one, again = (render(SIZE, np.random.default_rng(seed)) for _ in range(2))
        assert one.shape == (SIZE, SIZE, 3)
        assert one.dtype == np.float32
        assert np.isfinite(one).all()
        np.testing.assert_array_equal(one, again)


def test_a_batch_follows_from_seed_and_step() -> None:
    pool = dreams.Pool(SIZE)
    pool.add(np.full((4, SIZE, SIZE, 3), 250.0))
    one, again, other = (train.batch(photos(), pool, OPTIONS, step) for step in (7, 7, 8))
    assert one.shape == (3, SIZE, SIZE, 3)
    assert one.dtype == np.float32
    assert one.min() >= -googlenet.MEAN
    assert one.max() <= 255 - googlenet.MEAN
    np.testing.assert_array_equal(one, again)
    assert (one != other).any()
    assert (one[0] == 250 - googlenet.MEAN).all()


def test_the_pool_replaces_its_oldest_dreams() -> None:
    pool = dreams.Pool(1, capacity=3)
    for value in range(5):
        pool.add(np.full((1, 1, 1, 3), value))
    assert pool.pictures[:, 0, 0, 0].tolist() == [3, 4, 2]


@pytest.mark.parametrize("objective", dreams.OBJECTIVES.values())
def test_dream_objectives_weigh_channels(
    objective: Callable[[int, np.random.Generator], np.ndarray],
) -> None:
    weights = objective(30, np.random.default_rng(0))
    assert weights.shape == (30,)
    assert weights.min() >= 0
    assert weights.max() > 0


def test_dreams_raise_what_they_are_asked_for() -> None:
    def ascend(shown: np.ndarray, weights: np.ndarray) -> np.ndarray:
        return np.asarray((shown - 128) * weights[:, None, None, :])

    start = np.random.default_rng(1).normal(128, 5, (2, SIZE, SIZE, 3)).astype("float32")
    weights = np.array([[1, 0, 0], [0, 0, 1]], "float32")
    *_, last = states = dreams.dream(ascend, start, weights, np.random.default_rng(0))
    assert [state.shape for state in states] == [start.shape] * len(dreams.OCTAVES)
    raised = last.std((1, 2)) / start.std((1, 2))
    assert raised[weights == 1].min() > 2
    assert raised[weights == 0].max() < 1.1


def test_laplacian_normalisation_evens_out_strength() -> None:
    gradient = np.random.default_rng(0).normal(0, 1, (33, 47, 3)).astype("float32")
    weak, strong = (dreams.laplacian_normalise(gradient * k) for k in (1e-3, 1e3))
    assert weak.shape == gradient.shape
    np.testing.assert_allclose(weak, strong, rtol=1e-3, atol=1e-5)


def test_the_learning_rate_warms_up_and_falls() -> None:
    stage = train.STAGES[0]
    assert train.learning_rate(stage, 0, 0) < 0.1 * stage.rate
    falling = [train.learning_rate(stage, share, 1000) for share in np.linspace(0, 1.2, 9)]
    assert all(a >= b for a, b in itertools.pairwise(falling))
    assert falling[0] == pytest.approx(stage.rate)
    assert falling[-1] == pytest.approx(stage.rate / 100)


WITHOUT_TENSORFLOW = """
import sys
sys.modules["tensorflow"] = None
from pathlib import Path
import numpy as np
from dreamer.nets import dreamnet, googlenet, train
from dreamer.nets.training import dreams
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
