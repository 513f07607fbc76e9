"""Music as numbers over time: loudness by bands, onsets, beats and tempo.

Bands are those of a short-time Fourier transform (SciPy); onsets and beats come from librosa, which
the extra `music` installs. An even beat of a given tempo needs neither.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import scipy  # Its parts are imported where they are first used.
from numpy.typing import NDArray

from dreamer.errors import DreamerError
from dreamer.recipe.schedule.signals import Signals

SAMPLE_RATE = 22_050
"""Samples in a second of what is analyzed; one channel."""

RATE = 100.0
"""Values in a second of a signal."""

BANDS: Mapping[str, tuple[float, float]] = {
    "bass": (20, 250),
    "mid": (250, 2000),
    "treble": (2000, SAMPLE_RATE / 2),
}
"""The least and the highest frequency of each band, in Hz."""

LOUD = 99
"""The percentile of a signal over the track that counts as 1."""

HOP = 256
"""Samples from one frame of the onset strength to the next: 12 ms."""

LAG = 0.0145
"""Seconds by which the onset strength peaks behind what sounds, on percussion."""

NEAR = 4
"""Frames within which a beat is moved to the strongest onset."""

HALFWAY, FASTEST = 0.5, 185.0
"""Share of a beat's onset from which one halfway to the next is a beat, too; up to this tempo."""

SILENT, LONG_SILENCE = 0.03, 2.0
"""Share of a loud passage's level below which, for so many seconds, there is no beat."""

AROUND = 8
"""The tempo at a beat is that of as many beats before and behind it."""

Samples = NDArray[np.float32]
Times = NDArray[np.float64]


def analyze(samples: Samples, envelope: tuple[float, float] = (0.04, 0.3)) -> Signals:
    """Analyze music.

    Args:
        samples: one channel at `SAMPLE_RATE`, −1 to 1.
        envelope: seconds in which signals rise and fall.

    Raises DreamerError where librosa is missing.
    """
    librosa = _import_librosa()
    onsets = librosa.onset.onset_strength(y=samples, sr=SAMPLE_RATE, hop_length=HOP)
    beats = _find_beats(librosa, samples, onsets)
    seconds = len(samples) / SAMPLE_RATE
    onset = _resample(onsets, HOP / SAMPLE_RATE, seconds, LAG)
    loud = {**_measure_bands(samples, seconds), "onset": onset}
    curves = {name: _follow(_normalize(curve), *envelope) for name, curve in loud.items()}
    return Signals(RATE, {**curves, **_count(beats, seconds, envelope)}, beats.tolist(), seconds)


def keep_time(bpm: float, seconds: float, envelope: tuple[float, float] = (0.04, 0.3)) -> Signals:
    """Return an even beat from 0 on, without any music."""
    beats = np.arange(0.0, seconds + 60 / bpm, 60 / bpm)
    return Signals(RATE, _count(beats, seconds, envelope), beats.tolist())


def join(whole: Signals, stems: Mapping[str, Signals]) -> Signals:
    """Return music with the signals of its stems, by names as `drums.onset`."""
    own = {
        f"{stem}.{name}": curve
        for stem, signals in stems.items()
        for name, curve in signals.curves.items()
    }
    return Signals(whole.rate, {**whole.curves, **own}, whole.beats, whole.seconds)


def shift(signals: Signals, seconds: float) -> Signals:
    """Return signals that come so many seconds later."""
    if not seconds:
        return signals
    steps = np.arange(len(next(iter(signals.curves.values()))))
    moved = {
        name: np.interp(steps - seconds * signals.rate, steps, curve).astype(np.float32)
        for name, curve in signals.curves.items()
    }
    beats = [beat + seconds for beat in signals.beats]
    return Signals(signals.rate, moved, beats, signals.seconds)


def has_librosa() -> bool:
    """Tell whether music can be analyzed."""
    return importlib.util.find_spec("librosa") is not None


def measure_tempo(beats: Sequence[float]) -> float:
    """Return the tempo of even beats, per minute, by regression over those that are even."""
    times = np.asarray(beats, np.float64)
    period = float(np.median(np.diff(times)))
    # A beat too many or too few would shift all numbers behind it: count from neighbor to neighbor.
    numbers = np.concatenate([[0.0], np.cumsum(np.round(np.diff(times) / period))])
    slope, first = np.polyfit(numbers, times, 1)
    even = np.abs(first + slope * numbers - times) < 0.2 * period
    return 60 / float(np.polyfit(numbers[even], times[even], 1)[0])


def _import_librosa() -> Any:
    if not has_librosa():
        raise DreamerError(
            'Music is analyzed by librosa, which is not installed: pip install "dreamer[music]", '
            "or give the tempo, as --bpm 120."
        )
    import librosa

    return librosa


def _find_beats(librosa: Any, samples: Samples, onsets: Samples) -> Times:
    """Return the moments of the beats, in seconds."""
    if not np.any(onsets > 0):
        return np.zeros(0)
    timing = {"onset_envelope": onsets, "sr": SAMPLE_RATE, "hop_length": HOP}
    # By frame, since it may change.
    tempo = librosa.feature.tempo(**timing, aggregate=None)
    _, found = librosa.beat.beat_track(**timing, bpm=tempo, trim=False, units="frames")
    frames = _halve(np.asarray(found, np.float64), onsets)
    seconds = np.array([_sharpen(frame, onsets) for frame in frames]) * HOP / SAMPLE_RATE - LAG
    quiet = _find_silences(samples)
    sounds = [second for second in seconds if not any(a < second < b for a, b in quiet)]
    return np.asarray(sounds, np.float64)


