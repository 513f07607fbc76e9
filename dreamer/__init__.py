"""DeepDream on photos and films."""

from dreamer.api import dream, film
from dreamer.errors import DreamerError

__all__ = ["DreamerError", "dream", "film"]
