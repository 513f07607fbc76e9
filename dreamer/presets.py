"""Presets: recipes by name, from a TOML file, or out of a finished picture."""

from pathlib import Path

import platformdirs

from dreamer import recipe
from dreamer.errors import DreamerError, unknown
from dreamer.files import metadata
from dreamer.files.metadata import Made

_PACKAGE = Path(__file__).parent
# An editable install has no copy inside the package, but a checkout around it.
_SHIPPED = (_PACKAGE / "data" / "presets", _PACKAGE.parent / "presets")


def folders() -> list[Path]:
    """The folders that are searched for a preset's name, in order; the user's own is first."""
    own = platformdirs.user_config_path("dreamer", appauthor=False) / "presets"
    shipped = next((folder for folder in _SHIPPED if folder.is_dir()), _SHIPPED[-1])
    return [own, shipped]


def paths() -> dict[str, Path]:
    """Every preset's file by its name, sorted; one's own hides a shipped one of that name."""
    found = {p.stem: p for folder in reversed(folders()) for p in folder.glob("*.toml")}
    return dict(sorted(found.items()))


def load(name: str) -> Made:
    """The recipe of a preset: a name, a `.toml` file, or a picture that carries its recipe.

    A picture's recipe comes with the facts of its making, the others with none.

    Raises DreamerError where there is none, or where it cannot be understood.
    """
    path = Path(name)
    if path.suffix.lower() == ".toml":
        return _read(path)
    if path.suffix.lower() in metadata.SUFFIXES:
        return metadata.read(path)
    known = paths()
    if name not in known:
        raise unknown("preset", name, known, "`dream presets list` shows them all.")
    return _read(known[name])


def _read(path: Path) -> Made:
    try:
        return Made(recipe.from_toml(path.read_text("utf-8"), f"preset {path}"), {})
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is not a text file"
        raise DreamerError(f"Cannot read the preset {path}: {why}.") from None
