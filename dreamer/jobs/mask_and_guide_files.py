"""The files beside the photo that a recipe needs, a mask and a guide; each is decoded once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from dreamer.errors import speaking_of
from dreamer.files import clips, photo_folder, photos
from dreamer.files.photos import Photo
from dreamer.jobs.presets import Preset
from dreamer.jobs.requests import Request


@dataclass(frozen=True)
class Companions:
    """The mask and the guide of a job, where it has them."""

    mask: Path | None = None
    guide: Path | None = None

    @property
    def has_mask_film(self) -> bool:
        """Tell whether the mask is a film, or a folder of frames, for a clip."""
        return self.mask is not None and clips.is_clip(self.mask)

    @cached_property
    def mask_photo(self) -> Photo | None:
        """Return the mask as a photo. Raises DreamerError that names the option."""
        return None if self.mask is None else _read(self.mask, "mask")

    @cached_property
    def guide_photo(self) -> Photo | None:
        """Return the guide as a photo; None of a folder. Raises DreamerError."""
        if self.guide is None or self.guide.is_dir():
            return None
        return _read(self.guide, "guide")

    def hash_files(self, *, for_clip: bool = False) -> dict[str, str]:
        """Return what a recipe holds of them: their hashes, by role.

        Args:
            for_clip: whether the mask may be a film.
        """
        hashes = {}
        if self.mask and for_clip and self.has_mask_film:
            with speaking_of("--mask"):
                hashes["mask"] = clips.hash_clip(self.mask)
        elif self.mask_photo:
            hashes["mask"] = self.mask_photo.sha256
        if self.guide and self.guide.is_dir():
            with speaking_of("--guide"):
                hashes["guide"] = photo_folder.sha256(self.guide)
        elif self.guide_photo:
            hashes["guide"] = self.guide_photo.sha256
        return hashes


def _read(path: Path, role: str) -> Photo:
    with speaking_of(f"--{role}"):
        return photos.read(path, role)


def find_companions(request: Request, preset: Preset | None) -> Companions:
    """Find the mask and the guide: those of the options, or those that the preset brings along."""
    brought = preset.files if preset else {}
    named = {role: request.fields.get(role) for role in ("mask", "guide")}
    given = {role: Path(str(path)) for role, path in named.items() if path}
    return Companions(*(given.get(role) or brought.get(role) for role in named))
