"""The networks that `dreamer` knows, as plain data, without importing anything heavy."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from dreamer.errors import unknown

SAVED_MODEL = "saved_model.pb"
"""The name of the file by which a folder is known as a SavedModel."""

MODEL_SUFFIXES = (".keras", ".h5", ".hdf5", ".onnx", SAVED_MODEL)
"""What the names of files end in that hold a whole model of the user's own."""


def is_model_file(name: str) -> bool:
    """Tell whether a network's name is that of a file with a whole model."""
    return name.lower().endswith(MODEL_SUFFIXES)


def find_model_file(named: str) -> Path | None:
    """Return the file of a whole model that is named, itself or by its folder; None if it is none.

    Nothing needs to be there.
    """
    if (Path(named) / SAVED_MODEL).is_file():
        return Path(named) / SAVED_MODEL
    return Path(named) if is_model_file(named) else None


PerChannel = tuple[float, float, float]
"""A number for each color, in the network's own order."""


@dataclass(frozen=True)
class NetSpec:
    """A network, and its input: `image * scale + offset` for an `image` of RGB, 0 to 1.

    Attributes:
        summary: one line that helps a person choose.
        build: `module:function` that makes the Keras model from a weights file's path.
        files: names of weights files to look for; patterns are allowed.
        url: where the weights are published; None if they come with the package.
        digest: the published file's hash, as `sha256:…` or `md5:…`; None if no hash is published.
        scale, offset: the input's range; both may differ by channel.
        order: the order of the input's channels, in which scale and offset are given.
        layers: the layers to dream on if a recipe names none.
        smallest: the shortest side, in pixels, of a picture that reaches the deepest layer.
        motifs: motif sizes by layer: the diameter, in pixels, that holds 90 % of the energy of one
            unit's gradient (`python -m dreamer.networks.motif_size NAME` measures them). Other
            layers are measured when they are used.
        fixed: layers that need pictures of one size, and so cannot be dreamt on.
        reads: the height and width to which pictures are resized; None if any size will do.
        picture: the input that takes the picture, where several could; the first unless given.
        classes: the order of the network's classes, one of `dreamer.recipe.class_labels.ORDERS`.
    """

    summary: str
    build: str
    files: tuple[str, ...]
    url: str | None
    scale: float | PerChannel
    offset: float | PerChannel
    layers: tuple[str, ...]
    smallest: int
    motifs: Mapping[str, int]
    order: str = "RGB"
    digest: str | None = None
    fixed: tuple[str, ...] = ()
    reads: tuple[int, int] | None = None
    picture: str | None = None
    classes: str = "ilsvrc"


# Measured on googlenet; dreamnet shares them, so that a recipe means the same sizes on both.
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

_KERAS = "https://storage.googleapis.com/tensorflow/keras-applications"
# ImageNet's mean colors (BGR, 0 to 255), and its mean and standard deviation (RGB, 0 to 1).
_CAFFE_OFFSET = (-103.939, -116.779, -123.68)
TORCH_SCALE = (1 / 0.229, 1 / 0.224, 1 / 0.225)
TORCH_OFFSET = (-0.485 / 0.229, -0.456 / 0.224, -0.406 / 0.225)
_FULLY_CONNECTED = ("flatten", "fc1", "fc2", "predictions")

