"""Measure how recognizable class pictures are that grow on one network and are seen by another.

    DREAMER_WEIGHTS=FOLDER python tests/benchmarks/classes.py
        [--rows FILE] [--pictures FOLDER] [--tune]

`FOLDER` holds `squeezenet_v1.0.keras`, on which the pictures grow, and googlenet, which sees them.
Classes are matched by their WordNet ids: the eighteen that Fabien Tencé's article on
visualizing classes names, sea snake and cock, each from three seeds. A class's rank is its place in
googlenet's order of a picture at 224×224.

Two presets are compared: `class`, this project's own, and `class-median`, that article's
settings, with its rate tuned for SqueezeNet. `--tune` prints what that was chosen from: the same
figures for several rates, from a seed that is not measured and with fewer steps.

A row is kept in `--rows` for each picture as it is made, so that a run that was killed goes on.
"""

import argparse
import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import cv2
import measure
import numpy as np
import tensorflow as tf

from dreamer import recipe
from dreamer.analysis import classifier
from dreamer.analysis.classifier import Head
from dreamer.arrays import Image
from dreamer.files import photos
from dreamer.jobs import presets
from dreamer.networks import freezing, loading, runtime, weight_files
from dreamer.pipelines.targets import find_targets
from dreamer.pipelines.visualization import Visualizer
from dreamer.recipe import Recipe

MAKER = "squeezenet_v1.0.keras"
READ_AS = {"network": MAKER, "input_mean": [104, 117, 123], "input_order": "BGR"}
JUDGE, JUDGE_SIDE = "googlenet", 224
CLASSES = (
    *("goldfish", "hen", "magpie", "scorpion", "American lobster", "flamingo", "German shepherd"),
    *("starfish", "hartebeest", "giant panda", "abacus", "aircraft carrier", "assault rifle"),
    *("broom", "feather boa", "mountain tent", "pool table", "teddy bear", "sea snake", "cock"),
)
SEEDS = (0, 1, 2)
RATE = 2000 / 255**2
"""Of `class-median` on SqueezeNet."""

RATES = tuple(8000 / 255**2 * 4.0**power for power in (-2, -1, 0, 1))
TUNED_ON, TUNING_SEED, TUNING_STEPS = CLASSES[::4], 100, 250
FIRST = 5
AT_ONCE = 5
"""Pictures between two looks at the clock: a killed run loses no more."""


class Judge(NamedTuple):
    """A classifier that had no part in the pictures."""

    head: Head
    features: freezing.Features

    def rank(self, picture: Image, wordnet: str) -> int:
        """The place of a class in the order of its scores, from 1."""
        side = (JUDGE_SIDE, JUDGE_SIDE)
        seen = cv2.resize(picture, side, interpolation=cv2.INTER_AREA)
        scores = np.asarray(self.features(tf.constant(seen[None]))[self.head.layer][0])
        return 1 + int((scores > scores[self.head.found(wordnet)]).sum())


class Row(NamedTuple):
    """A picture: how it was made, the class, its score, and its rank as the judge has it."""

    recipe: str
    name: str
    seed: int
    score: float
    rank: int


def judge() -> Judge:
    """Googlenet."""
    head = classifier.find_head(loading.load(JUDGE))
    return Judge(head, freezing.freeze(head.net, [head.layer], "float32"))


def maker() -> Head:
    """SqueezeNet, from where googlenet's weights are."""
    file = weight_files.find_or_fetch(JUDGE).parent / MAKER
    return classifier.find_head(loading.load_for_recipe(recipe.from_fields(READ_AS, MAKER), file))


def key(wanted: Recipe) -> str:
    """A short hash of a recipe."""
    return hashlib.sha256(recipe.to_toml(wanted).encode()).hexdigest()[:12]


def on_maker(preset: str, **changes: object) -> Recipe:
    """A preset's recipe for SqueezeNet."""
    return presets.load(preset).recipe.changed({**READ_AS, **changes})


