"""Measure whether a network that had no part in it sees less of what a dream was to have less of.

    DREAMER_WEIGHTS=FOLDER python tests/benchmarks/negatives.py PHOTOS [--subject dogs] [--count 20]

`PHOTOS` is a folder or a zip, of which the first photos are taken on which SqueezeNet sees the
subject first. Each is dreamt on with fewer of it and, for comparison, of birds with fewer of it,
of birds alone, and by default. The figures mean:

- among five: how many of SqueezeNet's first five classes are the subject's.
- log p: the mean logarithm of the probability that it gives to the subject.
- fewer: on how many photos both are lower than before.
"""

import argparse
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
from words import FIRST, Judge, judge

import dreamer
from dreamer.analysis import word_fitting
from dreamer.arrays import Image
from dreamer.files import photo_sets

WAYS: Mapping[str, tuple[str, ...]] = {
    "photo": (),
    "--not": ("-{}",),
    "--of birds --not": ("birds", "-{}"),
    "--of birds": ("birds",),
}


class Seen(NamedTuple):
    """What SqueezeNet sees of a subject."""

    among: int
    log_p: float


def look(seen_by: Judge, picture: Image, members: list[int]) -> Seen:
    """Look for a subject on a picture."""
    logits = seen_by.logits(picture)
    among = len(set(logits.argsort()[-FIRST:].tolist()) & set(members))
    return Seen(among, float(np.logaddexp.reduce(logits[members]) - np.logaddexp.reduce(logits)))


def find(seen_by: Judge, source: Path, members: list[int], count: int) -> Iterator[Image]:
    """The first photos on which the subject is seen first."""
    for held_out in (True, False):
        for photo in photo_sets.load(source, held_out=held_out):
            image = photo.astype(np.float32) / np.float32(255)
            if int(seen_by.logits(image).argmax()) in members:
                yield image
                count -= 1
            if not count:
                return


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("source", type=Path, metavar="PHOTOS")
    parser.add_argument("--subject", default="dogs")
    parser.add_argument("--count", type=int, default=20)
    given = parser.parse_args()
    seen_by = judge()
    members = word_fitting.groups(seen_by.names, word_fitting.read_subjects())[given.subject]
    shown = list(find(seen_by, given.source, members, given.count))
    before = [look(seen_by, photo, members) for photo in shown]
    print(
        f"| {given.subject}, {len(shown)} photos | among five | log p | fewer |\n|---|---|---|---|"
    )
    for name, words in WAYS.items():
        asked = [word.format(given.subject) for word in words]
        made = [dreamer.dream(photo, of=asked) if asked else photo for photo in shown]
        seen = [look(seen_by, picture, members) for picture in made]
        among, log_p = np.mean(seen, 0)
        fewer = sum(
            a.among <= b.among and a.log_p < b.log_p for a, b in zip(seen, before, strict=True)
        )
        print(f"| {name} | {among:.2f} | {log_p:.2f} | {fewer} |", flush=True)


if __name__ == "__main__":
    main()
