"""Measure films that associate freely: whether their subjects are seen, and whether they repeat.

    DREAMER_WEIGHTS=FOLDER python tests/benchmarks/association.py FILM.mp4…

`FOLDER` holds the judge, `squeezenet_v1.0.keras`, and its names. The figures mean:

- seen: of the themes whose end is in the film, how many have a class of their subject among the
  judge's first five on any of the last three frames of their rest.
- again: the fewest themes from one to its next time.
- likeness: the correlation of log channel profiles (dreamnet, mixed4c) 100 frames apart.
- chroma: its mean over the second, middle and last third, in CIELAB, and the photo's.
- flashes: the most that mean lightness changes from frame to frame.
"""

import argparse
import re
from pathlib import Path

import imageio.v3 as iio
import numpy as np
from video import Eyes, alikeness
from words import FIRST, judge

from dreamer.analysis import word_fitting
from dreamer.files import ffmpeg
from dreamer.imaging import stabilize

CHAPTER = re.compile(r"Chapter #\d+:\d+: start ([\d.]+), end ([\d.]+)\s+Metadata:\s+title\s+: (.+)")
BEFORE_END = (1, 4, 8)
"""Frames before a theme's end on which it is looked for."""


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("films", nargs="+", type=Path)
    given = parser.parse_args()
    seen_by, eyes = judge(), Eyes("dreamnet", "mixed4c")
    subjects = {
        name.partition(",")[0]: members
        for name, members in word_fitting.groups(
            seen_by.names, word_fitting.read_subjects()
        ).items()
    }
    print("| film | seen | again | likeness | chroma: photo, thirds | flashes |")
    print("|---|---|---|---|---|---|")
    hits = themes = 0
    for path in given.films:
        frames = [each.astype(np.float32) / np.float32(255) for each in iio.imiter(path)]
        fps = float(iio.immeta(path)["fps"])
        chapters = CHAPTER.findall(ffmpeg.describe_file(path))
        words, seen = [title.strip() for *_, title in chapters], []
        for _, end, title in chapters:
            last = min(round(float(end) * fps), len(frames))
            members = set(subjects[title.strip()])
            tops = (seen_by.logits(frames[last - back]).argsort()[-FIRST:] for back in BEFORE_END)
            seen.append(any(members & set(top.tolist()) for top in tops))
        hits, themes = hits + sum(seen), themes + len(seen)
        gaps = [
            later - first
            for first, word in enumerate(words)
            for later in range(first + 1, len(words))
            if words[later] == word
        ]
        chroma = [stabilize.measure_chroma(frame) for frame in frames]
        thirds = [float(np.mean(part)) for part in np.array_split(chroma, 3)]
        light = [stabilize.measure_colors(frame)[0, 0] for frame in frames]
        cells = (
            path.stem,
            f"{sum(seen)} of {len(seen)}",
            min(gaps, default="never"),
            f"{alikeness(eyes.profiles(frames)):.2f}",
            f"{chroma[0]:.0f}, " + " ".join(f"{each:.0f}" for each in thirds),
            f"{np.abs(np.diff(light)).max():.1f}",
        )
        print("|", " | ".join(map(str, cells)), "|", flush=True)
        print("  ", " → ".join(f"{w}{'' if s else '?'}" for w, s in zip(words, seen, strict=True)))
    print(f"| all | {hits} of {themes} ({hits / max(themes, 1):.0%}) | | | | |")


if __name__ == "__main__":
    main()
