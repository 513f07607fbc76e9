"""Presets: recipes by name, from a TOML file, or out of a finished picture."""

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import platformdirs

from dreamer.errors import DreamerError, unknown
from dreamer.files import atomic, metadata
from dreamer.recipe import Recipe, from_fields, parse_toml, provenance, to_fields
from dreamer.recipe.film_fields import Film
from dreamer.recipe.migrations import BEFORE_LIFE
from dreamer.recipe.provenance import Provenance
from dreamer.recipe.toml_text import write_toml
from dreamer.recipe.visualization_fields import Visualization

_PACKAGE = Path(__file__).parents[1]
# An editable install has no copy inside the package, but a checkout around it.
_SHIPPED = (_PACKAGE / "data" / "presets", _PACKAGE.parent / "presets")

COMPANIONS = ("mask", "guide")
"""What a preset's `[files]` may name; a recipe itself holds their hashes."""

_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_-]{0,63}")


class Preset(NamedTuple):
    """A preset that was read.

    Attributes:
        provenance: its recipe; of a finished picture with the facts of its making.
        files: the mask and the guide that it brings along.
    """

    provenance: Provenance
    files: Mapping[str, Path]


def own_folder() -> Path:
    """Return where the user's own presets lie, by the platform's convention."""
    return platformdirs.user_config_path("dreamer", appauthor=False) / "presets"


def shipped_folder() -> Path:
    """Return where the presets of the package lie."""
    return next((folder for folder in _SHIPPED if folder.is_dir()), _SHIPPED[-1])


def find_all() -> dict[str, Path]:
    """Find every preset's file by its name, sorted; one's own hides a shipped one of that name."""
    folders = shipped_folder(), own_folder()
    found = {path.stem: path for folder in folders for path in folder.glob("*.toml")}
    return dict(sorted(found.items()))


def find_path(name: str) -> Path:
    """Find the file of a preset's name; a `.toml` or a finished picture is its own.

    Raises DreamerError with the nearest names.
    """
    path = Path(name)
    if path.suffix.lower() in (".toml", *metadata.SUFFIXES):
        return path
    known = find_all()
    if name not in known:
        raise unknown("preset", name, known, "`dream presets list` shows them all.")
    return known[name]


def read(name: str) -> Preset:
    """Read a preset: a name, a `.toml` file, or a picture or film that carries its recipe.

    Raises DreamerError where there is none, or where it cannot be understood.
    """
    path = find_path(name)
    if path.suffix.lower() in metadata.SUFFIXES:
        return Preset(read_finished(path), {})
    source = f"preset {path}"
    fields = parse_toml(_read_text(path), source)
    files = _find_companions(path, fields.pop("files", {}))
    hashes = {kind: hashlib.sha256(file.read_bytes()).hexdigest() for kind, file in files.items()}
    return Preset(Provenance(from_fields({**hashes, **fields}, source), {}), files)


def exists(name: str) -> bool:
    """Tell whether a preset, or a file that may be one, has this name."""
    return name in find_all() or bool(Path(name).suffix)


def load(name: str) -> Provenance:
    """Read the recipe of a preset; see `read`."""
    return read(name).provenance


def read_finished(path: Path) -> Provenance:
    """Read the recipe and the facts that a finished picture or film carries."""
    found = provenance.parse(metadata.read(path), str(path))
    return found._replace(state=metadata.read_state(path)) if "draft" in found.facts else found


def classify(recipe: Recipe) -> str:
    """Tell what a preset is for: a `film`, the pictures of `filters`, or a `picture`."""
    usual = Film(), Film(**BEFORE_LIFE)
    parts = {"film": recipe.film not in usual, "filters": recipe.visualization != Visualization()}
    return next((name for name, other in parts.items() if other), "picture")


def _read_text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is not a text file"
        raise DreamerError(f"Cannot read the preset {path}: {why}.") from None


def _find_companions(path: Path, named: object) -> dict[str, Path]:
    """Find the files that a preset names in its own folder, and no others: it may be a stranger's.

    Raises DreamerError where it names anything else.
    """
    if not isinstance(named, dict) or not named.keys() <= set(COMPANIONS):
        raise DreamerError(f"In preset {path}, files can name a {' and a '.join(COMPANIONS)} only.")
    folder = path.parent.resolve()
    found = {}
    for kind, name in named.items():
        try:
            file = (folder / str(name)).resolve()
            inside = file.is_relative_to(folder) and file.is_file()
        except (OSError, ValueError):
            inside = False
        if not inside:
            raise DreamerError(
                f"The {kind} {name!r} of preset {path} is no file in the preset's own folder: put "
                "it there, or give the option."
            )
        found[kind] = file
    return found


def choose_path(name: str) -> Path:
    """Return where a preset of the user's own lies. Raises DreamerError for an unfit name."""
    if not _NAME.fullmatch(name):
        raise DreamerError(
            f"{name!r} cannot be a preset's name: write letters, digits and hyphens, as soft-fur."
        )
    return own_folder() / f"{name}.toml"


def create(path: Path, source: str, about: Mapping[str, Any]) -> Recipe:
    """Write a preset that is like another one, with copies of the mask and guide that it brings.

    Args:
        path: a `.toml` file; its folder is there.
        source: a preset's name, a `.toml` file or a finished picture.
        about: what `Recipe.about` shall say that the source does not.

    Returns its recipe.

    Raises DreamerError where any of the files exists.
    """
    preset = read(source)
    recipe = preset.provenance.recipe
    recipe = recipe.changed({"about": {**recipe.about.derive().model_dump(), **about}})
    named = {kind: f"{path.stem}-{kind}{file.suffix}" for kind, file in preset.files.items()}
    # The files have the hashes, which a recipe without them would need.
    fields = to_fields(recipe.changed(dict.fromkeys(preset.files)))
    text = write_toml({**fields, "files": named} if named else fields)
    with atomic.open_replacing(path, overwrite=False) as file:
        file.write(text.encode())
    for kind, own in preset.files.items():
        with atomic.open_replacing(path.with_name(named[kind]), overwrite=False) as file:
            file.write(own.read_bytes())
    return recipe
