"""Draw `dreamnet.jpg`: the same recipes on `googlenet` and on `dreamnet`, side by side.

    DREAMER_WEIGHTS=FOLDER python media/dreamnet.py PHOTO...

One row a photo; for each of three layers the original network's dream, then dreamnet's.
"""

import sys
from pathlib import Path

from dreamer.nets import runtime

runtime.start()

from dreamer import sheets  # noqa: E402
from dreamer.assemble import assemble  # noqa: E402
from dreamer.files import photos  # noqa: E402
from dreamer.nets import network  # noqa: E402
from dreamer.recipe import Recipe  # noqa: E402

LAYERS = ("mixed3b", "mixed4c", "mixed4e")
NETWORKS = ("googlenet", "dreamnet")
RECIPE = Recipe(strength=20.0, motif=(0.6, 0.3))
SIDE = 360


def main() -> None:
    """Dream on every photo and write the sheet."""
    assemblies = {
        f"{name} {layer}": assemble(RECIPE.changed({"layers": [layer]}), network.load(name))
        for layer in LAYERS
        for name in NETWORKS
    }
    cells = []
    for path in map(Path, sys.argv[1:]):
        read = photos.read(path)
        size = photos.fitted(read.image.shape[:2], SIDE, enlarge=True)
        image = photos.resize(read, size).image
        for label, assembly in assemblies.items():
            *_, last = assembly.dream(image, assembly.plan(size))
            cells.append((last.picture(), label))
    sheet = sheets.compose(*zip(*cells, strict=True), columns=len(assemblies))
    photos.write(Path(__file__).with_suffix(".jpg"), sheet, quality=85)


if __name__ == "__main__":
    main()
