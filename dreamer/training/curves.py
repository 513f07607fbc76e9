"""Log of a training, and a picture of its error curves."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np

from dreamer.files import atomic

WIDTH, HEIGHT, MARGIN = 1200, 700, 60
"""Size of the picture and the margin around the curves, in pixels."""

DECADES = (-3, 0)
"""Powers of ten between which errors are drawn."""

COLORS = {
    "maxpool0": (150, 150, 150),
    "conv2d1": (90, 90, 90),
    "maxpool1": (0, 0, 0),
    "mixed3a": (200, 80, 0),
    "mixed3b": (230, 160, 0),
    "mixed4a": (60, 160, 60),
    "mixed4b": (0, 140, 140),
    "mixed4c": (0, 90, 200),
    "mixed4d": (120, 60, 200),
    "mixed4e": (200, 0, 120),
}
"""RGB color of each curve, the mean error of all layers whose names begin with the key."""


def append(log: Path, row: Mapping[str, object]) -> list[dict[str, str]]:
    """Add a row to a CSV file, which is made if it does not exist, and return all its rows."""
    rows = read(log) if log.exists() else []
    rows.append({name: str(value) for name, value in row.items()})
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(row))
    writer.writeheader()
    writer.writerows(rows)
    with atomic.open_replacing(log) as file:
        file.write(text.getvalue().encode())
    return rows


def read(log: Path) -> list[dict[str, str]]:
    """Read the rows of the log."""
    with log.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def draw(rows: Sequence[Mapping[str, str]], path: Path) -> None:
    """Draw the errors over the steps on a logarithmic scale, with marked stages, as a PNG."""
    steps = np.array([float(row["step"]) for row in rows])
    across = MARGIN + (WIDTH - 2 * MARGIN) * steps / steps.max()
    canvas = np.full((HEIGHT, WIDTH, 3), 255, np.uint8)
    for power in range(DECADES[0], DECADES[1] + 1):
        y = int(_compute_y(np.array(10.0**power)))
        cv2.line(canvas, (MARGIN, y), (WIDTH - MARGIN, y), (210, 210, 210))
        _write_text(canvas, f"{10.0**power:g}", (8, y + 5), (90, 90, 90))
    _write_text(canvas, f"step {steps.max():.0f}", (WIDTH - 2 * MARGIN, HEIGHT - 20), (90, 90, 90))
    for before, row, x in zip(rows, rows[1:], across[1:], strict=False):
        if row["stage"] != before["stage"]:
            cv2.line(canvas, (int(x), MARGIN), (int(x), HEIGHT - MARGIN), (210, 210, 210))
            _write_text(canvas, row["stage"], (int(x) + 6, MARGIN + 14), (90, 90, 90))
    _write_text(canvas, "error", (8, MARGIN - 20), (90, 90, 90))
    for index, (prefix, color) in enumerate(COLORS.items()):
        names = [name for name in rows[0] if name.startswith(prefix)]
        if not names:
            continue
        errors = np.array([[float(row[name]) for name in names] for row in rows]).mean(1)
        points = np.stack([across, _compute_y(errors)], 1).astype(np.int32)
        cv2.polylines(canvas, [points], False, color, 2, cv2.LINE_AA)
        place = (WIDTH - 4 * MARGIN, HEIGHT - MARGIN - 10 - 18 * (len(COLORS) - 1 - index))
        _write_text(canvas, f"{prefix} {errors[-1]:.3f}", place, color)
    with atomic.open_replacing(path) as file:
        file.write(cv2.imencode(".png", canvas[..., ::-1])[1].tobytes())


def _compute_y(errors: np.ndarray) -> np.ndarray:
    """Return the vertical positions of errors in the picture, in pixels."""
    low, high = DECADES
    share = (np.log10(errors.clip(10.0**low, 10.0**high)) - low) / (high - low)
    return np.asarray(HEIGHT - MARGIN - (HEIGHT - 2 * MARGIN) * share)


def _write_text(
    canvas: np.ndarray, text: str, place: tuple[int, int], color: tuple[int, int, int]
) -> None:
    cv2.putText(canvas, text, place, cv2.FONT_HERSHEY_SIMPLEX, 0.5, color, 1, cv2.LINE_AA)
