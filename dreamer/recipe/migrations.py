"""Migration of recipes from older versions of the file format to the current one."""

from collections.abc import Callable, Mapping
from typing import Any

from dreamer.errors import DreamerError

Fields = Mapping[str, Any]
"""The plain values of a recipe's TOML or JSON."""

FORMAT = 3
"""The current version of the format. A new field does not need a new version. A field whose name,
meaning or default changes does, because recipes omit defaults."""

UNNAMED = 1
"""The version of recipes that do not state one."""


def _keep(fields: Fields) -> Fields:
    """Return the fields unchanged: the flat layout and old names of format 1 are still read."""
    return fields


NEON: Mapping[str, Any] = {"strength": "free", "harmony": 0, "detail": 1, "chroma_detail": 1}
"""The fields by which a picture looks as those of formats 1 and 2 do."""


OF_FRAMES: Mapping[str, Any] = {**NEON, "enlarged": 0}
"""The fields of what is dreamt on each frame of a film, which is fed back."""


BEFORE_HARMONY: Mapping[str, Any] = {**OF_FRAMES, "palette_style": "statistics", "margin": 0}
"""The fields of formats 1 and 2 whose defaults are others since."""


BEFORE_LIFE: Mapping[str, Any] = {
    **{"colors": "first", "motion": "zoom", "grain": 1, "chroma_grain": 1},
    **{"mask_motion": "fixed", "allow_flashes": True, "habituation": 1, "memory": 2},
    **{"dissolve": 0, "wander": 0},
}
"""The fields of films of formats 1 and 2 whose defaults are others since."""


def _stay_neon(fields: Fields) -> Fields:
    """Return the fields with what is the default no more; only `strength` was a field before."""
    finish = fields.get("finish", {})
    given = "strength" in fields or (isinstance(finish, Mapping) and "strength" in finish)
    before = dict(BEFORE_HARMONY)
    if given:
        before.pop("strength")
    film = fields.get("film", {})
    if isinstance(film, Mapping):
        fields = {**fields, "film": {**BEFORE_LIFE, **film}}
    return {**before, **fields}


MIGRATIONS: Mapping[int, Callable[[Fields], Fields]] = {1: _keep, 2: _stay_neon}
"""Functions by version, from its fields to equivalent fields of the next version."""


def migrate(fields: Fields, source: str) -> Fields:
    """Convert the fields of a recipe to the current format.

    Args:
        fields: the fields, in any known format.
        source: where they come from, for errors.

    Raises DreamerError if the version is invalid, or newer than this dreamer knows.
    """
    version = fields.get("format", UNNAMED)
    if not isinstance(version, int) or version < UNNAMED:
        raise DreamerError(f"In {source}, format cannot be {version!r}: write format = {FORMAT}.")
    if version > FORMAT:
        raise DreamerError(
            f"{source[0].upper()}{source[1:]} has format {version}, and this dreamer knows formats "
            f"up to {FORMAT}: update it (pip install --upgrade dreamer)."
        )
    for old in range(version, FORMAT):
        fields = MIGRATIONS[old](fields)
    return {**fields, "format": FORMAT}
