"""The library: dreams, films and pictures of channels, of pictures in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from dreamer.errors import DreamerError

# What dreams is heavy: it is imported when a dream is asked for.
if TYPE_CHECKING:
    import numpy as np
    import PIL.Image
    from numpy.typing import NDArray

    from dreamer.analysis.comparison import Compared
    from dreamer.arrays import Image
    from dreamer.ascent.objectives import Objective
    from dreamer.ascent.parametrizations import Parametrization
    from dreamer.ascent.transforms import Transform
    from dreamer.files.framing import Framed
    from dreamer.files.photos import Photo
    from dreamer.imaging.finish import Finish
    from dreamer.jobs.workbench import Workbench
    from dreamer.networks.network import Network
    from dreamer.pipelines.image import ImagePipeline, Own
    from dreamer.pipelines.targets import Target
    from dreamer.recipe import Recipe
    from dreamer.recipe.provenance import Provenance
    from dreamer.recipe.schedule import Signals

    AnyPicture = NDArray[Any] | PIL.Image.Image
    Words = str | Sequence[str]

Picture = TypeVar(
    "Picture",
    "NDArray[np.uint8]",
    "NDArray[np.float32]",
    "NDArray[np.float64]",
    "PIL.Image.Image",
)


def load_network(source: Any, *, weights: str | Path | None = None, **inputs: Any) -> Network:
    """Load a network to dream on.

    Args:
        source: a name of `dream models list`, the path of a `.keras` file, or a `keras.Model`.
        weights: the file of a named network's weights, where it is not at its usual place.
        inputs: of a file or a model: `input_range`, its input for black and for white (0 and 255
            unless given); `input_mean`, which is subtracted in its own order of colors;
            `input_order`, "RGB" or "BGR"; and `input_name`, which takes the picture where several
            could.

    Returns:
        The network; `layers` names its layers with feature maps and their numbers of channels.

    Raises:
        DreamerError: where it cannot be dreamt on.

    >>> network = load_network("dreamnet")
    >>> network.layers["mixed4c"]
    512
    """
    _start()
    from dreamer.networks import loading

    return loading.load_network(source, weights=weights, **inputs)


def dream(
    photo: Picture,
    preset: str | Path | None = None,
    *,
    network: Any = None,
    objective: Objective | None = None,
    transform: Transform | None = None,
    finish: Finish | None = None,
    of: Words = (),
    mask: AnyPicture | None = None,
    guide: AnyPicture | None = None,
    weights: str | Path | None = None,
    progress: bool = False,
    **fields: Any,
) -> Picture:
    """Dream on a photo.

    Args:
        photo: an array, uint8 of 0 to 255 or floats of 0 to 1, `(h, w, 3)`, with opacity
            `(h, w, 4)`, or gray `(h, w)`; or a Pillow image.
        preset: a name of `dream presets list`, a `.toml` file, or a picture or film that `dream`
            made.
        network: from `load_network`, or whatever that takes.
        objective: what is raised, made of `dreamer.objectives`, in place of the layers of the
            recipe.
        transform: `(images, seed) -> images` of TensorFlow, `(n, h, w, 3)`, applied before the
            network sees them, behind the recipe's jitter.
        finish: `(dream, photo) -> picture` of NumPy, `(h, w, 3)`, applied to what is shown.
        of: words to dream of, as "birds" or ["birds", "vaults=0.5", "-dogs"], which has fewer
            dogs; see `dream models words`.
        mask: a picture; the dream shows where it is white.
        guide: a picture; the dream is of what is in it.
        weights: the file of the network's weights, where it is not at its usual place.
        progress: show a bar.
        fields: any field that `dream presets show` lists, in place of what the preset says.

    Returns:
        The dream in color, of the photo's kind, with its opacity. A photo whose longer side is
        above `size` (1280 pixels; "full" for any) is reduced to it.

    Raises:
        DreamerError: one sentence that names what cannot be done, and the remedy.

    Networks and graphs are kept for the next call, and for the next process in the user's cache
    (`DREAMER_CACHE` names another folder, or none).

    >>> import numpy as np
    >>> photo = np.full((48, 64, 3), 128, np.uint8)
    >>> dream(photo, strength=10, steps=1, seed=7).shape
    (48, 64, 3)

    A network and an objective of one's own:

    >>> from dreamer import objectives
    >>> network = load_network("dreamnet")
    >>> goal = objectives.channel("mixed4d", 139) - 0.2 * objectives.layer("mixed3b")
    >>> picture = dream(photo, network=network, objective=goal, octaves=1, steps=2)
    """
    from dreamer.files.framing import frame_photo
    from dreamer.jobs.framing import find_framing

    read, give = _read(photo)
    call = _prepare(preset, of, network, weights, fields)
    recipe = call.wanted.recipe.still()
    read, framed = frame_photo(read, find_framing(recipe))
    shade = call.mask(mask, framed)
    own = _own(objective, transform, finish)
    pipeline = call.build(recipe, read, guide, own)
    with _bar(progress) as show:
        for state in pipeline.dream(read.image, pipeline.plan(framed.size), shade):
            show(state.done)
    call.keep()
    return give(state.picture(), read.alpha)


def film(
    source: Any,
    preset: str | Path | None = None,
    *,
    network: Any = None,
    objective: Objective | None = None,
    transform: Transform | None = None,
    finish: Finish | None = None,
    of: Words = (),
    mask: AnyPicture | None = None,
    guide: AnyPicture | None = None,
    music: str | Path | Sequence[str] = (),
    weights: str | Path | None = None,
    progress: bool = False,
    **fields: Any,
) -> Iterator[Any]:
    """Film a dream: each frame is moved a little, dreamt again, and fed back.

    Args:
        source: a photo, as for `dream`; or a clip, on whose motion the dream rides: the path of a
            film, or its frames in an array `(n, h, w, 3)`.
        preset, network, objective, transform, finish, of, mask, guide, weights, progress: as for
            `dream`.
        music: a song that a film of a photo keeps time with, or stems as "drums=a.wav"; see
            `dream video --music`. The film gets its length where `seconds` does not say another.
        fields: any field that `dream presets show` lists, those of a film without their prefix:
            `motion`, `seconds`, `fps`, `loop`, `size`.

    Returns:
        A generator of the frames of `dream video`, each of the photo's kind (of a path, uint8
        arrays), opaque, with even sides, and made when it is asked for.

    Raises:
        DreamerError: one sentence; where anything is wrong, before the first frame.

    >>> import itertools, numpy as np
    >>> photo = np.full((48, 64, 3), 128, np.uint8)
    >>> frames = film(photo, motion="spiral", seconds=1, size=64)
    >>> [frame.shape for frame in itertools.islice(frames, 2)]
    [(48, 64, 3), (48, 64, 3)]
    """
    from dreamer.arrays import from_stored
    from dreamer.pipelines.frame_loop import MemoryStore, play

    own = _own(objective, transform, finish)
    clip = _is_clip(source)
    call = _prepare(preset, of, network, weights, *_film_fields(fields, clip=clip))
    if clip:
        made, give = call.clip_film(source, mask, guide, own)
    else:
        call, heard = _listen(call, music, fields)
        made, give = call.photo_film(source, mask, guide, own, heard)
    made.check()

    def run() -> Iterator[Any]:
        store: MemoryStore[Any] = MemoryStore(made.loop)
        with _bar(progress) as show:
            for number, frame in enumerate(play(made, store), 1):
                show(number / made.film.length)
                yield give(from_stored(frame), None)
        call.keep()

    return run()


class Visualized(NamedTuple):
    """What a channel, a unit, a class or an objective wants to see.

    Attributes:
        label: as `mixed4d:139`, or a class's name.
        picture: float32 `(h, w, 3)` of 0 to 1; with `alpha`, `(h, w, 4)`.
        score: of the picture, on the network as it is.
        log: by step, the score of what the network saw before it; see `every`.
    """

    label: str
    picture: Image
    score: float
    log: Mapping[int, float]


def visualize(
    what: str | Objective | Sequence[str | Objective],
    preset: str | Path | None = None,
    *,
    network: Any = None,
    classes: bool = False,
    parametrization: str | Parametrization | None = None,
    transform: Transform | None = None,
    every: int | None = None,
    weights: str | Path | None = None,
    progress: bool = False,
    **fields: Any,
) -> list[Visualized]:
    """Grow pictures of what channels, units, classes or objectives of one's own want to see.

    Args:
        what: channels as "mixed4d:139" or "mixed4d:0-3", a mix as "mixed4d:3@0.7,5@-0.4"; with
            `classes`, names or numbers of classes; or an objective made of `dreamer.objectives`,
            over as many layers as it likes.
        preset: `filters` or, with `classes`, `class` unless given.
        network: from `load_network`, or whatever that takes.
        classes: whether classes are meant.
        parametrization: "fourier", "phases" or "pixels"; or `encode` and `decode` of one's own,
            as `dreamer.ascent.parametrizations.Parametrization`.
        transform: `(images, seed) -> images` of TensorFlow, applied before the network sees them,
            behind those of the recipe.
        every: the most steps from one entry of the log to the next; about a second's unless given.
        weights: the file of the network's weights, where it is not at its usual place.
        progress: show a bar.
        fields: any field that `dream presets show` lists, those of a visualization without their
            prefix: `unit`, `diverse`, `keep`.

    Raises:
        DreamerError: one sentence that names what cannot be done, and the remedy.

    >>> (found,) = visualize("mixed3b:7", size=64, steps=2)
    >>> found.label, found.picture.shape
    ('mixed3b:7', (64, 64, 3))

    >>> from dreamer import objectives
    >>> both = objectives.channel("mixed4d", 139) - 0.2 * objectives.layer("mixed3b")
    >>> (found,) = visualize(both, size=64, steps=2, parametrization="pixels", every=1)
    >>> sorted(found.log)
    [1, 2]
    """
    asked = what if isinstance(what, Sequence) and not isinstance(what, str) else [what]
    usual = preset or ("class" if classes else "filters")
    own = _own(transform=transform)
    if isinstance(parametrization, str):
        fields["parametrization"] = parametrization
    elif parametrization is not None:
        own = own._replace(parametrization=parametrization)
    call = _prepare(usual, (), network, weights, fields)
    net = call.network.entire() if classes else call.network
    import numpy as np

    from dreamer.pipelines.visualization import Visualizer

    targets = [target for each in asked for target in _find_targets(net, each, classes=classes)]
    visualizer = Visualizer(call.wanted.recipe, net, own=own)
    logs: dict[str, dict[int, float]] = {}
    with _bar(progress) as show:
        for state in visualizer.grow(targets, every=every):
            for label, score in zip(state.labels, state.scores.tolist(), strict=True):
                logs.setdefault(label, {})[state.step] = score
            show(state.done)
    call.keep()
    return [
        Visualized(
            each.label,
            each.picture if each.alpha is None else np.dstack([each.picture, each.alpha]),
            each.score,
            logs[each.label],
        )
        for each in state.grown
    ]


def exemplars(
    folder: str | Path,
    channels: str | Sequence[str],
    *,
    network: Any = None,
    count: int = 8,
    longest: int = 320,
    weights: str | Path | None = None,
) -> dict[str, list[Any]]:
    """Find the photos of a folder that excite channels most, and where in them.

    Args:
        folder: of photos of any size; memory does not grow with it.
        channels: as "mixed4d:139" or "mixed4c:1,5-9".
        network: from `load_network`, or whatever that takes.
        count: of each channel.
        longest: side, in pixels, at which a photo is looked at.
        weights: the file of the network's weights, where it is not at its usual place.

    Returns:
        Exemplars by channel, the strongest first; each has its `path` and its `activation`.

    >>> import tempfile, PIL.Image
    >>> folder = tempfile.TemporaryDirectory()
    >>> PIL.Image.new("RGB", (64, 48), "teal").save(f"{folder.name}/teal.png")
    >>> found = exemplars(folder.name, "mixed3b:7", count=1)
    >>> [each.path.name for each in found["mixed3b:7"]]
    ['teal.png']
    >>> folder.cleanup()
    """
    call = _prepare(None, (), network, weights, {})
    net = call.network
    from dreamer.analysis.exemplars import Channel, search
    from dreamer.recipe.layer_spec import parse_layer

    asked = [channels] if isinstance(channels, str) else list(channels)
    wanted = [
        Channel(net.resolve_with_channels(term.layer, term.channels or ()), number)
        for term in map(parse_layer, asked)
        for number in term.channels or ()
    ]
    *_, state = search(net, wanted, Path(folder), count, longest)
    return {str(channel): list(best) for channel, best in state.best.items()}


def attribute(
    photo: AnyPicture,
    what: str,
    *,
    method: str = "integrated",
    network: Any = None,
    classes: bool = False,
    weights: str | Path | None = None,
) -> NDArray[np.float32]:
    """Find out which pixels of a photo a channel or a class answers to.

    Args:
        photo: at its own size.
        what: a channel as "mixed4d:139" or, with `classes`, a class by its name or number.
        method: "gradient" times the photo, "integrated" gradients, or "gradcam".
        network: from `load_network`, or whatever that takes.
        classes: whether a class is meant.
        weights: the file of the network's weights, where it is not at its usual place.

    Returns:
        float32 `(h, w)`, 0 to 1 for the pixels that speak for it most.

    >>> import numpy as np
    >>> attribute(np.eye(64)[..., None] * np.ones(3), "mixed3b:7", method="gradcam").shape
    (64, 64)
    """
    from dreamer.files import in_memory

    read = in_memory.to_photo(photo, "The photo")
    call = _prepare(None, (), network, weights, {})
    net = call.network.entire() if classes else call.network
    from dreamer.analysis import attribution

    if method not in attribution.METHODS:
        known = ", ".join(attribution.METHODS)
        raise DreamerError(f"There is no attribution by {method!r}: choose one of {known}.")
    (target, *others) = _find_targets(net, what, classes=classes)
    if others:
        raise DreamerError(f"{what} is more than one channel: name a single one.")
    channel = int(target.mix.argmax())
    return attribution.attribute(net, target.layer, channel, read.image, method)


def compare(
    first: AnyPicture,
    second: AnyPicture,
    *,
    layers: Sequence[str] = (),
    network: Any = None,
    weights: str | Path | None = None,
) -> list[Compared]:
    """Compare what two pictures do to a network, layer by layer.

    Args:
        first, second: pictures of any size.
        layers: by name; without, an overview from first to last.
        network: from `load_network`, or whatever that takes.
        weights: the file of the network's weights, where it is not at its usual place.

    Returns:
        For each layer its `correlation`, and the `profiles` of both pictures, `(2, c)`.

    >>> import numpy as np
    >>> gray = np.full((48, 64, 3), 128, np.uint8)
    >>> (same,) = compare(gray, gray, layers=["mixed3b"])
    >>> round(same.correlation, 3)
    1.0
    """
    from dreamer.files import in_memory

    pair = [
        in_memory.to_photo(picture, f"The {name} picture")
        for picture, name in ((first, "first"), (second, "second"))
    ]
    call = _prepare(None, (), network, weights, {})
    net = call.network
    from dreamer.analysis import comparison
    from dreamer.networks import channels

    names = list(dict.fromkeys(map(net.resolve, layers))) or list(net.landmarks)
    looked = channels.resize_for_measurement(pair[0]), channels.resize_for_measurement(pair[1])
    return comparison.compare(net, names, looked)


def activations(
    photo: AnyPicture,
    layers: str | Sequence[str],
    *,
    network: Any = None,
    weights: str | Path | None = None,
) -> dict[str, NDArray[np.float32]]:
    """Return the activations of layers on a picture, as the network has them.

    Args:
        photo: at its own size.
        layers: by name.
        network: from `load_network`, or whatever that takes.
        weights: the file of the network's weights, where it is not at its usual place.

    Returns:
        float32 by layer: feature maps `(h, w, c)`, or units `(c,)`, before any softmax.

    >>> import numpy as np
    >>> activations(np.zeros((64, 64, 3), np.uint8), "mixed3b")["mixed3b"].shape
    (8, 8, 480)
    """
    import numpy as np

    from dreamer.files import in_memory

    read = in_memory.to_photo(photo, "The photo")
    call = _prepare(None, (), network, weights, {})
    from dreamer.networks.freezing import freeze

    asked = [layers] if isinstance(layers, str) else list(layers)
    names = {name: call.network.resolve(name) for name in asked}
    maps = freeze(call.network, names.values(), "float32")(read.image[None])
    return {name: np.asarray(maps[layer][0]) for name, layer in names.items()}


def _start() -> None:
    """Start TensorFlow, before anything imports it."""
    from dreamer.networks import runtime

    runtime.start()


@cache
def _bench() -> Workbench:
    """Return the networks and graphs that are kept from call to call."""
    from dreamer.jobs.workbench import Workbench

    return Workbench()


class _Call(NamedTuple):
    """What a call is about: the recipe, the network, and what the preset brings along."""

    wanted: Provenance
    network: Network
    files: Mapping[str, Path]
    file: Path | None = None
    """The network's, or that of its weights."""

    def build(
        self, recipe: Any, photo: Photo | None, guide: AnyPicture | None, own: Own
    ) -> ImagePipeline:
        """Return the pipeline of a recipe, with channels chosen on the photo."""
        from dreamer.networks import channels

        seen = self._companion("guide", guide)
        looked = None if seen is None else channels.resize_for_measurement(seen)
        return _bench().build(recipe, self.network, photo, looked, own)

    def keep(self) -> None:
        """Write what spares the next process work into the user's cache."""
        self.network.facts.keep()
        _bench().keep()

    def mask(self, picture: AnyPicture | None, framed: Framed) -> NDArray[np.float32] | None:
        """Return the mask at a picture's size."""
        mask = self._companion("mask", picture)
        if mask is None and self.wanted.recipe.mask:
            raise DreamerError("This recipe was made with a mask: give it again by `mask`.")
        return None if mask is None else framed.apply_to_mask(mask, "The mask")

    def _companion(self, kind: str, picture: AnyPicture | None) -> Photo | None:
        from dreamer.files import in_memory, photos

        if picture is not None:
            return in_memory.to_photo(picture, f"The {kind}")
        return photos.read(self.files[kind]) if kind in self.files else None

    def photo_film(
        self,
        source: Any,
        mask: AnyPicture | None,
        guide: AnyPicture | None,
        own: Own,
        signals: Signals | None = None,
    ) -> tuple[Any, Callable[..., Any]]:
        """Return a film of a photo, and the way from a frame to a picture of the photo's kind."""
        from dreamer.files.framing import frame_photo
        from dreamer.jobs.framing import find_film_framing
        from dreamer.pipelines.feedback_film import FeedbackFilm, prepare
        from dreamer.recipe import words

        read, give = _read(source)
        first, framed = frame_photo(read, find_film_framing(self.wanted.recipe, enlarge=True))
        shade = self.mask(mask, framed)
        recipe = self.wanted.recipe
        load_table = partial(words.load, recipe.network, self.file)
        frame, association = prepare(recipe, load_table, signals)
        pipeline = self.build(frame, first, guide, own)
        return FeedbackFilm(pipeline, first.image, shade, association, signals), give

    def clip_film(
        self, source: Any, mask: AnyPicture | None, guide: AnyPicture | None, own: Own
    ) -> tuple[Any, Callable[..., Any]]:
        """Return a film on a clip, and the way from a frame to a picture."""
        from itertools import repeat

        import numpy as np

        from dreamer.files import photos
        from dreamer.pipelines.clip_film import ClipFilm, frame_recipe

        recipe = self.wanted.recipe
        framed, fps, count, frames = _read_clip(source, recipe)
        recipe = recipe.changed({"film": {"fps": fps, "frames": count, "loop": False}})
        shade = self.mask(mask, framed)
        first = photos.Photo(next(frames(0)), None, "") if recipe.chooses else None
        pipeline = self.build(frame_recipe(recipe), first, guide, own)
        masks: Callable[[int], Iterator[Any]] = lambda skip: repeat(shade, count - skip)  # noqa: E731
        like = source[0] if isinstance(source, np.ndarray) else np.zeros((1, 1, 3), np.uint8)
        from dreamer.files import in_memory

        film = ClipFilm(pipeline, recipe, framed.size, frames, masks)
        return film, partial(in_memory.to_type_of, like)


