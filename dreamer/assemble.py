"""From a recipe to callables: the only place where configuration and computation meet."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, reduce
from operator import add
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from dreamer import guides, tiling
from dreamer.arrays import Image, Size
from dreamer.ascent import (
    edges,
    look,
    objectives,
    octaves,
    parametrisations,
    regularisers,
    transforms,
    updates,
)
from dreamer.ascent.climb import Ascent, octave_seed
from dreamer.ascent.engine import Begun, Octave, Progress, dream
from dreamer.ascent.look import Look
from dreamer.ascent.objectives import Objective
from dreamer.ascent.parametrisations import PIXELS, Parametrisation
from dreamer.ascent.regularisers import Regulariser
from dreamer.ascent.steps import Amount, Numbers, Step, annealed, number
from dreamer.ascent.tiles import Tiles
from dreamer.ascent.updates import Update
from dreamer.errors import DreamerError
from dreamer.files.metadata import Made
from dreamer.guides import Guide
from dreamer.layers import LayerSpec
from dreamer.nets import motif, network, runtime
from dreamer.nets.network import Network
from dreamer.nets.registry import NetSpec
from dreamer.recipe import Precision, Recipe
from dreamer.redraw import Stages, same_graph
from dreamer.schedule import Clock

Gains = Mapping[str, NDArray[np.float32]]
"""Factors on the activations of a layer's channels, `(c,)`, by layer."""

NO_GAINS: Gains = {}
START = Clock(0, 1, 1)
"""The moment of a picture, which is no film."""

DEAR_OCTAVES = 2
"""How many of the last octaves `mixed` dreams in bfloat16, the composition being decided; a draft
leaves them out."""


WEIGHTS = "weights"
"""The name of the terms' weights among the numbers."""

_AMOUNTS = ("rate", "rate_end", *regularisers.REGULARISERS, "blur_end")


@dataclass(frozen=True)
class Plan:
    """What one picture will go through.

    Attributes:
        sizes: working sizes from small to large.
        dtypes: the type of the activations in each.
        dropped: sizes that were left out because the network cannot read so small a picture.
        tile: the side of the tiles of those larger than its square; None where there are none.
    """

    sizes: Sequence[Size]
    dtypes: Sequence[str]
    dropped: Sequence[Size]
    tile: int | None = None

    @property
    def stages(self) -> Stages:
        """Sizes and types side by side."""
        return list(zip(self.sizes, self.dtypes, strict=True))

    @property
    def draft(self) -> int:
        """How many octaves a draft takes: those before the dear ones, and at least one."""
        return max(1, len(self.sizes) - DEAR_OCTAVES)


