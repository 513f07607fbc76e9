"""The one picture type that passes between rooms."""

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.float32]
"""float32 `(h, w, 3)`, RGB, 0 to 1. While a dream grows, values may leave 0 to 1."""

Size = tuple[int, int]
"""Height and width in pixels."""
