"""From what a person asks for to a recipe: a preset, fields in place of what it says, and words."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple, TypeVar

from dreamer.arrays import Size
from dreamer.errors import DreamerError, speaking_of, unknown
from dreamer.files import photos
from dreamer.imaging import palettes
from dreamer.imaging.noise import KINDS as NOISES
from dreamer.imaging.noise import hash_description
from dreamer.jobs import presets
from dreamer.jobs.events import Note, Sink
from dreamer.jobs.mask_and_guide_files import Companions
from dreamer.jobs.requests import DreamRequest, ImageRequest, Request, Typed
from dreamer.networks import keras_file
from dreamer.networks.registry import find_model_file
from dreamer.recipe import Recipe, words
from dreamer.recipe.error_sentences import OPTIONS
from dreamer.recipe.field_types import Kind
from dreamer.recipe.film_fields import FREELY, complete_changes
from dreamer.recipe.layer_spec import shorten_layer
from dreamer.recipe.migrations import BEFORE_HARMONY, BEFORE_LIFE, NEON
from dreamer.recipe.names import FORMER, find_field, traits
from dreamer.recipe.provenance import Provenance
from dreamer.recipe.toml_text import changed_fields, parse_setting

SHOWN = 5
"""At most so many fields are named in a message; the others are counted."""

BEFORE: Mapping[str, Any] = {
    **BEFORE_HARMONY,
    **{f"film.{name}": value for name, value in BEFORE_LIFE.items()},
}
"""Fields, as `film.colors`, that a recipe of an older format says without having been asked."""

HONEST = 30.0
"""The `strength` up to which lightness bears it."""

ANY_SEED = "-1"
"""What is asked for where any seed will do."""

NO_COMPANIONS = Companions()

Asked = TypeVar("Asked", bound=DreamRequest)


class InWords(NamedTuple):
    """A dream that is described in words.

    Attributes:
        asked: what there shall be more of.
        unwanted: what there shall be less of.
        file: the `.keras` file beside which the table of words lies.
        for_film: whether it is a film.
    """

    asked: Sequence[str] = ()
    unwanted: Sequence[str] = ()
    file: Path | None = None
    for_film: bool = False

    @property
    def names_any(self) -> bool:
        """Tell whether there are any words; a sheet of all words asks for none itself."""
        return bool(self.asked or self.unwanted)


@dataclass(frozen=True)
class Origin:
    """Where a recipe comes from; its preset is read once.

    Attributes:
        name: of the preset, or its file; None where none was asked for.
        option: what names it.
        usual: the preset that stands for none.
    """

    name: str | None
    option: str = "--preset"
    usual: str | None = None

    @cached_property
    def preset(self) -> presets.Preset | None:
        """Return the preset. Raises DreamerError that names the option."""
        named = self.name or self.usual
        with speaking_of(self.option):
            return presets.read(named) if named else None


def describe(
    base: Provenance | None,
    given: Mapping[str, Any],
    in_words: InWords | None = None,
    *,
    settings: Sequence[tuple[str, Any]] = (),
    source: str = OPTIONS,
    other: Mapping[str, Any] = MappingProxyType({}),
) -> Provenance:
    """Describe what is asked for as a recipe, with the facts of the preset, if it was made.

    The later has the last word. The layers of a dream in words come behind those that are given,
    and it is larger and longer where nothing else is said.

    Args:
        base: what is started from; without, the default recipe, or that of a dream in words.
        given: fields; those of a film are so timed that they keep the preset's film together.
        in_words: what is dreamt of.
        settings: fields that come before those, one by one.
        source: of `given`, as it stands in an error.
        other: what else is usual where no preset is started from.

    Raises DreamerError that names what cannot be meant, and the remedy.
    """
    usual = words.FILM if in_words and in_words.for_film else words.STILL
    begin = base or Provenance(Recipe(**usual) if in_words else Recipe(), {})
    recipe = begin.recipe.changed(other) if other and not base else begin.recipe
    for name, value in settings:
        recipe = recipe.changed({name: value}, "--set")
    if base and "film" in given:
        given = {**given, "film": base.recipe.film.keep_rate(given["film"])}
    recipe = recipe.changed(given, source)
    if in_words and in_words.names_any:
        table = words.load(recipe.network, in_words.file)
        wanted = words.expand(in_words.asked, table, in_words.unwanted, presets.find_all())
        asked = (*in_words.asked, *map(negate, in_words.unwanted))
        # A preset's look stays, and the words come into it; words take the place of others.
        look = base.recipe.layers if base and not base.recipe.of else ()
        layers = [*given.get("layers", look), *wanted]
        recipe = recipe.changed({"layers": layers, "of": asked})
    if base and recipe != base.recipe:
        recipe = recipe.changed({"about": base.recipe.about.derive().model_dump()})
    return begin._replace(recipe=recipe)


def negate(word: str) -> str:
    """Return what asks for less of a word, as `-dogs`."""
    return word[1:] if word.startswith("-") else f"-{word}"


def resolve(
    request: Request,
    kind: Kind,
    emit: Sink,
    origin: Origin,
    companions: Companions = NO_COMPANIONS,
    *,
    film: bool = False,
) -> Provenance:
    """Resolve a request to the recipe that it describes, and note what a person may not expect.

    Args:
        request: what is asked for.
        kind: what is made.
        emit: takes notes.
        origin: where the recipe comes from.
        companions: the mask and the guide.
        film: whether a film is made, which is described by other usual fields.
    """
    base = origin.preset.provenance if origin.preset else None
    if request.fields.get("seed") == ANY_SEED:
        drawn = str(secrets.randbelow(2**32))
        emit(Note(f"The seed is {drawn}: --seed {drawn} gives the same again."))
        request = request.model_copy(update={"fields": {**request.fields, "seed": drawn}})
    chosen = read_fields(request, kind)
    chosen |= companions.hash_files(for_clip=kind is Kind.CLIP)
    settings = list(map(parse_setting, request.settings))
    in_words = None
    if isinstance(request, DreamRequest):
        _, file = network_file(request)
        said = InWords(request.of, request.unwanted, file, film)
        sheet = isinstance(request, ImageRequest) and has_cells_in_words(request)
        if begins := _find_first_theme(base, chosen, said, kind):
            said = said._replace(asked=[begins])
            emit(Note(f"The recipe is a film's that begins with {begins}: so is the picture."))
        associates = bool(chosen.get("film", {}).get("associate"))
        in_words = said if said.names_any or sheet or associates else None
    for text in _unexpected(origin.name, base, chosen, settings, in_words, kind):
        emit(Note(text))
    wanted = describe(base, chosen, in_words, settings=settings, other=find_usual(request, kind))
    if "strength" in chosen and _is_wild(wanted.recipe.strength):
        emit(Note(f"Above --strength {HONEST:g} lightness breaks, too; below, it is mostly color."))
    return wanted


def _is_wild(strength: float | str) -> bool:
    return not isinstance(strength, str) and strength > HONEST


def _find_first_theme(
    base: Provenance | None, chosen: Mapping[str, Any], said: InWords, kind: Kind
) -> str | None:
    """Return the word that a film's recipe begins with, where a picture is of nothing else."""
    associate = base.recipe.film.associate if base and kind is Kind.PICTURE else None
    if associate in (None, FREELY) or said.names_any or base is None or base.recipe.layers:
        return None
    return None if "layers" in chosen else associate.partition(",")[0].strip()


