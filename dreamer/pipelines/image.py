"""From a recipe to a dream on a photo."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from dreamer.arrays import Image, Size
from dreamer.ascent import boundary, objectives, octaves, transforms
from dreamer.ascent.ascent import Ascent, octave_seed
from dreamer.ascent.multiscale import Begun, Octave, Passage, Progress, dream
from dreamer.ascent.objectives import Objective
from dreamer.ascent.parametrizations import Parametrization
from dreamer.ascent.steps import specify
from dreamer.ascent.tiling import Tiles
from dreamer.ascent.transforms import Transform
from dreamer.files import cache
from dreamer.imaging.finish import Finish
from dreamer.networks import runtime
from dreamer.networks.network import Network
from dreamer.pipelines import tile_plan
from dreamer.pipelines.build_ascent import Graphs, Setting, build_ascent, jitter
from dreamer.pipelines.finish_by_recipe import finish_octaves, finish_picture
from dreamer.pipelines.goal import NO_GAINS, START, Gains, Goal, resolve_goal
from dreamer.pipelines.guides import Guide
from dreamer.pipelines.plan import Plan, plan_octaves, resolve_precision
from dreamer.recipe import Recipe
from dreamer.recipe.changes import compute_graph_key
from dreamer.recipe.layer_spec import LayerSpec
from dreamer.recipe.provenance import Provenance
from dreamer.recipe.schedule import Clock


class Moment(NamedTuple):
    """When in a film a picture is dreamt.

    Attributes:
        frame: gives other random numbers to each.
        clock: the moment at which schedules are read.
        gains: of the channels' activations, for all of the objective's layers or none.
        raised: terms in place of as many last ones of the recipe, of the same layers.
    """

    frame: int = 0
    clock: Clock = START
    gains: Gains = NO_GAINS
    raised: Sequence[LayerSpec] = ()


STILL = Moment()


class Own(NamedTuple):
    """What a caller of the library puts in place of what a recipe says.

    Attributes:
        objective: what is raised.
        transform: what is done to pictures before the network sees them, behind the jitter.
        finish: what is done to the picture that is shown.
        parametrization: of a picture that is grown.
    """

    objective: Objective | None = None
    transform: Transform | None = None
    finish: Finish | None = None
    parametrization: Parametrization | None = None


NOTHING_OWN = Own()


@dataclass(frozen=True)
class ImagePipeline:
    """A recipe on a loaded network: traced once, then good for any number of pictures.

    Attributes:
        goal: what is raised.
        own: what the caller puts in place of the recipe's.
        graphs: the ascents that were traced.
    """

    goal: Goal
    own: Own = NOTHING_OWN
    graphs: Graphs = field(default_factory=Graphs)

    @property
    def recipe(self) -> Recipe:
        """Return the recipe, with what the network decides written out."""
        return self.goal.recipe

    @property
    def network(self) -> Network:
        """Return the network that is dreamt on."""
        return self.goal.network

    def plan(self, size: Size, *, strict: bool = False) -> Plan:
        """Plan the octaves for a picture of this height and width; see `plan.plan_octaves`."""
        return plan_octaves(self.goal, size, strict=strict)

    def dream(
        self,
        photo: Image,
        plan: Plan,
        mask: NDArray[np.float32] | None = None,
        begun: Begun | None = None,
        *,
        moment: Moment = STILL,
        every: int | None = None,
    ) -> Iterator[Progress]:
        """Dream on a photo, or on a frame of a film.

        Args:
            photo: float32 `(h, w, 3)` of 0 to 1.
            plan: from `plan`.
            mask: `(h, w)`; the dream shows where it is 1.
            begun: a dream to go on from.
            moment: when in a film.
            every: how many steps there are at most from one value to the next.
        """
        stages = [
            Octave(size, self._ascent(dtype, self._tiles(size, plan.tile), moment.gains), rate)
            for (size, dtype), rate in zip(plan.stages, plan.rates, strict=True)
        ]
        recipe = self.recipe.at(moment.clock)
        passage = Passage(
            steps=recipe.steps,
            carry=octaves.CARRIES[recipe.carry],
            resample="wrapped" if recipe.seamless else recipe.resample,
            seed=recipe.seed,
            frame=moment.frame,
            finish=finish_picture(recipe, mask, self.own.finish),
            grow=finish_octaves(recipe),
            search=recipe.optimizer == "lbfgs",
            clip=recipe.clip,
        )
        start = boundary.make_periodic(photo) if recipe.seamless else photo
        numbers = self.goal.numbers(moment.clock, moment.gains, moment.raised)
        return dream(start, stages, passage, numbers, begun=begun, every=every)

    def score(self, picture: Image, plan: Plan) -> float:
        """Return the objective of a picture `(h, w, 3)` at the largest working size.

        It is that of the network as it is, in float32 and without jitter.
        """
        size = plan.sizes[-1]
        images = octaves.resize(tf.constant(picture[None]), size, self.recipe.resample)
        ascent = self._scoring(self._tiles(size, plan.tile))
        seed = octave_seed(0, 0, 0)
        scores, *_ = ascent.value_and_gradient(images, seed, self.goal.numbers())
        return float(scores[0])

    def _tiles(self, size: Size, side: int | None) -> Tiles | None:
        goal = self.goal
        return tile_plan.plan_tiles(size, side, goal.recipe, goal.motif, additive=goal.additive)

    def _scoring(self, tiles: Tiles | None) -> Ascent:
        return self._find(Setting("float32", None, transforms.jitter(0), tiles=tiles), NO_GAINS)

    def _ascent(self, dtype: str, tiles: Tiles | None, gains: Gains) -> Ascent:
        transform = jitter(self.recipe, tiles)
        if self.own.transform:
            # As for a caller's objective, see `goal`.
            transform = transforms.chain(transform, tf.function(self.own.transform))
        setting = Setting(dtype, 0, transform, tiles=tiles, shifts=self.recipe.shifts)
        return self._find(setting, gains)

    def _find(self, setting: Setting, gains: Gains) -> Ascent:
        goal, own = self.goal, self.own
        identities = (goal.network, goal.guide, own.objective, own.transform)
        key = (
            *(setting.dtype, setting.leak, setting.tiles, bool(gains)),
            *(compute_graph_key(goal.recipe), *map(id, identities)),
        )

        def build() -> Ascent:
            # A product with every activation, which pictures and clips do without.
            objective = objectives.apply_gains(goal.objective) if gains else goal.objective
            return build_ascent(
                goal.recipe, goal.network, objective, goal.numbers(gains=gains), setting
            )

        entry = self._name_entry(setting, gains)
        return self.graphs.find(key, build, identities, entry, lambda: goal.network.model)

    def _name_entry(self, setting: Setting, gains: Gains) -> str | None:
        """Return the name of a graph in the user's cache.

        None where something decides the graph that no file holds: a function or a model of the
        caller's, or a guide.
        """
        goal, own = self.goal, self.own
        if not goal.network.entry or goal.guide is not None or own.objective or own.transform:
            return None
        return cache.name_entry(
            *("graph", goal.network.entry, *(term.layer for term in goal.terms)),
            runtime.gains_by_own_gradient(),
            *(setting.dtype, setting.leak, setting.tiles, compute_graph_key(goal.recipe)),
            specify(goal.numbers(gains=gains)),
        )


def build_pipeline(
    recipe: Recipe,
    net: Network,
    guide: Guide | None = None,
    own: Own = NOTHING_OWN,
    graphs: Graphs | None = None,
) -> ImagePipeline:
    """Check a recipe against a network, and make it ready to dream.

    Args:
        recipe: what is wanted.
        net: the network that it names.
        guide: where the recipe has one.
        own: what the caller puts in place of the recipe's.
        graphs: those of earlier dreams, which serve again where they are the same.

    Raises DreamerError for a layer or channel that the network lacks, or a missing guide.
    """
    goal = resolve_goal(recipe, net, guide, own.objective)
    precision = {"precision": resolve_precision(recipe.precision)}
    goal = replace(goal, recipe=goal.recipe.changed(precision))
    return ImagePipeline(goal, own, Graphs() if graphs is None else graphs)


def describe_run(
    pipeline: ImagePipeline, plan: Plan, photo_sha256: str, threads: int
) -> Provenance:
    """Describe what a finished picture is made of: its recipe, and the facts of the run."""
    facts = {
        "network_sha256": pipeline.network.sha256,
        "photo_sha256": photo_sha256,
        "sizes": [list(size) for size in plan.sizes],
        "dtypes": list(plan.dtypes),
        "threads": threads,
        **runtime.versions(),
    }
    # Written out, so that another machine cuts the picture alike.
    recipe = pipeline.recipe.changed({"tile": plan.tile or pipeline.recipe.tile})
    return Provenance(recipe, facts)
