"""The recipe: everything that decides what a dream looks like, and every default, once.

A recipe is plain data. It holds no dates, no paths and no code, so it can be shared, stored
inside a picture and compared.
"""

import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from typing import Annotated, Any, Literal

import tomlkit
from pydantic import BeforeValidator, Field, ValidationError, field_validator

from dreamer import schedule
from dreamer.errors import DreamerError, nearest
from dreamer.feature import Feature
from dreamer.fields import Data, Finite, Motif, NotNegative, OverTime, Positive, Text, over_time
from dreamer.filmfields import Film
from dreamer.formats import FORMAT, migrated
from dreamer.layers import LayerSpec, parse_layer
from dreamer.schedule import Clock, Number, Schedule

OPTIONS = "the options"
"""The source of what was typed as options."""

ARGUMENTS = "the arguments"
"""The source of what a program gives."""

Precision = Literal["auto", "float32", "mixed", "bfloat16"]
Amount = Annotated[Number, OverTime(0, 1000)]
Share = Annotated[Number, OverTime(0, 0.999)]
Every = Annotated[int, Field(ge=1, description="steps from one to the next")]


def _several(value: object) -> object:
    """One layer is as good as a list of one."""
    return (value,) if isinstance(value, str) else value


def _codes(value: object) -> object:
    """Colours as they are typed are as good as a list of them."""
    return [code.strip() for code in value.split(",")] if isinstance(value, str) else value


_Code = Annotated[str, Field(pattern=r"^#[0-9a-fA-F]{6}$")]


class About(Data):
    """Who made a preset, and what it looks like."""

    name: Text = ""
    author: Text = ""
    description: Text = ""
    tags: tuple[Text, ...] = ()
    licence: Text = ""

    def derived(self) -> "About":
        """Of a recipe that somebody has made from this one: nobody else is credited with it."""
        if not (self.name or self.author):
            return self
        return About(description=f"based on {' by '.join(filter(None, (self.name, self.author)))}")


