"""`dream exemplars`: the photos of a folder, and the places in them, that excite a channel most."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dreamer.cli import options, outputs, show
from dreamer.errors import DreamerError
from dreamer.layers import LayerSpec

if TYPE_CHECKING:
    from dreamer.arrays import Image
    from dreamer.cli.visualisation import Visualisation
    from dreamer.nets.exemplars import Channel, Exemplar, Scissors
    from dreamer.nets.network import Network

EXAMPLES = """Examples:

dream exemplars photos/ mixed4c:11,45  ·  two channels on one sheet

dream exemplars photos/ mixed4d:66 -m googlenet -o 66.png -o 66.csv  ·  a sheet and a table

dream exemplars photos/ mixed4d:66 -m googlenet --mean 66-mean.png  ·  to grow a picture from
"""

COLUMNS = (
    *("layer", "channel", "rank", "activation", "photo", "width", "height"),
    *("left", "top", "right", "bottom"),
)
"""Of the table; the patch in the photo's own pixels."""

SIDE = 160
"""Of a cell of the sheet, in pixels."""

_FRAME = 2


class Cut(StrEnum):
    """What `--patch` may be."""

    MOTIF = "motif"
    FIELD = "field"


def command(
    folder: Annotated[
        Path, typer.Argument(help="Photos of any size; folders within it count too.")
    ],
    wanted: Annotated[
        list[str],
        typer.Argument(metavar="LAYER:CHANNELS...", help="As mixed4d:139 or mixed4c:1,5-9."),
    ],
    count: Annotated[int, typer.Option("-k", "--count", help="Exemplars of each.", min=1)] = 8,
    looked_at: Annotated[
        int,
        typer.Option("--size", help="Longest side at which a photo is looked at.", min=16),
    ] = 320,
    patch: Annotated[
        Cut,
        typer.Option(
            help="All of the receptive field, or its middle of a motif's size, which counts most."
        ),
    ] = Cut.MOTIF,
    photos_only: Annotated[
        bool, typer.Option("--photos-only", help="Do not grow the channels' own pictures.")
    ] = False,
    preset: options.Preset = None,
    settings: options.Settings = None,
    network: options.Network = None,
    weights: options.Weights = None,
    output: outputs.Option = None,
    mean: Annotated[
        Path | None,
        typer.Option(help="Write the mean of the patches; of several channels, into a folder."),
    ] = None,
    overwrite: options.Overwrite = False,
    quiet: options.Quiet = False,
) -> None:
    """The photos that excite channels most, and where: the strongest first.

    A photo is ranked by the strongest cell of the channel's grid. The sheet shows it whole, with
    what that cell sees in a frame, and the patch below, beside what the channel wants to see and
    the mean of the patches. Memory does not grow with the folder. `dream filters --init` grows a
    picture from a mean.
    """
    from dreamer.files import listing

    files = outputs.chosen(
        output, Path(f"{folder.resolve().name}-exemplars.png"), overwrite=overwrite
    )
    photos = sum(1 for _ in listing.walk(folder))
    if not photos:
        raise listing.no_photo(folder)
    call = _call(preset, wanted, settings, network, weights, overwrite=overwrite, quiet=quiet)
    net = call.net
    from dreamer.nets import exemplars, motif

    channels = [each for term in call.wanted.recipe.terms for each in _channels(term, net)]
    means = _means(mean, channels, overwrite=overwrite)
    with show.share_done(quiet=quiet) as update, show.interruptible() as interrupt:
        for state in exemplars.search(net, channels, folder, count, looked_at):
            place = state.seen + state.skipped
            update(place / photos, f"photo {place} of {photos}")
            if interrupt.asked:
                break
    skipped = f", {state.skipped} skipped: unreadable or too small" if state.skipped else ""
    stopped = f" of {photos}, stopped there" if interrupt.asked else ""
    show.note(f"{net.name}: {state.seen} photos{skipped}{stopped}", quiet=quiet)
    if not state.seen:
        raise typer.Exit(show.INTERRUPTED)
    layers = {channel.layer for channel in channels} if patch is Cut.MOTIF else ()
    scissors = exemplars.Scissors(net, {layer: motif.size(net, layer) for layer in layers})
    found = Found(call, state.best, scissors)
    for path in found.write(files, means, grown=not photos_only):
        show.say(str(path))
    if interrupt.asked:
        raise typer.Exit(show.INTERRUPTED)


def _call(
    preset: str | None,
    layers: Sequence[str],
    settings: Sequence[str] | None,
    network: str | None,
    weights: Path | None,
    *,
    overwrite: bool,
    quiet: bool,
) -> Visualisation:
    network, weights = options.network_file(network, weights)
    from dreamer.cli.visualisation import Visualisation

    given = {"network": network, "layers": layers, "size": SIDE}
    kind = "a channel's picture"
    wanted = options.made(preset or "filters", settings or [], given, kind=kind, quiet=quiet)
    return Visualisation(wanted, weights, None, None, False, overwrite, quiet)


