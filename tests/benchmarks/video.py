"""Measure whether feedback films stay alive and close as loops, and what they cost.

    python tests/benchmarks/video.py PHOTO PART… [--frames N] [--size PIXELS]

The parts are `stability`, `loop`, `cadence` and `speed`.
Every figure is printed as a line of a Markdown table. `stability` also looks through inception_v3
where its weights are found (`DREAMER_WEIGHTS`).
"""

import argparse
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import imageio.v3 as iio
import measure
import numpy as np
from numpy.typing import NDArray

from dreamer.networks import runtime

runtime.start()

import tensorflow as tf  # noqa: E402

from dreamer.arrays import Image, Stored, from_stored  # noqa: E402
from dreamer.errors import DreamerError  # noqa: E402
from dreamer.files import photos  # noqa: E402
from dreamer.imaging import stabilize  # noqa: E402
from dreamer.networks import freezing, loading  # noqa: E402
from dreamer.pipelines import frame_loop  # noqa: E402
from dreamer.pipelines.camera import Camera  # noqa: E402
from dreamer.pipelines.feedback_film import FeedbackFilm, FeedbackMemory, frame_recipe  # noqa: E402
from dreamer.pipelines.frame_loop import Carried  # noqa: E402
from dreamer.pipelines.image import Moment, build_pipeline  # noqa: E402
from dreamer.recipe import Recipe  # noqa: E402
from dreamer.recipe.migrations import BEFORE_LIFE  # noqa: E402

HELD = dict(BEFORE_LIFE)
"""A film as formats 1 and 2 make it."""

NAIVE = {**HELD, "habituation": 0, "colors": "free"}
REFERENCE = 30
LAG = 100
STRONGEST = 20
MOTIONS = ("zoom", "spiral", "drift", "tunnel", "breathe", "orbit")
Profiles = NDArray[np.float64]


def filming(photo: Image, **film: Any) -> FeedbackFilm:
    """Return a film of the default recipe with some of its fields set."""
    recipe = Recipe().changed({"film": film})
    net = loading.load_for_recipe(recipe)
    return FeedbackFilm(build_pipeline(frame_recipe(recipe), net), photo)


def made(film: FeedbackFilm, count: int) -> list[Image]:
    """Return the photo and the keys behind it."""
    keys = frame_loop.make_keys(film.step, film.begin(), 1, count)
    return [film.photo, *(from_stored(carried.frame) for carried in keys)]


class Eyes:
    """A layer of a network that looks at finished frames."""

    def __init__(self, name: str, layer: str) -> None:
        self.name, self._layer = f"{name} {layer}", layer
        self._features = freezing.freeze(loading.load(name), {layer}, "float32")

    def profiles(self, pictures: Sequence[Image]) -> Profiles:
        """The mean square of each channel, `(pictures, channels)`."""
        maps = (self._features(tf.constant(each[None]))[self._layer] for each in pictures)
        return np.stack([np.square(each).mean((0, 1, 2)) for each in maps]).astype(np.float64)


def eyes() -> list[Eyes]:
    """The network that dreamt and, where it is at hand, one that took no part."""
    seeing = [Eyes("dreamnet", "mixed4c")]
    try:
        seeing.append(Eyes("inception_v3", "mixed5"))
    except DreamerError:
        print("| inception_v3 | its weights are not here |")
    return seeing


def alikeness(profiles: Profiles) -> float:
    """Mean correlation of log channel profiles `LAG` frames apart."""
    logs = np.log(profiles[REFERENCE:] + 1e-6)
    pairs = range(0, len(logs) - LAG, 5)
    return float(np.mean([np.corrcoef(logs[i], logs[i + LAG])[0, 1] for i in pairs]))


def ever_strong(profiles: Profiles) -> int:
    """How many channels are among the strongest at some time."""
    return len(set(np.argsort(-profiles[REFERENCE:], 1)[:, :STRONGEST].ravel()))


