"""Measure how well a dream follows a clip's motion, and what that costs.

    python tests/benchmarks/flow.py [CLIP…] [--size PIXELS] [--frames N] [--seeds 1,3,5]
        [--set KEY=VALUE]…

The figures are flicker, strength, sharpness, ghosts, borders, how soon what comes into sight is
dreamt, and time. They are taken on films that are rendered here, two for each seed, whose motion is
known: a textured plane that pans, turns and zooms, with and without a disc passing in front, which
draws the dream to itself and its trail. On each CLIP the motion comes from Farneback's estimator,
which has no part in the dream. Every figure is printed as a line of a Markdown table.
"""

import argparse
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from dreamer.imaging import noise
from dreamer.networks import runtime

THREADS = runtime.start()

import tensorflow as tf  # noqa: E402

from dreamer.arrays import Image, Size, from_stored  # noqa: E402
from dreamer.files import clips  # noqa: E402
from dreamer.files.framing import Framing  # noqa: E402
from dreamer.motion import flow, homographies, warp  # noqa: E402
from dreamer.networks import freezing, loading  # noqa: E402
from dreamer.pipelines import clip_film, frame_loop  # noqa: E402
from dreamer.pipelines.clip_film import ClipFilm  # noqa: E402
from dreamer.pipelines.image import ImagePipeline, Moment, build_pipeline  # noqa: E402
from dreamer.recipe import Recipe  # noqa: E402
from dreamer.recipe.toml_text import parse_setting  # noqa: E402

FPS = 24.0
BORDER = 32
AFTER = 5
"""Frames for which a place counts as just uncovered."""

Map = NDArray[np.float32]
Row = tuple[str, str]


@dataclass(frozen=True)
class Film:
    """Frames, and what is known of their motion.

    Attributes:
        frames: float32 `(h, w, 3)` each.
        back: of each frame, `(h, w, 2)`: where its points were in the frame before.
        seen: of each frame, `(h, w)`: whether they were there.
        disc: of each frame, `(h, w)`: where the foreground is; empty where there is none.
    """

    frames: Sequence[Image]
    back: Sequence[Map]
    seen: Sequence[NDArray[np.bool_]]
    disc: Sequence[NDArray[np.bool_]]


def rendered(size: Size, count: int, seed: int = 1, *, covered: bool = True) -> Film:
    """A plane that pans, turns and zooms, and a disc that passes in front of it."""
    height, width = size
    plane, front = (noise.draw_noise("fractal", size, each) for each in (seed, seed + 1))
    plane, front = ((0.5 + 1.2 * (each - 0.5)).clip(0, 1) for each in (plane, front))
    # As a lens leaves it.
    plane, front = (cv2.GaussianBlur(each, (0, 0), 0.7) for each in (plane, front))
    front = front[..., ::-1] * np.array([1.0, 0.7, 0.5], np.float32)
    radius, middle = height / 5 if covered else -height, (width / 2, height / 2)
    y, x = np.mgrid[:height, :width] + 0.5

    def moved(number: int) -> homographies.Matrix:
        turned = homographies.rotation(0.25 * number, middle) @ homographies.zoom(
            1.004**number, middle
        )
        return homographies.pan(0.006 * width * number, 0.002 * width * number) @ turned

    def place(number: int) -> tuple[float, float]:
        return (0.15 + 0.7 * number / count) * width, (0.5 + 0.1 * np.sin(number / 4)) * height

    shown, back, seen, discs = [], [], [], []
    for number in range(count):
        behind = warp.warp(plane, moved(number), "reflect")
        before = max(number - 1, 0)
        own, old = place(number), place(before)
        distance = np.hypot(x - own[0], y - own[1])
        cover = (radius - distance + 0.5).clip(0, 1).astype(np.float32)[..., None]
        shift = homographies.pan(own[0] - width / 2, own[1] - height / 2)
        over = warp.warp(front, shift, "wrap")
        shown.append((behind + cover * (over - behind)).clip(0, 1))
        disc = distance < radius
        step = moved(before) @ np.linalg.inv(moved(number))
        points = step @ np.stack([x.ravel(), y.ravel(), np.ones(x.size)])
        places = (points[:2] / points[2]).T.reshape(height, width, 2) - np.stack([x, y], -1)
        places[disc] = np.subtract(old, own)
        then = np.stack([x, y], -1) + places
        inside = ((then > 0.5) & (then < [width - 0.5, height - 0.5])).all(-1)
        hidden = ~disc & (np.hypot(*(then - old).transpose(2, 0, 1)) < radius + 1)
        # The disc's soft edge belongs to both.
        edge = np.abs(distance - radius) < 1.5
        back.append(places.astype(np.float32))
        seen.append(inside & ~hidden & ~edge)
        discs.append(disc)
    return Film(shown, back, seen, discs if covered else [])