def _channels(term: LayerSpec, net: Network) -> list[Channel]:
    """What `LAYER:CHANNELS` names."""
    from dreamer.nets.exemplars import Channel

    if not term.channels:
        raise DreamerError(f"Name channels of {term.layer}, as {term.layer}:3 or {term.layer}:0-9.")
    layer = net.checked(term.layer, term.channels)
    return [Channel(layer, number) for number in term.channels]


def _means(
    path: Path | None, channels: Sequence[Channel], *, overwrite: bool
) -> Mapping[Channel, Path]:
    """Where the mean of each channel's patches goes."""
    from dreamer.files.photos import WRITERS

    if path is None:
        return {}
    if path.suffix and len(channels) > 1:
        raise DreamerError(f"The means of several channels do not fit into {path}: give a folder.")
    files = {
        channel: path if path.suffix else path / f"{channel.layer}-{channel.number}-mean.png"
        for channel in channels
    }
    for file in files.values():
        if file.suffix.lower() not in WRITERS:
            raise DreamerError(f"--mean cannot be {file}: end it in one of {' '.join(WRITERS)}.")
        outputs.check(file, overwrite=overwrite)
    return files


@dataclass(frozen=True)
class Found:
    """Exemplars, as they are written: their photos are read again, a channel's at a time."""

    call: Visualisation
    best: Mapping[Channel, Sequence[Exemplar]]
    scissors: Scissors

    def write(
        self, files: outputs.Outputs, means: Mapping[Channel, Path], *, grown: bool
    ) -> Iterator[Path]:
        """Write what is wanted of table, means and sheets; their paths."""
        from dreamer.files import photos
        from dreamer.nets import exemplars

        overwrite = self.call.overwrite
        if files.table:
            outputs.write_table(files.table, COLUMNS, self.rows(), overwrite=overwrite)
            yield files.table
        for channel, path in means.items():
            patches = [self.scissors.patch(channel, each) for each in self.best[channel]]
            photos.write(path, exemplars.mean(patches), overwrite=overwrite)
            yield path
        if files.sheet:
            yield from self.sheets(files.sheet, grown=grown)

    def rows(self) -> Iterator[Sequence[object]]:
        """Those of the table."""
        for channel, found in self.best.items():
            for rank, each in enumerate(found, 1):
                scales = [own / size for own, size in zip(each.own, each.size, strict=True)]
                ends = zip(self.scissors.box(channel, each), scales, strict=True)
                (top, bottom), (left, right) = (
                    (round(side.start * scale), round(side.stop * scale)) for side, scale in ends
                )
                height, width = each.own
                photo = (each.path, width, height, left, top, right, bottom)
                yield (*channel, rank, f"{each.activation:.6g}", *photo)

    def sheets(self, path: Path, *, grown: bool) -> Iterator[Path]:
        """Write a sheet, or several where one would be too large; their paths."""
        from dreamer import sheets
        from dreamer.files import photos

        channels = list(self.best)
        own = self._grown(channels) if grown else {}
        columns = max(map(len, self.best.values())) + bool(own)
        most = max(1, sheets.most_cells((SIDE, SIDE), columns) // columns // 2)
        parts = [channels[first : first + most] for first in range(0, len(channels), most)]
        for number, part in enumerate(parts, 1):
            name = path.with_stem(f"{path.stem}-{number}") if len(parts) > 1 else path
            cells = [cell for channel in part for cell in self._cells(channel, own, columns)]
            pictures, labels = zip(*cells, strict=True)
            sheet = sheets.compose(pictures, labels, columns)
            made = self.call.made(self.call.wanted.recipe)
            photos.write(name, sheet, made=made, overwrite=self.call.overwrite)
            yield name
        if len(parts) > 1:
            self.call.note(f"One sheet of all would be too large: there are {len(parts)}.")

    def _grown(self, channels: Sequence[Channel]) -> Mapping[Channel, Image]:
        """What each channel wants to see."""
        from dreamer.targets import targets

        net = self.call.net
        wanted = [targets(net, each.layer, [each.number])[0] for each in channels]
        pictures = self.call.grow(self.call.wanted.recipe, wanted)
        return {channel: each.picture for channel, each in zip(channels, pictures, strict=True)}

    def _cells(
        self, channel: Channel, own: Mapping[Channel, Image], columns: int
    ) -> Iterator[tuple[Image, str]]:
        """Two rows of pictures with labels: photos and, below each, its patch."""
        from dreamer import sheets
        from dreamer.nets import exemplars

        best = self.best[channel]
        patches = [self.scissors.patch(channel, each) for each in best]
        photos = [
            (sheets.outlined(patch.photo, patch.box, _FRAME), f"{each.activation:.3g}  {name}")
            for each, patch in zip(best, patches, strict=True)
            for name in (each.path.name,)
        ]
        cuts = [(patch.cut, "") for patch in patches]
        if own:
            photos.insert(0, (own[channel], str(channel)))
            cuts.insert(0, (exemplars.mean(patches), "mean"))
        else:
            cuts[0] = (cuts[0][0], str(channel))
        blank = (sheets.paper(SIDE), "")
        for row in (photos, cuts):
            for picture, label in [*row, *[blank] * (columns - len(row))]:
                yield sheets.squared(picture, SIDE), label
