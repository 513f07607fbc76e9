"""The spectrum of photographs: how strong their frequencies are, by length and by direction.

Measured on 903 photos by `analysis/spectrum_table.py`, in the decorrelated colors of
`parametrizations`. Photos look alike at all sizes: frequencies are counted in cycles per picture.
"""

from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dreamer.arrays import Size

Floats = NDArray[np.float64]

FILE = Path(__file__).parents[1] / "data" / "spectrum.tsv"

STEPS = 2
"""Rows of the table per octave of frequency, from one cycle per picture."""

DIRECTIONS = 8
"""Columns of the table for each color, over half a turn."""

FEW = 0.05
"""Weight of all directions in the mean of one."""


def tabulate(magnitudes: Floats) -> Floats:
    """Return the table of a square picture's magnitudes, `(side, side, 3)`, per pixel.

    Its entries are natural logarithms, `(rows, DIRECTIONS, 3)`, each a mean around its frequency.
    """
    side = len(magnitudes)
    place, direction = _find_places((side, side))
    rows = STEPS * round(np.log2(side // 2)) + 1
    table = np.zeros((rows, DIRECTIONS, 3))
    for row in range(rows):
        for column in range(DIRECTIONS):
            way = np.abs((direction - column + DIRECTIONS / 2) % DIRECTIONS - DIRECTIONS / 2)
            # Of the lowest frequencies there are few, and not in all directions.
            weights = np.maximum(1 - np.abs(place - row), 0) * np.maximum(1 - way, FEW)
            weights[0, 0] = 0
            mean = np.tensordot(weights, magnitudes, 2) / weights.sum()
            table[row, column] = np.log(mean)
    return table


def write(table: Floats) -> str:
    """Return a table as text: a row for each frequency, the directions of each color in turn."""
    rows = table.transpose(0, 2, 1).reshape(len(table), -1)
    return "".join("\t".join(f"{each:.3f}" for each in row) + "\n" for row in rows)


@cache
def _read() -> Floats:
    rows = [line.split("\t") for line in FILE.read_text("utf-8").splitlines()]
    return np.array(rows, float).reshape(len(rows), 3, DIRECTIONS).transpose(0, 2, 1)


def make_magnitudes(size: Size) -> NDArray[np.float32]:
    """Return the magnitudes of photographs' frequencies, `(h, w, 3)`, in the order of an FFT.

    They are those of its sum over all pixels. The mean has none.
    """
    table, (place, direction) = _read(), _find_places(size)
    # What is finer than was measured goes on as the last octave does.
    slope = (table[-1] - table[-1 - STEPS]) / STEPS
    row = np.minimum(place, len(table) - 1.000001)
    down, right = np.floor(row).astype(int), np.floor(direction).astype(int)
    share_down, share_right = (row - down)[..., None], (direction - right)[..., None]
    near, far = right % DIRECTIONS, (right + 1) % DIRECTIONS
    logarithms = (1 - share_right) * (
        (1 - share_down) * table[down, near] + share_down * table[down + 1, near]
    ) + share_right * ((1 - share_down) * table[down, far] + share_down * table[down + 1, far])
    logarithms = logarithms + np.maximum(place - (len(table) - 1), 0)[..., None] * slope.mean(0)
    magnitudes = np.exp(logarithms) * size[0] * size[1]
    magnitudes[0, 0] = 0
    return np.asarray(magnitudes, np.float32)


def _find_places(size: Size) -> tuple[Floats, Floats]:
    """Return where in the table each frequency of a picture lies: its row and its column."""
    short = min(size)
    rows, columns = (np.fft.fftfreq(side) * short for side in size)
    cycles = np.maximum(np.hypot(rows[:, None], columns), 1e-9)
    angle = np.arctan2(rows[:, None], np.broadcast_to(columns, size)) / np.pi * DIRECTIONS
    return np.maximum(STEPS * np.log2(cycles), 0), angle % DIRECTIONS
