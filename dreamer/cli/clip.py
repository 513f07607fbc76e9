"""`dream video` of a clip: which of its frames, what goes with them, how they are made ready."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from itertools import repeat
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dreamer.cli import options
from dreamer.cli.film import Shot
from dreamer.cli.session import Session, file_sha256
from dreamer.errors import DreamerError, speaking_of
from dreamer.files import clips, ffmpeg, photos
from dreamer.files.clips import Clip
from dreamer.files.photos import Photo
from dreamer.recipe import Recipe

if TYPE_CHECKING:
    from dreamer.riding import Riding

SUFFIXES = (
    *(".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".ts", ".mts", ".m2ts"),
    *(".wmv", ".flv", ".ogv", ".3gp", ".mxf", ".vob", ".y4m", ".gif"),
)
"""Of the files that are films; in any other one a photo is sought."""


def is_clip(path: Path) -> bool:
    """Whether `path` is a film, or a folder, which is one of numbered frames."""
    return path.suffix.lower() in SUFFIXES or path.is_dir()


def sha256(path: Path) -> str:
    """The hash of a film; of a folder, that of its frames' hashes."""
    try:
        if path.is_dir():
            hashes = "".join(sha256(each) for each in clips.pictures(path))
            return hashlib.sha256(hashes.encode()).hexdigest()
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise DreamerError(f"Cannot read {path}: {error.strerror}.") from None


@dataclass(frozen=True)
class Part:
    """Which frames of a clip are used, as the options say.

    Attributes:
        start, stop: as `clips.seconds` reads them.
        every: from one frame to the next.
        fps: of a folder of frames.
        sound: whether the clip's own is kept.
    """

    start: str | None
    stop: str | None
    every: int | None
    fps: float | None
    sound: bool

    def of(self, path: Path, limit: int) -> Clip:
        """The clip, with even sides, since most formats need them."""
        if self.fps and not path.is_dir():
            raise DreamerError(f"{path} has a rate of its own: --fps is for a folder of frames.")
        with speaking_of("--from"):
            start = clips.seconds(self.start or "0")
        with speaking_of("--to"):
            stop = None if self.stop is None else clips.seconds(self.stop)
        if stop is not None and stop <= start:
            raise DreamerError(
                f"--to {self.stop} is not after --from {self.start or 0}: swap them."
            )
        found = clips.select(
            path,
            start=start,
            stop=stop,
            every=self.every or 1,
            limit=limit,
            folder_fps=ffmpeg.rate(self.fps) if self.fps else clips.FOLDER_FPS,
        )
        if self.every and self.every >= found.stop - found.first > 1:
            raise DreamerError(
                f"--every {self.every} leaves one of the {found.stop - found.first} frames: give a "
                "smaller one."
            )
        height, width = found.size
        return replace(found, size=(max(height // 2, 1) * 2, max(width // 2, 1) * 2))


def take(path: Path, part: Part, call: Session) -> Shot:
    """A clip, on whose motion the dream rides."""
    clip = part.of(path, call.wanted.recipe.film.size)
    for note in clip.facts.notes:
        call.note(note)
    own = {"fps": float(clip.fps), "frames": clip.count, "loop": False}
    recipe = call.wanted.recipe.changed({"film": own}, str(path))
    masks, digest = _masks(clip, call), sha256(path)
    facts = {"first": clip.first, "every": clip.every, "size": list(clip.size)}
    make = partial(_riding, clip, masks, recipe, digest, call)
    return Shot(clip.size, recipe, digest, facts, clip.sound if part.sound else None, make)


def _riding(clip: Clip, masks: Masks, recipe: Recipe, sha256: str, call: Session) -> Riding:
    # TensorFlow is imported by this one, and must have been started before.
    _ = call.threads
    from dreamer import riding

    first = Photo(next(clip.frames()), None, sha256) if recipe.chooses else None
    assembly = call.assemble(riding.frame_recipe(recipe), first)
    made = riding.Riding(assembly, recipe, clip.size, clip.frames, masks)
    made.check()
    return made


Masks = Callable[[int], Iterator[NDArray[np.float32] | None]]


def _masks(clip: Clip, call: Session) -> Masks:
    """The masks of a clip's frames: none, one for all, or those of a mask film."""
    if call.mask is None or not is_clip(call.mask):
        still = call.read_mask(clip.size)
        return lambda skip: repeat(still, clip.count - skip)
    film = clips.select(call.mask, folder_fps=clip.facts.fps)
    if film.count < clip.stop:
        raise DreamerError(
            f"The mask film {call.mask} has {film.count} frames, and the clip is used up to frame "
            f"{clip.stop}: give one as long as the clip."
        )
    photos.check_proportions(f"The mask {call.mask}", film.facts.size, clip.size)
    used = replace(film, first=clip.first, stop=clip.stop, every=clip.every, size=clip.size)
    return partial(_whites, used)


def _whites(clip: Clip, skip: int) -> Iterator[NDArray[np.float32]]:
    for frame in clip.frames(skip):
        yield np.asarray(frame.mean(-1), np.float32)


PHOTO_ONLY = {
    "motion": "a clip has its own motion",
    "speed": "a clip has its own motion",
    "zoom": "a clip has its own motion",
    "angle": "a clip has its own motion",
    "border": "a clip has its own motion",
    "seconds": "a clip has its own length, see --from and --to",
    "frames": "a clip has its own length, see --from and --to",
    "loop": "a clip has its own end",
    "intro": "a clip has its own beginning",
    "cadence": "every frame of a clip is dreamt, see --every",
    "habituation": "a clip is new with every frame",
    "colours": "a clip has its own colours",
}
"""Fields of a film that mean nothing on a clip, and why."""


def as_picture(path: Path, film: dict[str, Any]) -> dict[str, Any]:
    """The options for a clip as fields of the recipe: its frames are dreamt on as photos are.

    Raises DreamerError for options that are for films which begin with a photo.
    """
    for name in film:
        if name in PHOTO_ONLY:
            raise DreamerError(f"--{name} is not for the clip {path}: {PHOTO_ONLY[name]}.")
    own = {name: value for name, value in film.items() if name not in (*_PICTURE, "fps")}
    picture = {name: film[name] for name in _PICTURE if name in film}
    if "palette" in picture:
        picture["palette"] = options.palette(picture["palette"])
    return {**picture, "film": own}


_PICTURE = ("motif", "steps", "strength", "palette")


def check_photo(path: Path | None, part: Part, film: Mapping[str, Any]) -> None:
    """Raise DreamerError for options that are for clips, where the source is none."""
    given = {
        "from": part.start is not None,
        "to": part.stop is not None,
        "every": part.every is not None,
        "no-audio": not part.sound,
        "flow": "flow" in film,
        "blend-moving": "blend_moving" in film,
        "blend-still": "blend_still" in film,
    }
    for name, there in given.items():
        if there:
            raise DreamerError(f"--{name} is for a clip, and {path or 'noise'} is none.")


def named(path: Path) -> tuple[Path, str]:
    """The folder and the beginning of the name of what is made of a clip."""
    whole = path.resolve()
    return (path.parent, path.stem) if path.is_file() else (whole.parent, whole.name)


def mask_sha256(path: Path | None) -> str | None:
    """The hash of a mask, which may be a film; None where there is none."""
    if path is None:
        return None
    with speaking_of("--mask"):
        return sha256(path) if is_clip(path) else file_sha256(path, "mask")
