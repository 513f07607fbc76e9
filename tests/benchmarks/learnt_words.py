"""Measure whether words that are learnt from photos are seen by a network that had no part in it.

    DREAMER_WEIGHTS=FOLDER python tests/benchmarks/learnt_words.py PHOTOS.zip [--network NAME]

`PHOTOS.zip` holds one photo of each class of ImageNet, by name `WORDNETID_….jpg`. Each of ten nouns
of WordNet that stand for several classes is learnt from the photos of every second one, and dreamt
of on photos that are held out. A dream hits if SqueezeNet's first five hold a class of the noun, of
the photos where they did not before.
"""

import argparse
import io
import zipfile
from pathlib import Path

import numpy as np
from PIL import Image as pillow
from words import FIRST, RECIPE, dreamer, fit, judge, of_word

from dreamer.analysis import word_learning
from dreamer.arrays import Image
from dreamer.files import photo_sets
from dreamer.networks import loading
from dreamer.recipe import nouns, words

NOUNS = ["snake", "lizard", "vessel", "insect", "fish", "monkey", "musical instrument"]
NOUNS += ["furniture", "fruit", "motor vehicle"]


def read_photos(archive: zipfile.ZipFile, ids: list[str]) -> list[Image]:
    """The photos of some classes."""
    names = {name.partition("_")[0]: name for name in archive.namelist()}
    pictures = (pillow.open(io.BytesIO(archive.read(names[each]))).convert("RGB") for each in ids)
    return [word_learning.of_picture(np.asarray(picture)) for picture in pictures]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("source", type=Path, metavar="PHOTOS.zip")
    parser.add_argument("--network", default="dreamnet")
    parser.add_argument("--photos", type=int, default=5)
    given = parser.parse_args()
    net, seen_by = loading.load(given.network), judge()
    usual, table = word_learning.find_usual(net), words.load(given.network)
    assert usual is not None
    outputs = {label.wordnet: place for place, label in enumerate(seen_by.names)}
    held_out = photo_sets.load(given.source, held_out=True)
    shown = [fit(photo) for photo in held_out[3 :: len(held_out) // given.photos]]
    dreaming, hits, pairs = dreamer(net, list(usual), RECIPE.objective), 0, 0
    print("| noun | classes | learnt from | hits | ranks |\n|---|---|---|---|---|", flush=True)
    for name in NOUNS:
        noun = nouns.find_noun(name)
        assert noun is not None
        members = noun.find_members()
        places = [outputs[each] for each in members]
        with zipfile.ZipFile(given.source) as archive:
            own = read_photos(archive, members[::2])
        weights = of_word(net, word_learning.learn(net, own, usual, table))
        ranks = []
        for photo in shown:
            if not set(seen_by.logits(photo).argsort()[-FIRST:].tolist()) & set(places):
                order = (-seen_by.logits(dreaming.dream(photo, weights))).argsort().tolist()
                ranks.append(1 + min(map(order.index, places)))
        hit = sum(rank <= FIRST for rank in ranks)
        hits, pairs = hits + hit, pairs + len(ranks)
        seen = ", ".join(map(str, ranks))
        cells = (name, len(members), len(own), f"{hit} of {len(ranks)}", seen)
        print("|", " | ".join(map(str, cells)), "|", flush=True)
    print(f"| all | | | {hits} of {pairs} ({hits / pairs:.0%}) | |")


if __name__ == "__main__":
    main()
