r"""Train `dreamnet` from a folder of photos and the public teacher, in an hour or more on a CPU.

    python -m dreamer.training PHOTOS TEACHER RUN

`PHOTOS` is a folder or a zip; every tenth of its sorted names is held out, and the others are kept
in memory, a third of a megabyte each. `TEACHER` is `inception5h.zip`, which `dream models fetch
googlenet` downloads, or the `.pb` in it. The training writes `checkpoint.npz`, `dreamnet.npz` (the
averaged weights so far, in float16), `log.csv` and `curves.png` into the folder `RUN`. To continue
a killed training from its checkpoint, give the same command again.

The training runs on TensorFlow, PyTorch or JAX, whichever `KERAS_BACKEND` names. Only the teacher's
public file needs TensorFlow; on a machine without it, give a file that was exported elsewhere by

    python -c "import numpy, pathlib; from dreamer.networks.googlenet import read_graph; \
        numpy.savez('teacher.npz', **read_graph(pathlib.Path('inception5h.zip')))"

The training has two stages. In the first, *piecewise*, every layer that has a counterpart in the
teacher gets the teacher's activations and learns the teacher's next ones: small regressions side by
side, in which errors do not accumulate. In the second, *chained*, the student runs on its own and
learns from its errors at all those layers. The learning rate follows a cosine over each stage's
share of the time.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import logging
import math
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import keras
import numpy as np

from dreamer.errors import DreamerError
from dreamer.files import atomic, photo_sets
from dreamer.networks import dreamnet, googlenet
from dreamer.training import curves, dreams, pictures
from dreamer.training.distillation import Distillation
from dreamer.training.muon import Muon

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Stage:
    """A part of the training.

    Attributes:
        name: its name in the log.
        piecewise: whether layers learn on the teacher's activations (see `Distillation`).
        share: its share of the training's minutes.
        rate: its highest learning rate.
        own_dreams: whether the student dreams too.
    """

    name: str
    piecewise: bool
    share: float
    rate: float
    own_dreams: bool


STAGES: Sequence[Stage] = (
    Stage("piecewise", piecewise=True, share=0.25, rate=6e-3, own_dreams=False),
    Stage("chained", piecewise=False, share=0.75, rate=3e-4, own_dreams=True),
)


def _option(default: float, least: float, text: str, most: float = math.inf) -> Any:
    return field(default=default, metadata={"least": least, "most": most, "help": text})


@dataclass(frozen=True)
class Options:
    """The options of a training; every field is an option of the command.

    Raises DreamerError if one is too small or too large.
    """

    minutes: float = _option(
        600.0, 0.01, "of both stages together, without those in which the program does not run"
    )
    batch: int = _option(24, 1, "pictures a step")
    size: int = _option(144, 32, "a picture's side in pixels")
    dream_share: float = _option(0.3, 0.0, "of a batch that is dreams", most=1.0)
    dream_every: int = _option(40, 1, "steps between two additions to the pool of dreams")
    dream_batch: int = _option(14, 1, "pictures dreamt on at a time; each gives a dream an octave")
    save_every: float = _option(180.0, 0.0, "seconds between two checkpoints")
    seed: int = _option(0, 0, "of everything random")

    def __post_init__(self) -> None:
        """Check that every option is within its bounds."""
        for option in fields(self):
            value = getattr(self, option.name)
            least, most = option.metadata["least"], option.metadata["most"]
            if not least <= value <= most:
                bounds = f"from {least} to {most}" if most < math.inf else f"{least} at least"
                raise DreamerError(f"{_flag(option.name)} must be {bounds}, not {value}.")

    def identity(self, photos: Sequence[np.ndarray]) -> dict[str, Any]:
        """Return what must stay the same for a training to be continued."""
        digest = hashlib.sha256()
        for photo in photos:
            digest.update(photo.tobytes())
        free = {"minutes", "save_every"}
        fixed = {name: value for name, value in asdict(self).items() if name not in free}
        return {**fixed, "photos": digest.hexdigest()}


def _flag(option: str) -> str:
    return f"--{option.replace('_', '-')}"


@dataclass
class State:
    """The contents of a checkpoint, besides the weights and the optimizer's moments.

    Attributes:
        pool: the dreams.
        stage: the current stage's index in `STAGES`.
        spent: seconds spent in this stage.
        step: number of steps since the training began.
        average: the running mean of the weights, by variable path.
    """

    pool: dreams.Pool
    stage: int = 0
    spent: float = 0.0
    step: int = 0
    average: dict[str, np.ndarray] = field(default_factory=dict)


CHECKPOINT, WEIGHTS, LOG, CURVES = "checkpoint.npz", "dreamnet.npz", "log.csv", "curves.png"
"""Names of the files in a training's folder."""

WARM_UP = 50
"""Number of steps in which the learning rate rises: the first steps have little momentum yet."""

LONGEST_STEP = 60.0
"""Most seconds that a step counts for: one that takes longer was suspended."""

AVERAGE_EVERY = 5
"""Number of steps between two updates of the running mean of the weights."""

AVERAGE_DECAY = 0.99
"""Decay of that mean, which reaches back over some 500 steps."""


