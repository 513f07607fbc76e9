"""Measure how good `dreamnet` is, by its dreams, channels, gradients and speed beside googlenet's.

    DREAMER_WEIGHTS=FOLDER python tests/benchmarks/dreamnet.py PHOTOS [--student FILE]

`PHOTOS` is the folder or zip that it was trained on; only the held-out photos are used. `FOLDER`
holds the teacher, googlenet, and Inception v3 for the second opinion. The figures mean:

- transfer: (student's dream − photo) / (teacher's dream − photo), in the layer's mean square as
  the teacher sees it; of whole layers the mean over photos, of single channels the median.
- profile: the correlation of the logarithms of the mean squares per channel in the student's and
  in the teacher's dream, as the teacher and as Inception v3 (which took no part) see them; and,
  as a measure of what is possible, that of two dreams of the teacher with different seeds.
- channels: the effective number of channels (inverse Simpson) over the teacher's.
- gain: the median of the transfer of those channels that the teacher raised, each within 0 to 1.
- agreement: the median over channels of the correlation with the teacher's channel, on photos and
  on dreams.
- cosine: of the input gradients of whole layers and of single channels, mean over photos.
- times faster: the shortest of 20 times of eight steps at 512×512 on the teacher, over that on the
  student, measured in turn; a step is that of `dream image` on a layer, with every default.

A channel that only the student leaves silent counts as 0; where the teacher's is silent,
nothing can be compared, and it is left out.
"""

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import tensorflow as tf
from measure import times

from dreamer.arrays import Activations, Image
from dreamer.ascent import normalizations, octaves, optimizers, regularizers, steps, transforms
from dreamer.ascent.ascent import Ascent, octave_seed
from dreamer.ascent.multiscale import Octave, Passage, dream
from dreamer.ascent.objectives import Objective
from dreamer.files import photo_sets
from dreamer.imaging.finish import leave_unchanged
from dreamer.networks import freezing, loading, runtime, weight_files
from dreamer.networks.freezing import Features
from dreamer.networks.network import Network
from dreamer.pipelines.goal import NO_GAINS
from dreamer.pipelines.image import build_pipeline
from dreamer.recipe import Recipe

LAYERS = ("mixed3b", "mixed4c", "mixed4d", "mixed4e")
OBSERVED = "mixed4"
PHOTOS = 10
CHANNELS = 20
SIDE = 360
OCTAVES, SCALE, STEPS, JITTER = 4, 1.4, 12, 32
RATE = 0.014
SPEED_SIDE, SPEED_STEPS, SPEED_ROUNDS = 512, 8, 20


class Dreamer(NamedTuple):
    """A network and a layer of it, traced once; `weights` decides which channels it raises."""

    ascent: Ascent
    features: Features
    weights: tf.Variable

    def dream(self, photo: Image, weights: np.ndarray, seed: int = 0) -> Image:
        """The photo with its dream, `(h, w, 3)`."""
        self.weights.assign(weights)
        sizes = octaves.plan_by_count(photo.shape[:2], OCTAVES, SCALE)
        plan = [Octave(size, self.ascent) for size in sizes]
        passage = Passage(
            steps=STEPS,
            carry=octaves.CARRIES["detail"],
            resample="lanczos3",
            seed=seed,
            frame=0,
            finish=leave_unchanged,
        )
        *_, last = dream(photo, plan, passage)
        return last.picture().clip(0, 1)

    def gradient(self, photo: Image, weights: np.ndarray) -> np.ndarray:
        """The gradient at the photo, `(h * w * 3,)`."""
        self.weights.assign(weights)
        image = tf.constant(photo[None])
        with tf.GradientTape() as tape:
            tape.watch(image)
            score = self.ascent.objective(self.features(image))
        return np.asarray(tape.gradient(score, image)).ravel()


def dreamer(net: Network, layer: str) -> Dreamer:
    """A dreamer that raises the weighted mean square of a layer's channels."""
    weights = tf.Variable(tf.ones([net.layers[layer]]))

    def score(maps: Activations, numbers: object) -> tf.Tensor:
        return tf.reduce_mean(tf.square(maps[layer]) * weights, (1, 2, 3))

    features = freezing.freeze(net, [layer], "float32")
    ascent = Ascent(
        features,
        Objective(frozenset({layer}), score),
        steps.numbers(RATE),
        transform=transforms.jitter(JITTER),
        update=lambda gradient, step: normalizations.NORMALIZATIONS["laplacian"](gradient),
        optimizer=optimizers.OPTIMIZERS["ascent"],
        regularize=regularizers.clip,
    )
    return Dreamer(ascent, features, weights)


