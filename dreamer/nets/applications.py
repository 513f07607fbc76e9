"""Networks of `keras.applications`: functions from a weights file's path to a Keras model.

Each is of free height and width. Where the file holds a classifier, it follows behind a mean over
all places, as `predictions`: logits `(n, classes)`, before the softmax. VGG's would need pictures
of one size, and stays away.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any


def _built(name: str, weights: Path | None, *, head: bool) -> Any:
    import keras

    # Layers that `keras.applications` leaves unnamed are numbered anew after this.
    keras.backend.clear_session()
    model = getattr(keras.applications, name)(include_top=False, weights=None)
    if weights is None:
        return model
    classes = _classes(weights) if head else 0
    if classes:
        pooled = keras.layers.GlobalAveragePooling2D(name="avg_pool")(model.output)
        logits = keras.layers.Dense(classes, name="predictions")(pooled)
        model = keras.Model(model.input, logits, name=model.name)
    model.load_weights(weights)
    return model


def _classes(weights: Path) -> int:
    """How many classes the classifier in an HDF5 file of weights knows; 0 where it holds none."""
    import h5py

    found = 0

    def look(name: str, item: Any) -> None:
        nonlocal found
        # Nothing but a fully connected layer's kernel has two axes.
        if isinstance(item, h5py.Dataset) and item.ndim == 2:
            found = item.shape[1]

    with h5py.File(weights) as file:
        file.visititems(look)
    return found


vgg16 = partial(_built, "VGG16", head=False)
vgg19 = partial(_built, "VGG19", head=False)
inception_v3 = partial(_built, "InceptionV3", head=True)
resnet50v2 = partial(_built, "ResNet50V2", head=True)
xception = partial(_built, "Xception", head=True)
densenet121 = partial(_built, "DenseNet121", head=True)
mobilenet_v2 = partial(_built, "MobileNetV2", head=True)
