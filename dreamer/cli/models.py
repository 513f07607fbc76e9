"""`dream models`: which networks there are, and what is in them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dreamer.cli import complete, shared_options, show, words
from dreamer.errors import speaking_of
from dreamer.jobs.events import Table, format_count

if TYPE_CHECKING:
    from dreamer.networks.network import Network
    from dreamer.networks.receptive_fields import Field

app = typer.Typer(help="Networks: list them, show their layers, fetch their weights.")

app.command("words", epilog=words.EXAMPLES)(words.command)

Name = Annotated[
    str,
    typer.Argument(
        help="The name of a network.",
        show_default=False,
        autocompletion=complete.offer_networks,
    ),
]


@app.command("list", epilog="Example: dream models list")
def list_networks() -> None:
    """List the networks, and whether their weights are on this machine."""
    from dreamer.networks import registry, weight_files

    rows = [
        (
            name,
            spec.summary,
            "here" if weight_files.find(name) else f"dream models fetch {name}",
        )
        for name, spec in registry.SPECS.items()
    ]
    show.show_table(Table(("network", "what it is", "weights"), tuple(rows)))


@app.command("layers", epilog="Example: dream models layers googlenet")
def list_layers(
    name: Name, weights: shared_options.Weights = None, trust: shared_options.Trust = False
) -> None:
    """List the layers of a network: how many channels each has, and its sizes in pixels.

    The motif is what counts most to a cell of the layer's grid, the receptive field all that it
    can see (it may be larger than the picture). The stride leads from one cell to the next, the
    first of which has its center here on a picture of 512×512.
    """
    net = open_network(name, weights, trust=trust)
    from dreamer.networks import graph, receptive_fields

    fields = receptive_fields.fields(net.model)
    kinds = {graph.get_name(layer): graph.get_kind(layer) for layer in net.model.layers}
    maps = [
        (
            *(layer, kinds[layer], str(count), str(net.spec.motifs.get(layer, ""))),
            *_describe_field(fields[layer]),
        )
        for layer, count in net.layers.items()
    ]
    units = [
        (layer, kinds[layer], str(count), "", "everything") for layer, count in net.units.items()
    ]
    titles = ("layer", "kind", "channels", "motif", "receptive field", "stride", "center")
    show.show_table(Table(titles, (*maps, *units)))


def _describe_field(field: Field | None) -> tuple[str, ...]:
    """Describe size, stride and first center of a receptive field; both where the axes differ."""
    if field is None:
        return ("everything",)
    pairs = (
        dict.fromkeys(f"{getattr(span, name):g}" for span in field)
        for name in ("size", "stride", "center")
    )
    return tuple("×".join(pair) for pair in pairs)


def open_network(
    name: str,
    weights: Path | None,
    settings: Sequence[str] | None = None,
    *,
    need: bool = False,
    trust: bool = False,
) -> Network:
    """Open a network, with random weights where there are none and none are needed.

    Args:
        name: of the registry, or a file.
        weights: where they are not at their usual place.
        settings: of a recipe; a file needs those of its input.
        need: whether the weights must be there.
        trust: whether a file may bring code of its own.
    """
    from dreamer.networks import keras_file, registry, runtime, weight_files
    from dreamer.recipe import Recipe
    from dreamer.recipe.toml_text import parse_setting

    path = registry.find_model_file(name)
    recipe = Recipe().changed({"network": path.name if path else name})
    for key, value in map(parse_setting, settings or []):
        recipe = recipe.changed({key: value}, "--set")
    find = weight_files.find_or_fetch if need else weight_files.find
    file = path or find(name, weights)
    if path and trust:
        keras_file.trust(path)
    runtime.start()
    from dreamer.networks import loading

    net = loading.load_for_recipe(recipe, path) if path else loading.build(name, file)
    for text in net.notes:
        show.note(text)
    return net


@app.command("check", epilog="Example: dream models check mine.keras")
def check(
    name: Name,
    settings: shared_options.Settings = None,
    weights: shared_options.Weights = None,
    trust: shared_options.Trust = False,
) -> None:
    """Open a network, and tell what can be done with it."""
    net = open_network(name, weights, settings, trust=trust)
    whole = net.entire()
    rows = [
        ("layers", f"{len(net.layers)} with feature maps, {len(whole.units)} with units"),
        ("pictures", f"of any size from {net.spec.smallest} pixels on"),
        ("dream image", f"on any of its layers; by default on {', '.join(net.spec.layers)}"),
    ]
    if net.spec.fixed:
        first, *others = net.spec.fixed
        rest = f" and {format_count(len(others), 'layer')} more" if others else ""
        reads = "×".join(map(str, whole.spec.reads or ())) or "one size"
        rows.append(("one size", f"{first}{rest}: pictures are brought to {reads} for them"))
    ends = [f"{end} (0 to {whole.units[end] - 1})" for end in whole.ends]
    rows.append(("dream class", " or ".join(ends) or "none: it ends in feature maps"))
    show.show_table(Table(("", net.name), tuple(rows)))


@app.command("classes", epilog="Example: dream models classes googlenet")
def list_classes(
    name: Name, labels: shared_options.Labels = None, weights: shared_options.Weights = None
) -> None:
    """List what `dream class` can be asked for: numbers, WordNet ids and names."""
    net = open_network(name, weights)
    from dreamer.analysis import classifier

    every = classifier.find_head(net.entire(), labels).labels
    rows = [(str(output), *label) for output, label in enumerate(every)]
    show.show_table(Table(("class", "WordNet id", "names"), tuple(rows)))


@app.command("channels", epilog="Example: dream models channels dreamnet mixed4c --on photo.jpg")
def list_channels(
    name: Name,
    layer: Annotated[str, typer.Argument(help="One of its layers.", show_default=False)],
    photo: Annotated[
        Path, typer.Option("--on", metavar="PHOTO", help="The photo.", show_default=False)
    ],
    settings: shared_options.Settings = None,
    weights: shared_options.Weights = None,
) -> None:
    """List a layer's channels by how strongly a photo excites them, the strongest first.

    The strength is the mean square over the photo; of a layer of classes, the score itself. Silent
    channels are zero all over the photo; dead ones all over pictures of noise of every kind too,
    which does not prove that no photo wakes them.
    """
    from dreamer.files import photos

    with speaking_of("--on"):
        read = photos.read(photo)
    net = open_network(name, weights, settings, need=True)
    from dreamer.networks import channels

    layer = net.resolve(layer)
    strength = channels.measure_strengths(net, layer, channels.resize_for_measurement(read))
    dead = channels.find_dead_channels(net, layer)
    rows = [
        (
            str(channel),
            f"{strength[channel]:.4g}",
            "" if strength[channel] else "dead" if dead[channel] else "silent",
        )
        for channel in (-strength).argsort(kind="stable")
    ]
    show.show_table(Table(("channel", "strength", ""), tuple(rows)))


@app.command("fetch", epilog="Example: dream models fetch googlenet --from inception5h.zip")
def fetch(
    name: Name,
    source: Annotated[
        Path | None, typer.Option("--from", metavar="FILE", help="A file instead of a download.")
    ] = None,
) -> None:
    """Put a network's weights where `dream` finds them."""
    from dreamer.networks import weight_files

    show.say(weight_files.fetch(name, source))


@app.command("clear-cache", epilog="Example: dream models clear-cache")
def clear_cache() -> None:
    """Remove what is kept to begin the next dream sooner: traced graphs, and facts of networks.

    It is made anew when it is needed, and never larger than 500 MB. DREAMER_CACHE names another
    folder for it; with DREAMER_CACHE= nothing is kept.
    """
    from dreamer.files import cache

    count, size = cache.clear()
    show.say(f"Removed {format_count(count, 'file')}, {size / 1e6:.1f} MB.")
