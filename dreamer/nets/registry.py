"""The networks that `dreamer` knows, as plain strings and numbers: nothing heavy is imported."""

from collections.abc import Mapping
from dataclasses import dataclass

from dreamer.errors import unknown


@dataclass(frozen=True)
class NetSpec:
    """A network, and how it wants its input: `image * scale + offset`, `image` RGB of 0 to 1.

    Attributes:
        summary: one line for a person who chooses.
        build: `module:function` that makes the Keras model from a weights file's path.
        files: names of weights files that are looked for, patterns allowed.
        url: where the weights are published; None where the package holds them.
        scale, offset: the input's range; the offset may differ by channel.
        order: of the input's channels, to which the offset belongs.
        layers: dreamt on where a recipe names none.
        smallest: the shortest side, in pixels, that passes through to the deepest layer.
        motifs: motif sizes by layer: the diameter in pixels that holds 90 % of the energy of one
            unit's gradient (`python -m dreamer.nets.motif NAME` measures them).
    """

    summary: str
    build: str
    files: tuple[str, ...]
    url: str | None
    scale: float
    offset: float | tuple[float, float, float]
    layers: tuple[str, ...]
    smallest: int
    motifs: Mapping[str, int]
    order: str = "RGB"


# googlenet's; dreamnet takes them over, so that a recipe means the same sizes on both.
_SHARED_MOTIFS = {
    "conv2d1": 8,
    "mixed3a": 32,
    "mixed3b": 40,
    "mixed4a": 80,
    "mixed4b": 100,
    "mixed4c": 116,
    "mixed4d": 132,
    "mixed4e": 136,
}

SPECS: Mapping[str, NetSpec] = {
    "dreamnet": NetSpec(
        summary="comes with the package: googlenet's channels in a smaller network of our own",
        build="dreamer.nets.dreamnet:build",
        files=("dreamnet.npz",),
        url=None,
        scale=255,
        offset=-117,
        layers=("mixed4c",),
        smallest=32,
        motifs=_SHARED_MOTIFS,
    ),
    "googlenet": NetSpec(
        summary="the original DeepDream network (inception5h, 2015), with its famous layer names",
        build="dreamer.nets.googlenet:build",
        files=("tensorflow_inception_graph.pb", "inception5h.*"),
        url="https://storage.googleapis.com/download.tensorflow.org/models/inception5h.zip",
        scale=255,
        offset=-117,
        layers=("mixed4c",),
        smallest=32,
        motifs={"conv2d0": 8, "conv2d2": 16, **_SHARED_MOTIFS, "mixed5a": 188, "mixed5b": 204},
    ),
    "inception_v3": NetSpec(
        summary="Inception v3 (2015): finer and more regular than googlenet",
        build="dreamer.nets.applications:inception_v3",
        files=("inception_v3*.h5",),
        url=(
            "https://storage.googleapis.com/tensorflow/keras-applications/inception_v3/"
            "inception_v3_weights_tf_dim_ordering_tf_kernels_notop.h5"
        ),
        scale=2,
        offset=-1,
        layers=("mixed3", "mixed5"),
        smallest=75,
        motifs={
            "mixed0": 40,
            "mixed1": 32,
            "mixed2": 40,
            "mixed3": 48,
            "mixed4": 100,
            "mixed5": 140,
            "mixed6": 184,
            "mixed7": 200,
            "mixed8": 216,
        },
    ),
}


def spec(name: str) -> NetSpec:
    """The spec of a network. Raises DreamerError with the nearest names."""
    if name not in SPECS:
        raise unknown("network", name, SPECS, "`dream models list` shows them all.")
    return SPECS[name]
