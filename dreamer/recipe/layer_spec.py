"""Layer specs: the text form of what a dream raises, `LAYER[:CHANNELS][=WEIGHT]`."""

import math
import re
from typing import Literal, NamedTuple, cast

How = Literal["strongest", "weakest", "average"]
"""The ways to choose channels on a photo."""


class Choice(NamedTuple):
    """A number of channels to choose by how strongly a photo excites them."""

    how: How
    number: int


class LayerSpec(NamedTuple):
    """A parsed layer spec.

    Attributes:
        layer: name of the layer.
        channels: channel numbers; None for the whole layer, or if they are still to be chosen.
        weight: weight of the whole.
        channel_weights: one weight per channel; None if all are 1.
        choice: the choice of channels on a photo, if any.
    """

    layer: str
    channels: tuple[int, ...] | None
    weight: float
    channel_weights: tuple[float, ...] | None = None
    choice: Choice | None = None


# Bounded, so that a stranger's preset cannot fill the memory with ranges.
_RANGE = r"\d{1,4}(-\d{1,4})?(@-?(\d{1,6}(\.\d{0,6})?|\.\d{1,6}))?"
_CHOICE = r"(?P<how>strongest|weakest|average)(?P<count>[1-9]\d{0,3})"
_SPEC = re.compile(
    rf"(?P<layer>[^:=@\s\x00-\x1f\x7f-\x9f]+)(:(?P<channels>{_RANGE}(,{_RANGE}){{0,999}}|{_CHOICE}))?"
    r"(=(?P<weight>[^=]+))?"
)
_LONG = re.compile(rf"({_RANGE},{_RANGE},{_RANGE})(,{_RANGE}){{2,}}")


def _match(text: str) -> re.Match[str]:
    match = _SPEC.fullmatch(text.strip())
    if not match:
        raise ValueError(f"{text!r} is no layer spec: write LAYER[:CHANNELS][=WEIGHT]")
    return match


def parse_layer(text: str) -> LayerSpec:
    """Parse a layer spec such as `mixed4c`, `mixed4d:139`, `mixed4c:1,5-9=0.5` or `mixed3b=-0.2`.

    Channels may have their own weights, as in `mixed4d:139@0.8,12@-0.5`; the default is 1. They may
    also be chosen on the photo: `mixed4d:strongest5`, `mixed4d:weakest5`, `mixed4d:average5`.

    Raises ValueError if the text is not a layer spec.
    """
    match = _match(text)
    try:
        weight = float(match["weight"] or 1)
    except ValueError:
        weight = math.nan
    if not math.isfinite(weight):
        raise ValueError(f"the weight in {text!r} is not a finite number")
    if match["channels"] is None:
        return LayerSpec(match["layer"], None, weight)
    if match["how"]:
        choice = Choice(cast(How, match["how"]), int(match["count"]))
        return LayerSpec(match["layer"], None, weight, choice=choice)
    chosen = _parse_channels(match["channels"])
    alike = set(chosen.values()) == {1.0}
    weights = None if alike else tuple(chosen.values())
    return LayerSpec(match["layer"], tuple(chosen), weight, weights)


def shorten_layer(text: str) -> str:
    """Shorten a layer spec, or a schedule of these, to the first three of many channels."""
    return _LONG.sub(r"\1,…", text)


def replace_channels(text: str, channels: list[int]) -> str:
    """Return the layer spec with these channels in place of its own."""
    match = _match(text)
    weight = f"={match['weight']}" if match["weight"] else ""
    return f"{match['layer']}:{','.join(map(str, channels))}{weight}"


def _parse_channels(text: str) -> dict[int, float]:
    chosen: dict[int, float] = {}
    for part in text.split(","):
        numbers, _, weight = part.partition("@")
        first, dash, last = numbers.partition("-")
        if dash and int(last) < int(first):
            raise ValueError(f"the channels {part.strip()!r} run backward")
        chosen |= dict.fromkeys(range(int(first), int(last or first) + 1), float(weight or 1))
    return chosen