class Recipe(Data):
    """A dream's recipe. Pixels are those of the octave being dreamt; colours run from 0 to 1."""

    format: int = Field(FORMAT, ge=FORMAT, le=FORMAT, description="version of this file format")
    about: About = About()

    network: Text = Field(
        "dreamnet", description="a name of `dream models list`, or of a .keras file given by -m"
    )
    input_range: tuple[Finite, Finite] = Field(
        (0, 255), description="of a network in a file: the input of black and of white"
    )
    input_mean: tuple[Finite, Finite, Finite] = Field(
        (0, 0, 0), description="of a network in a file: taken off, in its own order of colours"
    )
    input_order: Literal["RGB", "BGR"] = Field(
        "RGB", description="of a network in a file: its order of colours"
    )
    layers: Annotated[tuple[str, ...], BeforeValidator(_several)] = Field(
        (), description="LAYER[:CHANNELS][=WEIGHT] each; none means the network's default"
    )
    objective: Literal["mean-square", "mean", "sum", "sum-square", "direction"] = Field(
        "mean-square",
        description="what of a layer's activations is raised; `direction`: along channels@weights",
    )
    guide: str | None = Field(
        None, pattern="^[0-9a-f]{64}$", description="hash of the guide, given by --guide"
    )
    guide_match: Literal["best", "mean", "statistics"] = Field(
        "best",
        description="each place's best match in the guide, the mean of all, or each channel's "
        "mean and standard deviation, of a folder of photos too",
    )
    border: int = Field(0, ge=0, le=16, description="activation cells left out along each edge")
    max_objective: float | None = Field(
        None, allow_inf_nan=False, description="ascent in an octave stops above this value"
    )

    motif: Motif = Field(
        (0.6, 0.15), description="largest and smallest motif, as shares of the short side"
    )
    motif_pixels: int | None = Field(
        None, ge=1, le=4096, description="a motif's size in pixels, where not the network's own"
    )
    octaves: int | None = Field(
        None, ge=1, le=20, description="octaves down from the picture's size, instead of `motif`"
    )
    octave_scale: float = Field(
        1.4, ge=1.01, le=8, allow_inf_nan=False, description="ratio of neighbouring octaves"
    )
    carry: Literal["detail", "lost-detail", "plain"] = Field(
        "detail", description="how an octave's dream enters the next"
    )
    resample: Literal["lanczos3", "bilinear", "zoom"] = Field(
        "lanczos3", description="filter between octaves; `zoom` is linear, each from the one above"
    )

    steps: int = Field(10, ge=1, le=100_000, description="steps of ascent in each octave")
    rate: Annotated[Number, OverTime(1e-9, 1e6)] = Field(
        0.014, description="step size, in colours of 0 to 1"
    )
    rate_end: Annotated[Number, OverTime(1e-9, 1e6)] | None = Field(
        None, description="step size at an octave's last step"
    )
    patience: int | None = Field(
        None,
        ge=1,
        description="ascent in an octave stops after so many steps without a rise, each compared "
        "with those at the same point between two filters",
    )
    normalise: Literal["laplacian", "mean-abs", "std", "rms", "l2", "none"] = Field(
        "laplacian", description="how the gradient is normalised before a step"
    )
    cascade: NotNegative | None = Field(
        None, description="smallest width of the blur cascade on the gradient, in pixels"
    )
    optimiser: Literal["ascent", "momentum", "nesterov", "rmsprop", "adam", "lbfgs"] = Field(
        "ascent",
        description="how a gradient is applied; `lbfgs` searches an octave as a whole, with one "
        "jitter and without rate, normalisation or regularisers: give it a --strength",
    )
    jitter: int = Field(
        32,
        ge=0,
        le=4096,
        description="largest random shift before each step, in pixels; a unit is not shifted",
    )
    clip: bool = Field(True, description="keep colours within 0 to 1 after each step")

    decay: Share = Field(0.0, description="share of the way to grey that colours go")
    decay_every: Every = 1
    median: int = Field(0, ge=0, le=99, description="width of the median filter, odd, in pixels")
    median_every: Every = 4
    total_variation: Amount = Field(0.0, description="descent on the total variation")
    total_variation_every: Every = 1
    small_norm: Share = Field(0.0, description="share of pixels nearest to grey that become grey")
    small_norm_every: Every = 1
    small_contribution: Share = Field(
        0.0, description="the same by contribution; meant for pictures grown from noise"
    )
    small_contribution_every: Every = 1
    blur: Amount = Field(0.4, description="standard deviation of the blur, in pixels")
    blur_end: Amount | None = Field(None, description="the same at an octave's last step")
    blur_every: Every = 4

    strength: Positive | None = Field(
        None, le=100, description="mean colour change of the whole picture (ΔE), whatever the rate"
    )
    opacity: Annotated[Number, OverTime(0, 1)] = Field(
        1.0, description="of the dream over the photo"
    )
    colours: Literal["dream", "photo"] = Field(
        "dream", description="`photo` keeps the photo's and takes the dream's lightness"
    )
    palette: Annotated[tuple[_Code, ...], BeforeValidator(_codes)] = Field(
        (), description="#rrggbb colours that the dream grows in"
    )
    saturation: Annotated[Number, OverTime(0, 10)] = Field(
        1.0, description="factor on the dream's chroma"
    )
    mask: str | None = Field(
        None, pattern="^[0-9a-f]{64}$", description="hash of the mask file, given by --mask"
    )
    feather: Annotated[float, Field(ge=0, le=1)] = Field(
        0.02, description="softness of the mask's edge, as a share of the short side"
    )

    size: Annotated[int, Field(ge=1)] | Literal["full"] = Field(
        1280, description="longest side of the picture, in pixels; a larger photo is reduced"
    )
    enlarge: bool = Field(False, description="bring a smaller photo up to `size`")
    seed: int = Field(0, ge=0, lt=2**32, description="the same seed gives the same picture")
    precision: Precision = Field("auto", description="`auto` is `mixed` where that is faster")
    seamless: bool = Field(False, description="opposite edges meet, as in a wallpaper's pattern")
    tile: int | None = Field(
        None,
        ge=256,
        le=65_536,
        description="side of what the network gets at once, in pixels; none: by the memory",
    )

    film: Film = Film()
    feature: Feature = Feature()

    @field_validator("layers")
    @classmethod
    def _layers_parse(cls, layers: tuple[str, ...]) -> tuple[str, ...]:
        for text in layers:
            for each in schedule.parse_text(text).texts:
                parse_layer(each)
        return layers

    @field_validator("motif")
    @classmethod
    def _motif_falls(cls, motif: tuple[float, float]) -> tuple[float, float]:
        largest, smallest = motif
        if smallest > largest:
            raise ValueError("the largest motif comes first")
        return motif

    @field_validator("median")
    @classmethod
    def _median_is_odd(cls, median: int) -> int:
        if median and median % 2 == 0:
            raise ValueError("a median filter's width is odd")
        return median

    @property
    def terms(self) -> tuple[LayerSpec, ...]:
        """The layers, read; all those of a schedule."""
        return tuple(
            parse_layer(each) for text in self.layers for each in schedule.parse_text(text).texts
        )

    def weights(self, clock: Clock) -> tuple[float, ...]:
        """What each of `terms` weighs at a moment of a film."""
        schedules = [schedule.parse_text(text) for text in self.layers]
        shares = [dict(each.at(clock)).get(text, 0.0) for each in schedules for text in each.texts]
        return tuple(term.weight * share for term, share in zip(self.terms, shares, strict=True))

    def clock(self, frame: float) -> Clock:
        """The moment of a frame of the recipe's film."""
        return self.film.clock(frame, self.seed)

    def at(self, clock: Clock) -> "Recipe":
        """The recipe at a moment of a film, with no schedules but those of the layers.

        Raises DreamerError that names frame and field where a number leaves its range.
        """
        own, film = _at(self, clock), _at(self.film, clock)
        if film:
            own["film"] = film
        return self.changed(own, f"frame {clock.frame:g}") if own else self

    def still(self) -> "Recipe":
        """The recipe of a picture: that of a film's first frame."""
        first = self.clock(0)
        layers = [
            each for text in self.layers for each, share in schedule.parse_text(text).at(first)
        ]
        return self.at(first).changed({"layers": layers})

    @property
    def schedules(self) -> dict[str, Schedule]:
        """The numbers that change over a film, by field."""
        texts = {name: getattr(self, name) for name in over_time(Recipe)}
        texts |= {f"film.{name}": getattr(self.film, name) for name in over_time(Film)}
        return {name: schedule.parse(text) for name, text in texts.items() if isinstance(text, str)}

    @property
    def uses_length(self) -> bool:
        """Whether a longer film changes some schedule."""
        texts = [*self.layers, *([self.film.palette] if self.film.palette else [])]
        return any(each.uses_length for each in self.schedules.values()) or any(
            schedule.parse_text(text).uses_length for text in texts
        )

    @property
    def chooses(self) -> bool:
        """Whether channels are still to be chosen on a photo."""
        return any(term.choice for term in self.terms)

    def changed(self, changes: Mapping[str, Any], source: str = OPTIONS) -> "Recipe":
        """This recipe with some fields set anew; `motif` and `octaves` replace each other.

        Raises DreamerError that names the field, its `source` and the remedy.
        """
        moved = {**changes, **film} if isinstance(film := changes.get("film"), Mapping) else changes
        if "motif" in moved and "octaves" not in changes:
            changes = {**changes, "octaves": None}
        for part in _TABLES:
            if isinstance(changes.get(part), Mapping):
                own = getattr(self, part).model_dump()
                changes = {**changes, part: {**own, **changes[part]}}
        return from_fields({**self.model_dump(), **changes}, source)


