"""Reader for `.keras` files from any source, which never runs code that a file contains."""

import io
import json
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dreamer.errors import DreamerError
from dreamer.networks.registry import SAVED_MODEL

_RANDOM = (
    *("RandomBrightness", "RandomColorDegeneration", "RandomColorJitter", "RandomContrast"),
    *("RandomCrop", "RandomErasing", "RandomFlip", "RandomGaussianBlur", "RandomGrayscale"),
    *("RandomHue", "RandomInvert", "RandomPosterization", "RandomRotation", "RandomSaturation"),
    *("RandomSharpness", "RandomShear", "RandomTranslation", "RandomZoom", "RandomPerspective"),
    *("RandomElasticTransform", "GaussianDropout", "GaussianNoise", "ActivityRegularization"),
)
ALLOWED_LAYERS = frozenset(
    {
        *("Activation", "ELU", "LeakyReLU", "PReLU", "ReLU", "Softmax"),
        *("Add", "Average", "Concatenate", "Dot", "Maximum", "Minimum", "Multiply", "Subtract"),
        *("AdditiveAttention", "Attention", "GroupedQueryAttention", "MultiHeadAttention"),
        *("AveragePooling2D", "MaxPooling2D", "GlobalAveragePooling1D", "GlobalMaxPooling1D"),
        *("GlobalAveragePooling2D", "GlobalMaxPooling2D"),
        *("AdaptiveAveragePooling2D", "AdaptiveMaxPooling2D"),
        *("BatchNormalization", "GroupNormalization", "LayerNormalization", "Normalization"),
        *("RMSNormalization", "UnitNormalization", "SpectralNormalization"),
        *("CenterCrop", "Cropping2D", "Flatten", "Identity", "InputLayer", "Permute"),
        *("RepeatVector", "Rescaling", "Reshape", "Resizing", "UpSampling2D", "ZeroPadding2D"),
        *("Conv1D", "Conv2D", "Conv2DTranspose", "DepthwiseConv2D", "SeparableConv2D"),
        *("Dense", "EinsumDense", "Embedding"),
        *("AlphaDropout", "Dropout", "SpatialDropout2D", *_RANDOM),
    }
)
"""Keras layers that a file may name: they only compute."""

_OF_APPLICATIONS = {
    "keras.src.applications.convnext": ("LayerScale", "StochasticDepth"),
    "keras.src.applications.inception_resnet_v2": ("CustomScaleLayer",),
}
"""Layers of Keras's own networks, by the modules that they are found in."""

_OPERATIONS = tuple(f"keras.src.ops.{each}" for each in ("numpy", "nn", "math", "image"))
"""Modules of operations that only compute; those of `core` call what they are given."""

_MODELS = frozenset({"Functional", "Sequential", "Model"})
_PASSIVE_MODULES = (
    "keras.initializers",
    "keras.regularizers",
    "keras.constraints",
    "keras.activations",
)
_MAX_BYTES = {
    "config.json": 32 * 1024**2,
    "metadata.json": 1024**2,
    "model.weights.h5": 4 * 1024**3,
}
"""Largest size, in bytes, of each member of a `.keras` file; no other member is allowed."""


_trusted: set[Path] = set()


def trust(path: Path) -> None:
    """Let a file's model run code of its own in this process: a person has vouched for it."""
    _trusted.add(path.resolve())


def read_model(path: Path) -> Any:
    """Read a Keras model from a `.keras` or an HDF5 file, or from that of a SavedModel.

    Unless the file is trusted, its configuration may name only the layers in `ALLOWED_LAYERS`, and
    its weights must be inside the file: Keras's own safe mode has been bypassed before. Of HDF5,
    Keras checks nothing, and a SavedModel is a program, so these are read only if they are trusted.

    Raises DreamerError if the file cannot be read or contains anything that is not allowed; the
    error names the file and the first such thing.
    """
    trusted = path.resolve() in _trusted
    if path.name == SAVED_MODEL:
        return _read_saved_model(path.parent, trusted=trusted)
    if path.suffix.lower() != ".keras" and not trusted:
        raise DreamerError(
            f"{path} holds a whole model in HDF5, which may run code of its own. Where it comes "
            f"from, convert it by model = keras.saving.load_model({path.name!r}) and "
            f"model.save({path.with_suffix('.keras').name!r}); or give --trust, if you trust who "
            "made it."
        )
    if not trusted:
        _check(path)
    import keras

    try:
        return keras.saving.load_model(path, compile=False, safe_mode=not trusted)
    # Keras and TensorFlow raise exceptions of all kinds if a model cannot be built.
    except Exception as error:
        why = (str(error).splitlines() or ["it cannot be read"])[0]
        raise DreamerError(f"{path} cannot be opened by Keras: {why}") from error


