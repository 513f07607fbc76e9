"""A network to dream on: a Keras model with what is known of it."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from dreamer.errors import DreamerError, unknown
from dreamer.networks import graph
from dreamer.networks.facts import Facts
from dreamer.networks.registry import NetSpec
from dreamer.recipe import words

OVERVIEW = 16
"""Largest number of layers in an overview of a network without known motif sizes."""


@dataclass(frozen=True)
class Network:
    """A Keras model with its spec.

    Attributes:
        name: its name in the registry, or its file's name.
        spec: how the network wants its input.
        get_model: returns the Keras model, which accepts pictures of any size (but see `entire`).
        sha256: the hash of the weights file; empty for random weights.
        whole: returns the model with all its layers, for pictures of one size, if some need that
            and `model` is without them; None otherwise.
        notes: sentences that a person should read about the network.
        entry: the name under which the user's cache keeps what was found out about it; None if it
            keeps nothing, as for a network that is not all in the file with that hash.
    """

    name: str
    spec: NetSpec
    get_model: Callable[[], Any]
    sha256: str
    whole: Callable[[], Any] | None = None
    notes: tuple[str, ...] = ()
    entry: str | None = None

    @cached_property
    def model(self) -> Any:
        """Return the Keras model, loaded when it is first asked for."""
        return self.get_model()

    @cached_property
    def facts(self) -> Facts:
        """Return what was found out about the network; asking there need not load the model."""
        return Facts(self.entry)

    @cached_property
    def layers(self) -> Mapping[str, int]:
        """Return the layers with feature maps, in order, with their numbers of channels."""
        return self.facts.find("layers", lambda: graph.list_maps(self.model))

    @cached_property
    def units(self) -> Mapping[str, int]:
        """Return the layers of units, as a classifier's logits, in order, with their widths."""
        return self.facts.find("units", lambda: graph.list_widths(self.model, 2))

    @property
    def ends(self) -> list[str]:
        """Return the layers of units that are outputs of the model."""
        outputs = {id(each) for each in self.model.outputs}
        return [
            name for name in self.units if id(graph.get_layer(self.model, name).output) in outputs
        ]

    def entire(self) -> "Network":
        """Return the network with all its layers; it may bring pictures to one size first."""
        return self if self.whole is None else self._entire

    def entire_for(self, layers: Collection[str]) -> "Network":
        """Return the network, with all its layers if any of these needs that."""
        return self.entire() if any(layer in self.spec.fixed for layer in layers) else self

    @cached_property
    def _entire(self) -> "Network":
        assert self.whole is not None
        whole = self.whole()
        spec = replace(self.spec, fixed=(), reads=tuple(whole.inputs[0].shape[1:3]))
        return replace(self, get_model=lambda: whole, whole=None, spec=spec, entry=None)

    @property
    def landmarks(self) -> Sequence[str]:
        """Return layers that give an overview of the network, from first to last."""
        if self.spec.motifs:
            return list(self.spec.motifs)
        own = [name for name in self.layers if self.is_own(name)]
        return own[:: -(-len(own) // OVERVIEW)]

    def is_own(self, name: str) -> bool:
        """Tell whether a layer stands for itself, has many places, and is not before its ReLU."""
        if self.resolve(name) != name or name.endswith(graph.PRE_RELU):
            return False
        return 1 not in graph.get_layer(self.model, name).output.shape[1:3]

    def resolve(self, name: str) -> str:
        """Resolve a name to the layer that is meant by it (see `graph.resolve_layer`).

        A name that ends in `_pre_relu` means the layer itself.

        Raises DreamerError with the nearest names if there is no such layer, or if it needs
        pictures of one size.
        """
        known = {**self.layers, **self.units}
        if name in self.spec.fixed and name not in known:
            raise DreamerError(
                f"{name} of {self.name} needs pictures of one size, and a dream has many: choose "
                "a layer before it."
            )
        if name not in known:
            remedy = f"`dream models layers {self.name}` shows what --layer can be."
            if self.name in words.SHARED_BY and words.is_word(name):
                remedy = f"it is a word, so give --of {name} instead of --layer."
            raise unknown(f"layer of {self.name}", name, known, remedy)
        if name.endswith(graph.PRE_RELU):
            return name
        return self.facts.find(
            f"what {name} stands for",
            lambda: graph.get_name(
                graph.resolve_layer(self.model, graph.get_layer(self.model, name))
            ),
        )

    def resolve_with_channels(self, name: str, channels: Sequence[int]) -> str:
        """Resolve a name to a layer (see `resolve`), and check that it has these channels.

        Raises DreamerError if there is no such layer, or no such channel in it.
        """
        layer = self.resolve(name)
        last = self.channels(layer) - 1
        if beyond := [channel for channel in channels if channel > last]:
            raise DreamerError(
                f"{layer} of {self.name} has no channel {beyond[0]}: its channels are 0 to {last}."
            )
        return layer

    def channels(self, layer: str) -> int:
        """Return the number of channels or units of a layer."""
        return {**self.layers, **self.units}[layer]
