"""Presets: recipes by name, from a TOML file, or out of a finished picture."""

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import platformdirs
import tomlkit

from dreamer import recipe
from dreamer.errors import DreamerError, unknown
from dreamer.feature import Feature
from dreamer.files import atomic, metadata
from dreamer.files.metadata import Made
from dreamer.filmfields import Film
from dreamer.recipe import Recipe

_PACKAGE = Path(__file__).parent
# An editable install has no copy inside the package, but a checkout around it.
_SHIPPED = (_PACKAGE / "data" / "presets", _PACKAGE.parent / "presets")


def folders() -> list[Path]:
    """The folders that are searched for a preset's name, in order; the user's own is first."""
    return [own_folder(), shipped_folder()]


def own_folder() -> Path:
    """Where the user's own presets lie, by the platform's convention; it need not be there."""
    return platformdirs.user_config_path("dreamer", appauthor=False) / "presets"


def shipped_folder() -> Path:
    """Where the presets of the package lie."""
    return next((folder for folder in _SHIPPED if folder.is_dir()), _SHIPPED[-1])


def paths() -> dict[str, Path]:
    """Every preset's file by its name, sorted; one's own hides a shipped one of that name."""
    found = {p.stem: p for folder in reversed(folders()) for p in folder.glob("*.toml")}
    return dict(sorted(found.items()))


def kind(recipe: Recipe) -> str:
    """What a preset is for: a `film`, the pictures of `filters`, or a `picture`."""
    parts = {"film": recipe.film != Film(), "filters": recipe.feature != Feature()}
    return next((name for name, other in parts.items() if other), "picture")


def load(name: str) -> Made:
    """The recipe of a preset: a name, a `.toml` file, or a picture that carries its recipe.

    A picture's recipe comes with the facts of its making, the others with none.

    Raises DreamerError where there is none, or where it cannot be understood.
    """
    path = path_of(name)
    if path.suffix.lower() in metadata.SUFFIXES:
        return metadata.read(path)
    source = f"preset {path}"
    fields = recipe.parse_toml(_text(path), source)
    brought = _files(path, fields.pop("files", {}))
    hashes = {kind: hashlib.sha256(file.read_bytes()).hexdigest() for kind, file in brought.items()}
    return Made(recipe.from_fields({**hashes, **fields}, source), {})


def files(name: str) -> dict[str, Path]:
    """The mask and the guide that a `.toml` preset brings along, as its `[files]` name them."""
    path = path_of(name)
    if path.suffix.lower() in metadata.SUFFIXES:
        return {}
    return _files(path, recipe.parse_toml(_text(path), f"preset {path}").get("files", {}))


def path_of(name: str) -> Path:
    """The file of a preset's name; a `.toml` or a finished picture is its own."""
    path = Path(name)
    if path.suffix.lower() in (".toml", *metadata.SUFFIXES):
        return path
    known = paths()
    if name not in known:
        raise unknown("preset", name, known, "`dream presets list` shows them all.")
    return known[name]


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is not a text file"
        raise DreamerError(f"Cannot read the preset {path}: {why}.") from None


BROUGHT = ("mask", "guide")
"""What a preset's `[files]` may name; a recipe itself holds their hashes."""


def _files(path: Path, named: object) -> dict[str, Path]:
    """A stranger's preset must not have other files opened than those it came with."""
    if not isinstance(named, dict) or not named.keys() <= set(BROUGHT):
        raise DreamerError(f"In preset {path}, files can name a {' and a '.join(BROUGHT)} only.")
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


_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_-]{0,63}")


def own_path(name: str) -> Path:
    """Where a preset of the user's own lies. Raises DreamerError where `name` cannot be its."""
    if not _NAME.fullmatch(name):
        raise DreamerError(
            f"{name!r} cannot be a preset's name: write letters, digits and hyphens, as soft-fur."
        )
    return own_folder() / f"{name}.toml"


def create(path: Path, source: str, about: Mapping[str, Any]) -> None:
    """Write a preset that is like another one, with copies of the mask and guide that it brings.

    Args:
        path: a `.toml` file; its folder is there.
        source: a preset's name, a `.toml` file or a finished picture.
        about: what `Recipe.about` shall say that the source does not.

    Raises DreamerError where any of the files exists.
    """
    made = load(source).recipe
    made = made.changed({"about": {**made.about.derived().model_dump(), **about}})
    brought = files(source)
    named = {kind: f"{path.stem}-{kind}{file.suffix}" for kind, file in brought.items()}
    # The files have the hashes, which a recipe without them would need.
    fields = recipe.to_fields(made.changed(dict.fromkeys(brought)))
    text = tomlkit.dumps({**fields, "files": named} if named else fields)
    with atomic.replacing(path, overwrite=False) as file:
        file.write(text.encode())
    for kind, own in brought.items():
        with atomic.replacing(path.with_name(named[kind]), overwrite=False) as file:
            file.write(own.read_bytes())
