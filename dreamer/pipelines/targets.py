"""What a picture is grown for: channels and units of a network, alone or mixed."""

from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dreamer.ascent import objectives
from dreamer.ascent.objectives import Objective
from dreamer.errors import DreamerError
from dreamer.networks import graph
from dreamer.networks.network import Network
from dreamer.recipe import Recipe

CONVOLUTIONS = "convolutions"
"""What stands for all convolutions of a network where a layer is asked for."""


class Target(NamedTuple):
    """What a picture is grown for.

    Attributes:
        label: what it is called on a sheet, as `mixed4d:139`.
        layer: of the network, with feature maps or units.
        mix: the weight of each of its channels, `(c,)`.
        objective: what is raised in place of the mix, if anything; `layer` is its deepest one then.
    """

    label: str
    layer: str
    mix: NDArray[np.float32]
    objective: Objective | None = None


def find_targets(
    net: Network,
    layer: str,
    channels: Sequence[int] | None = None,
    weights: Sequence[float] | None = None,
) -> list[Target]:
    """A target for each channel, or each unit, of a layer; with weights, one for their mix.

    Args:
        net: a network.
        layer: of it, as a person writes its name.
        channels: their numbers; None for all.
        weights: one a channel.

    Raises DreamerError for a layer or channel that the network lacks.
    """
    name = net.resolve_with_channels(layer, channels or ())
    count = net.channels(name)
    wanted = list(range(count) if channels is None else channels)
    rows = np.eye(count, dtype=np.float32)[wanted]
    if weights is None:
        named = zip(wanted, rows, strict=True)
        return [Target(f"{name}:{channel}", name, row) for channel, row in named]
    parts = [f"{channel}@{weight:g}" for channel, weight in zip(wanted, weights, strict=True)]
    return [Target(f"{name}:{','.join(parts)}", name, np.array(weights, np.float32) @ rows)]


def wrap_objective(net: Network, objective: Objective, label: str = "objective") -> Target:
    """Return an objective of layers of a network as a target.

    Raises DreamerError for a layer that the network lacks.
    """
    own = [net.resolve(name) for name in objective.layers]
    deepest = max(own, key=[*net.layers, *net.units].index)
    return Target(label, deepest, np.zeros(net.channels(deepest), np.float32), objective)


def join_terms(net: Network, recipe: Recipe) -> Target:
    """Return one target for all terms of a recipe together, each by its weight."""
    parts = []
    for term in recipe.terms:
        layer = net.resolve_with_channels(term.layer, term.channels or ())
        if layer in net.units:
            raised = objectives.units(layer, term.channels, term.channel_weights)
        else:
            kind = "mean" if recipe.objective == "direction" else recipe.objective
            raised = objectives.layer(
                layer, term.channels, kind, recipe.border, term.channel_weights
            )
        parts.append(raised * term.weight)
    return wrap_objective(net, sum(parts[1:], parts[0]), " + ".join(recipe.layers))


def find_layers(net: Network, wanted: str) -> list[str]:
    """The layers that a person means: by name, by a pattern as `mixed4?`, or `convolutions`.

    Raises DreamerError where there is none.
    """
    if wanted == CONVOLUTIONS:
        return graph.list_convolutions(net.model)
    if not set(wanted) & set("*?["):
        return [net.resolve(wanted)]
    own = [name for name in net.layers if net.resolve(name) == name]
    if found := [name for name in own if fnmatchcase(name, wanted)]:
        return found
    raise DreamerError(
        f"No layer of {net.name} is called like {wanted!r}: `dream models layers {net.name}` shows "
        "them all."
    )


def repeat_targets(targets: Sequence[Target], ways: int) -> list[Target]:
    """Each target so many times, with the number in its label where there is more than one."""
    if ways == 1:
        return list(targets)
    return [
        target._replace(label=f"{target.label} {way + 1}/{ways}")
        for target in targets
        for way in range(ways)
    ]
