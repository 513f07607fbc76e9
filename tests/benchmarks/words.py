"""Measure how well dreams in words show their subjects to a network that had no part in them.

    DREAMER_WEIGHTS=FOLDER python tests/benchmarks/words.py PHOTOS

`PHOTOS` is the folder or zip that the table was made from; only the held-out photos are used.
`FOLDER` holds googlenet, the judge `squeezenet_v1.0.keras` and its names
`imagenet_synset_words.txt`. Every photo is brought to 360 pixels and dreamt on with the recipe of
`dream image --of`. The figures mean:

- top five: the share of pairs of a photo and a subject where one of the subject's classes is among
  the judge's first five on the dream, of the pairs where none was on the photo.
- log p: the mean logarithm of the probability that the judge gives to the subject.
- likeness: structural similarity of dream and photo (Wang et al. 2004, on luma, windows of 7
  pixels), both blurred at a quarter of the smallest motif and reduced by as much.
- rank: of the subject's first class in the judge's order, the median over photos.

The ways are `words` (the table), `squares` (its channels' mean squares instead of their means), and
by mean squares too `gradient` (the gradient alone, 12 channels of `mixed4d`), `one` (only the
table's strongest channel) and `plain` (the network's default layer); `logits` raises the subject's
logits themselves, on googlenet only.

A row is kept in `--rows` for each pair, so that a run that was killed goes on.
"""

import argparse
import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import cv2
import measure
import numpy as np
import tensorflow as tf

from dreamer import recipe
from dreamer.analysis import word_fitting
from dreamer.arrays import Activations, Image
from dreamer.ascent import objectives, octaves, optimizers, steps, transforms
from dreamer.ascent.ascent import Ascent
from dreamer.ascent.multiscale import Octave, Passage, dream
from dreamer.ascent.objectives import Objective
from dreamer.files import photo_sets
from dreamer.imaging.finish import leave_unchanged
from dreamer.networks import freezing, keras_file, loading, weight_files
from dreamer.networks.network import Network
from dreamer.pipelines.build_ascent import build_regularizer, build_update
from dreamer.pipelines.finish_by_recipe import finish_octaves
from dreamer.recipe import Recipe, class_labels, nouns, words

SIDE = 360
FIRST = 5
MOST = 60  # Classes of a noun: almost any picture shows one of more.
JUDGE, NAMES = "squeezenet_v1.0.keras", "imagenet_synset_words.txt"
JUDGE_SIDE, JUDGE_MEAN = 227, np.array([104, 117, 123], np.float32)
LUMA = np.array([0.299, 0.587, 0.114], np.float32)
GRADIENT = ("mixed4d", 12)
RECIPE = Recipe(**words.STILL)
SQUARES = "mean-square"

Weights = Mapping[str, np.ndarray]
"""Of each channel, `(c,)`, by layer."""


class Judge(NamedTuple):
    """A classifier, and its outputs by name."""

    model: Callable[..., tf.Tensor]
    names: class_labels.Labels

    def logits(self, picture: Image) -> np.ndarray:
        """Of one picture, squeezed into the judge's square, `(1000,)`."""
        small = cv2.resize(picture, (JUDGE_SIDE, JUDGE_SIDE), interpolation=cv2.INTER_AREA)
        bgr = 255 * small[None, ..., ::-1] - JUDGE_MEAN
        return np.asarray(self.model(bgr, training=False)[0], np.float64)


def judge() -> Judge:
    """SqueezeNet, from where googlenet's weights are."""
    folder = weight_files.find_or_fetch("googlenet").parent
    return Judge(keras_file.read_model(folder / JUDGE), class_labels.read(folder / NAMES))


