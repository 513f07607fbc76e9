"""Draw `options-*.jpg`: each option of `dream image` on the sample photo, labeled.

    python media/options.py GUIDE [SHEET…]

`GUIDE` is another picture, to dream of what is in it; without names, every sheet is drawn.
"""

import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from dreamer.networks import runtime

runtime.start()

from dreamer.arrays import Image  # noqa: E402
from dreamer.files import photos  # noqa: E402
from dreamer.imaging import contact_sheet, finish, noise  # noqa: E402
from dreamer.networks import loading, network  # noqa: E402
from dreamer.pipelines.image import build_pipeline  # noqa: E402
from dreamer.recipe import Recipe  # noqa: E402

HERE = Path(__file__).parent
SIDE = 360
NOISE = (240, 360)
GIVEN = "0" * 64
"""Stands for the hash of a mask or guide that is at hand."""

SHEETS: dict[str, list[tuple[str, dict[str, Any]]]] = {
    "objectives": [
        ("the default", {}),
        ("-l mixed3b", {"layers": ["mixed3b"]}),
        ("-l mixed4c:61", {"layers": ["mixed4c:61"]}),
        ("-l mixed4d:139", {"layers": ["mixed4d:139"]}),
        ("-l mixed4c -l mixed3b=-0.5", {"layers": ["mixed4c", "mixed3b=-0.5"]}),
        ("-l mixed4c=-1", {"layers": ["mixed4c=-1"]}),
        ("--guide (best match)", {"guide": GIVEN}),
        ("--guide, guide_match=mean", {"guide": GIVEN, "guide_match": "mean"}),
    ],
    "updates": [
        *(
            (f"normalization={n}", {"normalization": n})
            for n in ("laplacian", "mean-abs", "std", "rms")
        ),
        ("normalization=l2, rate=6", {"normalization": "l2", "rate": 6}),
        ("normalization=none, rate=0.005", {"normalization": "none", "rate": 0.005}),
        ("cascade=0.5", {"cascade": 0.5}),
        ("cascade=2", {"cascade": 2}),
        ("optimizer=momentum, rate=0.003", {"optimizer": "momentum", "rate": 0.003}),
        ("optimizer=nesterov, rate=0.003", {"optimizer": "nesterov", "rate": 0.003}),
        ("optimizer=rmsprop", {"optimizer": "rmsprop"}),
        ("optimizer=adam", {"optimizer": "adam"}),
    ],
    "regularizers": [
        ("blur=0", {"blur": 0}),
        ("blur=1", {"blur": 1}),
        ("blur=2, blur_end=0.1", {"blur": 2, "blur_end": 0.1}),
        ("decay=0.02", {"decay": 0.02}),
        ("median=3", {"median": 3}),
        ("median=5", {"median": 5}),
        ("total_variation=0.003", {"total_variation": 0.003}),
        ("small_norm=0.1", {"small_norm": 0.1}),
        ("small_contribution=0.02", {"small_contribution": 0.02}),
    ],
    "look": [
        *((f"--strength {n}", {"strength": n}) for n in (5, 10, 20, 35)),
        ("--opacity 0.5", {"opacity": 0.5}),
        ("--mask", {"mask": GIVEN}),
        ("--keep-colors", {"colors": "photo"}),
        ("--palette of the guide", {"palette": GIVEN}),
        ("--palette #102040,#d08040,#f0e0c0", {"palette": ["#102040", "#d08040", "#f0e0c0"]}),
        ("--saturation 0", {"saturation": 0}),
        ("--saturation 0.5", {"saturation": 0.5}),
        ("--saturation 1.8", {"saturation": 1.8}),
    ],
    "noise": [
        (f"--noise 360x240:{kind}" + (f" -l {layer}" if layer else ""), {"layers": [layer]})
        for layer in ("mixed4c", "mixed4e")
        for kind in noise.KINDS
    ],
}


def disc(height: int, width: int) -> np.ndarray:
    """A mask: a white disc in the middle."""
    mask = np.zeros((height, width), np.float32)
    cv2.circle(mask, (width // 2, height // 2), height // 3, 1.0, -1)
    return mask


def cell(photo: Image, guide: Image, changes: dict[str, Any], net: network.Network) -> Image:
    """The dream that one option makes."""
    changes = dict(changes)
    if changes.get("palette") == GIVEN:
        changes["palette"] = finish.find_main_colors(guide)
    guided = guide if "guide" in changes else None
    pipeline = build_pipeline(Recipe().changed(changes), net, guided)
    size = photo.shape[:2]
    mask = disc(*size) if "mask" in changes else None
    *_, last = pipeline.dream(photo, pipeline.plan(size), mask)
    return last.picture()


def main() -> None:
    """Draw the sheets that are asked for."""
    guide_path, *names = sys.argv[1:]
    guide = photos.read(Path(guide_path))
    guide = photos.resize(guide, photos.fit_size(guide.image.shape[:2], 320)).image
    sample = photos.read(HERE / "sample.jpg")
    sample = photos.resize(sample, photos.fit_size(sample.image.shape[:2], SIDE)).image
    net = loading.load("dreamnet")
    for name in names or SHEETS:
        cells = [(sample, "the photo")] if len(SHEETS[name]) % 4 else []
        for label, changes in SHEETS[name]:
            photo = sample
            if name == "noise":
                kind = label.split(":")[1].split()[0]
                photo = noise.draw_noise(kind, NOISE, 0)
            cells.append((cell(photo, guide, changes, net), label))
            print(name, label, f"{finish.measure_color_change(cells[-1][0].clip(0, 1), photo):.1f}")
        columns = next(n for n in (4, 5, 3) if len(cells) % n == 0)
        sheet = contact_sheet.compose(*zip(*cells, strict=True), columns=columns)
        photos.write(HERE / f"options-{name}.jpg", sheet, style=photos.Style(65))


if __name__ == "__main__":
    main()
