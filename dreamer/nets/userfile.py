"""A model of the user's own: a `.keras` file, from whomever, opened without running its code."""

import io
import json
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dreamer.errors import DreamerError

LAYERS = frozenset(
    {
        "Activation",
        "Add",
        "Average",
        "AveragePooling2D",
        "BatchNormalization",
        "Concatenate",
        "Conv2D",
        "Cropping2D",
        "Dense",
        "DepthwiseConv2D",
        "Dropout",
        "ELU",
        "Flatten",
        "GlobalAveragePooling2D",
        "GlobalMaxPooling2D",
        "Identity",
        "InputLayer",
        "LayerNormalization",
        "LeakyReLU",
        "MaxPooling2D",
        "Maximum",
        "Minimum",
        "Multiply",
        "Normalization",
        "PReLU",
        "Permute",
        "ReLU",
        "Rescaling",
        "Reshape",
        "SeparableConv2D",
        "Softmax",
        "SpatialDropout2D",
        "Subtract",
        "UpSampling2D",
        "ZeroPadding2D",
    }
)
"""Keras layers that compute and do nothing else."""

_MODELS = frozenset({"Functional", "Sequential", "Model"})
_PARTS = ("keras.initializers", "keras.regularizers", "keras.constraints", "keras.activations")
_LARGEST = {"config.json": 32 * 1024**2, "metadata.json": 1024**2, "model.weights.h5": 4 * 1024**3}
"""The members of a `.keras` file, and how many bytes each may have."""


def read(path: Path) -> Any:
    """A Keras model from a `.keras` file.

    Its configuration may name only layers of an allow-list, and its weights may lie nowhere but
    inside the file: Keras's own safe mode has been got around before.

    Raises DreamerError that names the file and the first thing in it that is not allowed.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            for member in archive.infolist():
                if member.file_size > _LARGEST.get(member.filename, -1):
                    raise DreamerError(
                        f"{path} holds {member.filename!r}, which is too large or does not "
                        "belong into a .keras file."
                    )
            config = json.loads(archive.read("config.json"))
            if not isinstance(config, dict):
                raise ValueError("no description of a model")
            _check_weights(path, archive.read("model.weights.h5"))
    except (OSError, ValueError, KeyError, RuntimeError, zipfile.BadZipFile, zlib.error):
        raise DreamerError(
            f"{path} is no .keras file: save the model by `model.save('NAME.keras')`."
        ) from None
    # How the model was trained is never read.
    config.pop("compile_config", None)
    for name in _named(config):
        if name not in LAYERS | _MODELS:
            raise DreamerError(
                f"{path} holds {name!r}, which is not among the layers that are allowed: only "
                "plain Keras layers are, because a model may come from a stranger."
            )
    import keras

    try:
        return keras.saving.load_model(path, compile=False, safe_mode=True)
    # Keras and TensorFlow raise all kinds for a description that cannot be built.
    except Exception as error:
        why = (str(error).splitlines() or ["it cannot be read"])[0]
        raise DreamerError(f"{path} cannot be opened by Keras: {why}") from error


def _named(config: Any) -> Iterator[str]:
    """Every class that a configuration names, but for Keras's own passive parts."""
    if isinstance(config, dict):
        name, module = config.get("class_name"), config.get("module")
        if name is not None and not _is_passive(str(name), module):
            yield str(name) if _is_kerass(module) and not _is_custom(config) else f"{module}.{name}"
        for value in config.values():
            yield from _named(value)
    elif isinstance(config, list):
        for value in config:
            yield from _named(value)


def _is_passive(name: str, module: object) -> bool:
    if module is None:
        return name in ("__keras_tensor__", "__tuple__", "__numpy__")
    return module in _PARTS or (module == "keras" and name == "DTypePolicy")


def _is_kerass(module: object) -> bool:
    return module in ("keras", "keras.layers", "keras.models") or (
        isinstance(module, str) and module.startswith("keras.src.models.")
    )


def _is_custom(config: dict[str, Any]) -> bool:
    registered = config.get("registered_name")
    return registered not in (None, config["class_name"])


def _check_weights(path: Path, data: bytes) -> None:
    """Refuse HDF5 that points to other files."""
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