def _listen(
    call: _Call, music: str | Path | Sequence[str], fields: Mapping[str, Any]
) -> tuple[_Call, Signals | None]:
    """Return a call whose film is as long as its music, and what is heard of that."""
    from dreamer.jobs.events import ignore
    from dreamer.jobs.music_source import read_music

    asked = [str(music)] if isinstance(music, str | Path) else list(music)
    heard = read_music(asked, call.wanted.recipe.film, ignore)
    if heard is None:
        return call, None
    if not {"seconds", "frames"} & fields.keys():
        recipe = heard.give_length(call.wanted.recipe)
        call = call._replace(wanted=call.wanted._replace(recipe=recipe))
    return call, heard.signals


def _own(
    objective: Objective | None = None,
    transform: Transform | None = None,
    finish: Finish | None = None,
) -> Own:
    _start()
    from dreamer.pipelines.image import Own

    return Own(objective, transform, finish)


def _prepare(
    preset: str | Path | None,
    of: Words,
    network: Any,
    weights: str | Path | None,
    fields: Mapping[str, Any],
    film: Mapping[str, Any] | None = None,
) -> _Call:
    """Resolve what a call describes, and load its network; the later has the last word."""
    from dreamer.jobs import presets
    from dreamer.jobs.resolve import FRAMES, InWords, describe
    from dreamer.recipe import ARGUMENTS
    from dreamer.recipe.film_fields import complete_changes

    base = presets.read(str(preset)) if preset else None
    named, file = _name_network(network, weights)
    fields = {**fields, **({"network": named} if named else {})}
    asked = [of] if isinstance(of, str) else list(of)
    worded = asked or (film or {}).get("associate")
    in_words = InWords(asked, file=file, for_film=film is not None) if worded else None
    if film:
        fields = {**fields, "film": complete_changes(film)}
    provenance = base.provenance if base else None
    usual = {} if film is None else FRAMES
    wanted = describe(provenance, fields, in_words, source=ARGUMENTS, other=usual)
    _start()
    net = _find_network(network, wanted, file)
    return _Call(wanted, net, base.files if base else {}, file)


