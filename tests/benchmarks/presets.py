"""Measure whether the presets for pictures differ at a glance, as a network sees their dreams.

    python tests/benchmarks/presets.py PHOTO --keep FOLDER [--size PIXELS] [--presets NAME…]

`PHOTO` is one that no preset was made on. Every preset dreams on it with two seeds; the dreams are
kept in `FOLDER` and serve again while their recipes stay. Looked at by inception_v3 (found by
`DREAMER_WEIGHTS`), the profile of a dream is the logarithm of the mean square of each channel of
`mixed5`, minus that of the photo. The distance of two dreams is the root mean square difference of
their profiles; that of two presets is the mean over the pairs of their seeds. The figures mean:

- seeds: the distance of a preset's two dreams.
- ratio: the distance of two presets, against the larger of their two distances between seeds.
"""

import argparse
import itertools
import statistics
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from measure import at
from numpy.typing import NDArray

from dreamer.networks import runtime

runtime.start()

import tensorflow as tf  # noqa: E402

import dreamer  # noqa: E402
from dreamer.arrays import Image  # noqa: E402
from dreamer.files import photos  # noqa: E402
from dreamer.jobs import presets  # noqa: E402
from dreamer.networks import freezing, loading  # noqa: E402
from dreamer.recipe.provenance import Provenance  # noqa: E402

JUDGE, LAYER = "inception_v3", "mixed5"
SEEDS = (0, 1)
COMPATIBILITY = "compatibility"
"""The tag of presets that repeat another tool's loop, and are no looks of their own."""

CLOSEST = 12

Profile = NDArray[np.float64]


def looks() -> list[str]:
    """The shipped presets for pictures."""
    shipped = sorted(path.stem for path in presets.shipped_folder().glob("*.toml"))
    recipes = {name: presets.load(name).recipe for name in shipped}
    return [
        name
        for name, recipe in recipes.items()
        if presets.classify(recipe) == "picture" and COMPATIBILITY not in recipe.about.tags
    ]


def dreamt(photo: Image, name: str, seed: int, folder: Path) -> Image:
    """The dream of a preset, from the folder where it is there already."""
    recipe = presets.load(name).recipe.changed({"seed": seed, "size": max(photo.shape[:2])})
    path = folder / f"{name}-{seed}.png"
    if not path.exists() or presets.read_finished(path).recipe != recipe:
        dreamt = dreamer.dream(photo, name, seed=seed, size=recipe.size)
        photos.write(path, dreamt, made=Provenance(recipe, {}))
    return photos.read(path).image


class Judge:
    """A network that looks at pictures."""

    def __init__(self) -> None:
        self._features = freezing.freeze(loading.load(JUDGE), {LAYER}, "float32")

    def profile(self, picture: Image) -> Profile:
        """The logarithm of each channel's mean square, `(c,)`."""
        maps = self._features(tf.constant(picture[None]))[LAYER]
        return np.asarray(np.log(np.square(maps).mean((0, 1, 2)).astype(np.float64) + 1e-4))


def distance(a: Profile, b: Profile) -> float:
    """Root mean square over the channels."""
    return float(np.sqrt(np.square(a - b).mean()))


def pairs(
    profiles: dict[str, Sequence[Profile]], seeds: dict[str, float]
) -> Iterator[tuple[float, float, str]]:
    """Ratio, distance and names of every two presets."""
    for a, b in itertools.combinations(profiles, 2):
        apart = statistics.mean(
            distance(one, other) for one, other in itertools.product(profiles[a], profiles[b])
        )
        yield apart / max(seeds[a], seeds[b]), apart, f"{a}, {b}"


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("photo", type=Path, metavar="PHOTO")
    parser.add_argument("--keep", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--size", type=int, default=420)
    parser.add_argument("--presets", nargs="+", default=looks())
    given = parser.parse_args()
    given.keep.mkdir(parents=True, exist_ok=True)
    photo, judge = at(given.photo, given.size), Judge()
    plain = judge.profile(photo)
    profiles: dict[str, Sequence[Profile]] = {}
    for name in given.presets:
        dreams = [dreamt(photo, name, seed, given.keep) for seed in SEEDS]
        profiles[name] = [judge.profile(dream) - plain for dream in dreams]
        print(f"{name}: {distance(*profiles[name]):.2f} between seeds", flush=True)
    seeds = {name: distance(*each) for name, each in profiles.items()}
    ranked = sorted(pairs(profiles, seeds))
    print(f"\n| closest of {len(ranked)} pairs | distance | ratio |\n|---|---|---|")
    for ratio, apart, names in ranked[:CLOSEST]:
        print(f"| {names} | {apart:.2f} | {ratio:.2f} |")
    least = min(apart for _, apart, _ in ranked)
    print(f"\n| closest two presets | {least:.2f} |\n|---|---|")
    print(f"| two seeds, median and largest | {statistics.median(seeds.values()):.2f}, ", end="")
    print(f"{max(seeds.values()):.2f} |")
    print(f"| least ratio | {ranked[0][0]:.2f} |")


if __name__ == "__main__":
    main()
