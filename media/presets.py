"""Draw the presets' thumbnails (`presets/*.webp`), and the sheets `presets.jpg` and `films.jpg`.

    DREAMER_WEIGHTS=FOLDER python media/presets.py [--all] [NAME…]

The photo is `sample.jpg`. A film shows four of its moments. Each thumbnail carries its preset's
recipe, so that it is one itself; those whose preset has changed since are drawn again.
"""

import argparse
import tempfile
from functools import cache
from pathlib import Path

import numpy as np
import scipy

from dreamer.arrays import Image
from dreamer.errors import DreamerError
from dreamer.files import photos
from dreamer.files.photos import Photo
from dreamer.imaging import contact_sheet
from dreamer.jobs import presets
from dreamer.recipe import Recipe
from dreamer.recipe.provenance import Provenance

HERE = Path(__file__).parent
PHOTO = HERE / "sample.jpg"
SIDE, SHOWN = 420, 300
"""The longest side of a dream, and of its thumbnail, in pixels."""

FILM = {"size": 320, "fps": 6, "seconds": 18, "intro": 0.5}
MOMENTS = (0.08, 0.36, 0.68, 0.95)
"""The shares of a film's length at which it is shown."""

QUALITY = 74
COLUMNS = 5


def picture(photo: Image, name: str) -> Image:
    """The dream of a preset."""
    import dreamer

    return dreamer.dream(photo, name, size=SIDE)


def film(photo: Image, name: str) -> Image:
    """Four moments of a film, in two rows."""
    import dreamer

    timed = {"music": song()} if "music" in presets.load(name).recipe.about.tags else {}
    frames = list(dreamer.film(photo, name, **FILM, **timed))
    one, two, three, four = (frames[int(share * len(frames))] for share in MOMENTS)
    return np.vstack([np.hstack([one, two]), np.hstack([three, four])])


@cache
def song() -> str:
    """A few bars of drums and chords, for the presets that keep time."""
    rate, seconds, beat = 22_050, 20, 0.6
    times = np.arange(rate * seconds) / rate
    since = times % beat
    drum = np.sin(2 * np.pi * 60 * since) * np.exp(-18 * since)
    chord = sum(np.sin(2 * np.pi * pitch * times) for pitch in (220, 277, 330, 2640))
    swell = 0.5 - 0.5 * np.cos(2 * np.pi * times / (8 * beat))
    wave = ((0.6 * drum + 0.08 * swell * chord) * 32_000).astype(np.int16)
    path = Path(tempfile.mkdtemp()) / "song.wav"
    scipy.io.wavfile.write(path, rate, wave)
    return str(path)


DRAWN = {"picture": picture, "film": film}
SHEETS = {"picture": "presets.jpg", "film": "films.jpg"}
"""By the kind of preset."""


def up_to_date(path: Path, recipe: Recipe) -> bool:
    """Whether a thumbnail is there and was drawn by this recipe."""
    try:
        return presets.read_finished(path).recipe == recipe
    except DreamerError:
        return False


def main() -> None:
    """Draw what has changed, then the sheet."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--all", action="store_true", help="those that are up to date, too")
    given = parser.parse_args()
    read = photos.read(PHOTO)
    photo = photos.resize(read, photos.fit_size(read.image.shape[:2], SIDE)).image
    size = photos.fit_size(photo.shape[:2], SHOWN)
    sources = sorted(presets.shipped_folder().glob("*.toml"))
    recipes = {source: presets.load(str(source)).recipe for source in sources}
    for kind, draw in DRAWN.items():
        cells = []
        for source in (each for each in sources if presets.classify(recipes[each]) == kind):
            name, thumbnail, recipe = source.stem, source.with_suffix(".webp"), recipes[source]
            if given.all or name in given.names or not up_to_date(thumbnail, recipe):
                drawn = Photo(draw(photo, str(source)), None, "")
                made = Provenance(recipe, {"photo_sha256": read.sha256})
                shown = photos.resize(drawn, size).image
                photos.write(thumbnail, shown, made=made, style=photos.Style(QUALITY))
                print(thumbnail, flush=True)
            cells.append((photos.read(thumbnail).image, name))
        sheet = contact_sheet.compose(*zip(*cells, strict=True), columns=COLUMNS)
        photos.write(HERE / SHEETS[kind], sheet, style=photos.Style(80))


if __name__ == "__main__":
    main()