def _name_network(network: Any, weights: str | Path | None) -> tuple[str | None, Path | None]:
    """Return the name that a recipe gives a network, and its file."""
    file = Path(weights) if weights else None
    if network is None:
        return None, file
    if not isinstance(network, str | Path):
        return str(network.name), file
    from dreamer.networks.registry import find_model_file

    path = find_model_file(str(network))
    return (path.name, path) if path else (str(network), file)


def _find_network(network: Any, wanted: Provenance, file: Path | None) -> Network:
    if network is None or isinstance(network, str | Path):
        return _bench().load(wanted.recipe, file)
    from dreamer.networks import loading

    inputs = {name: getattr(wanted.recipe, name) for name in loading.INPUT}
    return loading.load_network(network, **inputs)


def _read(photo: Picture) -> tuple[Photo, Callable[..., Picture]]:
    """Read what is dreamt on; return the way from a dream back to a picture of its kind, too."""
    from dreamer.files import in_memory

    return in_memory.to_photo(photo, "The photo"), partial(in_memory.to_type_of, photo)


def _film_fields(fields: Mapping[str, Any], *, clip: bool) -> tuple[dict[str, Any], dict[str, Any]]:
    """Split fields into a recipe's and its film's, which has names that both have.

    The frames of a clip are dreamt as photos are, by the recipe's.
    """
    from dreamer.jobs.resolve import OF_CLIPS
    from dreamer.recipe.film_fields import Film
    from dreamer.recipe.names import FORMER

    names = set(Film.model_fields) - (set(OF_CLIPS.values()) if clip else set())
    own = {name: value for name, value in fields.items() if FORMER.get(name, name) in names}
    return {name: value for name, value in fields.items() if name not in own}, own