def stability(photo: Image, count: int) -> None:
    """The default against naive feedback, each against its frame 30."""
    ways = {"naive": NAIVE, "held": HELD, "default": {}}
    films = {name: made(filming(photo, **film), count) for name, film in ways.items()}
    print(f"| {count} frames, {photo.shape[1]}×{photo.shape[0]} | {' | '.join(ways)} |")
    print("|---|---|---|---|")
    rows: dict[str, list[str]] = {}
    for pictures in films.values():
        colors = np.array([stabilize.measure_colors(each) for each in pictures[REFERENCE:]])
        drift = np.abs(colors[:, 0] - colors[0, 0]).max()
        spread = colors[:, 1] / colors[0, 1]
        fine = np.array([stabilize.measure_detail(each) ** 2 for each in pictures[REFERENCE:]])
        row(rows, "largest drift of a LAB mean", f"{drift:.1f}")
        row(rows, "LAB standard deviations", f"{spread.min():.2f} to {spread.max():.2f}")
        fine /= fine[0]
        row(rows, "high-frequency energy", f"{fine.min():.2f} to {fine.max():.2f}")
    for seeing in eyes():
        for pictures in films.values():
            profiles = seeing.profiles(pictures)
            total = profiles[REFERENCE:].mean(1)
            row(rows, f"{seeing.name}: likeness {LAG} frames apart", f"{alikeness(profiles):.2f}")
            row(rows, f"{seeing.name}: channels ever strong", str(ever_strong(profiles)))
            row(rows, f"{seeing.name}: mean square, least", f"{total.min() / total[0]:.2f}")
    for name, cells in rows.items():
        print(f"| {name} | {' | '.join(cells)} |")


def row(rows: dict[str, list[str]], name: str, cell: str) -> None:
    """Add a cell to the row of that name."""
    rows.setdefault(name, []).append(cell)


def _frame(keys: Mapping[int, Carried[FeedbackMemory]], number: int) -> Stored:
    return keys[number].frame


def loop(photo: Image, count: int) -> None:
    """How well each motion closes, and how the blended stretch compares with the rest."""
    print("| loop | seam | seam, motion taken out | sharpness | mean square |")
    print("|---|---|---|---|---|")
    (seeing, *_) = eyes()
    for motion in MOTIONS:
        film = filming(photo, motion=motion, loop=True, frames=count)
        assert film.loop is not None
        begin, first = film.begin(), 1 - film.loop.warm_up
        keys: dict[int, Carried[FeedbackMemory]] = {first - 1: begin}
        step = frame_loop.close_loop(film.step, film.loop, partial(_frame, keys))
        made = frame_loop.make_keys(step, begin, first, film.keys)
        for number, carried in enumerate(made, first):
            keys[number] = carried
        pictures = [from_stored(keys[number].frame) for number in range(count)]
        move = Camera(film.recipe, film.size).move
        seam = frame_loop.measure_closure(pictures[-6:] + pictures[:6], count, move)
        sharp = np.array([sharpness(each) for each in pictures])
        strong = seeing.profiles(pictures).mean(1)
        blend = film.loop.blend
        ratios = [each[-blend:].mean() / each[:-blend].mean() for each in (sharp, strong)]
        cells = " | ".join(f"{value:.2f}" for value in (*seam, *ratios))
        print(f"| {motion}, {count} frames | {cells} |", flush=True)


def cadence(photo: Image, count: int) -> None:
    """How sharp the frames between two dreamt ones are, against those."""
    print("| motion | dreamt every | sharpness between, of the dreamt frames' | least |")
    print("|---|---|---|---|")
    for motion in ("zoom", "spiral", "drift"):
        for every in (2, 3, 4):
            film = filming(photo, motion=motion, cadence=every, frames=count, intro=0)
            begin = film.begin()
            made = frame_loop.make_keys(film.step, begin, 1, film.keys)
            keys = [begin.frame, *(carried.frame for carried in made)]
            sharp = np.array([sharpness(from_stored(each)) for each in film.frames(iter(keys))])
            number = np.arange(len(sharp))
            dreamt = number % every == 0
            # The first frame is the photo, and behind the last key nothing is mixed.
            between = ~dreamt & (number > every) & (number < number[dreamt][-1])
            ratio = sharp[between] / np.interp(number[between], number[dreamt], sharp[dreamt])
            print(f"| {motion} | {every} | {ratio.mean():.2f} | {ratio.min():.2f} |", flush=True)


