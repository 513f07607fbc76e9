"""The job behind `dream exemplars`: the photos that excite channels most, and where."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dreamer.arrays import Image
from dreamer.errors import DreamerError
from dreamer.files import photo_folder, photos
from dreamer.imaging import contact_sheet
from dreamer.jobs.events import Done, Note, Outcome, Progress, Sink, Stop, format_count
from dreamer.jobs.outputs import Files, check_file, choose_files, save_preset, write_table
from dreamer.jobs.requests import Attribution, ExemplarsRequest, Patch
from dreamer.jobs.resolve import Origin, network_file, resolve
from dreamer.jobs.visualization import Run, Visualization
from dreamer.jobs.workbench import Workbench
from dreamer.recipe.field_types import Kind
from dreamer.recipe.layer_spec import LayerSpec

if TYPE_CHECKING:
    from dreamer.analysis.exemplars import Channel, Exemplar, PatchCutter
    from dreamer.networks.network import Network

COLUMNS = (
    *("layer", "channel", "rank", "activation", "photo", "width", "height"),
    *("left", "top", "right", "bottom"),
)
"""Columns of the table; the patch is in the photo's own pixels."""

SIDE = 160
"""Side of a cell of the sheet, in pixels."""

_FRAME = 2


def run(request: ExemplarsRequest, emit: Sink, stop: Stop, bench: Workbench) -> Outcome:
    """Find exemplars as a request asks for, and write them.

    Raises DreamerError where nothing can be done.
    """
    folder, overwrite = request.folder, request.overwrite
    usual = Path(f"{folder.resolve().name}-exemplars.png")
    files = choose_files(request.output, usual, overwrite=overwrite)
    count = sum(1 for _ in photo_folder.walk(folder))
    if not count:
        raise photo_folder.no_photo_error(folder)
    given = {**request.fields, "layers": request.layers, "size": str(SIDE)}
    request = request.model_copy(update={"fields": given})
    wanted = resolve(request, Kind.CHANNEL, emit, Origin(request.preset, usual="filters"))
    if request.save_preset:
        save_preset(request.save_preset, wanted.recipe, overwrite=overwrite)
    _, file = network_file(request)
    how = Run(request.threads, overwrite, True, emit, stop, bench)
    job = Visualization(wanted, file, None, how)
    net = job.net
    from dreamer.analysis import exemplars
    from dreamer.networks import motif_size

    channels = [each for term in wanted.recipe.terms for each in _find_channels(term, net)]
    means = _name_means(request.mean, channels, overwrite=overwrite)
    how.parts.count = 1 if request.photos_only or not files.sheet else 2
    for state in exemplars.search(net, channels, folder, request.count, request.longest):
        place = state.seen + state.skipped
        emit(Progress(how.parts.share(place / count), f"photo {place} of {count}"))
        if stop.asked:
            break
    how.parts.done += 1
    skipped = f", {state.skipped} skipped: unreadable or too small" if state.skipped else ""
    stopped = f" of {count}, stopped there" if stop.asked else ""
    emit(Note(f"{net.name}: {format_count(state.seen, 'photo')}{skipped}{stopped}"))
    if state.seen and not stop.drops:
        layers = {each.layer for each in channels} if request.patch is Patch.MOTIF else ()
        sizes = {layer: motif_size.find_motif_size(net, layer) for layer in layers}
        cutter = exemplars.PatchCutter(net, sizes)
        found = Found(job, state.best, cutter, request.attribution)
        for path in found.write(files, means, grown=not request.photos_only and not stop.asked):
            emit(Done(str(path), path))
    return Outcome(stopped=stop.asked)


def _find_channels(term: LayerSpec, net: Network) -> list[Channel]:
    """Find what `LAYER:CHANNELS` names."""
    from dreamer.analysis.exemplars import Channel

    if not term.channels:
        raise DreamerError(f"Name channels of {term.layer}, as {term.layer}:3 or {term.layer}:0-9.")
    layer = net.resolve_with_channels(term.layer, term.channels)
    return [Channel(layer, number) for number in term.channels]


def _name_means(
    path: Path | None, channels: Sequence[Channel], *, overwrite: bool
) -> Mapping[Channel, Path]:
    """Name the files for the means of the channels' patches."""
    if path is None:
        return {}
    if path.suffix and len(channels) > 1:
        raise DreamerError(f"The means of several channels do not fit into {path}: give a folder.")
    files = {
        channel: path if path.suffix else path / f"{channel.layer}-{channel.number}-mean.png"
        for channel in channels
    }
    for file in files.values():
        if file.suffix.lower() not in photos.WRITERS:
            known = " ".join(photos.WRITERS)
            raise DreamerError(f"--mean cannot be {file}: end it in one of {known}.")
        check_file(file, overwrite=overwrite)
    return files


