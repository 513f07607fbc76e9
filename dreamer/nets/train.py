"""Train `dreamnet` from a folder of photos and the public teacher, in a night on a CPU.

    python -c "import numpy as np; from pathlib import Path; from dreamer.nets import googlenet;
    np.savez('teacher.npz', **googlenet.read_graph(Path('inception5h.zip')))"

    python -m dreamer.nets.train PHOTOS teacher.npz RUN

`PHOTOS` is a folder or a zip; every tenth of its sorted names is held out. `RUN` is filled with
`checkpoint.npz` (a killed training continues from it: give the same command again),
`dreamnet.npz` (the averaged weights so far, in float16), `log.csv` and `curves.png`. Only the
export of the teacher needs TensorFlow; the training runs on whichever of Keras's backends
`KERAS_BACKEND` names.

The training has two stages. *Piecewise*, every layer that has a counterpart in the teacher is fed
with the teacher's activations and learns the teacher's next ones: small regressions side by side,
in which no error piles up. *Chained*, the student runs on its own, and learns from its error at
all of them. The learning rate follows a cosine over each stage's share of the time.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import keras
import numpy as np

from dreamer.nets import dreamnet, googlenet
from dreamer.nets.training import curves, dreams, pictures
from dreamer.nets.training.distillation import Distillation
from dreamer.nets.training.muon import Muon


@dataclass(frozen=True)
class Stage:
    """A part of the training.

    Attributes:
        name: as it stands in the log.
        piecewise: see `Distillation`.
        share: of the training's minutes.
        rate: the highest learning rate.
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


@dataclass(frozen=True)
class Options:
    """What a training is told.

    Attributes:
        minutes: of both stages together; time in which the program does not run is not counted.
        batch: pictures a step.
        size: a picture's side, in pixels.
        dreamt: the share of dreams in a batch.
        dream_every: steps between two additions to the pool of dreams.
        dreamers: pictures dreamt on at a time; each gives one dream an octave.
        save_every: seconds between two checkpoints.
        seed: of everything random.
    """

    minutes: float = 600
    batch: int = 24
    size: int = 144
    dreamt: float = 0.3
    dream_every: int = 40
    dreamers: int = 14
    save_every: float = 180
    seed: int = 0


@dataclass
class State:
    """What a checkpoint holds beside the weights and the optimiser's moments.

    Attributes:
        stage: index into `STAGES`.
        spent: seconds of this stage.
        step: steps of the whole training.
        average: the weights' running mean by path.
        pool: the dreams.
    """

    pool: dreams.Pool
    stage: int = 0
    spent: float = 0.0
    step: int = 0
    average: dict[str, np.ndarray] = field(default_factory=dict)


CHECKPOINT = "checkpoint.npz"
WARM_UP = 50
LONGEST_STEP = 60.0
"""Seconds: a step that took longer had been stopped, and is counted as this long."""
AVERAGE_EVERY = 5
AVERAGE_DECAY = 0.99


def learning_rate(stage: Stage, progress: float, step: int) -> float:
    """A cosine over the stage from its highest rate to a hundredth, behind a short warm-up."""
    cosine = 0.505 + 0.495 * math.cos(math.pi * min(progress, 1))
    return stage.rate * cosine * min(1, (step + 1) / WARM_UP)


def batch(photos: Sequence[np.ndarray], pool: dreams.Pool, options: Options, step: int) -> Any:
    """The pictures of one step, `(n, s, s, 3)`, in the network's range."""
    rng = np.random.default_rng([options.seed, step])
    dreamt = round(options.batch * options.dreamt) if len(pool.pictures) else 0
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
    """Let one network dream on one layer, each picture with an objective of its own."""
    rng = np.random.default_rng([options.seed, step, 1])
    ascend, channels = pictures.pick(sources, rng)
    objectives = list(dreams.OBJECTIVES.values())
    count = options.dreamers
    drawn = np.stack([pictures.draw(photos, options.size, rng) for _ in range(count)])
    weights = [objectives[i % len(objectives)](channels, rng) for i in range(count)]
    states = dreams.dream(ascend, drawn, np.stack(weights).astype("float32"), rng)
    pool.add(np.concatenate(states))


def update_average(average: dict[str, np.ndarray], model: keras.Model, count: int) -> None:
    """Move the running mean towards the model's weights; the first ones replace it."""
    decay = min(AVERAGE_DECAY, count / (10 + count))
    for variable in model.trainable_variables:
        value = np.asarray(variable)
        average[variable.path] = decay * average.get(variable.path, value) + (1 - decay) * value


def save_checkpoint(run: Path, state: State, student: keras.Model, optimizer: Muon) -> None:
    """Write everything from which the training continues, and the averaged weights for use."""
    arrays: dict[str, Any] = {"stage": state.stage, "spent": state.spent, "step": state.step}
    arrays |= {"dreams": state.pool.pictures, "dreams_made": state.pool.made}
    arrays |= {f"student:{v.path}": np.asarray(v) for v in student.trainable_variables}
    arrays |= {f"average:{name}": value for name, value in state.average.items()}
    arrays |= {f"optimizer:{v.path}": np.asarray(v) for v in optimizer.variables}
    part = run / f"part-{CHECKPOINT}"
    np.savez(part, **arrays)
    part.replace(run / CHECKPOINT)
    dreamnet.save(run / dreamnet.WEIGHTS.name, state.average)


