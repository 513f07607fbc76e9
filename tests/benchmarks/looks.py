"""Measure how pictures of today's look differ from neon ones: colors, grain, shapes.

    python tests/benchmarks/looks.py FOLDER|FILE.zip|PHOTO… [--photos COUNT] [--size PIXELS]

Every recipe dreams on each photo three times: as it is, with `--neon`, and so with another seed.
Of a folder or an archive the photos that are held out from training are taken. The figures mean:

- clipped: the share of pixels of which a color is 0 or 255; allowed is that of the photo or of
  neon, whichever is more, and 6 points.
- objective: against neon's, on the network as it is.
- chroma to luma: the spread of a band of a Laplacian pyramid in chroma, against that in luma, the
  finest band first; and against all the photos'.
- finest luma: the spread of luma's finest band, against the photos'.
- sharpness: the mean gradient of luma, against neon's.
- shapes: the correlation of luma, blurred by 8 of 640 pixels, with neon's; and how well neon with
  another seed does.
- strength: the change of color before harmony, against what was asked for.
"""

import argparse
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from dreamer.networks import runtime

runtime.start()

from dreamer.arrays import Image, to_bytes, to_stored  # noqa: E402
from dreamer.files import photo_sets, photos  # noqa: E402
from dreamer.imaging.finish import measure_color_change  # noqa: E402
from dreamer.networks import loading  # noqa: E402
from dreamer.pipelines.image import ImagePipeline, build_pipeline  # noqa: E402
from dreamer.recipe import Recipe, words  # noqa: E402
from dreamer.recipe.migrations import NEON  # noqa: E402

LUMA = np.array([0.2126, 0.7152, 0.0722], np.float32)
BANDS = 4
OTHER_SEED = 1
STRENGTHS = (5.0, 14.0, 30.0, 60.0)


def recipes() -> dict[str, Recipe]:
    """The recipes to dream by."""
    birds = words.expand(["birds"], words.load("dreamnet"))
    return {
        "default": Recipe(),
        "mixed4b": Recipe(layers=("mixed4b",)),
        "birds": Recipe(**words.STILL, layers=tuple(birds)),
    }


def of_bytes(picture: NDArray[np.uint8]) -> Image:
    """The picture of 8 bits a color."""
    return picture.astype(np.float32) / np.float32(255)


def bands(picture: Image) -> NDArray[np.float64]:
    """The spread of luma and chroma in each band, finest first, `(BANDS, 2)`."""
    found, here = [], picture
    for _ in range(BANDS):
        low = cv2.pyrDown(here)
        band = here - cv2.pyrUp(low, dstsize=here.shape[1::-1])
        luma = band @ LUMA
        chroma = np.sqrt(np.square(band - luma[..., None]).sum(-1).mean())
        found.append((luma.std(), chroma))
        here = low
    return np.array(found)


def clipped(picture: Image) -> float:
    """The share of pixels of which a color is at the end of its range."""
    stored = to_bytes(to_stored(picture))
    return float(((stored == 0) | (stored == 255)).any(-1).mean())


def sharpness(picture: Image) -> float:
    """The mean gradient of luma."""
    return float(np.hypot(*np.gradient(picture @ LUMA)).mean())


def alike(one: Image, other: Image) -> float:
    """The correlation of large shapes."""
    sigma = 8 * max(one.shape[:2]) / 640
    a, b = (cv2.GaussianBlur(each @ LUMA, (0, 0), sigma).ravel() for each in (one, other))
    return float(np.corrcoef(a, b)[0, 1])


class Figures(NamedTuple):
    """What was measured on one photo."""

    clipped: float
    allowed: float
    objective: float
    sharpness: float
    shapes: float
    other_seed: float
    bands: NDArray[np.float64]
    photo: NDArray[np.float64]