def estimated(images: Sequence[Image]) -> Film:
    """A clip's frames with the motion that Farneback's estimator finds in them."""
    gray = [(cv2.cvtColor(each, cv2.COLOR_RGB2GRAY) * 255).astype(np.uint8) for each in images]

    def search(start: NDArray[np.uint8], end: NDArray[np.uint8]) -> Map:
        found = cv2.calcOpticalFlowFarneback(start, end, None, 0.5, 5, 15, 5, 7, 1.5, 0)
        return np.asarray(found, np.float32)

    height, width = gray[0].shape
    y, x = np.mgrid[:height, :width].astype(np.float32)
    back, seen = [np.zeros((height, width, 2), np.float32)], [np.ones((height, width), bool)]
    for old, new in pairwise(gray):
        to_old, to_new = search(new, old), search(old, new)
        then_x, then_y = x + to_old[..., 0], y + to_old[..., 1]
        again = cv2.remap(to_new, then_x, then_y, cv2.INTER_LINEAR)
        inside = (then_x >= 0) & (then_x < width) & (then_y >= 0) & (then_y < height)
        back.append(to_old)
        seen.append((np.square(to_old + again).sum(-1) < 0.5) & inside)
    return Film(images, back, seen, [])


Dreams = Sequence[Image]


def followed(pipeline: ImagePipeline, recipe: Recipe, film: Film) -> Dreams:
    """Dream on the clip by the recipe."""
    made = ClipFilm(
        pipeline,
        recipe.changed({"film": {"fps": FPS, "frames": len(film.frames)}}),
        film.frames[0].shape[:2],
        lambda first: iter(film.frames[first:]),
        lambda first: iter([None] * (len(film.frames) - first)),
    )
    begin = made.begin()
    rest = frame_loop.make_keys(made.step, begin, 1, len(film.frames))
    return [from_stored(each.frame) for each in (begin, *rest)]


def plainly_blended(pipeline: ImagePipeline, film: Film) -> Dreams:
    """Dream on half of each frame and half of the dream before."""
    plan = pipeline.plan(film.frames[0].shape[:2])
    made: list[Image] = []
    for number, frame in enumerate(film.frames):
        start = (frame + made[-1]) / np.float32(2) if made else frame
        *_, last = pipeline.dream(start, plan, moment=Moment(number))
        made.append(last.picture().clip(0, 1))
    return made


def warped(image: Image, back: Map) -> Image:
    """A frame moved to the next by a known motion; bicubic, in one resampling."""
    y, x = np.mgrid[: image.shape[0], : image.shape[1]].astype(np.float32)
    places = x + back[..., 0], y + back[..., 1]
    return np.asarray(cv2.remap(image, *places, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE))


def flicker(dreams: Dreams, film: Film) -> float:
    """Warped flicker, less the film's own."""
    own = []
    for t in range(1, len(dreams)):
        seen = film.seen[t]
        dream, source = (
            np.abs(each[t] - warped(each[t - 1], film.back[t]))[seen].mean()
            for each in (dreams, film.frames)
        )
        own.append(float(dream - source))
    return float(np.mean(own))