PARTS = ("film", "feature")
"""Of a recipe, what has fields of its own; they are addressed as `film.fps`."""

_TABLES = ("about", *PARTS)


def _at(data: Recipe | Film, clock: Clock) -> dict[str, Any]:
    """The numbers that fields with schedules have at a moment."""
    texts = {name: getattr(data, name) for name in over_time(type(data))}
    return {
        name: schedule.parse(text).at(clock)
        for name, text in texts.items()
        if isinstance(text, str)
    }


def _inner(part: str) -> list[str]:
    own: Data = Recipe.model_fields[part].default
    return [f"{part}.{name}" for name in type(own).model_fields]


_FLAGS: Mapping[str, str] = {
    "layers": "--layer",
    "network": "--model",
    "colours": "--keep-colours",
    **{
        name: f"--{name.replace('_', '-')}"
        for name in (
            *("guide", "motif", "octaves", "octave_scale", "steps", "rate", "jitter", "blur"),
            *("strength", "opacity", "mask", "palette", "saturation", "seamless", "seed", "size"),
            "precision",
        )
    },
    **{
        f"film.{name}": f"--{name.replace('_', '-')}"
        for name in (
            *("motion", "speed", "zoom", "angle", "border", "seconds", "frames", "fps", "loop"),
            *("intro", "cadence", "motif", "steps", "strength", "habituation", "colours"),
            *("palette", "size", "flow", "blend_moving", "blend_still"),
        )
    },
    **{f"feature.{name}": f"--{name}" for name in ("init", "keep", "unit", "leaky", "diverse")},
}


