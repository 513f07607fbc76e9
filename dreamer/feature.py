"""A feature visualisation's part of the recipe: pictures grown from nothing, a channel each."""

from typing import Annotated, Literal

from pydantic import Field

from dreamer.fields import Data, NotNegative


class Feature(Data):
    """What only the pictures of `dream filters` and `dream class` have.

    The fields of a picture that hold for these too are the recipe's own: network, layers,
    objective, border, max_objective, patience, steps, rate, optimiser, normalise, jitter, clip, the
    regularisers, size, seed and precision.
    """

    init: Literal["fourier", "uniform", "gaussian", "grey", "photo"] = Field(
        "fourier",
        description="what the pictures grow from: noise with the spectrum of photographs, noise "
        "pixel by pixel, plain grey, or a photo with gaussian noise",
    )
    init_spread: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] = Field(
        0.01, description="standard deviation of that noise, in colours of 0 to 1"
    )
    parametrisation: Literal["fourier", "pixels"] = Field(
        "fourier",
        description="what the steps change: pixels, or waves of decorrelated colours, the long "
        "ones most",
    )
    pad: int = Field(0, ge=0, le=256, description="grey margin that the network sees, in pixels")
    scale: Annotated[float, Field(ge=0, lt=0.9, allow_inf_nan=False)] = Field(
        0.0, description="largest random change of size before each step, as a share"
    )
    turn: Annotated[float, Field(ge=0, le=180, allow_inf_nan=False)] = Field(
        0.0, description="largest random turn before each step, in degrees"
    )
    unit: bool = Field(
        False, description="raise one unit, in the middle, instead of the channel at all places"
    )
    leaky: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] = Field(
        0.0, description="slope below zero of the network's ReLUs, so that all has a gradient"
    )
    diverse: int = Field(1, ge=1, le=64, description="different pictures of each channel")
    diversity: NotNegative = Field(
        1.0, description="how much likeness to one another costs such pictures, of their score"
    )
    keep: Literal["last", "best"] = Field(
        "last", description="the picture that is kept: that of the last step, or of the best score"
    )
    shown: Literal["plain", "normalised"] = Field(
        "plain", description="as it is, or brought to a mean of 0.5 and to `spread`"
    )
    spread: Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)] = Field(
        0.2, description="standard deviation of the colours where normalised"
    )