class Dreamer(NamedTuple):
    """A network and some layers of it, traced once; `weights` decides what it raises."""

    ascent: Ascent
    weights: Mapping[str, tf.Variable]
    motif: int

    def dream(self, photo: Image, weights: Weights, seed: int = 0) -> Image:
        """The photo with its dream, `(h, w, 3)`."""
        for layer, variable in self.weights.items():
            variable.assign(weights.get(layer, np.zeros(variable.shape, np.float32)))
        sizes = octaves.plan_by_motif(
            photo.shape[:2], self.motif, RECIPE.motif, RECIPE.octave_scale
        )
        plan = [Octave(size, self.ascent) for size in sizes]
        passage = Passage(
            steps=RECIPE.steps,
            carry=octaves.CARRIES[RECIPE.carry],
            resample=RECIPE.resample,
            seed=seed,
            frame=0,
            finish=leave_unchanged,
            grow=finish_octaves(RECIPE),
        )
        *_, last = dream(photo, plan, passage)
        return last.picture().clip(0, 1)


def dreamer(net: Network, layers: Sequence[str], reduction: str) -> Dreamer:
    """A dreamer that raises weighted channels, or weighted logits, of layers."""
    weights = {layer: tf.Variable(tf.zeros([net.channels(layer)])) for layer in layers}
    reduce = objectives.REDUCTIONS[reduction]

    def values(maps: tf.Tensor) -> tf.Tensor:
        if maps.shape.rank == 2:  # Logits.
            return maps
        return reduce(maps, tf.cast(tf.reduce_prod(tf.shape(maps)[1:3]), maps.dtype))

    def score(maps: Activations, numbers: object) -> tf.Tensor:
        parts = (tf.linalg.matvec(values(maps[layer]), w) for layer, w in weights.items())
        return tf.add_n(list(parts))

    ascent = Ascent(
        freezing.freeze(net, layers, "float32"),
        Objective(frozenset(layers), score),
        steps.numbers(float(RECIPE.rate), {"blur": steps.ramp(float(RECIPE.blur))}),
        transform=transforms.jitter(RECIPE.jitter),
        update=build_update(RECIPE),
        optimizer=optimizers.OPTIMIZERS[RECIPE.optimizer],
        regularize=build_regularizer(RECIPE),
    )
    motif = max(net.spec.motifs.get(layer, 0) for layer in layers) or 200
    return Dreamer(ascent, weights, motif)


def of_word(net: Network, word: words.Word, first: int | None = None) -> Weights:
    """A word's channels, or only the first few of each layer."""
    weights = {}
    for term in word.terms:
        channels = list(term.channels or ())[:first]
        own = list(term.channel_weights or [1.0] * len(channels))[:first]
        weights[term.layer] = np.zeros(net.channels(term.layer), np.float32)
        weights[term.layer][channels] = own
    return weights


def likeness(dreamt: Image, photo: Image) -> float:
    """Structural similarity of the two, blurred at the motif's scale."""
    sigma = RECIPE.motif[1] * min(photo.shape[:2]) / 4
    small = max(1, round(sigma / 2))
    a, b = (
        cv2.GaussianBlur(each @ LUMA, (0, 0), sigma)[::small, ::small] for each in (dreamt, photo)
    )

    def mean(values: np.ndarray) -> np.ndarray:
        return np.asarray(cv2.blur(values, (7, 7)))

    ma, mb = mean(a), mean(b)
    va, vb, cov = mean(a * a) - ma**2, mean(b * b) - mb**2, mean(a * b) - ma * mb
    one, two = 0.01**2, 0.03**2
    similar = (2 * ma * mb + one) * (2 * cov + two) / ((ma**2 + mb**2 + one) * (va + vb + two))
    return float(similar.mean())


class Pair(NamedTuple):
    """What became of one photo and one subject; `made` is a hash of how the dream was made."""

    made: str
    photo: str
    word: str
    hit: bool
    chance: float
    likeness: float
    rank: int


Way = Callable[[Image, str], Image]


Known = dict[tuple[str, str, str], Pair]
"""The pairs of runs before this one, by how they were made, photo and word."""


