"""The music of a film: read, analyzed, and kept for the next run."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from dreamer.errors import DreamerError, speaking_of
from dreamer.files import cache, sound
from dreamer.files.sound import Sound
from dreamer.recipe import Recipe
from dreamer.recipe.error_sentences import OPTIONS
from dreamer.recipe.film_fields import Film
from dreamer.recipe.schedule import Signals

if TYPE_CHECKING:
    from dreamer.jobs.events import Sink

_STEM = re.compile(r"([a-z][a-z0-9_]{0,31})=(.+)", re.S)


class Music(NamedTuple):
    """What a film has of music.

    Attributes:
        signals: what schedules read.
        facts: hashes of the files, by stem; that of the whole by an empty name.
        sound: what is heard.
    """

    signals: Signals
    facts: dict[str, str]
    sound: Sound | None

    def give_length(self, recipe: Recipe, source: str = OPTIONS) -> Recipe:
        """Return a film's recipe with the length of the music; of a mere beat, as it is."""
        if not self.sound:
            return recipe
        return recipe.changed({"film": {"frames": None, "seconds": self.signals.seconds}}, source)


def read_music(asked: Sequence[str], film: Film, emit: Sink) -> Music | None:
    """Read the music that `--music` names, or an even beat by `--bpm`; None where there is neither.

    Args:
        asked: `FILE` or `STEM=FILE`.
        film: has the tempo, and how signals rise, fall and are shifted.
        emit: takes events.

    Raises DreamerError where a file cannot be read, or librosa is missing.
    """
    from dreamer.analysis import music

    envelope = float(film.attack), float(film.decay)
    files = _parse(asked)
    if not files:
        if film.bpm is None:
            return None
        beat = music.keep_time(film.bpm, film.length / film.fps, envelope)
        return Music(music.shift(beat, film.offset), {}, None)
    hashes: dict[str, str] = {}
    heard: dict[str, Signals] = {}
    with speaking_of("--music"):
        for stem, path in files.items():
            heard[stem], hashes[stem] = _analyze(path, envelope, emit)
    main = "" if "" in files else next(iter(files))
    whole = heard[main]
    if film.bpm is not None:
        # Somebody knows the tempo better.
        beat = music.keep_time(film.bpm, whole.seconds, envelope)
        curves = {**whole.curves, **beat.curves}
        whole = Signals(whole.rate, curves, beat.beats, whole.seconds)
    joined = music.join(whole, {stem: each for stem, each in heard.items() if stem})
    return Music(music.shift(joined, film.offset), hashes, Sound(files[main]))


def _parse(asked: Sequence[str]) -> dict[str, Path]:
    """Parse files by stem. Raises DreamerError for two of the same."""
    found: dict[str, Path] = {}
    for text in asked:
        match = _STEM.fullmatch(text)
        stem, name = (match[1], match[2]) if match and not Path(text).is_file() else ("", text)
        if stem in found:
            raise DreamerError(
                f"--music {text!r}: there is a file for {stem or 'the whole'} already; give the "
                "others names, as drums=FILE."
            )
        found[stem] = Path(name)
    return found


def _analyze(path: Path, envelope: tuple[float, float], emit: Sink) -> tuple[Signals, str]:
    """Return the signals of a file, and its hash; from the user's cache if they are there."""
    from dreamer.analysis import music
    from dreamer.jobs.events import Progress

    sound.check(Sound(path))
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    entry = cache.name_entry("music", sha256, envelope)
    if (kept := cache.find(entry)) and (signals := _load(kept)):
        return signals, sha256
    emit(Progress(None, f"listening to {path.name} …"))
    signals = music.analyze(sound.decode(path, music.SAMPLE_RATE), envelope)
    arrays = {f"curve.{name}": curve for name, curve in signals.curves.items()}
    facts = {"rate": signals.rate, "beats": signals.beats, "seconds": signals.seconds}
    cache.write(entry, lambda file: np.savez(file, **facts, **arrays))  # type: ignore[arg-type]
    return signals, sha256


def _load(path: Path) -> Signals | None:
    try:
        with np.load(path) as kept:
            curves = {
                name.removeprefix("curve."): kept[name]
                for name in kept
                if name.startswith("curve.")
            }
            return Signals(
                float(kept["rate"]), curves, kept["beats"].tolist(), float(kept["seconds"])
            )
    except (OSError, ValueError, KeyError):
        return None