def learning_rate(stage: Stage, progress: float, step: int) -> float:
    """Return a step's learning rate: a warm-up, and a cosine down to 1 % of the stage's rate."""
    cosine = 0.505 + 0.495 * math.cos(math.pi * min(progress, 1))
    return stage.rate * cosine * min(1, (step + 1) / WARM_UP)


def batch(photos: Sequence[np.ndarray], pool: dreams.Pool, options: Options, step: int) -> Any:
    """Draw the pictures of one step, `(n, s, s, 3)`, in the network's range."""
    rng = np.random.default_rng([options.seed, step])
    dreamt = round(options.batch * options.dream_share) if len(pool.pictures) else 0
    made = [pool.draw(rng) for _ in range(dreamt)]
    drawn = [pictures.draw(photos, options.size, rng) for _ in range(options.batch - dreamt)]
    return np.stack(made + drawn).astype("float32") - np.float32(googlenet.MEAN)


def dream_more(
    sources: Sequence[tuple[dreams.Ascent, int]],
    photos: Sequence[np.ndarray],
    pool: dreams.Pool,
    options: Options,
    step: int,
) -> None:
    """Add dreams of one random network and layer to the pool, each with its own objective."""
    rng = np.random.default_rng([options.seed, step, 1])
    ascend, channels = pictures.pick(sources, rng)
    objectives = list(dreams.OBJECTIVES.values())
    count = options.dream_batch
    drawn = np.stack([pictures.draw(photos, options.size, rng) for _ in range(count)])
    weights = [objectives[i % len(objectives)](channels, rng) for i in range(count)]
    states = dreams.dream(ascend, drawn, np.stack(weights).astype("float32"), rng)
    pool.add(np.concatenate(states))


def update_average(average: dict[str, np.ndarray], model: keras.Model, count: int) -> None:
    """Move the running mean toward the model's weights; the first update replaces it."""
    decay = min(AVERAGE_DECAY, count / (10 + count))
    for variable in model.trainable_variables:
        value = np.asarray(variable)
        average[variable.path] = decay * average.get(variable.path, value) + (1 - decay) * value


def save_checkpoint(
    run: Path, state: State, student: keras.Model, optimizer: Muon, identity: Mapping[str, Any]
) -> None:
    """Write everything that the training needs to continue, and the averaged weights."""
    arrays: dict[str, Any] = {"identity": json.dumps(identity)}
    arrays |= {"stage": state.stage, "spent": state.spent, "step": state.step}
    arrays |= {"dreams": state.pool.pictures, "dreams_made": state.pool.made}
    arrays |= {f"student:{v.path}": np.asarray(v) for v in student.trainable_variables}
    arrays |= {f"average:{name}": value for name, value in state.average.items()}
    arrays |= {f"optimizer:{v.path}": np.asarray(v) for v in optimizer.variables}
    with atomic.open_replacing(run / CHECKPOINT) as file:
        np.savez(file, **arrays)
    dreamnet.save(run / WEIGHTS, state.average)


def load_checkpoint(
    run: Path, state: State, student: keras.Model, identity: Mapping[str, Any]
) -> dict[str, np.ndarray]:
    """Restore state and student from a checkpoint, and return the optimizer's variables by path.

    Raises DreamerError if the checkpoint cannot be read or is that of another training.
    """
    try:
        with np.load(run / CHECKPOINT) as archive:
            stored = dict(archive)
        before = json.loads(str(stored["identity"]))
        dreamnet.assign(student, _select("student:", stored))
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        raise DreamerError(
            f"{run / CHECKPOINT} cannot be continued by this program: give another folder."
        ) from None
    changed = [name for name, value in identity.items() if before.get(name) != value]
    if changed:
        raise DreamerError(
            f"{run} holds a training with other {' and '.join(changed)}: give the same, or another "
            "folder."
        )
    state.stage, state.step = int(stored["stage"]), int(stored["step"])
    state.spent = float(stored["spent"])
    state.pool.pictures, state.pool.made = stored["dreams"], int(stored["dreams_made"])
    state.average = _select("average:", stored)
    return _select("optimizer:", stored)


