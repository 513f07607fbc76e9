"""A clip as the source of a film: which of its frames, and what goes with them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from itertools import repeat
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dreamer.arrays import Stored, from_stored, to_stored
from dreamer.errors import DreamerError, speaking_of
from dreamer.files import clips, ffmpeg, photos
from dreamer.files.clips import Clip, is_clip
from dreamer.files.framing import Framing
from dreamer.files.photos import Photo
from dreamer.jobs.film_source import Shot
from dreamer.jobs.framing import find_film_framing
from dreamer.recipe import Recipe

if TYPE_CHECKING:
    from dreamer.jobs.dream_photos import Dreaming
    from dreamer.jobs.requests import VideoRequest
    from dreamer.pipelines.clip_film import ClipFilm

Masks = Callable[[int], Iterator[NDArray[np.float32] | None]]
"""Reads the masks of a clip's frames, but for so many at its beginning."""

BLACK = "#000000"

PHOTO_ONLY: Mapping[str, str] = {
    **dict.fromkeys(("motion", "speed", "zoom", "angle", "border"), "a clip has its own motion"),
    **dict.fromkeys(("seconds", "frames"), "a clip has its own length, see --from and --to"),
    "loop": "a clip has its own end",
    "intro": "a clip has its own beginning",
    "cadence": "every frame of a clip is dreamt, see --every",
    **dict.fromkeys(("habituation", "dissolve", "wander"), "a clip is new with every frame"),
    "colors": "a clip has its own colors",
    **dict.fromkeys(("associate", "avoid", "themes"), "only films of photos associate"),
    "bpm": "only films of photos keep time",
    "arc": "a clip has its own colors",
}
"""Fields of a film that mean nothing on a clip, and why."""


def name_clip(path: Path) -> tuple[Path, str]:
    """Return the folder, and the beginning of the name, of what is made of a clip."""
    whole = path.resolve()
    return (path.parent, path.stem) if path.is_file() else (whole.parent, whole.name)


@dataclass(frozen=True)
class Part:
    """Which frames of a clip are used.

    Attributes:
        start, stop: as `clips.parse_seconds` reads them.
        every: from one frame to the next.
        fps: of a folder of frames.
        sound: whether the clip's own is kept.
        background: `#rrggbb`, on which a transparent clip is shown; None where its opacity may
            be kept.
    """

    start: str | None
    stop: str | None
    every: int | None
    fps: float | None
    sound: bool
    background: str | None

    def select(self, path: Path, framing: Framing) -> Clip:
        """Select the frames of a clip."""
        if self.fps and not path.is_dir():
            raise DreamerError(f"{path} has a rate of its own: --fps is for a folder of frames.")
        with speaking_of("--from"):
            start = clips.parse_seconds(self.start or "0")
        with speaking_of("--to"):
            stop = None if self.stop is None else clips.parse_seconds(self.stop)
        if stop is not None and stop <= start:
            raise DreamerError(
                f"--to {self.stop} is not after --from {self.start or 0}: swap them."
            )
        red, green, blue = (level / 255 for level in bytes.fromhex((self.background or BLACK)[1:]))
        found = clips.select(
            path,
            start=start,
            stop=stop,
            every=self.every or 1,
            framing=framing,
            background=(red, green, blue),
            folder_fps=ffmpeg.to_exact_rate(self.fps) if self.fps else clips.FOLDER_FPS,
        )
        if self.every and self.every >= found.stop - found.first > 1:
            raise DreamerError(
                f"--every {self.every} leaves one of the {found.stop - found.first} frames: give a "
                "smaller one."
            )
        return found


def read_part(request: VideoRequest) -> Part:
    """Read which frames a request asks for."""
    fps = request.fields.get("film.fps")
    try:
        rate = float(str(fps)) if fps is not None else None
    except ValueError:
        raise DreamerError(f"--fps cannot be {fps}: write a number.") from None
    background = request.background
    if background and not re.fullmatch("#[0-9a-fA-F]{6}", background):
        raise DreamerError(f"--background cannot be {background}: write a color as #rrggbb.")
    sound = not request.no_audio
    return Part(request.start, request.stop, request.every, rate, sound, background)


