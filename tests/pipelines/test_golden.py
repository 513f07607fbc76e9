"""Golden pictures: dreams of the shipped network look as they did.

Where a look is meant to change, `pytest tests/pipelines/test_golden.py --rewrite-golden -n 0`
writes the pictures of tests/golden anew; look at them before they are kept.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from helpers import MEDIA, TESTS

from dreamer.arrays import Image
from dreamer.files import photos
from dreamer.imaging import finish, noise
from dreamer.networks.network import Network
from dreamer.pipelines.build_ascent import Graphs
from dreamer.pipelines.image import build_pipeline
from dreamer.recipe import Recipe, words

GOLDEN = TESTS / "golden"
SIDE = 128
MOST = 2.0
"""How far a dream may be from its golden picture, as the mean color difference (CIE76).

Another rounding moves these by up to 1.2, because a maximum that is nearly reached twice is then
another's; noise of 1e-6 on the photo by up to 3. A fifth more of the rate moves them by 2.2 to 6.7,
another normalization by 5 to 10.
"""

SHORT = {"octaves": 2, "steps": 2, "precision": "float32", "size": SIDE}
"""So few steps that rounding does not decide what grows."""


def birds() -> dict[str, Any]:
    """The recipe of a word, as `--of birds` makes it, but for its length."""
    layers = words.expand(["birds"], words.load("dreamnet"))
    return {"objective": words.STILL["objective"], "layers": layers}


DREAMS: dict[str, Callable[[], dict[str, Any]]] = {
    "default": lambda: {},
    "channel": lambda: {"layers": ["mixed4d:139"], "rate": 0.02},
    "words": birds,
    "palette": lambda: {"palette": ["#102040", "#3d7a80", "#e0c080"], "strength": 20},
    "seamless": lambda: {"layers": ["mixed4a"], "seamless": True, "seed": 5},
    "direction": lambda: {"layers": ["mixed4c:447@0.8,12@-0.5,80"], "objective": "direction"},
}


@pytest.fixture(scope="module")
def graphs() -> Graphs:
    return Graphs()


def source(name: str) -> Image:
    """The photo, or for a pattern noise."""
    if name == "seamless":
        return noise.draw_noise("fractal", (96, SIDE), 5)
    photo = photos.read(MEDIA / "sample.jpg")
    size = photos.fit_size(photo.image.shape[:2], SIDE)
    return photos.resize(photo, size).image


def dreamt(name: str, net: Network, graphs: Graphs) -> Image:
    photo = source(name)
    assert max(photo.shape) == SIDE
    pipeline = build_pipeline(Recipe().changed({**SHORT, **DREAMS[name]()}), net, graphs=graphs)
    *_, last = pipeline.dream(photo, pipeline.plan(photo.shape[:2]))
    return last.picture().clip(0, 1)


def difference(one: Image, other: Image) -> float:
    """The mean Euclidean distance of colors in CIELAB."""
    return float(np.linalg.norm(finish.to_lab(one) - finish.to_lab(other), axis=-1).mean())


@pytest.mark.parametrize("name", DREAMS)
def test_a_dream_looks_as_it_did(
    name: str, dreamnet: Network, graphs: Graphs, request: pytest.FixtureRequest
) -> None:
    path, picture = GOLDEN / f"{name}.png", dreamt(name, dreamnet, graphs)
    if request.config.getoption("--rewrite-golden"):
        photos.write(path, picture, overwrite=True)
        pytest.skip(f"{path.name} was written anew")
    assert difference(picture, photos.read(path).image) < MOST
    # The dream is to be seen, so that another one would be, too.
    assert difference(picture, source(name)) > 2.5 * MOST


def test_no_two_golden_pictures_are_alike() -> None:
    pictures = {path.stem: photos.read(path).image for path in GOLDEN.glob("*.png")}
    assert pictures.keys() == DREAMS.keys()
    for name, picture in pictures.items():
        for other, another in pictures.items():
            if name != other and picture.shape == another.shape:
                assert difference(picture, another) > 2 * MOST