SPECS: Mapping[str, NetSpec] = {
    "dreamnet": NetSpec(
        summary="comes with the package: googlenet's channels in a smaller network of our own",
        build="dreamer.networks.dreamnet:build",
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
        build="dreamer.networks.googlenet:build",
        files=("tensorflow_inception_graph.pb", "inception5h.*"),
        url="https://storage.googleapis.com/download.tensorflow.org/models/inception5h.zip",
        scale=255,
        offset=-117,
        layers=("mixed4c",),
        smallest=32,
        motifs={"conv2d0": 8, "conv2d2": 16, **_SHARED_MOTIFS, "mixed5a": 188, "mixed5b": 204},
        digest="sha256:d13569f6a98159de37e92e9c8ec4dae8f674fbf475f69fe6199b514f756d4364",
        classes="inception5h",
    ),
    "inception_v3": NetSpec(
        summary="Inception v3 (2015): finer and more regular than googlenet",
        build="dreamer.networks.applications:inception_v3",
        files=("inception_v3*.h5",),
        url=f"{_KERAS}/inception_v3/inception_v3_weights_tf_dim_ordering_tf_kernels.h5",
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
        digest="md5:9a0d58056eeedaa3f26cb7ebd46da564",
    ),
    "vgg16": NetSpec(
        summary="VGG-16 (2014), without its classifier",
        build="dreamer.networks.applications:vgg16",
        files=("vgg16*notop*.h5",),
        url=f"{_KERAS}/vgg16/vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5",
        scale=255,
        offset=_CAFFE_OFFSET,
        order="BGR",
        layers=("block4_conv3",),
        smallest=32,
        motifs={},
        digest="md5:6d6bbae143d832006294945121d1f1fc",
        fixed=_FULLY_CONNECTED,
    ),
    "vgg19": NetSpec(
        summary="VGG-19 (2014), without its classifier",
        build="dreamer.networks.applications:vgg19",
        files=("vgg19*notop*.h5",),
        url=f"{_KERAS}/vgg19/vgg19_weights_tf_dim_ordering_tf_kernels_notop.h5",
        scale=255,
        offset=_CAFFE_OFFSET,
        order="BGR",
        layers=("block4_conv4",),
        smallest=32,
        motifs={},
        digest="md5:253f8cb515780f3b799900260a226db6",
        fixed=_FULLY_CONNECTED,
    ),
    "resnet50v2": NetSpec(
        summary="ResNet-50 v2 (2016)",
        build="dreamer.networks.applications:resnet50v2",
        files=("resnet50v2*.h5",),
        url=f"{_KERAS}/resnet/resnet50v2_weights_tf_dim_ordering_tf_kernels.h5",
        scale=2,
        offset=-1,
        layers=("conv4_block3_preact_relu",),
        smallest=32,
        motifs={},
        digest="md5:3ef43a0b657b3be2300d5770ece849e0",
    ),
    "xception": NetSpec(
        summary="Xception (2016)",
        build="dreamer.networks.applications:xception",
        files=("xception*.h5",),
        url=f"{_KERAS}/xception/xception_weights_tf_dim_ordering_tf_kernels.h5",
        scale=2,
        offset=-1,
        layers=("block7_sepconv2_act",),
        smallest=32,
        motifs={},
        digest="md5:0a58e3b7378bc2990ea3b43d5981f1f6",
    ),
    "densenet121": NetSpec(
        summary="DenseNet-121 (2016)",
        build="dreamer.networks.applications:densenet121",
        files=("densenet121*.h5",),
        url=f"{_KERAS}/densenet/densenet121_weights_tf_dim_ordering_tf_kernels.h5",
        scale=TORCH_SCALE,
        offset=TORCH_OFFSET,
        layers=("conv4_block12_0_relu",),
        smallest=32,
        motifs={},
        digest="md5:9d60b8095a5708f2dcce2bca79d332c7",
    ),
    "mobilenet_v2": NetSpec(
        summary="MobileNet v2 (2018): the smallest download",
        build="dreamer.networks.applications:mobilenet_v2",
        files=("mobilenet_v2*.h5",),
        url=f"{_KERAS}/mobilenet_v2/mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224.h5",
        scale=2,
        offset=-1,
        layers=("block_10_expand_relu",),
        smallest=32,
        motifs={},
    ),
}


def get_spec(name: str) -> NetSpec:
    """Return the spec of a network. Raises DreamerError with the nearest names if it is unknown."""
    if name not in SPECS:
        raise unknown("network", name, SPECS, "`dream models list` shows what --model can be.")
    return SPECS[name]