@dataclass(frozen=True)
class Assembly:
    """A recipe on a loaded network: traced once, then good for any number of pictures."""

    recipe: Recipe
    network: Network
    terms: Sequence[LayerSpec]
    motif: int
    guide: Guide | None
    _ascents: dict[tuple[str, Tiles | None, bool], Ascent] = field(default_factory=dict)

    def plan(self, size: Size, *, strict: bool = False) -> Plan:
        """The octaves for a picture of this height and width.

        With `strict`, octaves that are too small for the network raise DreamerError.
        """
        recipe, smallest = self.recipe, max(self.network.spec.smallest, updates.SMALLEST)
        if recipe.octaves:
            wanted = octaves.by_count(size, recipe.octaves, recipe.octave_scale, recipe.resample)
        else:
            wanted = octaves.by_motif(size, self.motif, recipe.motif, recipe.octave_scale)
        sizes = octaves.usable(wanted, smallest)
        dropped = [each for each in wanted if each not in sizes]
        if dropped and (strict or not sizes):
            raise DreamerError(
                f"The smallest octave would have {dropped[0][1]}×{dropped[0][0]} pixels, and "
                f"a dream on {self.network.name} needs {smallest} along each side: ask for fewer "
                "octaves or a smaller largest motif, or give a larger photo or --size."
            )
        tile = tiling.side(sizes[-1], recipe, self.network, self.objective.layers, self.motif)
        return Plan(sizes, dtypes(recipe.precision, len(sizes)), dropped, tile)

    def _tiles(self, size: Size, side: int | None) -> Tiles | None:
        additive = self.guide is None and self.recipe.objective.startswith("sum")
        return tiling.tiles(size, side, self.recipe, self.motif, additive=additive)

    def dream(
        self,
        photo: Image,
        plan: Plan,
        mask: NDArray[np.float32] | None = None,
        begun: Begun | None = None,
        *,
        frame: int = 0,
        clock: Clock = START,
        gains: Gains = NO_GAINS,
        every: int | None = None,
    ) -> Iterator[Progress]:
        """Dream on a photo, or on a frame of a film.

        Args:
            photo: float32 `(h, w, 3)` of 0 to 1.
            plan: from `plan`.
            mask: `(h, w)`; the dream shows where it is 1.
            frame: gives other random numbers to each.
            clock: the moment at which schedules are read.
            gains: of the channels' activations, for all of the objective's layers or none.
            every: how many steps there are at most from one value to the next.
        """
        stages = [
            Octave(size, self._ascent(dtype, self._tiles(size, plan.tile), gains))
            for size, dtype in zip(plan.sizes, plan.dtypes, strict=True)
        ]
        recipe = self.recipe.at(clock)
        return dream(
            edges.periodic(photo) if recipe.seamless else photo,
            stages,
            steps=recipe.steps,
            carry=octaves.CARRIES[recipe.carry],
            method="wrapped" if recipe.seamless else recipe.resample,
            seed=recipe.seed,
            frame=frame,
            numbers=self.numbers(clock, gains),
            grow=growing(recipe),
            finish=finishing(recipe, mask),
            begun=begun,
            search=recipe.optimiser == "lbfgs",
            clip=recipe.clip,
            every=every,
        )

    def score(self, picture: Image, plan: Plan) -> float:
        """The objective of a picture `(h, w, 3)` at the largest working size.

        It is that of the network as it is, in float32 and without jitter.
        """
        size = plan.sizes[-1]
        images = octaves.resize(tf.constant(picture[None]), size, self.recipe.resample)
        ascent = self._scoring(self._tiles(size, plan.tile))
        scores, *_ = ascent.value_and_gradient(images, octave_seed(0, 0, 0), self.numbers())
        return float(scores[0])

    def _scoring(self, tiles: Tiles | None) -> Ascent:
        key = "score", tiles, False
        if key not in self._ascents:
            as_it_is = network.freeze(self.network, self.objective.layers, "float32")
            self._ascents[key] = replace(
                self._ascent("float32", tiles),
                features=as_it_is,
                transform=transforms.jitter(0),
            )
        return self._ascents[key]

    def made(self, photo_sha256: str, plan: Plan, threads: int) -> Made:
        """What a finished picture carries."""
        facts = {
            "network_sha256": self.network.sha256,
            "photo_sha256": photo_sha256,
            "sizes": [list(size) for size in plan.sizes],
            "dtypes": list(plan.dtypes),
            "threads": threads,
            **runtime.versions(),
        }
        # Written out, so that another machine cuts the picture alike.
        return Made(self.recipe.changed({"tile": plan.tile or self.recipe.tile}), facts)

    @cached_property
    def objective(self) -> Objective:
        """The weighted sum of the recipe's layers, or of their likeness to the guide."""
        recipe = self.recipe
        if self.guide is None:
            parts = [self._raised(term) for term in self.terms]
        else:
            parts = guides.parts(self.guide, self.network, self.terms, recipe.guide_match)
        return reduce(add, (part * _weight(place) for place, part in enumerate(parts)))

    def numbers(self, clock: Clock = START, gains: Gains = NO_GAINS) -> Numbers:
        """What enters the graph as tensors: weights, amounts and gains at a moment of a film."""
        numbers: dict[str, Any] = amounts(self.recipe.at(clock))
        numbers |= {objectives.gain(layer): gain for layer, gain in gains.items()}
        numbers[WEIGHTS] = self.recipe.weights(clock)
        return {name: tf.constant(value, tf.float32) for name, value in numbers.items()}

    def _raised(self, term: LayerSpec) -> Objective:
        if term.choice:
            how, number = term.choice
            raise DreamerError(
                f"{term.layer}:{how}{number} is chosen on a photo, and here is none: give numbers, "
                "which `dream models channels` lists."
            )
        if term.layer in self.network.units:
            return objectives.units(term.layer, term.channels, term.channel_weights)
        if self.recipe.objective == "direction":
            chosen = term.channels or ()
            return objectives.direction(
                term.layer, chosen, term.channel_weights, self.recipe.border
            )
        return objectives.layer(
            term.layer,
            term.channels,
            self.recipe.objective,
            self.recipe.border,
            term.channel_weights,
        )

    def _ascent(self, dtype: str, tiles: Tiles | None, gains: Gains = NO_GAINS) -> Ascent:
        key = dtype, tiles, bool(gains)
        if key not in self._ascents:
            recipe = self.recipe
            self._ascents[key] = Ascent(
                features=network.freeze(self.network, self.objective.layers, dtype, leak=0),
                # A product with every activation, which pictures and clips do without.
                objective=objectives.gained(self.objective) if gains else self.objective,
                # Where tiles are cut is random already, and what they wrapped would be false.
                transform=transforms.jitter(0 if tiles else recipe.jitter),
                update=update(recipe),
                # L-BFGS takes no such steps.
                optimiser=updates.OPTIMISERS.get(recipe.optimiser, updates.OPTIMISERS["ascent"]),
                regularise=regulariser(recipe),
                rate=amount(recipe, "rate"),
                limit=float("inf") if recipe.max_objective is None else recipe.max_objective,
                patience=recipe.patience,
                cycle=cycle(recipe),
                numbers=self.numbers(gains=gains),
                tiles=tiles,
            )
        return self._ascents[key]


