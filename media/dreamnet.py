"""Draw `dreamnet.jpg`: the same recipes on `googlenet` and on `dreamnet`, side by side.

    DREAMER_WEIGHTS=FOLDER python media/dreamnet.py PHOTO…

Each photo has a row; for each of three layers it holds the original network's dream, then
dreamnet's.
"""

import sys
from pathlib import Path

from dreamer.networks import runtime

runtime.start()

from dreamer.files import photos  # noqa: E402
from dreamer.imaging import contact_sheet  # noqa: E402
from dreamer.networks import loading  # noqa: E402
from dreamer.pipelines.image import build_pipeline  # noqa: E402
from dreamer.recipe import Recipe  # noqa: E402

LAYERS = ("mixed3b", "mixed4c", "mixed4e")
NETWORKS = ("googlenet", "dreamnet")
RECIPE = Recipe(strength=20.0, motif=(0.6, 0.3))
SIDE = 360


def main() -> None:
    """Dream on every photo and write the sheet."""
    pipelines = {
        f"{name} {layer}": build_pipeline(RECIPE.changed({"layers": [layer]}), loading.load(name))
        for layer in LAYERS
        for name in NETWORKS
    }
    cells = []
    for path in map(Path, sys.argv[1:]):
        read = photos.read(path)
        size = photos.fit_size(read.image.shape[:2], SIDE, enlarge=True)
        image = photos.resize(read, size).image
        for label, pipeline in pipelines.items():
            *_, last = pipeline.dream(image, pipeline.plan(size))
            cells.append((last.picture(), label))
    sheet = contact_sheet.compose(*zip(*cells, strict=True), columns=len(pipelines))
    photos.write(Path(__file__).with_suffix(".jpg"), sheet, style=photos.Style(85))


if __name__ == "__main__":
    main()