def compare(
    way: Way,
    made: Mapping[str, str],
    groups: Mapping[str, Sequence[int]],
    photos: Mapping[str, Image],
    seen_by: Judge,
    known: Known,
) -> Iterator[Pair]:
    """Every pair of a photo and a subject that is not on it; `made` hashes the way by subject."""
    for title, photo in photos.items():
        before = set(seen_by.logits(photo).argsort()[-FIRST:].tolist())
        for word, members in groups.items():
            if before & set(members):
                continue
            if pair := known.get((made[word], title, word)):
                yield pair
                continue
            dreamt = way(photo, word)
            logits = seen_by.logits(dreamt)
            order = (-logits).argsort().tolist()
            rank = 1 + min(order.index(member) for member in members)
            chance = np.logaddexp.reduce(logits[list(members)]) - np.logaddexp.reduce(logits)
            like = likeness(dreamt, photo)
            hit = rank <= FIRST
            yield Pair(made[word], title, word, hit, float(chance), like, rank)


def key(net: Network, way: str, word: words.Word) -> str:
    """A short hash of what a dream is made of."""
    parts = (recipe.to_toml(RECIPE), net.sha256, way, *word.layers)
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]


class Setting(NamedTuple):
    """What the ways of dreaming of a subject are made from."""

    net: Network
    known: Mapping[str, words.Word]
    groups: Mapping[str, Sequence[int]]
    source: Path


def _by_weights(net: Network, weights: Mapping[str, Weights], reduction: str = SQUARES) -> Way:
    layers = sorted({layer for each in weights.values() for layer in each})
    made = dreamer(net, layers, reduction)
    return lambda photo, word: made.dream(photo, weights[word])


def _in_words(setting: Setting, reduction: str = RECIPE.objective) -> Way:
    weights = {name: of_word(setting.net, word) for name, word in setting.known.items()}
    return _by_weights(setting.net, weights, reduction)


def _one(setting: Setting) -> Way:
    weights = {
        name: of_word(setting.net, words.Word(word.layers[:1], 1), 1)
        for name, word in setting.known.items()
    }
    return _by_weights(setting.net, weights)


def _gradient(setting: Setting) -> Way:
    layer, count = GRADIENT
    reader = word_fitting.classifier(loading.load("googlenet"), [layer])
    photos = photo_sets.load(setting.source)
    step = len(photos) // word_fitting.PHOTOS
    maps = reader.stem(np.stack([word_fitting.square(photo) for photo in photos[::step]]))
    weights = {}
    for word, members in setting.groups.items():
        goal = np.full(reader.outputs, -1 / reader.outputs, np.float32)
        goal[list(members)] += 1 / len(members)
        ((pull, _),) = reader.pulls(maps, goal)
        weights[word] = {layer: np.where(pull < np.sort(pull)[-count], 0, pull / pull.max())}
    return _by_weights(setting.net, weights)


def _logits(setting: Setting) -> Way:
    layer = setting.net.resolve(list(setting.net.units)[-1])
    rows = np.eye(setting.net.channels(layer), dtype=np.float32)
    weights = {word: {layer: rows[list(m)].mean(0)} for word, m in setting.groups.items()}
    return _by_weights(setting.net, weights)


def _plain(setting: Setting) -> Way:
    net = setting.net
    every = {layer: np.ones(net.channels(layer), np.float32) for layer in net.spec.layers}
    return _by_weights(net, dict.fromkeys(setting.known, every))


WAYS: Mapping[str, Callable[[Setting], Way]] = {
    "words": _in_words,
    "squares": partial(_in_words, reduction=SQUARES),
    "gradient": _gradient,
    "one": _one,
    "logits": _logits,
    "plain": _plain,
}


def summary(pairs: Sequence[Pair]) -> str:
    """The figures of some pairs, as cells of a table."""
    figures = (
        f"{sum(pair.hit for pair in pairs)} of {len(pairs)}",
        f"{np.mean([pair.hit for pair in pairs]):.0%}",
        f"{np.mean([pair.chance for pair in pairs]):.2f}",
        f"{np.mean([pair.likeness for pair in pairs]):.2f}",
        f"{np.median([pair.rank for pair in pairs]):.0f}",
    )
    return " | ".join(figures)