def load(recipe: Recipe, file: Path | None = None) -> Network:
    """The network that a recipe names.

    Args:
        recipe: its `network` is a name of the registry, or the name of a `.keras` file.
        file: the weights, or that `.keras` file itself.
    """
    if not recipe.network.endswith(".keras"):
        return network.load(recipe.network, file)
    if file is None:
        raise DreamerError(f"This recipe dreams on {recipe.network}: give that file by --model.")
    low, high = recipe.input_range
    red, green, blue = (low - mean for mean in recipe.input_mean)
    spec = NetSpec(
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
    usual = Recipe()
    described = any(getattr(recipe, name) != getattr(usual, name) for name in _INPUT)
    return network.load_file(file, spec, described=described)


_INPUT = ("input_range", "input_mean", "input_order")


def assemble(
    recipe: Recipe, net: Network, guide: Guide | None = None, before: Assembly | None = None
) -> Assembly:
    """Check a recipe against a network.

    Args:
        recipe: what is wanted.
        net: the network that it names.
        guide: where the recipe has one.
        before: an assembly on that network, whose graphs serve again where they are the same.

    Raises DreamerError for a layer or channel that the network lacks, or a missing guide.
    """
    if recipe.guide and guide is None:
        raise DreamerError("This recipe was made with a guide: give it again by --guide.")
    if guide is None and recipe.guide_match != Recipe().guide_match:
        raise DreamerError("guide_match says how a guide is matched: give one by --guide.")
    # Written out, so that a picture's recipe does not change with a network's default.
    recipe = recipe.changed(
        {
            "layers": recipe.layers or net.spec.layers,
            "precision": resolve_precision(recipe.precision),
        }
    )
    terms = [_resolved(term, net) for term in recipe.terms]
    if guide is not None and any(term.channels or term.choice for term in terms):
        raise DreamerError("A guide chooses the channels: give --layer without any.")
    if guide is not None and any(term.layer in net.units for term in terms):
        raise DreamerError("A guide is matched place by place: give --layer with feature maps.")
    if recipe.objective == "direction":
        for term in terms:
            _check_direction(term)
    sized = _sized(terms, net)
    size = recipe.motif_pixels or max(motif.size(net, layer) for layer in sized)
    if not set(sized) <= net.spec.motifs.keys():
        # Measured just now: obeyed when the picture is repeated.
        recipe = recipe.changed({"motif_pixels": size})
    same = before and guide is before.guide and same_graph(before.recipe, recipe, _AMOUNTS)
    return Assembly(recipe, net, terms, size, guide, before._ascents if before and same else {})


def _check_direction(term: LayerSpec) -> None:
    if not (term.channels or term.choice) or not any(term.channel_weights or (1,)):
        raise DreamerError(
            f"A direction is made of channels with weights: give {term.layer}:CHANNEL@WEIGHT,…, "
            "not all of them 0."
        )


def _sized(terms: Sequence[LayerSpec], net: Network) -> list[str]:
    """The layers whose motifs decide the working sizes: those raised, with maps if there are."""
    raised = [term.layer for term in terms if term.weight > 0] or [term.layer for term in terms]
    return [layer for layer in raised if layer in net.layers] or raised


def _resolved(term: LayerSpec, net: Network) -> LayerSpec:
    return term._replace(layer=net.checked(term.layer, term.channels or ()))


def amounts(recipe: Recipe) -> dict[str, float]:
    """The fields of a recipe without schedules that enter the graph as tensors."""
    values = {name: getattr(recipe, name) for name in _AMOUNTS}
    return {name: value for name, value in values.items() if value is not None}


def amount(recipe: Recipe, name: str) -> Amount:
    """A field of the recipe that may change over an octave's steps, up to its `…_end`."""
    last = f"{name}_end"
    return annealed(number(name), number(last) if getattr(recipe, last, None) is not None else None)


def _weight(place: int) -> Callable[[Numbers], tf.Tensor]:
    return lambda numbers: numbers[WEIGHTS][place]


def update(recipe: Recipe) -> Update:
    """What a recipe does to a gradient."""
    normalise = updates.NORMALISATIONS[recipe.normalise]

    def run(gradient: tf.Tensor, step: Step) -> tf.Tensor:
        return normalise(gradient if smooth is None else smooth(gradient, step))

    smooth = None if recipe.cascade is None else updates.cascade(recipe.cascade)
    return edges.wrapped_update(run) if recipe.seamless else run


def _regularising(recipe: Recipe) -> list[str]:
    """The regularisers that a recipe asks for, in order."""
    return [
        name
        for name in regularisers.REGULARISERS
        if getattr(recipe, name) or getattr(recipe, f"{name}_end", None)
    ]


def cycle(recipe: Recipe) -> int:
    """After how many steps a recipe's regularisers do the same again."""
    return math.lcm(*(getattr(recipe, f"{name}_every") for name in _regularising(recipe)))


def regulariser(recipe: Recipe, parametrisation: Parametrisation = PIXELS) -> Regulariser:
    """What a recipe does to a picture after each step, whatever the steps change."""
    parts = [
        regularisers.every(
            getattr(recipe, f"{name}_every"),
            parametrisations.on_pictures(
                regularisers.REGULARISERS[name](amount(recipe, name)), parametrisation
            ),
        )
        for name in _regularising(recipe)
    ]
    chain = regularisers.chain(*parts)
    if parts and recipe.seamless:
        chain = edges.wrapped_regulariser(chain)
    # Other parametrisations hold the range by themselves.
    clips = recipe.clip and parametrisation is PIXELS
    return regularisers.chain(chain, *([regularisers.clip] if clips else []))


def growing(recipe: Recipe) -> Callable[[float], Look] | None:
    """What a recipe does to a dream at each octave's end, so that the next one builds on it."""
    if not (recipe.palette or recipe.saturation != 1 or recipe.strength):
        return None

    def grow(share: float) -> Look:
        # A dream's change grows about as the root of the number of octaves.
        change = [look.strength(recipe.strength * share**0.5)] if recipe.strength else []
        return look.chain(colouring(recipe, share), *change)

    return grow


def colouring(recipe: Recipe, share: float = 1) -> Look:
    """What a recipe does to a dream's colours when a share of its octaves is done."""
    colours = [look.palette(recipe.palette)] if recipe.palette else []
    last = share == 1 and recipe.saturation != 1
    chroma = [look.saturation(float(recipe.saturation))] if last else []
    return look.chain(*colours, *chroma)


def finishing(recipe: Recipe, mask: NDArray[np.float32] | None) -> Look:
    """What a recipe does to the picture that is shown."""
    parts: list[Look] = [look.keep_colours] if recipe.colours == "photo" else []
    if recipe.opacity != 1:
        parts.append(look.opacity(float(recipe.opacity)))
    return look.chain(*parts, veil(recipe, mask))


def veil(recipe: Recipe, mask: NDArray[np.float32] | None) -> Look:
    """The dream where the mask is white, with the recipe's soft edge; everywhere without one."""
    if mask is None:
        return look.unchanged
    sigma = recipe.feather * min(mask.shape)
    return look.masked(cv2.GaussianBlur(mask, (0, 0), sigma) if sigma else mask)


def resolve_precision(wanted: Precision) -> Precision:
    """What a precision means on this machine; never `auto`."""
    if wanted == "auto":
        return "mixed" if runtime.gains_by_bfloat16() else "float32"
    return wanted if runtime.has_bfloat16() else "float32"


def dtypes(precision: Precision, count: int) -> list[str]:
    """The type of each of `count` octaves.

    In another precision the same recipe composes another picture; so with `mixed` the first
    octaves, which are cheap and decide the composition, stay in float32.
    """
    if precision != "mixed":
        return [precision] * count
    dear = min(DEAR_OCTAVES, count // 2)
    return ["float32"] * (count - dear) + ["bfloat16"] * dear
