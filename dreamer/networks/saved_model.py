"""TensorFlow's SavedModels, which are programs: what they give is dreamt of, nothing inside."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dreamer.errors import DreamerError
from dreamer.networks.flattening import Step


def read_saved_model(folder: Path) -> Any:
    """Return a Keras model whose layers are the outputs of a SavedModel, which a person trusts.

    Raises DreamerError if it cannot be opened, or reads other than one picture.
    """
    import keras
    import tensorflow as tf

    try:
        loaded = tf.saved_model.load(str(folder))
    # TensorFlow raises exceptions of all kinds.
    except Exception as error:
        why = (str(error).splitlines() or ["it cannot be read"])[0]
        raise DreamerError(f"{folder} cannot be opened by TensorFlow: {why}") from error
    signature = _find_signature(folder, loaded)
    ((name, spec),) = signature.structured_input_signature[1].items()
    image = keras.Input(spec.shape[1:], name="image")
    outputs = [
        Step(_Output(loaded, signature, name, each), [image], {}, "SavedModel", name=each)(image)
        for each in signature.structured_outputs
    ]
    return keras.Model(image, outputs)


def _find_signature(folder: Path, loaded: Any) -> Any:
    """Return the function of a SavedModel that reads one picture."""
    for signature in loaded.signatures.values():
        specs = list(signature.structured_input_signature[1].values())
        if len(specs) == 1 and specs[0].shape.rank == 4 and specs[0].shape[-1] in (1, 3):
            return signature
    raise DreamerError(
        f"{folder} has no function that reads pictures of one or three colors, and these alone."
    )


@dataclass(frozen=True)
class _Output:
    """A function from pictures to one of the outputs of a SavedModel."""

    loaded: Any
    """Holds the variables, which the function does not."""

    signature: Any
    picture: str
    output: str

    def __call__(self, image: Any) -> Any:
        return self.signature(**{self.picture: image})[self.output]