def flag(field: str) -> str:
    """The option that sets a field, as `film.fps`."""
    return _FLAGS.get(field, f"--set {field}")


_REASONS: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    **dict.fromkeys(("int_parsing", "int_type", "int_from_float"), lambda _: "a whole number"),
    **dict.fromkeys(("float_parsing", "float_type"), lambda _: "a number"),
    **dict.fromkeys(("bool_parsing", "bool_type"), lambda _: "on or off"),
    **dict.fromkeys(("tuple_type", "list_type"), lambda _: "a list, as [1, 2]"),
    "string_type": lambda _: "a text",
    "greater_than": lambda context: f"a number above {context['gt']:g}",
    "greater_than_equal": lambda context: f"a number from {context['ge']:g} on",
    "less_than": lambda context: f"a number below {context['lt']:g}",
    "less_than_equal": lambda context: f"a number up to {context['le']:g}",
    "literal_error": lambda context: str(context["expected"]).replace("'", ""),
}
"""By the kind of error: what to write, from what is known of it."""

_WRITE: Mapping[str, str] = {
    "size": "the longest side in pixels, as 640, or full",
    "palette": "colours as #rrggbb,#rrggbb",
}
"""What to write for fields that may be of several kinds."""


def _sentence(error: ValidationError, source: str) -> str:
    first = error.errors()[0]
    # Unions and tuples add parts to the place that mean nothing to a reader.
    key = ".".join(str(part) for part in first["loc"][: 2 if first["loc"][0] in _TABLES else 1])
    if first["type"] == "extra_forbidden":
        near = nearest(key, [*Recipe.model_fields, *chain.from_iterable(map(_inner, _TABLES))])
        guess = f"did you mean {' or '.join(near)}?" if near else "`dream presets show` lists them."
        return f"In {source} there is no field {key!r}: {guess}"
    why = first["msg"].removeprefix("Value error, ")
    why = f"{why[0].lower()}{why[1:]}"
    if reason := _REASONS.get(first["type"]):
        why = f"write {_WRITE.get(key) or reason(first.get('ctx', {}))}"
    elif first["type"] == "string_pattern_mismatch":
        why = f"write {_WRITE.get(key, 'the hash of a file')}"
    named = {OPTIONS: flag(key), ARGUMENTS: key.removeprefix("film.").removeprefix("feature.")}
    place = named.get(source, f"In {source}, {key}")
    given, typed = first["input"], source == OPTIONS
    # Nothing that commands the terminal is shown as it is.
    shown = given if typed and isinstance(given, str) and given.isprintable() else repr(given)
    return f"{place} cannot be {shown}: {why}."


