"""The definition of a recipe: every field that decides what a dream looks like, and every default.

A recipe is plain data. It holds no dates, no paths and no code, so it can be shared, stored inside
a picture and compared.
"""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, field_validator

from dreamer.recipe import schedule
from dreamer.recipe.field_types import (
    DREAMS,
    EVERYTHING,
    STILLS,
    Acts,
    Aspect,
    Crop,
    Data,
    Finite,
    Kind,
    Motif,
    NotNegative,
    OverTime,
    PictureSize,
    Strength,
    Text,
    define,
    split_commas,
)
from dreamer.recipe.film_fields import Film
from dreamer.recipe.layer_spec import parse_layer
from dreamer.recipe.migrations import FORMAT
from dreamer.recipe.schedule import Number
from dreamer.recipe.visualization_fields import Visualization

Precision = Literal["auto", "float32", "mixed", "bfloat16"]
"""The types that can compute."""

Amount = Annotated[Number, OverTime(0, 1000)]
"""The amount of a regularizer, or a schedule of it."""

Share = Annotated[Number, OverTime(0, 0.999)]
Weight = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
"""A share below 1, or a schedule of it."""

Every = Annotated[int, Field(ge=1)]
"""The period of a regularizer, in steps."""

PICTURE = (Kind.PICTURE,)
"""Pictures only, as the users of a field."""

NOT_CLASSES = (*DREAMS, Kind.CHANNEL)
"""All kinds of products but pictures of classes."""

CLIPS_TOO = (Kind.PICTURE, Kind.CLIP, Kind.CHANNEL, Kind.CLASS)
"""All kinds of products but films."""


def _split_layers(value: object) -> object:
    """Accept a single layer as well as a list."""
    return (value,) if isinstance(value, str) else value


Several = Annotated[tuple[str, ...], BeforeValidator(_split_layers)]
"""A list of texts; also accepts a single text."""

_Code = Annotated[str, Field(pattern=r"^#[0-9a-fA-F]{6}$")]


class About(Data):
    """The credit of a preset: who made it, and what it looks like."""

    name: Text = define("", "name of the preset", "about.name", Acts.NOWHERE)
    author: Text = define("", "author of the preset", "about.author", Acts.NOWHERE)
    description: Text = define("", "what it looks like", "about.description", Acts.NOWHERE)
    tags: tuple[Text, ...] = define((), "keywords for search", "about.tags", Acts.NOWHERE)
    license: Text = define(
        "", "license, such as CC0-1.0 or CC-BY-4.0", "about.license", Acts.NOWHERE
    )

    def derive(self) -> "About":
        """Return the credit of a recipe derived from this one, which mentions its name and author.

        The author of the original is not the author of the new recipe.
        """
        if not (self.name or self.author):
            return self
        return About(description=f"based on {' by '.join(filter(None, (self.name, self.author)))}")