def strength(pipeline: ImagePipeline) -> Callable[[Image], Map]:
    """Return what measures the mean square of a picture's activations, over all octaves.

    It is measured place by place.
    """
    layers = pipeline.goal.objective.layers
    read = freezing.freeze(pipeline.network, layers, "float32")

    def measure(image: Image) -> Map:
        size = image.shape[:2]
        total = np.zeros(size, np.float32)
        for octave in pipeline.plan(size).sizes:
            maps = read(tf.image.resize(image[None], octave, "lanczos3", antialias=True))
            for layer in layers:
                squares = np.square(np.asarray(maps[layer][0], np.float32)).mean(-1)
                total += cv2.resize(squares, size[::-1], interpolation=cv2.INTER_LINEAR)
        return total

    return measure


def gradient(image: Image) -> Map:
    """The gradient's magnitude, of the lightness."""
    gray = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    return np.asarray(np.hypot(*np.gradient(gray)), np.float32)


def uncovered(film: Film) -> Iterator[tuple[int, int, NDArray[np.bool_]]]:
    """Each frame, the one in which places were uncovered, and these places."""
    for t in range(1, len(film.disc)):
        for since in range(max(1, t - AFTER + 1), t + 1):
            # What lay under the disc then, and has been free since; the plane's own motion over so
            # few frames is small beside the disc's.
            free = ~np.any(film.disc[since : t + 1], axis=0)
            fresh = film.disc[since - 1] & free
            if fresh.sum() > 20:
                yield t, since, fresh


def ghosts(dreams: Dreams, film: Film, detail: float | None = None) -> float:
    """How the dream on what was just uncovered correlates with that on the disc before.

    With `detail`, in pixels, only what is finer than such a blur counts: a dream on a new place is
    tinted by the dreams around it, also where it carries nothing.
    """
    changes = [dream - frame for dream, frame in zip(dreams, film.frames, strict=True)]
    if detail:
        changes = [each - cv2.GaussianBlur(each, (0, 0), detail) for each in changes]
    now, then = [], []
    for t, since, fresh in uncovered(film):
        now.append(changes[t][fresh])
        then.append(changes[since - 1][fresh])
    return float(np.corrcoef(np.concatenate(now).ravel(), np.concatenate(then).ravel())[0, 1])


def in_sight(film: Film) -> list[Map]:
    """For how many frames each place has been in sight, of each frame; infinite from the first."""
    ages = [np.full(film.frames[0].shape[:2], np.inf, np.float32)]
    for back, seen in zip(film.back[1:], film.seen[1:], strict=True):
        y, x = np.mgrid[: back.shape[0], : back.shape[1]].astype(np.float32)
        brought = cv2.remap(ages[-1], x + back[..., 0], y + back[..., 1], cv2.INTER_NEAREST)
        ages.append(np.where(seen, brought, 0) + 1)
    return ages


def settled(scores: Sequence[Map], base: Sequence[Map], film: Film) -> float:
    """The objective half a second after a place came into sight, against the rest's.

    Each is taken against that of frames dreamt alone, which are weaker along the border, too.
    """
    since = round(FPS / 2)
    sums = np.zeros((2, 2))
    for ours, theirs, age in zip(scores, base, in_sight(film), strict=True):
        new = (age > since - 2) & (age <= since + 2)
        for row, where in zip(sums, (new, np.isinf(age)), strict=True):
            row += ours[where].sum(), theirs[where].sum()
    (new_ours, new_theirs), (old_ours, old_theirs) = sums
    return float(new_ours / new_theirs / (old_ours / old_theirs))


