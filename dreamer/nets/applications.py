"""Networks of `keras.applications`."""

from pathlib import Path
from typing import Any


def inception_v3(weights: Path | None) -> Any:
    """Inception v3 without its classifier, of free height and width; input RGB, −1 to 1."""
    import keras

    # Layers that `keras.applications` leaves unnamed are numbered anew after this.
    keras.backend.clear_session()
    model = keras.applications.InceptionV3(include_top=False, weights=None)
    if weights:
        model.load_weights(weights)
    return model
