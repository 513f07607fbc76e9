"""Music, on tracks whose beats are known."""

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from dreamer.analysis import music
from dreamer.errors import DreamerError

RATE = music.SAMPLE_RATE

heard = pytest.mark.skipif(not music.has_librosa(), reason="librosa is not installed")

Track = NDArray[np.float32]


def _tone(seconds: float, hertz: float, fall: float) -> Track:
    times = np.arange(int(seconds * RATE)) / RATE
    return (np.sin(2 * np.pi * hertz * times) * np.exp(-fall * times)).astype(np.float32)


def draw_track(beats: Sequence[float], seconds: float, swing: float = 0.5) -> Track:
    """Kick and snare on the beats, and a hat on each and between two."""
    random = np.random.default_rng(0)
    whole = np.zeros(int((seconds + 1) * RATE), np.float32)

    def put(part: Track, at: float, loud: float) -> None:
        first = round(at * RATE)
        whole[first : first + len(part)] += loud * part[: len(whole) - first]

    def noise(length: float, fall: float) -> Track:
        times = np.arange(int(length * RATE)) / RATE
        return (random.standard_normal(len(times)) * np.exp(-fall * times)).astype(np.float32)

    for number, beat in enumerate(beats):
        drum = noise(0.15, 30) * 0.5 if number % 2 else _tone(0.25, 60, 18)
        put(drum, beat, 0.8)
        put(noise(0.06, 90), beat, 0.3)
        if number + 1 < len(beats) and beats[number + 1] - beat < 1.5:
            put(noise(0.06, 90), beat + swing * (beats[number + 1] - beat), 0.2)
    times = np.arange(len(whole)) / RATE
    hum = 0.05 * np.sin(2 * np.pi * 220 * times) * (0.6 + 0.4 * np.sin(0.8 * times))
    return np.asarray((whole + hum)[: int(seconds * RATE)], np.float32)


def recall(found: Sequence[float], beats: NDArray[np.float64]) -> float:
    """The share of beats within 35 ms of which one was found."""
    times = np.asarray(found)
    return float(np.mean([np.abs(times - beat).min() < 0.035 for beat in beats]))


@heard
@pytest.mark.parametrize(
    ("bpm", "swing"), [(60, 0.5), (97, 0.5), (120, 0.5), (174, 0.5), (110, 2 / 3)]
)
def test_beats_are_found_and_their_tempo(bpm: float, swing: float) -> None:
    beats = np.arange(0.37, 30, 60 / bpm)
    signals = music.analyze(draw_track(list(beats), 30, swing))
    assert recall(signals.beats, beats) >= 0.95
    tempo = music.measure_tempo(signals.beats)
    assert min(abs(tempo / (bpm * factor) - 1) for factor in (0.5, 1, 2)) < 0.01
    middle = signals.at("bpm", 15)
    assert min(abs(middle / (bpm * factor) - 1) for factor in (0.5, 1, 2)) < 0.02


@heard
def test_a_change_of_tempo_is_followed_and_a_silence_has_no_beat() -> None:
    slow, fast = np.arange(0.3, 20, 0.6), np.arange(20.1, 40, 60 / 132)
    signals = music.analyze(draw_track([*slow, *fast], 40))
    assert recall(signals.beats, np.array([*slow, *fast])) >= 0.95
    assert signals.at("bpm", 10) == pytest.approx(100, rel=0.02)
    assert signals.at("bpm", 33) == pytest.approx(132, rel=0.02)
    beats = [*np.arange(0.3, 15, 0.5), *np.arange(22, 40, 0.5)]
    track = draw_track(beats, 40)
    track[int(15.3 * RATE) : int(21.9 * RATE)] = 0
    signals = music.analyze(track)
    assert recall(signals.beats, np.array(beats)) >= 0.95
    assert not [beat for beat in signals.beats if 15.6 < beat < 21.8]
    assert np.array_equal(music.analyze(np.zeros(3 * RATE, np.float32)).beats, [])


@heard
def test_bands_tell_low_from_high_and_all_are_shares() -> None:
    low, high = _tone(2, 80, 0), _tone(2, 5000, 0)
    signals = music.analyze(np.concatenate([low, high, 0 * low]))
    assert signals.at("bass", 1) > 0.9 > 0.1 > signals.at("treble", 1)
    assert signals.at("treble", 3) > 0.9 > 0.1 > signals.at("bass", 3)
    assert signals.at("rms", 5.9) < 0.1
    for name, curve in signals.curves.items():
        assert curve.min() >= 0, name
        assert name == "bpm" or curve.max() <= 1, name


def test_an_even_beat_needs_no_music() -> None:
    signals = music.keep_time(120, 10, (0.04, 0.3))
    assert signals.beats[:3] == [0, 0.5, 1]
    assert signals.at("bpm", 5) == pytest.approx(120)
    assert signals.at("beat", 1.5) == pytest.approx(1, abs=0.01)
    # It rises in 40 ms, and falls to a twentieth in 300.
    assert signals.at("beat", 1.46) < 0.06
    assert signals.at("beat", 1.8) == pytest.approx(np.exp(-3), abs=0.01)
    assert signals.at("beat_phase", 1.25) == pytest.approx(0.5, abs=0.02)
    assert signals.find_beat(4) == 2
    assert signals.find_beat(4.5) == 2.25
    late = music.shift(signals, 0.1)
    assert late.at("beat", 1.6) == pytest.approx(1, abs=0.05)
    assert late.beats[0] == pytest.approx(0.1)
    both = music.join(signals, {"drums": late})
    assert both.at("drums.beat", 1.6) == late.at("beat", 1.6)


def test_without_librosa_a_sentence_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(music, "has_librosa", lambda: False)
    with pytest.raises(DreamerError, match=r"pip install .*music.*--bpm 120"):
        music.analyze(np.zeros(RATE, np.float32))