class Eye(NamedTuple):
    """A network and a layer of it that look at pictures."""

    features: Features
    layer: str

    def maps(self, picture: Image) -> np.ndarray:
        """Activations, `(h, w, c)`."""
        return np.asarray(self.features(tf.constant(picture[None]))[self.layer][0])

    def power(self, picture: Image) -> np.ndarray:
        """The mean square of every channel, `(c,)`."""
        return np.asarray(np.square(self.maps(picture)).mean((0, 1)))


def eye(net: Network, layer: str) -> Eye:
    """A network and a layer of it that look at pictures."""
    return Eye(freezing.freeze(net, [layer], "float32"), layer)


def correlation(ours: np.ndarray, theirs: np.ndarray) -> np.ndarray:
    """Pearson's, along the first axis; see `cosine`."""
    return cosine(ours - ours.mean(0), theirs - theirs.mean(0))


def profile_correlation(a: np.ndarray, b: np.ndarray) -> float:
    """How alike two dreams are in which channels they excite; mean squares, `(c,)`."""
    floor = 1e-4 * max(a.mean(), b.mean())
    return float(correlation(np.log(a + floor), np.log(b + floor)))


def effective_channels(power: np.ndarray) -> float:
    """Inverse Simpson: how many channels would give as concentrated a profile if all were alike."""
    return float(power.sum() ** 2 / np.square(power).sum())


def gain(student: np.ndarray, teacher: np.ndarray, photo: np.ndarray) -> float:
    """The median over channels of the clipped transfer."""
    raised = teacher > photo
    ratio = (student - photo)[raised] / (teacher - photo)[raised]
    return float(np.median(ratio.clip(0, 1)))


def agreement(student: Eye, teacher: Eye, shown: Sequence[Image]) -> float:
    """The median over channels of the correlation over all positions of some pictures."""
    both = [
        np.concatenate([each.maps(picture).reshape(-1, channels) for picture in shown])
        for each in (student, teacher)
        for channels in [each.maps(shown[0]).shape[-1]]
    ]
    return float(np.nanmedian(correlation(*both)))


def fit(photo: np.ndarray, side: int = SIDE) -> Image:
    """A photo with its long side brought to `side`, float32 of 0 to 1."""
    scale = side / max(photo.shape[:2])
    size = (round(photo.shape[1] * scale), round(photo.shape[0] * scale))
    scaled = cv2.resize(photo, size, interpolation=cv2.INTER_CUBIC)
    return np.asarray(scaled / np.float32(255), np.float32)


def cosine(ours: np.ndarray, theirs: np.ndarray) -> np.ndarray:
    """Along the first axis: 0 where only ours is silent, not a number where theirs is."""
    size = np.sqrt(np.square(ours).sum(0)) * np.sqrt(np.square(theirs).sum(0))
    with np.errstate(invalid="ignore"):
        return np.where(theirs.any(0) & ~ours.any(0), 0, (ours * theirs).sum(0) / size)


def compare(
    student: Network,
    teacher: Network,
    witness: Eye | None,
    layer: str,
    photos: Sequence[Image],
    channels: int,
) -> dict[str, float]:
    """Every figure of one layer but the speed."""
    ours, theirs = dreamer(student, layer), dreamer(teacher, layer)
    our_eye, their_eye = eye(student, layer), eye(teacher, layer)
    count = teacher.layers[layer]
    whole = np.ones(count, np.float32)
    chosen = np.random.default_rng(0).choice(count, channels, replace=False)
    single = np.eye(count, dtype=np.float32)[chosen]

    pairs = [(ours.dream(p, whole), theirs.dream(p, whole)) for p in photos]
    again = [theirs.dream(p, whole, seed=1) for p in photos]
    powers = [
        tuple(map(their_eye.power, (a, b, p))) for (a, b), p in zip(pairs, photos, strict=True)
    ]
    transfers = [(a.mean() - p.mean()) / (b.mean() - p.mean()) for a, b, p in powers]
    figures = {
        "transfer": np.mean(transfers),
        "transfer, single": np.median(
            [
                _single_transfer(ours, theirs, their_eye, photos[i % len(photos)], w)
                for i, w in enumerate(single)
            ]
        ),
        "profile": np.mean([profile_correlation(a, b) for a, b, _ in powers]),
        "profile, two seeds": np.mean(
            [
                profile_correlation(their_eye.power(other), b)
                for other, (_, b, _) in zip(again, powers, strict=True)
            ]
        ),
        "channels": np.mean([effective_channels(a) / effective_channels(b) for a, b, _ in powers]),
        "gain": np.mean([gain(a, b, p) for a, b, p in powers]),
    }
    if witness:
        seen = [tuple(map(witness.power, pair)) for pair in pairs]
        figures["profile, v3"] = np.mean([profile_correlation(a, b) for a, b in seen])
        figures["profile, v3, two seeds"] = np.mean(
            [
                profile_correlation(witness.power(other), b)
                for other, (_, b) in zip(again, seen, strict=True)
            ]
        )
    figures["agreement, photos"] = agreement(our_eye, their_eye, photos)
    dreams = [picture for pair in pairs for picture in pair]
    figures["agreement, dreams"] = agreement(our_eye, their_eye, dreams)
    for name, objectives in (("whole", whole[None]), ("single", single)):
        figures[f"cosine, {name}"] = np.nanmean(
            [cosine(ours.gradient(p, w), theirs.gradient(p, w)) for p in photos for w in objectives]
        )
    return {name: float(value) for name, value in figures.items()}