def check_for_clip(path: Path, request: VideoRequest) -> None:
    """Raise DreamerError for options that are for films which start from a photo."""
    if request.others:
        raise DreamerError(f"{path} is a clip: give one source, or photos only.")
    if request.dry_run:
        raise DreamerError(f"--dry-run shows the path of a photo, and {path} is a clip.")
    if request.music:
        raise DreamerError(f"--music is not for the clip {path}: give its sound by --audio.")
    for field in request.fields:
        name = field.removeprefix("film.")
        if field != name and name in PHOTO_ONLY:
            raise DreamerError(f"--{name} is not for the clip {path}: {PHOTO_ONLY[name]}.")


def check_for_photo(path: Path | None, request: VideoRequest) -> None:
    """Raise DreamerError for options that are for clips, where the source is none."""
    if film := next(filter(is_clip, request.others), None):
        raise DreamerError(f"{film} is a clip, and {path} a photo: give photos only, or one clip.")
    given = {
        "from": request.start is not None,
        "to": request.stop is not None,
        "every": request.every is not None,
        "no-audio": request.no_audio,
        "background": request.background is not None,
        "flow": "film.flow" in request.fields,
        "blend-moving": "film.blend_moving" in request.fields,
        "blend-still": "film.blend_still" in request.fields,
    }
    for name, there in given.items():
        if there:
            raise DreamerError(f"--{name} is for a clip, and {path or 'noise'} is none.")


def take_clip(path: Path, part: Part, dreaming: Dreaming) -> Shot:
    """Take a clip as the source of a film, whose dream follows its motion."""
    clip = part.select(path, find_film_framing(dreaming.wanted.recipe, enlarge=False))
    for note in clip.facts.notes:
        dreaming.note(note)
    own = {"fps": float(clip.fps), "frames": clip.count, "loop": False}
    recipe = dreaming.wanted.recipe.changed({"film": own}, str(path))
    masks, digest = _read_masks(clip, dreaming), clips.hash_clip(path)
    facts: dict[str, Any] = {"first": clip.first, "every": clip.every, "size": list(clip.size)}
    reveal = None
    if clip.facts.transparent:
        facts["background"] = part.background or BLACK
        reveal = None if part.background else partial(_reveal, clip)
    make = partial(_build, clip, masks, recipe, digest, dreaming)
    return Shot(clip.size, recipe, digest, facts, clip.sound if part.sound else None, make, reveal)


def _reveal(clip: Clip, frames: Iterator[Stored]) -> Iterator[Stored]:
    """Give frames that were dreamt on a background the opacity of the clip's.

    What shows through of the background is taken out of their colors.
    """
    behind = np.asarray(clip.background, np.float32)
    for frame, share in zip(frames, clip.opacities(), strict=False):
        seen = share[..., None]
        colors = (from_stored(frame) - behind * (1 - seen)) / np.maximum(seen, 1 / 255)
        yield to_stored(np.dstack([colors, share]))


def _build(clip: Clip, masks: Masks, recipe: Recipe, sha256: str, dreaming: Dreaming) -> ClipFilm:
    # TensorFlow is imported by this one, and must have been started before.
    _ = dreaming.started
    from dreamer.pipelines import clip_film

    first = Photo(next(clip.frames()), None, sha256) if recipe.chooses else None
    pipeline = dreaming.build(clip_film.frame_recipe(recipe), first)
    return clip_film.ClipFilm(pipeline, recipe, clip.size, clip.frames, masks)


def _read_masks(clip: Clip, dreaming: Dreaming) -> Masks:
    """Return the masks of a clip's frames: none, one for all, or those of a mask film."""
    path = dreaming.companions.mask
    if path is None or not dreaming.companions.has_mask_film:
        still = dreaming.mask(clip.framed)
        return lambda skip: repeat(still, clip.count - skip)
    film = clips.select(path, folder_fps=clip.facts.fps)
    if film.count < clip.stop:
        raise DreamerError(
            f"The mask film {path} has {film.count} frames, and the clip is used up to frame "
            f"{clip.stop}: give one as long as the clip."
        )
    box = None
    if clip.framed.is_part and photos.has_proportions(film.facts.size, clip.facts.size):
        box = clip.framed.box.scale(clip.facts.size, film.facts.size)
    else:
        photos.check_proportions(f"The mask {path}", film.facts.size, clip.size)
    used = replace(film, first=clip.first, stop=clip.stop, every=clip.every)
    return partial(_read_white, replace(used, size=clip.size, box=box))


def _read_white(clip: Clip, skip: int) -> Iterator[NDArray[np.float32]]:
    for frame in clip.frames(skip):
        yield np.asarray(frame.mean(-1), np.float32)
