"""Networks of `keras.applications`: functions from a weights file's path to a Keras model.

All models accept pictures of any height and width. If the file holds a classifier, the model ends
in a mean over all places and `predictions`: logits `(n, classes)`, before the softmax. VGG's
classifier is left out, because it needs pictures of one size.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any


def _build_model(name: str, weights: Path | None, *, head: bool) -> Any:
    import keras

    # `keras.applications` leaves some layers unnamed: restart their numbering, so that their names
    # do not depend on what was built before.
    keras.backend.clear_session()
    model = getattr(keras.applications, name)(include_top=False, weights=None)
    if weights is None:
        return _part_relus(model)
    classes = _count_classes(weights) if head else 0
    if classes:
        pooled = keras.layers.GlobalAveragePooling2D(name="avg_pool")(model.output)
        logits = keras.layers.Dense(classes, name="predictions")(pooled)
        model = keras.Model(model.input, logits, name=model.name)
    model.load_weights(weights)
    return _part_relus(model)


def _part_relus(model: Any) -> Any:
    """Return the model with the ReLUs of its convolutions as layers, where any has one inside."""
    from dreamer.networks import flattening

    if any(flattening.is_rectified(layer) for layer in model.layers):
        return flattening.flatten(model, model.inputs[0]).model
    return model


def _count_classes(weights: Path) -> int:
    """Count the classes of the classifier in an HDF5 weights file; 0 if it holds none."""
    import h5py

    count = 0

    def visit(name: str, item: Any) -> None:
        nonlocal count
        # Only the kernel of a fully connected layer has two axes.
        if isinstance(item, h5py.Dataset) and item.ndim == 2:
            count = item.shape[1]

    with h5py.File(weights) as file:
        file.visititems(visit)
    return count


vgg16 = partial(_build_model, "VGG16", head=False)
vgg19 = partial(_build_model, "VGG19", head=False)
inception_v3 = partial(_build_model, "InceptionV3", head=True)
resnet50v2 = partial(_build_model, "ResNet50V2", head=True)
xception = partial(_build_model, "Xception", head=True)
densenet121 = partial(_build_model, "DenseNet121", head=True)
mobilenet_v2 = partial(_build_model, "MobileNetV2", head=True)