class RecipeFields(Data):
    """The recipe of a dream. Pixels are those of the working size, and colors run from 0 to 1."""

    format: int = define(
        FORMAT, "version of this file format", "format", Acts.NOWHERE, ge=FORMAT, le=FORMAT
    )
    about: About = About()

    network: Text = define(
        "dreamnet",
        "network to dream on: a name from `dream models list`, or your own .keras or .onnx file",
        "network.name",
        Acts.GRAPH,
        flag="--model",
        metavar="NAME|FILE",
    )
    input_range: tuple[Finite, Finite] = define(
        (0, 255),
        "for a network from a file: input values for black and white",
        "network.input_range",
        Acts.GRAPH,
    )
    input_mean: tuple[Finite, Finite, Finite] = define(
        (0, 0, 0),
        "for a network from a file: mean to subtract, in its own color order",
        "network.input_mean",
        Acts.GRAPH,
    )
    input_order: Literal["RGB", "BGR"] = define(
        "RGB",
        "for a network from a file: order of its color channels",
        "network.input_order",
        Acts.GRAPH,
    )
    input_name: Text | None = define(
        None,
        "for a network from a file: its input that takes the picture, where several could",
        "network.input_name",
        Acts.GRAPH,
    )
    precision: Precision = define(
        "auto",
        "type to compute in: float32, bfloat16, or mixed (bfloat16 in the last octaves only);"
        " auto uses mixed where that is faster",
        "network.precision",
        Acts.PLAN,
        flag="--precision",
        metavar="auto|float32|mixed|bfloat16",
    )

    of: Several = define(
        (), "words that were asked for; they stand for the layers", "objective.of", Acts.NOWHERE
    )
    layers: Several = define(
        (),
        "what to raise: a layer (mixed4c), a channel (mixed4d:139), less of a layer "
        "(mixed3b=-0.2), a class (predictions:207), or the channels that the photo excites "
        "most (mixed4d:strongest5; also weakest5, average5)",
        "objective.layers",
        Acts.TENSOR,
        NOT_CLASSES,
        flag="--layer",
        metavar="LAYER[:CHANNELS][=WEIGHT]",
        repeat=True,
    )
    objective: Literal["mean-square", "mean", "sum", "sum-square", "direction"] = define(
        "mean-square",
        "how activations become a score; direction uses channels@weights",
        "objective.kind",
        Acts.GRAPH,
    )
    guide: str | None = define(
        None,
        "picture to take motifs from, or a folder of photos with --set guide_match=statistics"
        " (the recipe stores a hash)",
        "objective.guide",
        Acts.GRAPH,
        DREAMS,
        flag="--guide",
        metavar="FILE|FOLDER",
        pattern="^[0-9a-f]{64}$",
    )
    guide_match: Literal["best", "mean", "statistics"] = define(
        "best",
        "how to match the guide: the best match at each place (best), mean activations "
        "(mean), or mean and standard deviation of each channel (statistics, also for a "
        "folder of photos)",
        "objective.guide_match",
        Acts.GRAPH,
        DREAMS,
    )
    border: int = define(
        0,
        "activation cells to ignore along each edge",
        "objective.border",
        Acts.GRAPH,
        ge=0,
        le=16,
    )
    max_objective: float | None = define(
        None,
        "stop an octave once the score exceeds this",
        "objective.limit",
        Acts.GRAPH,
        allow_inf_nan=False,
    )

    motif: Motif = define(
        (0.6, 0.15),
        "largest and smallest motif, as shares of the short side, for example 0.6-0.15",
        "octaves.motif",
        Acts.PLAN,
        (Kind.PICTURE, Kind.CLIP),
        flag="--motif",
        metavar="LARGEST-SMALLEST",
    )
    motif_pixels: int | None = define(
        None,
        "size of a motif in pixels (default: the network's own)",
        "octaves.motif_pixels",
        Acts.PLAN,
        DREAMS,
        ge=1,
        le=4096,
    )
    enlarged: int = define(
        480,
        "short side, in pixels, up to which a small photo is enlarged to be dreamt on, so that it "
        "becomes as rich as a large one; 0 for never",
        "octaves.enlarged",
        Acts.PLAN,
        PICTURE,
        ge=0,
        le=4096,
    )
    octaves: int | None = define(
        None,
        "number of octaves, counted down from full size; replaces --motif",
        "octaves.count",
        Acts.PLAN,
        DREAMS,
        flag="--octaves",
        ge=1,
        le=20,
    )
    octave_scale: float = define(
        1.4,
        "size ratio between neighboring octaves",
        "octaves.scale",
        Acts.PLAN,
        DREAMS,
        flag="--octave-scale",
        ge=1.01,
        le=8,
        allow_inf_nan=False,
    )
    to_full_size: bool = define(
        False,
        "for prints: go on dreaming behind the smallest motif, ever more gently, up to the full "
        "size; without it, the dream is enlarged",
        "octaves.to_full_size",
        Acts.PLAN,
        PICTURE,
        flag="--print",
    )
    carry: Literal["detail", "lost-detail", "plain"] = define(
        "detail", "how the dream is passed to the next octave", "octaves.carry", Acts.START, DREAMS
    )
    resample: Literal["lanczos3", "bilinear", "zoom"] = define(
        "lanczos3",
        "filter for resizing between octaves; zoom is linear and makes each octave from the "
        "next larger one",
        "octaves.resample",
        Acts.START,
        DREAMS,
    )

    steps: int = define(
        10,
        "steps of gradient ascent in each octave",
        "ascent.steps",
        Acts.START,
        CLIPS_TOO,
        flag="--steps",
        ge=1,
        le=100_000,
    )
    rate: Annotated[Number, OverTime(1e-9, 1e6)] = define(
        0.014,
        "step size, for colors from 0 to 1",
        "ascent.rate",
        Acts.TENSOR,
        flag="--rate",
        metavar="NUMBER",
    )
    rate_end: Annotated[Number, OverTime(1e-9, 1e6)] | None = define(
        None,
        "step size at the last step of an octave (default: the same throughout)",
        "ascent.rate_end",
        Acts.TENSOR,
    )
    patience: int | None = define(
        None,
        "stop an octave after so many steps without a higher score, each compared with those "
        "at the same point between two filters",
        "ascent.patience",
        Acts.GRAPH,
        ge=1,
    )
    normalization: Literal["laplacian", "mean-abs", "std", "rms", "l2", "none"] = define(
        "laplacian",
        "how the gradient is normalized",
        "ascent.normalization",
        Acts.GRAPH,
    )
    detail: Weight = define(
        0.4,
        "weight of the finest detail of the laplacian gradient; 1 is crisp and has grain",
        "ascent.detail",
        Acts.GRAPH,
        STILLS,
    )
    chroma_detail: Weight = define(
        0.07,
        "weight of the color of that detail, most of which is noise",
        "ascent.chroma_detail",
        Acts.GRAPH,
        STILLS,
    )
    cascade: NotNegative | None = define(
        None,
        "base width of the blur cascade on the gradient, in pixels",
        "ascent.cascade",
        Acts.GRAPH,
    )
    optimizer: Literal["ascent", "momentum", "nesterov", "rmsprop", "adam", "lbfgs"] = define(
        "ascent",
        "update rule; lbfgs searches each octave as a whole, with a single jitter and without"
        " rate, normalization or regularizers, so use --strength with it",
        "ascent.optimizer",
        Acts.GRAPH,
    )
    jitter: int = define(
        32,
        "largest random shift before each step, in pixels; not used with --unit",
        "ascent.jitter",
        Acts.GRAPH,
        flag="--jitter",
        ge=0,
        le=4096,
    )
    margin: int | None = define(
        None,
        "pixels by which a picture is continued, mirrored, before the network sees it, so that "
        "the border is dreamt as strongly as the center; 32 on clips and 0 else, if not given",
        "ascent.margin",
        Acts.GRAPH,
        ge=0,
        le=256,
    )
    shifts: int = define(
        1,
        "random shifts that each step averages; 2 takes 1.6 times as long and has less grain, for "
        "prints",
        "ascent.shifts",
        Acts.GRAPH,
        ge=1,
        le=8,
    )
    clip: bool = define(
        True, "keep colors within 0 to 1 after each step", "ascent.clip", Acts.GRAPH
    )

    decay: Share = define(
        0.0,
        "share of the distance to gray by which colors decay",
        "regularizers.decay.amount",
        Acts.TENSOR,
    )
    decay_every: Every = define(
        1, "apply every so many steps", "regularizers.decay.every", Acts.GRAPH
    )
    median: int = define(
        0,
        "width of the median filter, odd, in pixels",
        "regularizers.median.amount",
        Acts.TENSOR,
        ge=0,
        le=99,
    )
    median_every: Every = define(
        4, "apply every so many steps", "regularizers.median.every", Acts.GRAPH
    )
    total_variation: Amount = define(
        0.0,
        "step size of the descent on the total variation",
        "regularizers.total_variation.amount",
        Acts.TENSOR,
    )
    total_variation_every: Every = define(
        1, "apply every so many steps", "regularizers.total_variation.every", Acts.GRAPH
    )
    small_norm: Share = define(
        0.0,
        "share of pixels to turn gray: those closest to gray",
        "regularizers.small_norm.amount",
        Acts.TENSOR,
    )
    small_norm_every: Every = define(
        1, "apply every so many steps", "regularizers.small_norm.every", Acts.GRAPH
    )
    small_contribution: Share = define(
        0.0,
        "share of pixels to turn gray: those that contribute least; for pictures grown from noise",
        "regularizers.small_contribution.amount",
        Acts.TENSOR,
    )
    small_contribution_every: Every = define(
        1, "apply every so many steps", "regularizers.small_contribution.every", Acts.GRAPH
    )
    blur: Amount = define(
        0.4,
        "standard deviation of the blur, in pixels",
        "regularizers.blur.amount",
        Acts.TENSOR,
        flag="--blur",
        metavar="NUMBER",
    )
    blur_end: Amount | None = define(
        None,
        "standard deviation at the last step of an octave, in pixels (default: the same "
        "throughout)",
        "regularizers.blur.end",
        Acts.TENSOR,
    )
    blur_every: Every = define(
        4, "apply every so many steps", "regularizers.blur.every", Acts.GRAPH
    )

    strength: Strength = define(
        14.0,
        "mean color change of the whole picture (ΔE), before harmony: 8 is gentle, 14 rich, 30 "
        "wild; free for what the steps come to",
        "finish.strength",
        Acts.OCTAVE_END,
        (Kind.PICTURE, Kind.CLIP),
        flag="--strength",
        metavar="NUMBER|free",
    )
    harmony: Weight = define(
        0.4,
        "how near the colors come to the photo's: 0 is neon, 1 an old print; from noise, 0",
        "finish.harmony",
        Acts.OCTAVE_END,
        PICTURE,
        flag="--harmony",
        metavar="SHARE",
    )
    opacity: Annotated[Number, OverTime(0, 1)] = define(
        1.0,
        "opacity of the dream over the photo, 0 to 1",
        "finish.opacity",
        Acts.SHOWN,
        DREAMS,
        flag="--opacity",
        metavar="SHARE",
    )
    colors: Literal["dream", "photo"] = define(
        "dream",
        "keep the colors of the dream, or use those of the photo with the dream's lightness",
        "finish.colors",
        Acts.SHOWN,
        DREAMS,
    )
    palette: Annotated[tuple[_Code, ...], BeforeValidator(split_commas)] = define(
        (),
        "colors to dream in, such as #102040,#e06020, or a photo to take them from",
        "finish.palette",
        Acts.OCTAVE_END,
        DREAMS,
        flag="--palette",
        metavar="PHOTO|#rrggbb,…",
    )
    palette_style: Literal["map", "poster", "covariance", "statistics"] = define(
        "map",
        "how colors come to the palette: along it by lightness, as a screen print, or by its mean "
        "and covariance, as those of a photo do; statistics is that of formats 1 and 2",
        "finish.palette_style",
        Acts.OCTAVE_END,
        DREAMS,
    )
    saturation: Annotated[Number, OverTime(0, 10)] = define(
        1.0,
        "factor on the saturation of the dream",
        "finish.saturation",
        Acts.LAST_OCTAVE_END,
        DREAMS,
        flag="--saturation",
        metavar="FACTOR",
    )
    mask: str | None = define(
        None,
        "picture that shows where to dream: white for the dream, black for the photo (the "
        "recipe stores a hash)",
        "finish.mask",
        Acts.SHOWN,
        DREAMS,
        flag="--mask",
        metavar="FILE",
        pattern="^[0-9a-f]{64}$",
    )
    invert_mask: bool = define(
        False,
        "dream where the mask is black instead",
        "finish.invert_mask",
        Acts.SHOWN,
        DREAMS,
        flag="--invert-mask",
    )
    feather: Annotated[float, Field(ge=0, le=1)] = define(
        0.02,
        "softness of the mask's edge, as a share of the short side",
        "finish.feather",
        Acts.SHOWN,
        DREAMS,
    )

    size: PictureSize = define(
        1280,
        "longest side in pixels, or full for the photo's own size; larger photos are scaled down; "
        "or exactly 1920x480, which crops",
        "picture.size",
        Acts.START,
        STILLS,
        flag="--size",
        metavar="PIXELS|WIDTHxHEIGHT|full",
    )
    aspect: Aspect | None = define(
        None,
        "proportions to crop the photo or clip to, as 16:9",
        "picture.aspect",
        Acts.START,
        DREAMS,
        flag="--aspect",
        metavar="WIDTH:HEIGHT",
    )
    crop: Crop | None = define(
        None,
        "the part to use: X,Y,WIDTH,HEIGHT in pixels of the photo; or, for other proportions, "
        "center or entropy, which keeps what says most (default: center)",
        "picture.crop",
        Acts.START,
        DREAMS,
        flag="--crop",
        metavar="X,Y,W,H|center|entropy",
    )
    enlarge: bool = define(
        False, "scale smaller photos up to size", "picture.enlarge", Acts.START, PICTURE
    )
    seed: int = define(
        0,
        "random seed; the same seed gives the same picture; -1 draws one, and says it",
        "picture.seed",
        Acts.START,
        EVERYTHING,
        flag="--seed",
        ge=0,
        lt=2**32,
    )
    seamless: bool = define(
        False,
        "make opposite edges meet, for patterns and wallpapers",
        "picture.seamless",
        Acts.GRAPH,
        DREAMS,
        flag="--seamless",
    )
    tile: int | None = define(
        None,
        "largest side that the network processes at once, in pixels (default: as memory allows)",
        "picture.tile",
        Acts.GRAPH,
        DREAMS,
        ge=256,
        le=65_536,
    )

    film: Film = Film()
    visualization: Visualization = Visualization()

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