def _is_clip(source: Any) -> bool:
    if isinstance(source, str | Path):
        from dreamer.files.clips import is_clip

        # Of any other file, a photo is opened by the caller.
        return is_clip(Path(source))
    return getattr(source, "ndim", 3) == 4


def _read_clip(
    source: Any, recipe: Recipe
) -> tuple[Framed, float, int, Callable[[int], Iterator[Image]]]:
    """Read a clip: the place of its frames, its rate, their number, and what reads them."""
    from dreamer.files import clips, ffmpeg, in_memory
    from dreamer.jobs.framing import find_film_framing

    fps = recipe.film.fps
    if isinstance(source, str | Path):
        # A folder of frames has no rate of its own, as an array has none.
        framing = find_film_framing(recipe, enlarge=False)
        clip = clips.select(Path(source), framing=framing, folder_fps=ffmpeg.to_exact_rate(fps))
        return clip.framed, float(clip.fps), clip.count, clip.frames
    read = [in_memory.to_photo(frame, "A frame") for frame in source]
    framing = find_film_framing(recipe, enlarge=True)
    framed = framing.place(read[0].size, lambda: read[0].image)
    pictures = [framed.apply(each).image for each in read]
    return framed, fps, len(pictures), lambda skip: iter(pictures[skip:])


def _find_targets(net: Network, asked: str | Objective, *, classes: bool) -> list[Target]:
    """Return what is to be grown for a name, a number or an objective."""
    from dreamer.analysis import classifier
    from dreamer.pipelines.targets import find_targets, wrap_objective
    from dreamer.recipe.layer_spec import parse_layer

    if not isinstance(asked, str):
        return [wrap_objective(net, asked)]
    if not classes:
        term = parse_layer(asked)
        return find_targets(net, term.layer, term.channels, term.channel_weights)
    head = classifier.find_head(net)
    output = head.found(asked)
    (target,) = find_targets(net, head.layer, [output])
    return [target._replace(label=head.label(output))]


@contextmanager
def _bar(wanted: bool) -> Iterator[Callable[[float], None]]:
    """Open a bar for a share of the work, in a terminal or a notebook."""
    if not wanted:
        yield lambda share: None
        return
    from rich.progress import Progress

    with Progress(transient=True) as live:
        task = live.add_task("dreaming", total=1.0)
        yield lambda share: live.update(task, completed=share)