def _read_saved_model(folder: Path, *, trusted: bool) -> Any:
    if not trusted:
        raise DreamerError(
            f"{folder} is a SavedModel, a program whose layers cannot be seen from outside. Where "
            f"the model comes from, save it by model.save('{folder.name}.keras'); or give --trust, "
            "if you trust who made it, and dream of its outputs alone."
        )
    from dreamer.networks.saved_model import read_saved_model

    return read_saved_model(folder)


def _check(path: Path) -> None:
    """Raise DreamerError unless a `.keras` file holds plain layers and their weights alone."""
    try:
        with zipfile.ZipFile(path) as archive:
            for member in archive.infolist():
                if member.file_size > _MAX_BYTES.get(member.filename, -1):
                    raise DreamerError(
                        f"{path} holds {member.filename!r}, which is too large or does not "
                        "belong in a .keras file."
                    )
            config = json.loads(archive.read("config.json"))
            if not isinstance(config, dict):
                raise ValueError("no description of a model")
            _check_weights(path, archive.read("model.weights.h5"))
    except (OSError, ValueError, KeyError, RuntimeError, zipfile.BadZipFile, zlib.error):
        raise DreamerError(
            f"{path} is not a .keras file: save the model by `model.save('NAME.keras')`."
        ) from None
    # Training settings may name any class, and are not needed here.
    config.pop("compile_config", None)
    for name in _find_classes(config):
        if name not in ALLOWED_LAYERS | _MODELS:
            raise DreamerError(
                f"{path} holds {name!r}, which is not among the layers that are allowed: only "
                "plain Keras layers are, because a model may come from a stranger. Give --trust if "
                "you trust who made it."
            )


def _find_classes(config: Any) -> Iterator[str]:
    """Yield every class that a configuration names, except Keras's own passive parts."""
    if isinstance(config, dict):
        name, module = config.get("class_name"), config.get("module")
        if name is not None and not _is_passive(str(name), module):
            if _is_custom(config) or not _is_plain(module, str(name)):
                yield f"{module}.{name}"
            elif _is_keras_module(module):
                yield str(name)
        for value in config.values():
            yield from _find_classes(value)
    elif isinstance(config, list):
        for value in config:
            yield from _find_classes(value)


def _is_passive(name: str, module: object) -> bool:
    if module is None:
        return name in ("__keras_tensor__", "__tuple__", "__numpy__")
    return module in _PASSIVE_MODULES or (module == "keras" and name == "DTypePolicy")


def _is_plain(module: object, name: str) -> bool:
    known = name in _OF_APPLICATIONS.get(str(module), ())
    return known or module in _OPERATIONS or _is_keras_module(module)


def _is_keras_module(module: object) -> bool:
    return module in ("keras", "keras.layers", "keras.models") or (
        isinstance(module, str) and module.startswith("keras.src.models.")
    )


def _is_custom(config: dict[str, Any]) -> bool:
    registered = config.get("registered_name")
    return registered not in (None, config["class_name"])


def _check_weights(path: Path, data: bytes) -> None:
    """Raise DreamerError if HDF5 weights refer to other files."""
    import h5py

    def visit(group: Any) -> None:
        for name in group:
            link = group.get(name, getlink=True)
            if not isinstance(link, h5py.HardLink):
                raise DreamerError(f"The weights in {path} point outside of it: it is refused.")
            child = group[name]
            if isinstance(child, h5py.Group):
                visit(child)
            elif not isinstance(child, h5py.Dataset) or child.external or child.is_virtual:
                raise DreamerError(f"The weights in {path} point outside of it: it is refused.")

    with h5py.File(io.BytesIO(data)) as file:
        visit(file)
