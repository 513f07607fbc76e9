"""For notebooks and programs: dreams and films of pictures in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

# What dreams is heavy: it is imported when a dream is asked for.
if TYPE_CHECKING:
    import numpy as np
    import PIL.Image
    from numpy.typing import NDArray

    from dreamer.arrays import Image, Size
    from dreamer.assemble import Assembly
    from dreamer.files.photos import Photo
    from dreamer.recipe import Recipe

    AnyPicture = NDArray[Any] | PIL.Image.Image
    Words = str | Sequence[str]

Picture = TypeVar(
    "Picture",
    "NDArray[np.uint8]",
    "NDArray[np.float32]",
    "NDArray[np.float64]",
    "PIL.Image.Image",
)


def dream(
    photo: Picture,
    preset: str | Path | None = None,
    *,
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
            `(h, w, 4)`, or grey `(h, w)`; or a Pillow image.
        preset: a name of `dream presets list`, a `.toml` file, or a picture or film that `dream`
            made.
        of: words to dream of, as "birds" or ["birds", "vaults=0.5", "-dogs"], which has fewer
            dogs; see `dream models words`.
        mask: a picture; the dream shows where it is white.
        guide: a picture; the dream is of what is in it.
        weights: the file of the network's weights, where it is not at its usual place.
        progress: show a bar.
        fields: any field that `dream presets show` lists, in place of what the preset says.

    Returns:
        The dream in colour, of the photo's kind, with its opacity. A photo whose longer side is
        above `size` (1280 pixels; "full" for any) is reduced to it.

    Raises:
        DreamerError: one sentence that names what cannot be done, and the remedy.

    The network is kept for the next call. Two examples:

    >>> import dreamer, PIL.Image
    >>> photo = PIL.Image.open("photo.jpg")
    >>> dreamer.dream(photo, preset="puppyslug", size=640).save("dream.png")

    >>> import numpy as np
    >>> array = np.asarray(photo)
    >>> dreamt = dreamer.dream(array, of=["birds", "vaults=0.5"], strength=20, seed=7)
    """
    from dreamer.files import photos

    taken, give = _taken(photo)
    fields, weights = _own_network(fields, weights)
    recipe = _recipe(preset, of, weights, fields).still()
    size = photos.fitted(taken.image.shape[:2], recipe.size, enlarge=recipe.enlarge)
    taken = photos.resize(taken, size)
    seen, shade = _given("guide", guide, preset), _mask(mask, preset, recipe, size)
    assembly = _assembled(recipe, taken, seen, weights)
    with _bar(progress) as show:
        for state in assembly.dream(taken.image, assembly.plan(size), shade):
            show(state.done)
    return give(state.picture(), taken.alpha)


def film(
    photo: Picture,
    preset: str | Path | None = None,
    *,
    of: Words = (),
    mask: AnyPicture | None = None,
    guide: AnyPicture | None = None,
    weights: str | Path | None = None,
    progress: bool = False,
    **fields: Any,
) -> Iterator[Picture]:
    """Film a dream: each frame is moved a little, dreamt again, and fed back.

    Args:
        photo: what the film begins with.
        preset, of, mask, guide, weights, progress: as for `dream`.
        fields: any field that `dream presets show` lists, those of a film without their prefix:
            `motion`, `seconds`, `fps`, `loop`, `size`.

    Returns:
        A generator of the frames of `dream video`, each of the photo's kind, opaque, with even
        sides, and made when it is asked for.

    Raises:
        DreamerError: one sentence; where anything is wrong, before the first frame.

    Two examples:

    >>> import dreamer, PIL.Image
    >>> photo = PIL.Image.open("photo.jpg")
    >>> for number, frame in enumerate(dreamer.film(photo, seconds=0.2, size=160)):
    ...     frame.save(f"{number:04}.png")

    >>> import itertools, numpy as np
    >>> frames = dreamer.film(np.asarray(photo), "descent", motion="spiral", size=160)
    >>> first = list(itertools.islice(frames, 2))
    """
    from dreamer.arrays import from_stored
    from dreamer.files import photos
    from dreamer.frames import played

    taken, give = _taken(photo)
    fields, weights = _own_network(fields, weights)
    recipe = _recipe(preset, of, weights, *_film_fields(fields))
    taken = photos.first_frame(taken, recipe.film.size)
    seen = _given("guide", guide, preset)
    shade = _mask(mask, preset, recipe, taken.image.shape[:2])
    _start()
    from dreamer.filming import Filming, frame_recipe

    made = Filming(_assembled(frame_recipe(recipe), taken, seen, weights), taken.image, shade)
    made.check()

    def play() -> Iterator[Picture]:
        keys = played(made.step, made.begin, made.keys, made.loop)
        with _bar(progress) as show:
            for number, frame in enumerate(made.frames(keys), 1):
                show(number / made.film.length)
                yield give(from_stored(frame), None)

    return play()