def sharpness(image: Image) -> float:
    """Mean magnitude of the gradient."""
    gray = image.mean(-1)
    return float(np.hypot(cv2.Sobel(gray, -1, 1, 0), cv2.Sobel(gray, -1, 0, 1)).mean())


def speed(photo: Image, count: int) -> None:
    """A feedback frame of 512×512, what is beyond the engine in it, and a loop done plainly."""
    square = cv2.resize(photo, (512, 512), interpolation=cv2.INTER_AREA)
    # One octave at full size, four steps.
    frame = {"steps": 4, "motif": (0.01, 0.01), "intro": 0}
    films = {m: filming(square, motion=m, **frame) for m in ("zoom", "drift", "spiral", "orbit")}
    zoom = films["zoom"]
    carried = zoom.step(zoom.begin(), 1)

    def engine() -> object:
        start = from_stored(carried.frame)
        *_, last = zoom.pipeline.dream(start, zoom.plan, moment=Moment(2))
        return last.picture()

    runs: dict[str, Callable[[], object]] = {"the engine alone": engine}
    for motion, film in films.items():
        runs[f"a frame of `{motion}`"] = partial(film.step, carried, 2)
    seconds = measure.medians(runs)
    alone = seconds["the engine alone"]
    print("| 512×512, one octave, 4 steps, `dreamnet` | s | beyond the engine |")
    print("|---|---|---|")
    for name, each in seconds.items():
        print(f"| {name} | {each:.3f} | {each / alone - 1:.0%} |")
    plain(square, count, seconds["a frame of `zoom`"])


def plain(photo: Image, count: int, ours: float) -> None:
    """The loop of pytorch-deepdream: the network loaded for each frame, PNG there and back."""
    recipe = frame_recipe(Recipe().changed({"film": {"steps": 4, "motif": (0.01, 0.01)}}))
    with tempfile.TemporaryDirectory() as folder:
        path, picture = Path(folder, "0.png"), photo
        start = time.perf_counter()
        for number in range(1, count):
            pipeline = build_pipeline(recipe, loading.load_for_recipe(recipe))
            plan = pipeline.plan(picture.shape[:2])
            *_, last = pipeline.dream(picture, plan, moment=Moment(number))
            dreamt = cv2.resize(last.picture(), None, fx=1.04, fy=1.04)[10:522, 10:522]
            path = path.with_name(f"{number}.png")
            photos.write(path, dreamt)
            picture = photos.read(path).image
        pictures = [iio.imread(Path(folder, f"{number}.png")) for number in range(1, count)]
        iio.imwrite(Path(folder, "film.mp4"), pictures, fps=30)
        seconds = (time.perf_counter() - start) / (count - 1)
    print(f"| the same, loaded for each frame, PNG there and back | {seconds:.3f} | |")
    print(f"| frames a second, ours against that | {seconds / ours:.1f}× | |")


PARTS: Mapping[str, Callable[[Image, int], None]] = {
    "stability": stability,
    "loop": loop,
    "cadence": cadence,
    "speed": speed,
}
COUNTS = {"stability": 600, "loop": 72, "cadence": 25, "speed": 6}


def main() -> None:
    """Run the parts asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("photo", type=Path)
    parser.add_argument("parts", nargs="+", choices=PARTS)
    parser.add_argument("--frames", type=int)
    parser.add_argument("--size", type=int, default=320)
    asked = parser.parse_args()
    photo = photos.read(asked.photo)
    photo = photos.resize(photo, photos.fit_size(photo.image.shape[:2], asked.size))
    for part in asked.parts:
        PARTS[part](photo.image, asked.frames or COUNTS[part])


if __name__ == "__main__":
    main()