class Bench(NamedTuple):
    """What makes the pictures, what judges them, and where both are kept, if anywhere."""

    maker: Head
    judge: Judge
    kept: Path | None
    folder: Path | None

    def known(self) -> dict[tuple[str, int, str], Row]:
        """The rows of runs before this one."""
        found = measure.kept(self.kept, Row)
        return {(row.recipe, row.seed, row.name): row for row in found}

    def rows(self, wanted: Recipe, names: Sequence[str], seeds: Sequence[int]) -> list[Row]:
        """A row for each class and seed, those that are there already first."""
        known, own, done = self.known(), key(wanted), []
        for seed in seeds:
            missing = [name for name in names if (own, seed, name) not in known]
            done += [known[own, seed, name] for name in names if name not in missing]
            grower = Visualizer(wanted.changed({"seed": seed}), self.maker.net)
            for first in range(0, len(missing), AT_ONCE):
                done += self._made(grower, missing[first : first + AT_ONCE], own)
        return done

    def _made(self, grower: Visualizer, names: Sequence[str], own: str) -> list[Row]:
        net, layer, labels = self.maker.net, self.maker.layer, self.maker.labels
        outputs = classifier.find_outputs(self.maker, names)
        *_, last = grower.grow(find_targets(net, layer, outputs))
        made = []
        for name, output, grown in zip(names, outputs, last.grown, strict=True):
            seed, rank = grower.recipe.seed, self.judge.rank(grown.picture, labels[output].wordnet)
            made.append(Row(own, name, seed, round(grown.score, 3), rank))
            print(*made[-1], sep="\t", flush=True)
            if self.folder:
                self.folder.mkdir(parents=True, exist_ok=True)
                photos.write(self.folder / f"{own}-{seed}-{name}.png", grown.picture)
        measure.keep(self.kept, made)
        return made


def summary(rows: Sequence[Row]) -> str:
    """The two figures of some rows."""
    ranks = np.array([row.rank for row in rows])
    return f"{np.median(ranks):g} | {(ranks <= FIRST).sum()} of {len(ranks)}"


def tune(bench: Bench) -> None:
    """Print what the article's settings reach at several rates."""
    print(f"\n| rate of class-median | median rank | in the top {FIRST} |\n|{'---|' * 3}")
    for rate in RATES:
        wanted = on_maker("class-median", rate=rate, steps=TUNING_STEPS)
        rows = bench.rows(wanted, TUNED_ON, [TUNING_SEED])
        print(f"| {rate:.4g} | {summary(rows)} |", flush=True)


def compare(bench: Bench) -> None:
    """Print both recipes' figures, of each class and of all."""
    recipes = {"class": on_maker("class"), "class-median": on_maker("class-median", rate=RATE)}
    every = {name: bench.rows(wanted, CLASSES, SEEDS) for name, wanted in recipes.items()}
    titles = " | ".join(every)
    print(f"\n| ranks from {len(SEEDS)} seeds | {titles} |\n|{'---|' * (1 + len(every))}")
    for name in CLASSES:
        ranks = ([str(row.rank) for row in rows if row.name == name] for rows in every.values())
        print(f"| {name} | {' | '.join(map(', '.join, ranks))} |")
    print(f"\n| preset | median rank | in the top {FIRST} |\n|{'---|' * 3}")
    for name, rows in every.items():
        print(f"| {name} | {summary(rows)} |")


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--rows", type=Path, metavar="FILE", help="Keep the figures of each picture in this file."
    )
    parser.add_argument(
        "--pictures",
        type=Path,
        metavar="FOLDER",
        help="Keep the pictures themselves in this folder.",
    )
    parser.add_argument("--tune", action="store_true", help="Compare rates of class-median.")
    given = parser.parse_args()
    runtime.start(abreast=True)
    bench = Bench(maker(), judge(), given.rows, given.pictures)
    tune(bench) if given.tune else compare(bench)


if __name__ == "__main__":
    main()