def _taken(
    photo: Picture,
) -> tuple[Photo, Callable[[Image, NDArray[np.float32] | None], Picture]]:
    """What is dreamt on, and the way from a dream back to a picture of its kind."""
    from dreamer.files import pixels

    return pixels.taken(photo, "The photo"), partial(pixels.given, photo)


def _own_network(
    fields: dict[str, Any], weights: str | Path | None
) -> tuple[dict[str, Any], str | Path | None]:
    """The fields and the weights; a `.keras` file may be named as the network itself."""
    named = fields.get("network")
    if not str(named).endswith(".keras") or weights:
        return fields, weights
    return {**fields, "network": Path(str(named)).name}, str(named)


def _film_fields(fields: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The fields of a recipe and those of its film, which has names that both have."""
    from dreamer.filmfields import Film

    own = {name: value for name, value in fields.items() if name in Film.model_fields}
    return {name: value for name, value in fields.items() if name not in own}, own


def _recipe(
    preset: str | Path | None,
    of: Words,
    weights: str | Path | None,
    fields: Mapping[str, Any],
    film: Mapping[str, Any] | None = None,
) -> Recipe:
    """The recipe that a preset, words and fields describe; the later one has the last word."""
    from dreamer import filmfields, presets
    from dreamer.describe import InWords, described
    from dreamer.recipe import ARGUMENTS

    asked = [of] if isinstance(of, str) else list(of)
    file = Path(weights) if weights else None
    in_words = InWords(asked, file=file, for_film=film is not None) if asked else None
    if film:
        fields = {**fields, "film": filmfields.implied(film)}
    base = presets.load(str(preset)) if preset else None
    return described(base, fields, in_words, source=ARGUMENTS).recipe


def _given(kind: str, picture: AnyPicture | None, preset: str | Path | None) -> Photo | None:
    """The mask or the guide: what was given, or what the preset brings."""
    from dreamer import presets
    from dreamer.files import photos, pixels

    if picture is not None:
        return pixels.taken(picture, f"The {kind}")
    path = presets.files(str(preset)).get(kind) if preset else None
    return photos.read(path) if path else None


def _mask(
    picture: AnyPicture | None, preset: str | Path | None, recipe: Recipe, size: Size
) -> NDArray[np.float32] | None:
    """The mask at a picture's size."""
    from dreamer.errors import DreamerError
    from dreamer.files import photos

    mask = _given("mask", picture, preset)
    if mask is None and recipe.mask:
        raise DreamerError("This recipe was made with a mask: give it again by `mask`.")
    return None if mask is None else photos.as_mask(mask, size, "The mask")


def _start() -> None:
    """Start TensorFlow, before anything imports it."""
    from dreamer.nets import runtime

    runtime.start()


_KEPT: dict[tuple[Any, ...], Assembly] = {}
"""The last assembly on each network, whose graphs serve again."""


def _assembled(
    recipe: Recipe, photo: Photo, guide: Photo | None, weights: str | Path | None
) -> Assembly:
    """A recipe on its network, with channels chosen on the photo."""
    _start()
    from dreamer.assemble import assemble, load
    from dreamer.nets import channels

    own = (recipe.network, recipe.input_range, recipe.input_mean, recipe.input_order, weights)
    before = _KEPT.get(own)
    net = before.network if before else load(recipe, Path(weights) if weights else None)
    looked_at = None if guide is None else channels.looked_at(guide)
    _KEPT[own] = assemble(channels.settled(recipe, net, photo), net, looked_at, before)
    return _KEPT[own]


@contextmanager
def _bar(wanted: bool) -> Iterator[Callable[[float], None]]:
    """A bar for a share of the work, in a terminal or a notebook."""
    if not wanted:
        yield lambda share: None
        return
    from rich.progress import Progress

    with Progress(transient=True) as live:
        task = live.add_task("dreaming", total=1.0)
        yield lambda share: live.update(task, completed=share)