def list_names(sheet: str) -> list[str]:
    """List the presets and words of `--sheet NAME,NAME`."""
    return [name.strip() for name in sheet.split(",")]


def has_cells_in_words(request: ImageRequest) -> bool:
    """Tell whether a sheet shows words, whose dreams have usual fields of their own."""
    varied = any(each.startswith("of=") for each in request.vary)
    if request.sheet in (None, "layers", "words"):
        return varied or request.sheet == "words"
    return varied or not all(map(presets.exists, list_names(request.sheet)))


def find_usual(request: Request, kind: Kind) -> Mapping[str, Any]:
    """Return what is usual of a kind of product, beside the defaults.

    There is no photo whose colors noise could have, and a clip's dream grows from frame to frame.
    """
    if kind is Kind.CLIP:
        return FRAMES
    return {"harmony": 0} if getattr(request, "noise", None) else {}


FRAMES: Mapping[str, Any] = {"strength": NEON["strength"], "palette_style": "statistics"}
"""What is usual of a clip's frames: nothing that each of them would decide for itself."""


def network_file(request: Request) -> tuple[str | None, Path | None]:
    """Return the name of the network and its weights: of a whole model its name and its file.

    A recipe holds no paths, so the file is handed on as weights are.
    """
    named = request.fields.get("network")
    if isinstance(named, str) and (file := find_model_file(named)):
        if request.trust:
            keras_file.trust(file)
        return file.name, file
    return (named if isinstance(named, str) else None), request.weights