def paint(pipeline: ImagePipeline, photo: Image, **changes: Any) -> Image:
    """The dream of a pipeline on a photo, with other fields."""
    goal = pipeline.goal
    again = build_pipeline(goal.recipe.changed(changes), goal.network, graphs=pipeline.graphs)
    *_, last = again.dream(photo, again.plan((photo.shape[0], photo.shape[1])))
    return of_bytes(to_bytes(to_stored(last.picture())))


def measure(pipeline: ImagePipeline, photo: Image) -> Figures:
    """Dream on a photo, and measure."""
    new = paint(pipeline, photo)
    # The same strength, or the comparison would be of strengths.
    look = {**NEON, "strength": pipeline.recipe.strength}
    neon, other = paint(pipeline, photo, **look), paint(pipeline, photo, **look, seed=OTHER_SEED)
    if np.array_equal(new, neon):
        raise SystemExit("Both are the same picture: nothing is compared.")
    plan = pipeline.plan((photo.shape[0], photo.shape[1]))
    return Figures(
        clipped(new),
        max(clipped(photo), clipped(neon)) + 0.06,
        pipeline.score(new, plan) / pipeline.score(neon, plan),
        sharpness(new) / sharpness(neon),
        alike(new, neon),
        alike(other, neon),
        bands(new),
        bands(photo),
    )


def strengths(pipeline: ImagePipeline, photo: Image) -> Mapping[float, float]:
    """The change of color before harmony, by the strength that was asked for."""
    return {
        strength: measure_color_change(paint(pipeline, photo, harmony=0, strength=strength), photo)
        for strength in STRENGTHS
    }


def read(sources: list[Path], count: int, size: int) -> Iterator[tuple[str, Image]]:
    """The photos, by name, at most so large."""
    for source in sources:
        if source.is_dir() or source.suffix == ".zip":
            found = photo_sets.load(source, held_out=True)
            for number in range(0, len(found), max(1, len(found) // count)):
                yield f"{source.stem} {number}", of_bytes(found[number])
        else:
            whole = photos.read(source)
            yield source.stem, photos.resize(whole, photos.fit_size(whole.size, size)).image


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sources", nargs="+", type=Path)
    parser.add_argument("--photos", type=int, default=8)
    parser.add_argument("--size", type=int, default=640)
    given = parser.parse_args()
    shown = dict(read(given.sources, given.photos, given.size))
    net = loading.load("dreamnet")
    row = "| {} | {} | {:.3f} ({:.3f}) | {:.2f} | {:.2f} | {:.2f} ({:.2f}) | {} |"
    print("| recipe | photo | clipped (allowed) | objective | sharpness | shapes (other seed) |")
    print("|---|---|---|---|---|---|", flush=True)
    every: dict[str, list[Figures]] = {}
    for name, recipe in recipes().items():
        pipeline = build_pipeline(recipe, net)
        for title, photo in shown.items():
            made = measure(pipeline, photo)
            every.setdefault(name, []).append(made)
            print(row.format(name, title, *made[:6], "").removesuffix("  |"), flush=True)
    print("\n| recipe | chroma to luma, finest first | against the photos | finest luma |")
    print("|---|---|---|---|")
    for name, several in every.items():
        new = np.mean([each.bands for each in several], 0)
        usual = np.mean([each.photo for each in several], 0)
        ratio, natural = new[:, 1] / new[:, 0], usual[:, 1] / usual[:, 0]
        cells = (" ".join(f"{x:.2f}" for x in each) for each in (ratio, ratio / natural))
        print("|", name, "|", " | ".join(cells), f"| {new[0, 0] / usual[0, 0]:.2f} |", flush=True)
    print("\n| recipe | photo |", " | ".join(f"{each:g}" for each in STRENGTHS), "|")
    print("|---" * (len(STRENGTHS) + 2) + "|")
    for name, recipe in recipes().items():
        pipeline = build_pipeline(recipe, net)
        for title, photo in list(shown.items())[:4]:
            cells = (f"{each:.1f}" for each in strengths(pipeline, photo).values())
            print("|", name, "|", title, "|", " | ".join(cells), "|", flush=True)


if __name__ == "__main__":
    main()