def load_checkpoint(run: Path, state: State, student: keras.Model) -> dict[str, np.ndarray]:
    """Restore state and student; the optimiser's variables by path are returned."""
    with np.load(run / CHECKPOINT) as archive:
        stored = dict(archive)
    state.stage, state.step = int(stored["stage"]), int(stored["step"])
    state.spent = float(stored["spent"])
    state.pool.pictures, state.pool.made = stored["dreams"], int(stored["dreams_made"])
    state.average = _below("average:", stored)
    dreamnet.assign(student, _below("student:", stored))
    return _below("optimizer:", stored)


def _below(prefix: str, stored: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {name.removeprefix(prefix): v for name, v in stored.items() if name.startswith(prefix)}


def run_stage(
    state: State,
    student: keras.Model,
    teacher: keras.Model,
    photos: Sequence[np.ndarray],
    options: Options,
    moments: Mapping[str, np.ndarray],
    clock: Callable[[], float],
) -> Iterator[tuple[Distillation, dict[str, float]]]:
    """Train one stage to its end; yields the running errors after every step."""
    stage = STAGES[state.stage]
    seconds = 60 * options.minutes * stage.share
    sources = dreams.ascents([teacher, student] if stage.own_dreams else [teacher])
    model = Distillation(student, teacher, piecewise=stage.piecewise)
    optimizer = Muon(stage.rate)
    optimizer.build(student.trainable_variables)
    for variable in optimizer.variables:
        if variable.path in moments:
            variable.assign(moments[variable.path])
    model.compile(optimizer=optimizer)
    unused = np.zeros(options.batch)
    while state.spent < seconds:
        begun = clock()
        if state.step % options.dream_every == 0:
            dream_more(sources, photos, state.pool, options, state.step)
        progress = state.spent / seconds
        optimizer.learning_rate = learning_rate(stage, progress, int(optimizer.iterations))
        errors = model.train_on_batch(
            batch(photos, state.pool, options, state.step), unused, return_dict=True
        )
        state.step += 1
        if state.step % AVERAGE_EVERY == 1:
            update_average(state.average, student, state.step // AVERAGE_EVERY)
        state.spent += min(clock() - begun, LONGEST_STEP)
        yield model, {name: float(value) for name, value in errors.items()}


def train(
    photos: Sequence[np.ndarray],
    teacher: keras.Model,
    student: keras.Model,
    run: Path,
    options: Options,
    clock: Callable[[], float] = time.monotonic,
) -> None:
    """Train to the end, or on from where the last call was killed.

    Args:
        photos: to train on, uint8 `(h, w, 3)`.
        teacher: with its weights.
        student: with random weights.
        run: the folder for everything that is written.
        options: what is done.
        clock: seconds, from whenever on.
    """
    run.mkdir(parents=True, exist_ok=True)
    state = State(dreams.Pool(options.size))
    moments = load_checkpoint(run, state, student) if (run / CHECKPOINT).exists() else {}
    saved = clock()
    for index in range(state.stage, len(STAGES)):
        if index > state.stage:
            dreamnet.assign(student, state.average)
            state.stage, state.spent, moments = index, 0.0, {}
        for model, errors in run_stage(state, student, teacher, photos, options, moments, clock):
            if clock() - saved >= options.save_every:
                report(run, state, errors)
                model.reset_metrics()
                save_checkpoint(run, state, student, model.optimizer)
                saved = clock()
    dreamnet.save(run / dreamnet.WEIGHTS.name, state.average)


def report(run: Path, state: State, errors: Mapping[str, float]) -> None:
    """Add a line to the log and draw its curves."""
    row = {"step": state.step, "stage": STAGES[state.stage].name, "spent": round(state.spent)}
    rounded = {name: round(value, 5) for name, value in errors.items()}
    curves.append(run / "log.csv", {**row, **rounded})
    curves.draw(curves.read(run / "log.csv"), run / "curves.png")


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m dreamer.nets.train",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("photos", type=Path)
    parser.add_argument("teacher", type=Path)
    parser.add_argument("run", type=Path)
    for option in fields(Options):
        parser.add_argument(
            f"--{option.name.replace('_', '-')}", type=type(option.default), default=option.default
        )
    given = vars(parser.parse_args(arguments))
    photos, teacher, run = (given.pop(name) for name in ("photos", "teacher", "run"))
    options = Options(**given)
    keras.utils.set_random_seed(options.seed)
    network = googlenet.build(teacher, head=False)
    train(pictures.load(photos), network, dreamnet.build(), run, options)


if __name__ == "__main__":
    main()
