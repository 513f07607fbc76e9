"""What a recipe raises on a network: its layers found, its channels checked, its objective made."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, reduce
from operator import add

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from dreamer.ascent import objectives, regularizers, steps
from dreamer.ascent.objectives import Objective
from dreamer.ascent.steps import Numbers, Ramp
from dreamer.errors import DreamerError
from dreamer.networks import motif_size
from dreamer.networks.network import Network
from dreamer.pipelines import guides
from dreamer.pipelines.guides import Guide
from dreamer.recipe import Recipe
from dreamer.recipe.layer_spec import LayerSpec
from dreamer.recipe.schedule import Clock

Gains = Mapping[str, NDArray[np.float32]]
"""Factors on the activations of channels, `(c,)`, by layer."""

NO_GAINS: Gains = {}
START = Clock(0, 1, 1)
"""The moment of a picture that is not part of a film."""


@dataclass(frozen=True)
class Goal:
    """What is raised on a loaded network.

    Attributes:
        recipe: with what the network decides written out.
        network: the one that it names.
        terms: its layers, as the network calls them.
        motif: the size of their motifs, in pixels.
        guide: where the recipe has one.
        own: an objective of the caller's, in place of the recipe's.
    """

    recipe: Recipe
    network: Network
    terms: Sequence[LayerSpec]
    motif: int
    guide: Guide | None = None
    own: Objective | None = None

    @cached_property
    def objective(self) -> Objective:
        """Return the sum of the recipe's terms, or of their likeness to the guide."""
        if self.own is not None:
            return self.own
        if self.guide is None:
            return reduce(add, (self._raise(place) for place in range(len(self.terms))))
        match = self.recipe.guide_match
        parts = guides.compare_to_guide(self.guide, self.network, self.terms, match)
        return reduce(add, (objectives.weigh(place, part) for place, part in enumerate(parts)))

    @property
    def additive(self) -> bool:
        """Tell whether the objective is a sum over the picture, and not a mean."""
        return self.own is None and self.guide is None and self.recipe.objective.startswith("sum")

    def numbers(
        self, clock: Clock = START, gains: Gains = NO_GAINS, raised: Sequence[LayerSpec] = ()
    ) -> Numbers:
        """Return the numbers of a run at a moment of a film.

        Args:
            clock: the moment.
            gains: factors on activations.
            raised: terms in place of as many last ones of the recipe, of the same layers.
        """
        recipe = self.recipe.at(clock)
        weights = () if self.own is not None else self.recipe.weights(clock)
        weighed = list(zip(self.terms, weights, strict=False))
        if raised:
            weighed[-len(raised) :] = [(term, term.weight) for term in raised]
        terms = [
            steps.term(weight, term.channels, self._channel_weights(term))
            for term, weight in weighed
        ]
        return steps.numbers(read_rate(recipe), read_amounts(recipe), terms, gains)

    def _channel_weights(self, term: LayerSpec) -> Sequence[float] | None:
        if self.recipe.objective == "direction" and term.layer not in self.network.units:
            return objectives.scale_direction(len(term.channels or ()), term.channel_weights)
        return term.channel_weights

    def _raise(self, place: int) -> Objective:
        term, recipe = self.terms[place], self.recipe
        if term.choice:
            how, number = term.choice
            raise DreamerError(
                f"{term.layer}:{how}{number} is chosen on a photo, and here is none: give numbers, "
                "which `dream models channels` lists."
            )
        chosen = term.channels is not None
        if term.layer in self.network.units:
            return objectives.unit_term(place, term.layer, chosen=chosen)
        # A direction's vector is among the numbers.
        reduction = "mean" if recipe.objective == "direction" else recipe.objective
        return objectives.term(place, term.layer, reduction, recipe.border, chosen=chosen)


def read_rate(recipe: Recipe) -> Ramp:
    """Return the step size of a recipe without schedules."""
    return steps.ramp(
        float(recipe.rate), None if recipe.rate_end is None else float(recipe.rate_end)
    )


def read_amounts(recipe: Recipe) -> dict[str, Ramp]:
    """Return the amounts of the regularizers of a recipe without schedules, by name."""
    return {
        name: steps.ramp(getattr(recipe, name), getattr(recipe, f"{name}_end", None))
        for name in regularizers.REGULARIZERS
    }


def resolve_goal(
    recipe: Recipe, net: Network, guide: Guide | None = None, own: Objective | None = None
) -> Goal:
    """Check a recipe against a network, and write out what the network decides.

    Args:
        recipe: what is wanted.
        net: the network that it names.
        guide: where the recipe has one.
        own: an objective of the caller's, in place of the recipe's.

    Raises DreamerError for a layer or channel that the network lacks, or a missing guide.
    """
    if recipe.guide and guide is None:
        raise DreamerError("This recipe was made with a guide: give it again by --guide.")
    if guide is None and recipe.guide_match != Recipe().guide_match:
        raise DreamerError("guide_match says how a guide is matched: give one by --guide.")
    # Written out, so that a picture's recipe does not change with a network's default.
    recipe = recipe.changed({"layers": recipe.layers or net.spec.layers, "of": recipe.of})
    terms = [_resolve(term, net) for term in recipe.terms]
    _check(recipe, net, terms, guide)
    if own is not None:
        own = _resolve_own(own, net)
        terms = [LayerSpec(layer, None, 1.0) for layer in sorted(own.layers)]
    sized = _sized_layers(terms, net)
    size = recipe.motif_pixels or max(motif_size.find_motif_size(net, layer) for layer in sized)
    if not set(sized) <= net.spec.motifs.keys():
        # Measured just now: obeyed when the picture is repeated.
        recipe = recipe.changed({"motif_pixels": size})
    return Goal(recipe, net, terms, size, guide, own)


def _check(recipe: Recipe, net: Network, terms: Sequence[LayerSpec], guide: Guide | None) -> None:
    if guide is not None and any(term.channels or term.choice for term in terms):
        raise DreamerError("A guide chooses the channels: give --layer without any.")
    if guide is not None and any(term.layer in net.units for term in terms):
        raise DreamerError("A guide is matched place by place: give --layer with feature maps.")
    for term in terms if recipe.objective == "direction" else ():
        if not (term.channels or term.choice) or not any(term.channel_weights or (1,)):
            raise DreamerError(
                f"A direction is made of channels with weights: give {term.layer}:CHANNEL@WEIGHT,…,"
                " not all of them 0."
            )


def _resolve(term: LayerSpec, net: Network) -> LayerSpec:
    return term._replace(layer=net.resolve_with_channels(term.layer, term.channels or ()))


def _resolve_own(own: Objective, net: Network) -> Objective:
    """Let the names of an objective's layers be those that a person may write."""
    names = {layer: net.resolve(layer) for layer in own.layers}
    # Ascents are traced without AutoGraph; a caller's function may need it for its control flow.
    score = tf.function(own.score)
    return Objective(
        frozenset(names.values()),
        lambda maps, numbers: score({name: maps[real] for name, real in names.items()}, numbers),
    )


def _sized_layers(terms: Sequence[LayerSpec], net: Network) -> list[str]:
    """Return the layers whose motifs decide the working sizes: those raised, if any with maps."""
    raised = [term.layer for term in terms if term.weight > 0] or [term.layer for term in terms]
    return [layer for layer in raised if layer in net.layers] or raised
