"""Signals: what schedules read of music, as numbers over time."""

from __future__ import annotations

import bisect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

NAMES = ("bass", "mid", "treble", "rms", "onset", "beat", "beat_phase", "bpm")
"""What expressions know of music; of a stem, as `drums.onset`. All are 0 to 1 but `bpm`."""

BEATS_IN_BAR = 4

UNITS: Mapping[str, float] = {"beat": 1.0, "bar": float(BEATS_IN_BAR)}
"""Beats in what positions of keys are counted by."""


@dataclass(frozen=True, eq=False)
class Signals:
    """Music as schedules read it.

    Attributes:
        rate: values in a second.
        curves: those of each signal, by its name.
        beats: the moments of the beats, in seconds.
        seconds: the length of the music; 0 where there is none but a tempo.
    """

    rate: float
    curves: Mapping[str, NDArray[np.float32]]
    beats: Sequence[float] = field(default_factory=list)
    seconds: float = 0.0

    def at(self, name: str, second: float) -> float:
        """Return a signal at a moment; before the beginning and behind the end, what is there.

        Raises KeyError if the music has no such signal.
        """
        curve = self.curves[name]
        place = min(max(second * self.rate, 0.0), len(curve) - 1.0)
        low = int(place)
        high = min(low + 1, len(curve) - 1)
        if name.endswith("beat_phase") and curve[high] < curve[low]:
            # It falls from 1 to 0 at once, and is nothing in between.
            return float(curve[low])
        return float(curve[low] + (place - low) * (curve[high] - curve[low]))

    def find_beat(self, number: float) -> float:
        """Return the second of a beat, counted from 0; between and behind them it goes on evenly.

        Where there are fewer than two, beats are counted by the second.
        """
        if len(self.beats) < 2:
            return number
        low = min(max(int(number), 0), len(self.beats) - 2)
        first, second = self.beats[low], self.beats[low + 1]
        return first + (number - low) * (second - first)

    def count_beats(self, second: float) -> int:
        """Return how many beats there have been up to a moment."""
        return bisect.bisect_right(self.beats, second)