def figures(
    dreams: Dreams, alone: Dreams, film: Film, measure: Callable[[Image], Map]
) -> Iterator[Row]:
    """All figures of one way of dreaming, against frames alone."""
    scores, base = ([measure(each) for each in some] for some in (dreams, alone))
    edges, base_edges = ([gradient(each) for each in some] for some in (dreams, alone))
    yield "flicker", f"{flicker(dreams, film) * 255:.2f}"
    yield "of frames alone", f"{flicker(dreams, film) / flicker(alone, film):.2f}"
    yield "objective", f"{np.mean(scores) / np.mean(base):.2f}"
    yield "sharpness", f"{np.mean(edges) / np.mean(base_edges):.2f}"
    if film.disc:
        fresh = [(t, where) for t, _, where in uncovered(film)]
        for name, ours, theirs in (
            ("uncovered: objective", scores, base),
            ("uncovered: sharpness", edges, base_edges),
        ):
            ratio = sum(ours[t][w].sum() for t, w in fresh) / sum(
                theirs[t][w].sum() for t, w in fresh
            )
            yield name, f"{ratio:.2f}"
        yield "uncovered: correlation with the disc's dream", f"{ghosts(dreams, film):.2f}"
        yield "the same, of its detail", f"{ghosts(dreams, film, 8):.2f}"
        return
    width = min(BORDER, film.frames[0].shape[0] // 5)
    rim = np.ones(film.frames[0].shape[:2], bool)
    rim[width:-width, width:-width] = False
    for whose, maps in (("", scores), (", of frames alone", base)):
        late = maps[len(maps) // 2 :]
        shares = [each[rim].mean() / each[~rim].mean() for each in late]
        yield f"border's objective against the center's{whose}", f"{np.mean(shares):.2f}"
    yield "half a second in sight: objective", f"{settled(scores, base, film):.2f}"


def main() -> None:
    """Print a table for the rendered film and for each clip."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("clips", nargs="*", type=Path)
    parser.add_argument("--size", type=int, default=240)
    parser.add_argument("--frames", type=int, default=16)
    parser.add_argument(
        "--seeds", type=lambda text: [int(each) for each in text.split(",")], default=[1]
    )
    parser.add_argument("--set", action="append", default=[])
    asked = parser.parse_args()
    recipe = Recipe()
    for setting in asked.set:
        recipe = recipe.changed(dict([parse_setting(setting)]))
    small = asked.size * 3 // 4, asked.size
    films = {
        f"known motion {seed}{name}": rendered(small, asked.frames, seed, covered=covered)
        for seed in asked.seeds
        for name, covered in (("", True), (", nothing in front", False))
    }
    for path in asked.clips:
        clip = clips.select(path, framing=Framing(asked.size))
        images = [each for each, _ in zip(clip.frames(), range(asked.frames), strict=False)]
        films[path.name] = estimated(images)
    net = loading.load_for_recipe(recipe)
    pipeline = build_pipeline(clip_film.frame_recipe(recipe), net)
    measure = strength(pipeline)
    off = recipe.changed({"film": {"flow": False}})
    for name, film in films.items():
        alone = followed(pipeline, off, film)
        ways = {
            "frames alone": alone,
            "plain blend 0.5": plainly_blended(pipeline, film),
            "difference": followed(pipeline, recipe, film),
            "picture": followed(pipeline, recipe.changed({"film": {"carried": "picture"}}), film),
        }
        for way, dreams in ways.items():
            for what, value in figures(dreams, alone, film, measure):
                print(f"| {name} | {way} | {what} | {value} |", flush=True)
    size = (360, 480)
    film = rendered(size, 3)
    plan = pipeline.plan(size)
    times: dict[str, list[float]] = {"flow": [], "warp": [], "dream": []}
    for _ in range(3):
        marks = [time.perf_counter()]
        moved = flow.compute_flow(film.frames[1], film.frames[2])
        marks.append(time.perf_counter())
        flow.carry(film.frames[1], moved)
        age = flow.carry_age(np.ones(size, np.float32), moved)
        usual = clip_film.share_carried(moved, recipe.film)
        clip_film.share_new(np.minimum(moved.visible * usual, age / (age + 1)), usual)
        marks.append(time.perf_counter())
        list(pipeline.dream(film.frames[2], plan))
        marks.append(time.perf_counter())
        for kind, spent in zip(times, np.diff(marks), strict=True):
            times[kind].append(float(spent))
    best = {kind: min(each) for kind, each in times.items()}
    for kind, fastest in best.items():
        print(f"| 480×360 | {kind} | {fastest * 1e3:.0f} ms | {fastest / sum(best.values()):.1%} |")


if __name__ == "__main__":
    main()