def _single_transfer(
    ours: Dreamer, theirs: Dreamer, seen_by: Eye, photo: Image, weights: np.ndarray
) -> float:
    a, b, p = (
        float(seen_by.power(picture) @ weights)
        for picture in (ours.dream(photo, weights), theirs.dream(photo, weights), photo)
    )
    return (a - p) / (b - p)


def table(rows: dict[str, dict[str, float]]) -> str:
    """A Markdown table: one row a figure, one column a layer."""
    columns = list(rows)
    lines = ["| | " + " | ".join(columns) + " |", "|---" * (len(columns) + 1) + "|"]
    for name in rows[columns[0]]:
        values = " | ".join(f"{rows[column][name]:.2f}" for column in columns)
        lines.append(f"| {name} | {values} |")
    return "\n".join(lines)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("source", type=Path, metavar="PHOTOS")
    parser.add_argument("--student", type=Path)
    parser.add_argument("--layers", nargs="+", default=LAYERS)
    parser.add_argument(
        "--photos", dest="count", type=int, default=PHOTOS, help="Dream on this many photos."
    )
    parser.add_argument(
        "--channels", type=int, default=CHANNELS, help="Raise this many channels alone."
    )
    parser.add_argument("--no-speed", action="store_true", help="Leave out the speed.")
    given = parser.parse_args()
    runtime.start()
    student = loading.load("dreamnet", given.student)
    teacher = loading.load("googlenet")
    witness = _witness()
    held_out = photo_sets.load(given.source, held_out=True)
    apart = max(1, len(held_out) // given.count)
    photos = [fit(photo) for photo in held_out[::apart][: given.count]]
    rows = {}
    for layer in given.layers:
        rows[layer] = compare(student, teacher, witness, layer, photos, given.channels)
        print(table({layer: rows[layer]}), flush=True)
    print(table(rows), flush=True)
    if not given.no_speed:
        print(table({layer: _speed(student, teacher, layer) for layer in given.layers}))


def _witness() -> Eye | None:
    path = weight_files.find("inception_v3")
    return eye(loading.build("inception_v3", path), OBSERVED) if path else None


def _speed(student: Network, teacher: Network, layer: str) -> dict[str, float]:
    recipe, result = Recipe(layers=(layer,)), {}
    for dtype in ("float32", "bfloat16"):
        ascents = {
            net.name: build_pipeline(recipe, net)._ascent(dtype, None, NO_GAINS)
            for net in (student, teacher)
        }
        taken = times({name: _steps(each) for name, each in ascents.items()}, SPEED_ROUNDS)
        ours, theirs = (min(each) / SPEED_STEPS for each in taken.values())
        result[f"times faster, {dtype}"] = theirs / ours
        result[f"ms a step, {dtype}"] = ours * 1000
    return result


def _steps(ascent: Ascent) -> Callable[[], object]:
    """A run of steps at 512×512."""
    start = tf.random.stateless_uniform([1, SPEED_SIDE, SPEED_SIDE, 3], seed=[0, 0])
    begin, seed = ascent.begin(start), octave_seed(0, 0, 0)
    return lambda: ascent.run(begin, seed, 0, SPEED_STEPS, SPEED_STEPS).images.numpy()


if __name__ == "__main__":
    main()
