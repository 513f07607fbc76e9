"""Networks by name, from a file, or from a Keras model in memory."""

from pathlib import Path
from typing import Any

from dreamer.networks import network
from dreamer.networks.network import Network
from dreamer.networks.registry import NetSpec
from dreamer.recipe import Recipe

_INPUT = ("input_range", "input_mean", "input_order")


def load_network(source: Any, *, weights: str | Path | None = None, **inputs: Any) -> Network:
    """Load a network, or make a Keras model ready to dream on; see `dreamer.load_network`."""
    if isinstance(source, Network):
        return source
    if not isinstance(source, str | Path):
        recipe = Recipe().changed(inputs)
        return network.load_model(source, describe_input(recipe), described=bool(inputs))
    path = Path(source)
    recipe = Recipe().changed({"network": path.name, **inputs})
    file = path if path.suffix == ".keras" else Path(weights) if weights else None
    return load_for_recipe(recipe, file)


def load_for_recipe(recipe: Recipe, file: Path | None = None) -> Network:
    """Load the network that a recipe names.

    Args:
        recipe: its `network` is a name of the registry, or the name of a `.keras` file.
        file: the weights, or that `.keras` file itself.
    """
    if not recipe.network.endswith(".keras") or file is None:
        return network.load(recipe.network, file)
    usual = Recipe()
    described = any(getattr(recipe, name) != getattr(usual, name) for name in _INPUT)
    return network.load_file(file, describe_input(recipe), described=described)


def describe_input(recipe: Recipe) -> NetSpec:
    """Return what a recipe says of the input of a network that is the user's own."""
    low, high = recipe.input_range
    red, green, blue = (low - mean for mean in recipe.input_mean)
    return NetSpec(
        summary="the user's own",
        build="",
        files=(),
        url=None,
        scale=high - low,
        offset=(red, green, blue),
        order=recipe.input_order,
        layers=(),
        smallest=0,
        motifs={},
    )