def _halve(frames: Times, onsets: Samples) -> Times:
    """Add a beat halfway between all, where the music has one there."""
    if len(frames) < 2:
        return frames
    between = (frames[1:] + frames[:-1]) / 2
    tempo = 60 * SAMPLE_RATE / HOP / float(np.median(np.diff(frames)))
    strength = [float(np.median([_peak(at, onsets) for at in each])) for each in (between, frames)]
    if 2 * tempo > FASTEST or strength[0] < HALFWAY * strength[1]:
        return frames
    return np.sort(np.concatenate([frames, between]))


def _peak(frame: float, onsets: Samples) -> float:
    first = max(0, int(frame) - NEAR + 1)
    return float(onsets[first : int(frame) + NEAR].max(initial=0))


def _sharpen(frame: float, onsets: Samples) -> float:
    """Move a beat to the top of the onset beside it, between frames too."""
    first = max(0, round(frame) - NEAR)
    window = onsets[first : round(frame) + NEAR + 1]
    top = first + int(window.argmax())
    if not 0 < top < len(onsets) - 1 or onsets[top] < 0.2 * np.percentile(onsets, LOUD):
        return frame
    before, here, behind = (float(each) for each in onsets[top - 1 : top + 2])
    bend = before - 2 * here + behind
    return top + ((before - behind) / (2 * bend) if bend < 0 else 0.0)


def _find_silences(samples: Samples) -> list[tuple[float, float]]:
    """Return begin and end of each long silence, in seconds."""
    blocks = samples[: len(samples) // HOP * HOP].reshape(-1, HOP)
    power = np.sqrt(np.square(blocks).mean(1))
    quiet = power < SILENT * np.percentile(power, 95)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], quiet, [False]]).astype(int)))
    spans = [(a * HOP / SAMPLE_RATE, b * HOP / SAMPLE_RATE) for a, b in edges.reshape(-1, 2)]
    return [(a, b) for a, b in spans if b - a > LONG_SILENCE]


def _measure_bands(samples: Samples, seconds: float) -> dict[str, Samples]:
    """Measure the root mean square of the whole and of each band over time."""
    length = 2048
    frequencies, times, parts = scipy.signal.stft(
        samples, SAMPLE_RATE, nperseg=length, noverlap=length - 2 * HOP
    )
    power = np.square(np.abs(parts))
    every = {"rms": (0.0, SAMPLE_RATE / 2), **BANDS}
    return {
        name: _resample(
            np.sqrt(power[(frequencies >= low) & (frequencies <= high)].sum(0)),
            float(times[1] - times[0]),
            seconds,
        )
        for name, (low, high) in every.items()
    }


def _resample(values: NDArray[np.floating], step: float, seconds: float, lag: float = 0) -> Samples:
    """Return values so many seconds apart at `RATE`, earlier by a lag."""
    at = np.arange(round(seconds * RATE) + 1) / RATE + lag
    return np.asarray(np.interp(at, np.arange(len(values)) * step, values), np.float32)


def _normalize(curve: Samples) -> Samples:
    """Bring a curve to 0 to 1 over the track."""
    loud = float(np.percentile(curve, LOUD))
    return np.asarray((curve / max(loud, 1e-9)).clip(0, 1), np.float32)


def _follow(curve: Samples, attack: float, decay: float) -> Samples:
    """Let a curve rise and fall no faster than in so many seconds, by two thirds."""
    up, down = (1 - np.exp(-1 / max(RATE * each, 1e-3)) for each in (attack, decay))
    level, followed = 0.0, np.empty_like(curve)
    for place, value in enumerate(curve):
        level += (up if value > level else down) * (value - level)
        followed[place] = level
    return followed


def _count(beats: Times, seconds: float, envelope: tuple[float, float]) -> dict[str, Samples]:
    """Return what tells of the beats: a bump on each, the way to the next, and the tempo."""
    times = np.arange(round(seconds * RATE) + 1) / RATE
    attack, decay = envelope
    bump, phase = np.zeros((2, len(times)))
    for beat in beats:
        # It has risen when the beat comes, so that what it moves moves on the beat.
        since = times - beat
        rise = np.clip(1 + since / max(attack, 1e-3), 0, 1) * (since <= 0)
        fall = np.exp(-3 * since.clip(0) / max(decay, 1e-3)) * (since > 0)
        bump = np.maximum(bump, rise + fall)
    for beat, after in pairwise(beats):
        inside = (times >= beat) & (times < after)
        phase[inside] = (times[inside] - beat) / (after - beat)
    tempo = np.zeros(len(times))
    if len(beats) > 1:
        gaps = np.diff(beats)
        local = [
            60 / np.median(gaps[max(0, n - AROUND) : n + AROUND]) for n in range(1, len(gaps) + 1)
        ]
        tempo = np.interp(times, beats[1:], local)
    curves = {"beat": bump, "beat_phase": phase, "bpm": tempo}
    return {name: curve.astype(np.float32) for name, curve in curves.items()}
