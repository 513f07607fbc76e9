"""What the jobs of a process share: TensorFlow's start, loaded networks, and traced graphs."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from pathlib import Path
from typing import TYPE_CHECKING

from dreamer.errors import DreamerError
from dreamer.files.photos import Photo
from dreamer.jobs.events import Note, Sink, ignore
from dreamer.networks import runtime
from dreamer.recipe import Recipe
from dreamer.recipe.provenance import Provenance

# TensorFlow is imported by these, and must have been started before.
if TYPE_CHECKING:
    from dreamer.networks.network import Network
    from dreamer.pipelines.build_ascent import Graphs
    from dreamer.pipelines.guides import Guide
    from dreamer.pipelines.image import ImagePipeline, Own

KEPT_NETWORKS = 3
"""At most so many networks are kept; the one that was used longest ago goes first."""


def _read_arithmetic(wanted: Provenance | None) -> int:
    """Return the arithmetic of a finished picture; an older one does not name its own."""
    repeated = wanted is not None and wanted.facts
    return 1 if repeated and repeated.get("arithmetic", 1) == 1 else runtime.ARITHMETIC


class Workbench:
    """Networks by what they were loaded from, and the graphs that were traced on them."""

    def __init__(self) -> None:
        self._networks: OrderedDict[Hashable, Network] = OrderedDict()
        self._noted: set[Hashable] = set()
        self._graphs: Graphs | None = None

    def start(
        self,
        asked: int | None,
        wanted: Provenance | None = None,
        emit: Sink = ignore,
        *,
        side_by_side: bool = False,
    ) -> int:
        """Start TensorFlow, if it is not running yet; return the number of its threads.

        Args:
            asked: the number of threads; None for that of a finished picture, or all there are.
            wanted: the picture or the recipe that is repeated.
            emit: takes notes.
            side_by_side: whether each thread works on pictures of its own.
        """
        recorded = wanted.facts.get("threads") if wanted else None
        # A picture may come from a stranger, and from a larger machine.
        known = isinstance(recorded, int) and 1 <= recorded <= runtime.processors()
        count = runtime.start(
            asked or (recorded if known else None),
            abreast=side_by_side,
            arithmetic=_read_arithmetic(wanted),
        )
        if recorded not in (None, count):
            emit(Note(f"The picture was made with {recorded!r} threads, this one is with {count}."))
        return count

    def load(self, recipe: Recipe, file: Path | None, emit: Sink = ignore) -> Network:
        """Return the network that a recipe names, loaded where it is not there yet.

        Args:
            recipe: its `network` is a name of the registry, or the name of a file.
            file: the weights, or that file itself.
            emit: takes notes on the network, when it is loaded.
        """
        from dreamer.networks import loading
        from dreamer.networks.registry import is_model_file

        stamp = file.stat().st_mtime_ns if file and file.is_file() else None
        key = (
            *(recipe.network, *(getattr(recipe, name) for name in loading.INPUT)),
            *(file, stamp),
        )
        if key not in self._networks:
            if is_model_file(recipe.network) and file is None:
                raise DreamerError(
                    f"This recipe dreams on {recipe.network}: give that file by --model."
                )
            self._networks[key] = loading.load_for_recipe(recipe, file)
            for text in self._networks[key].notes:
                emit(Note(text))
        self._networks.move_to_end(key)
        while len(self._networks) > KEPT_NETWORKS:
            self._networks.popitem(last=False)
        net, layers = self._networks[key], [term.layer for term in recipe.terms]
        fixed = [layer for layer in layers if layer in net.spec.fixed]
        whole = net.entire_for(layers)
        if fixed and whole.spec.reads and (key, *fixed) not in self._noted:
            self._noted.add((key, *fixed))
            size = "×".join(map(str, whole.spec.reads[::-1]))
            emit(Note(f"{', '.join(fixed)} needs pictures of {size}: yours are brought to that."))
        return whole

    def build(
        self,
        recipe: Recipe,
        net: Network,
        photo: Photo | None = None,
        guide: Guide | None = None,
        own: Own | None = None,
    ) -> ImagePipeline:
        """Return the pipeline of a recipe; graphs of earlier ones serve again.

        Args:
            recipe: what is wanted.
            net: the network that it names.
            photo: on which channels are chosen, where the recipe says so.
            guide: where the recipe has one.
            own: what a caller of the library puts in place of the recipe's.
        """
        from dreamer.pipelines.build_ascent import Graphs
        from dreamer.pipelines.channel_choice import choose_channels
        from dreamer.pipelines.image import NOTHING_OWN, build_pipeline

        if photo is not None:
            recipe = choose_channels(recipe, net, photo)
        if self._graphs is None:
            self._graphs = Graphs()
        return build_pipeline(recipe, net, guide, own or NOTHING_OWN, self._graphs)

    def keep(self) -> None:
        """Write what spares the next process work into the user's cache: facts and graphs."""
        for net in self._networks.values():
            net.facts.keep()
        if self._graphs is not None:
            self._graphs.keep()