@dataclass(frozen=True)
class Found:
    """Exemplars, as they are written: their photos are read again, those of a channel at a time."""

    job: Visualization
    best: Mapping[Channel, Sequence[Exemplar]]
    scissors: PatchCutter
    attribution: Attribution | None = None

    def write(self, files: Files, means: Mapping[Channel, Path], *, grown: bool) -> Iterator[Path]:
        """Write what is wanted of table, means and sheets; yield their paths."""
        from dreamer.analysis import exemplars

        overwrite = self.job.run.overwrite
        if files.table:
            write_table(files.table, COLUMNS, self.rows(), overwrite=overwrite)
            yield files.table
        for channel, path in means.items():
            patches = [self.scissors.patch(channel, each) for each in self.best[channel]]
            photos.write(path, exemplars.average_patches(patches), overwrite=overwrite)
            yield path
        if files.sheet:
            yield from self.write_sheets(files.sheet, grown=grown)

    def rows(self) -> Iterator[Sequence[object]]:
        """Yield the rows of the table."""
        for channel, found in self.best.items():
            for rank, each in enumerate(found, 1):
                scales = [own / size for own, size in zip(each.own, each.size, strict=True)]
                ends = zip(self.scissors.box(channel, each), scales, strict=True)
                (top, bottom), (left, right) = (
                    (round(side.start * scale), round(side.stop * scale)) for side, scale in ends
                )
                height, width = each.own
                photo = (each.path, width, height, left, top, right, bottom)
                yield (*channel, rank, each.activation, *photo)

    def write_sheets(self, path: Path, *, grown: bool) -> Iterator[Path]:
        """Write a sheet, or several where one would be too large; yield their paths."""
        channels = list(self.best)
        own = self._grow(channels) if grown else {}
        columns = max(map(len, self.best.values())) + bool(own)
        most = max(1, contact_sheet.most_cells((SIDE, SIDE), columns) // columns // 2)
        parts = [channels[first : first + most] for first in range(0, len(channels), most)]
        for number, part in enumerate(parts, 1):
            name = path.with_stem(f"{path.stem}-{number}") if len(parts) > 1 else path
            cells = [cell for channel in part for cell in self._cells(channel, own, columns)]
            pictures, labels = zip(*cells, strict=True)
            sheet = contact_sheet.compose(pictures, labels, columns)
            provenance = self.job.describe(self.job.wanted.recipe)
            photos.write(name, sheet, made=provenance, overwrite=self.job.run.overwrite)
            yield name
        if len(parts) > 1:
            self.job.note(f"One sheet of all would be too large: there are {len(parts)}.")

    def _grow(self, channels: Sequence[Channel]) -> Mapping[Channel, Image]:
        """Grow what each channel wants to see."""
        from dreamer.pipelines.targets import find_targets

        net = self.job.net
        wanted = [find_targets(net, each.layer, [each.number])[0] for each in channels]
        pictures = self.job.grow(self.job.wanted.recipe, wanted)
        laid = (contact_sheet.lay_on_paper(each.picture, each.alpha) for each in pictures)
        return dict(zip(channels, laid, strict=True))

    def _light(self, channel: Channel, photo: Image) -> Image:
        """Return a photo, dark where the channel does not answer to it, if that is asked for."""
        if self.attribution is None:
            return photo
        from dreamer.analysis.attribution import attribute

        light = attribute(self.job.net, *channel, photo, self.attribution)
        return contact_sheet.darken(photo, light)

    def _cells(
        self, channel: Channel, own: Mapping[Channel, Image], columns: int
    ) -> Iterator[tuple[Image, str]]:
        """Yield two rows of pictures with labels: photos and, below each, its patch."""
        from dreamer.analysis import exemplars

        best = self.best[channel]
        patches = [self.scissors.patch(channel, each) for each in best]
        shown = [
            (
                contact_sheet.outline(self._light(channel, patch.photo), patch.box, _FRAME),
                f"{each.activation:.3g}  {each.path.name}",
            )
            for each, patch in zip(best, patches, strict=True)
        ]
        cuts = [(patch.cut, "") for patch in patches]
        if own:
            shown.insert(0, (own[channel], str(channel)))
            cuts.insert(0, (exemplars.average_patches(patches), "mean"))
        else:
            cuts[0] = (cuts[0][0], str(channel))
        blank = (contact_sheet.paper(SIDE), "")
        for row in (shown, cuts):
            for picture, label in [*row, *[blank] * (columns - len(row))]:
                yield contact_sheet.fit_into_square(picture, SIDE), label
