"""The part of a recipe that is for feature visualization only: pictures grown from noise."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from dreamer.recipe.field_types import (
    GROWN,
    Acts,
    Data,
    Kind,
    NotNegative,
    define,
    split_pair,
)

Place = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
ViewShare = Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)]


def _check_order(view: tuple[float, float] | None) -> tuple[float, float] | None:
    if view and view[0] > view[1]:
        raise ValueError("write the smaller share first")
    return view


class Visualization(Data):
    """The fields of pictures of channels and classes, as made by `dream filters` and `dream class`.

    The recipe's own fields apply to such pictures too if their trait says so (`Trait.used_by`).
    """

    init: Literal["fourier", "natural", "uniform", "gaussian", "gray", "photo"] = define(
        "fourier",
        "what to start from: noise with a spectrum of 1/f (fourier) or that of photographs "
        "(natural), uniform or gaussian noise, plain gray, or a photo plus gaussian noise",
        "visualization.init",
        Acts.START,
        GROWN,
        flag="--init",
        metavar="KIND|PHOTO",
    )
    init_spread: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] = define(
        0.01,
        "standard deviation of the starting noise, for colors from 0 to 1",
        "visualization.init_spread",
        Acts.START,
        GROWN,
    )
    parametrization: Literal["fourier", "phases", "pixels"] = define(
        "fourier",
        "what the steps change: pixels, a Fourier spectrum with decorrelated colors, or the "
        "phases of one whose magnitudes stay as they begin (MACO)",
        "visualization.parametrization",
        Acts.GRAPH,
        GROWN,
    )
    pad: int = define(
        0,
        "gray margin around the picture, in pixels",
        "visualization.pad",
        Acts.GRAPH,
        GROWN,
        ge=0,
        le=256,
    )
    view: Annotated[
        tuple[ViewShare, ViewShare] | None,
        BeforeValidator(split_pair),
        AfterValidator(_check_order),
    ] = define(
        None,
        "random square that each step sees, as its smallest and its largest side in shares of the "
        "picture's; shifts is their number",
        "visualization.view",
        Acts.GRAPH,
        GROWN,
    )
    view_noise: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] = define(
        0.0,
        "standard deviation of the noise that is added to what a step sees",
        "visualization.view_noise",
        Acts.GRAPH,
        GROWN,
    )
    scale: Annotated[float, Field(ge=0, lt=0.9, allow_inf_nan=False)] = define(
        0.0,
        "largest random scaling before each step, as a share",
        "visualization.scale",
        Acts.GRAPH,
        GROWN,
    )
    turn: Annotated[float, Field(ge=0, le=180, allow_inf_nan=False)] = define(
        0.0,
        "largest random rotation before each step, in degrees",
        "visualization.turn",
        Acts.GRAPH,
        GROWN,
    )
    unit: bool = define(
        False,
        "raise a single unit, and crop to its receptive field",
        "visualization.unit",
        Acts.GRAPH,
        (Kind.CHANNEL,),
        flag="--unit",
    )
    at: Annotated[tuple[Place, Place], BeforeValidator(split_pair)] = define(
        (0.5, 0.5),
        "where that unit is, in shares of the width and the height",
        "visualization.at",
        Acts.GRAPH,
        (Kind.CHANNEL,),
        flag="--at",
        metavar="X,Y",
    )
    together: bool = define(
        False,
        "raise all that is named together, each by its weight, in one picture",
        "visualization.together",
        Acts.GRAPH,
        (Kind.CHANNEL,),
        flag="--together",
    )
    leaky: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] = define(
        0.0,
        "slope of the network's ReLUs below zero, so that gradients never vanish; 0 for plain"
        " ReLUs",
        "visualization.leaky",
        Acts.GRAPH,
        GROWN,
        flag="--leaky",
        metavar="SLOPE",
    )
    diverse: int = define(
        1,
        "number of different pictures of each channel or class",
        "visualization.diverse",
        Acts.GRAPH,
        GROWN,
        flag="--diverse",
        ge=1,
        le=64,
    )
    diversity: NotNegative = define(
        1.0,
        "penalty on likeness between these pictures, as a share of their score",
        "visualization.diversity",
        Acts.GRAPH,
        GROWN,
    )
    keep: Literal["last", "best"] = define(
        "last",
        "picture to keep: from the last step, or with the best score",
        "visualization.keep",
        Acts.GRAPH,
        GROWN,
        flag="--keep",
        metavar="last|best",
    )
    alpha: bool = define(
        False,
        "make transparent what does not matter to the score",
        "visualization.alpha",
        Acts.SHOWN,
        GROWN,
        flag="--alpha",
    )
    shown: Literal["plain", "normalized", "photographic"] = define(
        "plain",
        "show pictures as they are (plain), normalized to a mean of 0.5 and a standard deviation "
        "of spread, or with the contrast and color of photos (photographic)",
        "visualization.shown",
        Acts.SHOWN,
        GROWN,
    )
    spread: Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)] = define(
        0.2,
        "standard deviation of colors in normalized pictures",
        "visualization.spread",
        Acts.SHOWN,
        GROWN,
    )