def read_fields(request: Request, kind: Kind) -> dict[str, Any]:
    """Read what is given as options into values by fields; those of a part as a mapping."""
    changes: dict[str, Any] = {}
    for field, typed in request.fields.items():
        if kind is Kind.CLIP and field in OF_CLIPS:
            field = OF_CLIPS[field]
        own = READERS[field](request, typed) if field in READERS else {field: typed}
        for name, value in own.items():
            part, _, inner = name.partition(".")
            if inner:
                changes.setdefault(part, {})[inner] = value
            else:
                changes[name] = value
    if getattr(request, "neon", False):
        changes = {**NEON, **changes}
    if getattr(request, "keep_colors", False):
        changes["colors"] = "photo"
    if "film" in changes:
        changes["film"] = complete_changes(changes["film"])
    return changes


OF_CLIPS: Mapping[str, str] = {
    f"film.{name}": name for name in ("motif", "steps", "strength", "palette")
}
"""Fields of a picture that options for films set on a clip, whose frames are dreamt as photos."""


def _read_network(request: Request, typed: Typed) -> dict[str, Any]:
    return {"network": network_file(request)[0]}


def _read_size(request: Request, typed: Typed) -> dict[str, Any]:
    return {"size": typed, "enlarge": typed != "full"}


def _read_palette(request: Request, typed: Typed) -> dict[str, Any]:
    return read_palette(str(typed))


def _read_init(request: Request, typed: Typed) -> dict[str, Any]:
    kind, _ = parse_init(str(typed))
    return {"visualization.init": kind}


READERS: Mapping[str, Callable[[Request, Typed], dict[str, Any]]] = {
    "network": _read_network,
    "size": _read_size,
    "palette": _read_palette,
    "visualization.init": _read_init,
    # What a recipe holds of them comes from the files themselves.
    "mask": lambda request, typed: {},
    "guide": lambda request, typed: {},
}
"""How options are read whose values are not those of their fields."""


def read_palette(text: str) -> dict[str, Any]:
    """Read `#rrggbb,#rrggbb`, or colors that stand for those of a photo."""
    path = Path(text)
    if text.startswith("#"):
        return {"palette": [color.strip() for color in text.split(",")]}
    if not path.is_file():
        raise DreamerError(
            f"--palette takes colors as #rrggbb,#rrggbb, or a photo: {text} is neither."
        )
    with speaking_of("--palette"):
        colors = palettes.describe_photo(photos.read(path, "palette").image)
    return {"palette": colors, "palette_style": "covariance"}


def parse_init(text: str | None) -> tuple[str | None, Path | None]:
    """Parse `--init KIND|PHOTO`: the kind of start, and the photo."""
    if text is None or text == "photo":
        return text, None
    path = Path(text)
    return ("photo", path) if path.suffix or path.is_file() else (text, None)