def from_fields(fields: Mapping[str, Any], source: str) -> Recipe:
    """A recipe from the plain values of a TOML or JSON text; `source` names it in errors."""
    try:
        return Recipe.model_validate(migrated(fields, source))
    except ValidationError as error:
        raise DreamerError(_sentence(error, source)) from None


def parse_toml(text: str, source: str) -> dict[str, Any]:
    """The fields of a preset as they stand there. Raises DreamerError where it is no TOML."""
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise DreamerError(f"There is a slip in the TOML of {source}: {error}.") from None


def from_toml(text: str, source: str) -> Recipe:
    """Read a recipe. Raises DreamerError where it is no TOML or no recipe."""
    return from_fields(parse_toml(text, source), source)


def to_fields(recipe: Recipe) -> dict[str, Any]:
    """The fields that differ from the defaults, in order, as TOML and JSON can hold them."""
    fields = recipe.model_dump(mode="json", exclude_defaults=True, exclude_none=True)
    return {"format": recipe.format, **fields}


def to_toml(recipe: Recipe) -> str:
    """Write a preset: `from_toml(to_toml(recipe))` equals `recipe`."""
    return tomlkit.dumps(to_fields(recipe))


def parse_setting(text: str) -> tuple[str, Any]:
    """Read `KEY=VALUE` as given to `--set`: TOML, `none` for no value, or else a plain string."""
    key, equals, value = text.partition("=")
    key = key.strip()
    if not equals or not re.fullmatch(r"[a-zA-Z0-9_-]+(\.[a-zA-Z0-9_-]+)?", key):
        raise DreamerError(f"--set {text!r} is not understood: write KEY=VALUE.")
    if value.strip().lower() == "none":
        return key, None
    try:
        return next(iter(tomllib.loads(f"{key} = {value}").items()))
    except (ValueError, RecursionError):
        table, _, inner = key.partition(".")
        return table, {inner: value.strip()} if inner else value.strip()


def variations(base: Recipe, wanted: Sequence[str]) -> list[tuple[str, Recipe]]:
    """A recipe with fields varied, each with the options that make it.

    Args:
        base: what stays the same.
        wanted: `FIELD=a,b,c` each; with semicolons, where a value holds commas. Several give
            every combination, the last one's values next to each other.
    """
    cells = [("", base)]
    for text in wanted:
        field, _, values = text.partition("=")
        split = split_values(values, f"--vary {text!r}")
        cells = [
            (f"{label} {typed}".strip(), recipe.changed(changes, "--vary"))
            for label, recipe in cells
            for typed, changes in (option(field, each) for each in split)
        ]
    return cells


def split_values(text: str, source: str) -> list[str]:
    """Read `a,b,c`, or `a;b;c` where a value holds commas; `source` names it in errors."""
    split = [each.strip() for each in text.split(";" if ";" in text else ",")]
    if not all(split):
        raise DreamerError(f"{source} is not understood: write FIELD=a,b,c.")
    return split


def option(field: str, text: str) -> tuple[str, dict[str, Any]]:
    """A field's value as it is typed: the option that sets it, and what `changed` takes."""
    if field == "layers":
        return f"-l {text}", {field: [text]}
    if field == "motif":
        return f"--motif {text}", {field: text}
    return f"--set {field}={text}", dict([parse_setting(f"{field}={text}")])