def _select(prefix: str, stored: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return the arrays whose names begin with a prefix, by the rest of their names."""
    return {name.removeprefix(prefix): v for name, v in stored.items() if name.startswith(prefix)}


def seconds(stage: int, options: Options) -> float:
    """Return the length of a stage in seconds."""
    return 60 * options.minutes * STAGES[stage].share


def run_stage(
    state: State,
    student: keras.Model,
    teacher: keras.Model,
    photos: Sequence[np.ndarray],
    options: Options,
    moments: Mapping[str, np.ndarray],
    clock: Callable[[], float],
) -> Iterator[tuple[Muon, dict[str, float]]]:
    """Train one stage to its end, yielding the optimizer and the errors after every step."""
    stage, length = STAGES[state.stage], seconds(state.stage, options)
    dreamers = [teacher, student] if stage.own_dreams else [teacher]
    sources = dreams.ascents(dreamers, dreamnet.BLOCKS)
    model = Distillation(student, teacher, piecewise=stage.piecewise)
    optimizer = Muon(stage.rate)
    # In the model's order, not the student's: on JAX, variables are identified by their position.
    optimizer.build(model.trainable_variables)
    for variable in optimizer.variables:
        if variable.path in moments:
            variable.assign(moments[variable.path])
    model.compile(optimizer=optimizer)
    unused = np.zeros(options.batch)
    while state.spent < length:
        begun = clock()
        if state.step % options.dream_every == 0:
            dream_more(sources, photos, state.pool, options, state.step)
        progress = state.spent / length
        optimizer.learning_rate = learning_rate(stage, progress, int(optimizer.iterations))
        shown = batch(photos, state.pool, options, state.step)
        errors = model.train_on_batch(shown, unused, return_dict=True)
        state.step += 1
        if state.step % AVERAGE_EVERY == 1:
            update_average(state.average, student, state.step // AVERAGE_EVERY)
        state.spent += min(clock() - begun, LONGEST_STEP)
        yield optimizer, {name: float(value) for name, value in errors.items()}


def train(
    photos: Sequence[np.ndarray],
    teacher: keras.Model,
    student: keras.Model,
    run: Path,
    options: Options,
    clock: Callable[[], float] = time.monotonic,
) -> None:
    """Train to the end, continuing from a checkpoint if there is one.

    Args:
        photos: the photos to train on, uint8 `(h, w, 3)`.
        teacher: the teacher with its weights.
        student: the student with random weights.
        run: the folder for everything that is written.
        options: the options of the training.
        clock: function that returns the time in seconds, from any start.

    Raises DreamerError if `run` cannot be written or holds another training, or if an error is no
    longer finite.
    """
    prepare(run)
    state, identity = State(dreams.Pool(options.size)), options.identity(photos)
    resumed = (run / CHECKPOINT).exists()
    moments = load_checkpoint(run, state, student, identity) if resumed else {}
    saved = clock()
    for index in range(state.stage, len(STAGES)):
        if index > state.stage:
            dreamnet.assign(student, state.average)
            state.stage, state.spent, moments = index, 0.0, {}
        seen: list[dict[str, float]] = []
        last = seconds(index, options)
        for optimizer, errors in run_stage(
            state, student, teacher, photos, options, moments, clock
        ):
            if not all(map(math.isfinite, errors.values())):
                raise DreamerError(
                    f"The training went wrong at step {state.step}: begin again in another folder "
                    "with another --seed."
                )
            seen.append(errors)
            if clock() - saved >= options.save_every or state.spent >= last:
                save_checkpoint(run, state, student, optimizer, identity)
                report(run, state, seen)
                seen, saved = [], clock()


def report(run: Path, state: State, seen: Sequence[Mapping[str, float]]) -> None:
    """Log the mean errors of the steps since the last report, and draw the curves."""
    stage = STAGES[state.stage]
    row = {"step": state.step, "stage": stage.name, "spent": round(state.spent)}
    means = {name: round(float(np.mean([e[name] for e in seen])), 5) for name in seen[0]}
    rows = curves.append(run / LOG, {**row, **means})
    curves.draw(rows, run / CURVES)
    _log.info(
        "step %d, %s, %.0f minutes: the mean error is %.4f",
        *(state.step, stage.name, state.spent / 60, np.mean(list(means.values()))),
    )


def prepare(run: Path) -> None:
    """Make the folder of a training. Raises DreamerError if nothing can be written into it."""
    try:
        run.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DreamerError(f"Cannot make the folder {run}: {error.strerror}.") from None
    atomic.check_writable(run)


def read_teacher(path: Path) -> keras.Model:
    """Read the teacher, up to `mixed5b`. Raises DreamerError if the file is anything else."""
    try:
        return googlenet.build(path, head=False)
    except (OSError, ValueError, KeyError, EOFError, StopIteration, zipfile.BadZipFile) as error:
        why = getattr(error, "strerror", None) or "it does not hold that network"
        raise DreamerError(f"Cannot read the teacher from {path}: {why}.") from None


class _Help(argparse.RawDescriptionHelpFormatter, argparse.ArgumentDefaultsHelpFormatter):
    pass


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; an error is one sentence and exit code 2."""
    parser = argparse.ArgumentParser(
        prog="python -m dreamer.training",
        description=__doc__,
        formatter_class=_Help,
    )
    for name in ("photos", "teacher", "run"):
        parser.add_argument(name, type=Path, metavar=name.upper())
    for option in fields(Options):
        kind, text = type(option.default), option.metadata["help"]
        parser.add_argument(_flag(option.name), type=kind, default=option.default, help=text)
    given = vars(parser.parse_args(arguments))
    photos, teacher, run = (given.pop(name) for name in ("photos", "teacher", "run"))
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    try:
        options = Options(**given)
        prepare(run)
        keras.utils.set_random_seed(options.seed)
        network = read_teacher(teacher)
        train(photo_sets.load(photos), network, dreamnet.build(), run, options)
    except DreamerError as error:
        parser.exit(2, f"{parser.prog}: {error}\n")
