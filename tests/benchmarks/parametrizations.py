"""Compare parametrizations: whether a network that took no part sees a channel in its picture.

    DREAMER_WEIGHTS=FOLDER python tests/benchmarks/parametrizations.py PHOTOS [--sheet SHEET.png]

`PHOTOS` is a folder. Of each layer of googlenet, 32 channels are described by the patches of the
nine photos that excite them most, as inception_v3 sees these (`mixed7`, its mean over places).
Four of them are grown by the recipe of `dream filters`, by lucid's, by plain pixels, by phases
with the magnitudes of photographs, and by MACO as its preset has it. The rank is that of the
channel's own description among the 32, by cosine, for what inception_v3 sees in the picture: 1 is
the best, and 16.5 is chance.
"""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from dreamer.networks import runtime

runtime.start(abreast=True)

import tensorflow as tf  # noqa: E402

from dreamer.analysis import exemplars  # noqa: E402
from dreamer.analysis.exemplars import Channel, PatchCutter  # noqa: E402
from dreamer.arrays import Image  # noqa: E402
from dreamer.files import photos  # noqa: E402
from dreamer.imaging import contact_sheet  # noqa: E402
from dreamer.jobs import presets  # noqa: E402
from dreamer.networks import freezing, loading, motif_size  # noqa: E402
from dreamer.pipelines.targets import find_targets  # noqa: E402
from dreamer.pipelines.visualization import Visualizer  # noqa: E402

LAYERS = ("conv2d2", "mixed3b", "mixed4d", "mixed5a")
DESCRIBED, GROWN, PHOTOS, SIDE = 32, 4, 9, 160
JUDGE, SEEN = "inception_v3", "mixed7"
PLAIN = {"init": "natural", "init_spread": 0.23, "parametrization": "phases"}
WAYS: Mapping[str, tuple[str, dict[str, Any]]] = {
    "filters": ("filters", {}),
    "lucid": ("filters-lucid", {}),
    "pixels": ("filters", {"visualization": {"parametrization": "pixels"}, "rate": 0.02}),
    "phases": ("filters", {"visualization": PLAIN, "rate": 0.2}),
    "MACO": ("filters-maco", {}),
}
"""By name: the preset, and what is changed in it."""

Vectors = NDArray[np.float64]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("photos", type=Path)
    parser.add_argument("--sheet", type=Path)
    given = parser.parse_args()
    net = loading.load("googlenet")
    look = freezing.freeze(loading.load(JUDGE), [SEEN], "float32")

    def describe(picture: Image) -> Vectors:
        square = cv2.resize(picture, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
        seen: Vectors = np.asarray(look(tf.constant(square[None]))[SEEN], np.float64).mean(
            (0, 1, 2)
        )
        return seen

    chosen = {
        layer: np.linspace(0, net.channels(layer) - 1, DESCRIBED).astype(int).tolist()
        for layer in LAYERS
    }
    channels = [Channel(layer, each) for layer in LAYERS for each in chosen[layer]]
    *_, found = exemplars.search(net, channels, given.photos, PHOTOS, 320)
    cutter = PatchCutter(net, {layer: motif_size.find_motif_size(net, layer) for layer in LAYERS})
    known = {
        channel: np.mean([describe(fill(cutter.patch(channel, each).cut)) for each in best], 0)
        for channel, best in found.best.items()
    }
    cells: list[tuple[Image, str]] = []
    print(f"| googlenet | {' | '.join(LAYERS)} | all | first of {DESCRIBED} |")
    print(f"|---|{'---|' * (len(LAYERS) + 2)}")
    for name, (preset, changes) in WAYS.items():
        recipe = presets.load(preset).recipe.changed({"network": "googlenet", **changes})
        if preset != "filters-maco":
            recipe = recipe.changed({"size": SIDE})
        ranks = []
        for layer in LAYERS:
            numbers = chosen[layer][:: DESCRIBED // GROWN]
            *_, last = Visualizer(recipe, net).grow(find_targets(net, layer, numbers))
            own = [known[Channel(layer, each)] for each in chosen[layer]]
            places = [chosen[layer].index(each) for each in numbers]
            pictures = [each.picture for each in last.grown]
            ranks.append(
                [rank(describe(p), own, at) for p, at in zip(pictures, places, strict=True)]
            )
            labels = zip(pictures, numbers, ranks[-1], strict=True)
            cells += [(fit(p), f"{name} {layer}:{n}  rank {r}") for p, n, r in labels]
        means = " | ".join(f"{np.mean(each):.1f}" for each in ranks)
        every = np.concatenate(ranks)
        print(f"| {name} | {means} | {every.mean():.1f} | {(every == 1).mean():.0%} |", flush=True)
    if given.sheet:
        shown, texts = zip(*cells, strict=True)
        photos.write(given.sheet, contact_sheet.compose(shown, texts, columns=2 * GROWN))


def fill(cut: Image) -> Image:
    """Fill what is beyond a photo's edges with gray."""
    return np.nan_to_num(cut, nan=0.5)


def fit(picture: Image) -> Image:
    """Return a picture as it is shown on the sheet."""
    return contact_sheet.fit_into_square(picture, SIDE)


def rank(seen: Vectors, known: Sequence[Vectors], own: int) -> int:
    """Return the place of a channel's own description among those of others, from 1."""
    center = np.mean(known, 0)
    spread = np.std(known, 0) + 1e-6
    vectors = [(each - center) / spread for each in (*known, seen)]
    *others, this = [each / np.linalg.norm(each) for each in vectors]
    likeness = np.array([this @ each for each in others])
    return 1 + int((likeness > likeness[own]).sum())


if __name__ == "__main__":
    main()