def parse_noise(text: str) -> tuple[str, Size]:
    """Parse `WIDTHxHEIGHT[:KIND]`: the kind, and height and width."""
    match = re.fullmatch(r"(\d{1,5})[x×](\d{1,5})(?::(\w+))?", text)
    if not match:
        raise DreamerError(f"--noise {text!r} is not understood: write it as 1280x720:fractal.")
    kind = match[3] or next(iter(NOISES))
    if kind not in NOISES:
        raise unknown("noise", kind, NOISES, f"--noise can be {', '.join(NOISES)}.")
    return kind, (int(match[2]), int(match[1]))


def repeats_noise(wanted: Provenance, text: str) -> bool:
    """Tell whether a recipe is that of a picture or film that was made of this very noise."""
    kind, size = parse_noise(text)
    return wanted.facts.get("photo_sha256") == hash_description(kind, size, wanted.recipe.seed)


def take_first_frame(wanted: Provenance, emit: Sink, noise: str | None = None) -> Provenance:
    """Return what a picture is made by: of a film's recipe, its first frame.

    One that starts from `noise` has its pixels, whatever a preset says.
    """
    first = wanted.recipe.still()
    if first != wanted.recipe:
        emit(Note("The recipe is a film's: the picture takes its first frame."))
    if noise and not repeats_noise(wanted, noise):
        first = first.changed({"size": "full"})
    return wanted._replace(recipe=first)


def _unexpected(
    preset: str | None,
    base: Provenance | None,
    chosen: Mapping[str, Any],
    settings: Sequence[tuple[str, Any]],
    in_words: InWords | None,
    kind: Kind,
) -> Iterator[str]:
    """Yield what a person may not expect of what is asked for, a sentence each."""
    for name in ("mask", "guide"):
        recorded = getattr(base.recipe, name) if base else None
        if recorded and chosen.get(name, recorded) != recorded:
            yield f"The {name} is not the one that the recipe was made with."
    worded = in_words is not None and in_words.names_any and base and bool(base.recipe.of)
    if base and base.recipe.layers and (worded or "layers" in chosen):
        raised = name_goal(base.recipe)
        options = "--of and --not take" if worded else "--layer takes"
        yield f"{options} the place of what {preset} dreams of ({raised})."
    film = chosen.get("film", {})
    fields = [find_field(name) or name for name, _ in _flatten(settings)]
    if ("motif" in chosen or "motif" in film) and "octaves" not in chosen and "octaves" in fields:
        yield "--motif takes the place of --set octaves."
    if idle := find_unused(base.recipe if base and preset else None, fields, kind):
        source = f"{preset} and --set" if preset and fields else preset or "--set"
        more = f" and {len(idle) - SHOWN} more" if len(idle) > SHOWN else ""
        yield f"{source} also says {', '.join(idle[:SHOWN])}{more}, which {kind} does not use."


def _flatten(settings: Sequence[tuple[str, Any]]) -> Iterator[tuple[str, Any]]:
    for name, value in settings:
        if isinstance(value, Mapping):
            yield from ((f"{FORMER.get(name, name)}.{key}", each) for key, each in value.items())
        else:
            yield name, value


def find_unused(base: Recipe | None, fields: Sequence[str], kind: Kind) -> list[str]:
    """Find the fields that a preset or `--set` gives and that do nothing.

    Args:
        base: the preset.
        fields: those that are set, as `film.fps`.
        kind: what is made.
    """
    # A format in which the look was another says that, and nothing of what is made.
    fields_of_preset = changed_fields(base) if base else {}
    said = [name for name, value in fields_of_preset.items() if BEFORE.get(name) != value]
    told = [*said, *fields]
    known = [field for field in dict.fromkeys(told) if field in traits()]
    return [field for field in known if kind not in traits()[field].used_by]


def name_goal(recipe: Recipe) -> str:
    """Name what a recipe dreams of: its layers in short; with words, only those of its look.

    Those of a word are long.
    """
    short = list(map(shorten_layer, recipe.layers))
    look = [text for text, whole in zip(short, recipe.layers, strict=True) if text == whole]
    return ", ".join([*look, *recipe.of] if recipe.of else short)
