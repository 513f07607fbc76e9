"""Measure what is seen of films: the decoded MP4, not the frames that went into it.

    python tests/benchmarks/films.py [--sizes 192 480] [--motions zoom still …] [--folder FOLDER]

Each motion is made into a loop of four seconds on the sample photo, with its frames kept. "Seam" is
the step from the last frame to the first, over the median of the ten steps around it. "PSNR" is
that of luma against the frames' own 4:2:0, the median of the second half, and how far its worst
frame is below. Every line is one of a Markdown table. What is in FOLDER is measured again.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from dreamer.files import clips, ffmpeg, film_stream
from dreamer.recipe.film_fields import Motion

SAMPLE = str(Path(__file__).parents[2] / "media" / "sample.jpg")
AROUND = 5
"""Steps on each side of the seam that it is compared with."""

Planes = NDArray[np.uint8]


def decode(source: tuple[str, ...], layout: str, height: int, width: int) -> Planes:
    """All frames, `(n, …)`, in a pixel format; of 4:2:0, luma alone."""
    raw = ffmpeg.run((*source, "-f", "rawvideo", "-pix_fmt", layout, "pipe:1"), "the film")
    if layout == "rgb24":
        return np.frombuffer(raw, np.uint8).reshape(-1, height, width, 3)
    frames = np.frombuffer(raw, np.uint8).reshape(-1, height * width * 3 // 2)
    return frames[:, : height * width].reshape(-1, height, width)


def measure_seam(frames: Planes) -> float:
    """The step from the last frame to the first, over the median of those around it."""
    steps = [
        np.abs(frames[number].astype(np.float32) - frames[number - 1]).mean()
        for number in range(-AROUND, AROUND + 1)
    ]
    return float(steps[AROUND] / np.median([*steps[:AROUND], *steps[AROUND + 1 :]]))


def measure_psnr(shown: Planes, wanted: Planes) -> tuple[float, float]:
    """The median of the frames' PSNR, and the worst."""
    error = ((shown.astype(np.float32) - wanted) ** 2).mean((1, 2))
    psnr = 10 * np.log10(255**2 / np.maximum(error, 1e-9))
    return float(np.median(psnr)), float(psnr.min())


def make(folder: Path, motion: str, size: int) -> Path:
    """Make a loop, unless it is there."""
    film = folder / f"{motion}-{size}.mp4"
    if not film.exists():
        what = ("--motion", motion, "--loop", "--seconds", "4", "--size", str(size))
        command = (sys.executable, "-m", "dreamer", "video", SAMPLE, *what, "--keep-frames")
        subprocess.run([*command, "-o", str(film)], check=True, capture_output=True)
    return film


def describe(film: Path) -> str:
    """A line of the table."""
    height, width = clips.select(film).size
    frames = film.with_name(f"{film.stem}-frames")
    to_luma = film_stream.build_color_filters("yuv420p")
    stills = ffmpeg.source(frames / "%06d.png", "-framerate", "24")
    wanted = decode((*stills, "-vf", to_luma), "yuv420p", height, width)
    shown = decode(ffmpeg.source(film), "yuv420p", height, width)
    half = len(shown) // 2
    median, worst = measure_psnr(shown[half:], wanted[half:])
    seam = measure_seam(decode(ffmpeg.source(film), "rgb24", height, width))
    rate = film.stat().st_size * 24 / len(shown) / 1e3
    return f"| {film.stem} | {seam:.3f} | {median:.1f} | {median - worst:.1f} | {rate:.0f} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[192, 480])
    parser.add_argument("--motions", nargs="+", default=list(get_args(Motion)))
    parser.add_argument("--folder", type=Path)
    options = parser.parse_args()
    print("| loop | seam | PSNR, dB | worst below, dB | kB/s |\n|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as made:
        for size in options.sizes:
            for motion in options.motions:
                film = make(options.folder or Path(made), motion, size)
                print(describe(film), flush=True)


if __name__ == "__main__":
    main()