HEAD = "pairs | top five | log p | likeness | median rank |"


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("source", type=Path, metavar="PHOTOS")
    parser.add_argument("--networks", nargs="+", default=["googlenet", "dreamnet"])
    parser.add_argument("--ways", nargs="+", default=["words"], choices=WAYS)
    parser.add_argument("--words", nargs="+", help="Dream of these subjects only.")
    parser.add_argument(
        "--classes", type=int, default=0, help="Dream of this many classes instead."
    )
    parser.add_argument(
        "--nouns", type=int, default=0, help="Dream of this many nouns above them instead."
    )
    parser.add_argument("--table", type=Path, default=words.PACKAGED)
    parser.add_argument(
        "--labels",
        type=Path,
        help="Read the names of googlenet's classes, for the ways gradient and logits.",
    )
    parser.add_argument("--photos", dest="count", type=int, default=20)
    parser.add_argument("--rows", type=Path, help="Keep the figures of each pair in this file.")
    given = parser.parse_args()
    table, seen_by = words.read(given.table), judge()
    held_out = photo_sets.load(given.source, held_out=True)
    step = len(held_out) // given.count
    photos = {str(n * step): fit(held_out[n * step]) for n in range(given.count)}
    known_pairs: Known = {pair[:3]: pair for pair in measure.kept(given.rows, Pair)}
    names = list(table.classes)[:: -(-len(table.classes) // given.classes)] if given.classes else []
    if given.nouns:
        several = [row.name for row in nouns.read_table() if row.names and len(row.classes) <= MOST]
        names = several[:: -(-len(several) // given.nouns)]
    known = {name: table.classes.get(name) or table.find(name) for name in names} or {
        name: word
        for name, word in table.subjects.items()
        if not given.words or name in given.words
    }
    judged = _groups(seen_by.names, known)
    own = _groups(class_labels.read(given.labels), known) if given.labels else {}
    rows: dict[str, list[Pair]] = {}
    for name in given.networks:
        for way in given.ways:
            setting = Setting(loading.load(name), known, own, given.source)
            made = {word: key(setting.net, way, each) for word, each in known.items()}
            pairs = []
            for pair in compare(WAYS[way](setting), made, judged, photos, seen_by, known_pairs):
                if pair[:3] not in known_pairs:
                    measure.keep(given.rows, [pair])
                pairs.append(pair)
                print(name, way, *pair, sep="\t", flush=True)
            rows[f"{name}, {way}"] = pairs
    for title, pairs in rows.items():
        print(f"\n| {title} | {HEAD}\n|{'---|' * 6}")
        for word in known:
            if some := [pair for pair in pairs if pair.word == word]:
                print(f"| {word} | {summary(some)} |")
    print(f"\n| all | {HEAD}\n|{'---|' * 6}")
    for title, pairs in rows.items():
        print(f"| {title} | {summary(pairs)} |")


def _groups(labels: class_labels.Labels, known: Mapping[str, words.Word]) -> dict[str, list[int]]:
    every = {
        **word_fitting.single(labels),
        **word_fitting.groups(labels, word_fitting.read_subjects()),
    }
    outputs = {label.wordnet: place for place, label in enumerate(labels)}
    for row in nouns.read_table():
        every.setdefault(row.name, [outputs[key] for key in row.find_members()])
    return {name: every[name] for name in known}


def fit(photo: np.ndarray) -> Image:
    """A photo with its long side brought to `SIDE`, float32 of 0 to 1."""
    scale = SIDE / max(photo.shape[:2])
    size = (round(photo.shape[1] * scale), round(photo.shape[0] * scale))
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    scaled = cv2.resize(photo, size, interpolation=way)
    return np.asarray(scaled / np.float32(255), np.float32)


if __name__ == "__main__":
    main()
