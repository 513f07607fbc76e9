"""How a recipe becomes an ascent, and a cache of ascents by what their graph depends on."""

import math
from collections import OrderedDict
from collections.abc import Callable, Collection, Hashable
from dataclasses import dataclass, field
from functools import cache
from typing import NamedTuple

import tensorflow as tf
from google.protobuf.message import DecodeError

from dreamer.ascent import (
    boundary,
    normalizations,
    optimizers,
    parametrizations,
    regularizers,
    transforms,
)
from dreamer.ascent.ascent import Ascent, Stopping
from dreamer.ascent.normalizations import Update
from dreamer.ascent.objectives import Objective
from dreamer.ascent.parametrizations import PIXELS, Parametrization
from dreamer.ascent.regularizers import Regularizer
from dreamer.ascent.steps import Numbers, Step, amount
from dreamer.ascent.tiling import Tiles
from dreamer.ascent.transforms import Transform
from dreamer.networks import freezing
from dreamer.networks.freezing import Features
from dreamer.networks.network import Network
from dreamer.pipelines import graph_files
from dreamer.recipe import Recipe

KEPT_GRAPHS = 6
"""At most so many ascents are kept; the one that was used longest ago goes first."""


@dataclass(frozen=True)
class Setting:
    """What of an ascent is not in the recipe.

    Attributes:
        dtype: the type in which the network computes.
        leak: the slope of its ReLUs below zero; None for the network as it is.
        transform: what is done to pictures before it sees them.
        parametrization: what the steps change.
        tiles: how the network gets pictures; None where it gets them whole.
        keep_best: whether the pictures of the best scores are kept.
        shifts: how many random transforms a gradient is the mean of.
    """

    dtype: str
    leak: float | None
    transform: Transform
    parametrization: Parametrization = PIXELS
    tiles: Tiles | None = None
    keep_best: bool = False
    shifts: int = 1


def build_ascent(
    recipe: Recipe, net: Network, objective: Objective, numbers: Numbers, setting: Setting
) -> Ascent:
    """Build the ascent of a recipe on a network.

    Args:
        recipe: how steps are taken.
        net: what is dreamt on, cut behind the deepest layer of the objective. Its model is needed
            only if the ascent is traced, and must have been loaded by then.
        objective: what is raised.
        numbers: of a run.
        setting: all else.
    """

    @cache
    def get_features() -> Features:
        return freezing.freeze(net, objective.layers, setting.dtype, leak=setting.leak)

    return Ascent(
        lambda image: get_features()(image),
        objective,
        numbers,
        transform=setting.transform,
        update=build_update(recipe),
        # L-BFGS takes no such steps.
        optimizer=optimizers.OPTIMIZERS.get(recipe.optimizer, optimizers.OPTIMIZERS["ascent"]),
        regularize=build_regularizer(recipe, setting.parametrization),
        stopping=build_stopping(recipe),
        tiles=setting.tiles,
        parametrization=setting.parametrization,
        keep_best=setting.keep_best,
        shifts=setting.shifts,
    )


def jitter(recipe: Recipe, tiles: Tiles | None) -> Transform:
    """Return the random shift of a recipe."""
    if tiles:
        # Their cuts are random already, and what they wrapped would be false.
        return transforms.jitter(0)
    if recipe.margin and not recipe.seamless:
        return transforms.shift_mirrored(recipe.jitter, recipe.margin)
    return transforms.jitter(recipe.jitter)


def build_update(recipe: Recipe) -> Update:
    """Return what a recipe does to a gradient."""
    normalize = normalizations.NORMALIZATIONS[recipe.normalization]
    weights = recipe.detail, recipe.chroma_detail
    if recipe.normalization == "laplacian" and weights != (1, 1):
        normalize = normalizations.weighted_laplacian(*weights)

    def run(gradient: tf.Tensor, step: Step) -> tf.Tensor:
        return normalize(gradient if smooth is None else smooth(gradient, step))

    smooth = None if recipe.cascade is None else normalizations.blur_cascade(recipe.cascade)
    return boundary.wrap_update(run) if recipe.seamless else run


def build_regularizer(recipe: Recipe, parametrization: Parametrization = PIXELS) -> Regularizer:
    """Return what a recipe does to a picture after each step, whatever the steps change."""
    parts = [
        regularizers.every(
            getattr(recipe, f"{name}_every"),
            parametrizations.on_pictures(
                regularizers.REGULARIZERS[name](amount(name)), parametrization
            ),
        )
        for name in used_regularizers(recipe)
    ]
    chain = regularizers.chain(*parts)
    if parts and recipe.seamless:
        chain = boundary.wrap_regularizer(chain)
    # Other parametrizations hold the range by themselves.
    clips = recipe.clip and parametrization is PIXELS
    return regularizers.chain(chain, *([regularizers.clip] if clips else []))


def build_stopping(recipe: Recipe) -> Stopping:
    """Return when the ascent of a picture stops by itself."""
    return Stopping(
        float("inf") if recipe.max_objective is None else recipe.max_objective,
        recipe.patience,
        math.lcm(*(getattr(recipe, f"{name}_every") for name in used_regularizers(recipe))),
    )


def used_regularizers(recipe: Recipe) -> list[str]:
    """Return the names of the regularizers that a recipe asks for, in order."""
    return [
        name
        for name in regularizers.REGULARIZERS
        if getattr(recipe, name) or getattr(recipe, f"{name}_end", None)
    ]


class _Kept(NamedTuple):
    """An ascent that may serve again; see `Graphs.find`."""

    ascent: Ascent
    alive: Collection[object]
    entry: str | None
    """The name by which its graph is to be written; None if it has been, or shall not be."""


@dataclass
class Graphs:
    """The ascents that were traced, to serve again where nothing but numbers has changed."""

    _kept: OrderedDict[Hashable, _Kept] = field(default_factory=OrderedDict)

    def find(
        self,
        key: Hashable,
        build: Callable[[], Ascent],
        alive: Collection[object] = (),
        entry: str | None = None,
        prepare: Callable[[], object] = lambda: None,
    ) -> Ascent:
        """Return the ascent of a key, built where it is not kept.

        Args:
            key: all that decides what is traced.
            build: makes it.
            alive: what the key names by its identity, which must not be another's meanwhile.
            entry: the name of its graph in the user's cache; None if it has no place there.
            prepare: does what must be done before it is traced.
        """
        if key not in self._kept:
            ascent = build()
            restored = entry is not None and _restore(ascent, entry)
            if not restored:
                prepare()
            self._kept[key] = _Kept(ascent, alive, None if restored else entry)
        self._kept.move_to_end(key)
        if len(self._kept) > KEPT_GRAPHS:
            self.keep()
            self._kept.popitem(last=False)
        return self._kept[key].ascent

    def keep(self) -> None:
        """Write the graphs that were traced since the last time into the user's cache."""
        for key, kept in self._kept.items():
            if kept.entry and (graph := kept.ascent.keep()):
                graph_files.write(kept.entry, graph)
                self._kept[key] = kept._replace(entry=None)


def _restore(ascent: Ascent, entry: str) -> bool:
    """Give an ascent its graph from the user's cache; tell whether there is one that fits."""
    if (kept := graph_files.read(entry)) is None:
        return False
    try:
        ascent.restore(kept)
    except (ValueError, KeyError, TypeError, DecodeError):
        return False
    return True
