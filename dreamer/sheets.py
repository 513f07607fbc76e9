"""Contact sheets: labelled pictures side by side."""

import math
from collections.abc import Callable, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow
from PIL import ImageDraw, ImageFont

from dreamer.arrays import Image, Size

MOST_PIXELS = 40_000_000
"""Of a sheet: half a gigabyte while it is made."""

_GAP = 8
_PAPER = 0.11
_INK = (222, 222, 222)


def compose(
    pictures: Sequence[Image], labels: Sequence[str], columns: int, lines: int = 1
) -> Image:
    """One picture of many, row by row, each with its label below.

    Args:
        pictures: float32 `(h, w, 3)` of 0 to 1; all are brought to the first one's width.
        labels: one a picture; what does not fit is cut.
        columns: pictures in a row.
        lines: how many a label may fill.
    """
    width = pictures[0].shape[1]
    cells = [_cell(p, label, width, lines) for p, label in zip(pictures, labels, strict=True)]
    height = max(cell.shape[0] for cell in cells)
    rows = -(-len(cells) // columns)
    size = (rows * (height + _GAP) + _GAP, columns * (width + _GAP) + _GAP, 3)
    sheet = np.full(size, _PAPER, np.float32)
    for number, cell in enumerate(cells):
        row, column = divmod(number, columns)
        top, left = _GAP + row * (height + _GAP), _GAP + column * (width + _GAP)
        sheet[top : top + cell.shape[0], left : left + width] = cell
    return sheet


def most_cells(size: Size, columns: int) -> int:
    """How many cells a sheet may have, in whole rows; at least one row."""
    row = (size[0] + 2 * _GAP + size[1] // 12) * columns * (size[1] + _GAP)
    return columns * max(1, MOST_PIXELS // row)


def paper(side: int) -> Image:
    """An empty cell."""
    return np.full((side, side, 3), _PAPER, np.float32)


def squared(picture: Image, side: int) -> Image:
    """A picture of any shape in the middle of a square, on paper; so is what is NaN in it."""
    scale = side / max(picture.shape[:2])
    height, width = (max(1, round(length * scale)) for length in picture.shape[:2])
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    scaled = cv2.resize(picture, (width, height), interpolation=how).clip(0, 1)
    square = paper(side)
    top, left = (side - height) // 2, (side - width) // 2
    square[top : top + height, left : left + width] = np.nan_to_num(scaled, nan=_PAPER)
    return square


def outlined(picture: Image, box: tuple[slice, slice], width: int) -> Image:
    """A picture with a rectangle of it, rows and columns, in a light frame with a dark edge."""
    rows, columns = box
    marked = picture.copy()
    for thickness, colour in ((width * 2, (0.0, 0.0, 0.0)), (width, (1.0, 1.0, 1.0))):
        first, last = (columns.start, rows.start), (columns.stop - 1, rows.stop - 1)
        cv2.rectangle(marked, first, last, colour, thickness)
    return marked


def lit(picture: Image, light: NDArray[np.float32], side: int) -> Image:
    """A picture as if it were lit: dark where `light`, of any size and from 0 to 1, is 0."""
    square = squared(picture, side)
    scale = side / max(picture.shape[:2])
    size = tuple(max(1, round(length * scale)) for length in picture.shape[1::-1])
    # As eyes have it: half the light is not half as bright.
    spot = np.sqrt(cv2.resize(light.clip(0, 1), size, interpolation=cv2.INTER_LINEAR))[..., None]
    top, left = (side - size[1]) // 2, (side - size[0]) // 2
    inside = square[top : top + size[1], left : left + size[0]]
    inside *= _DARKEST + (1 - _DARKEST) * spot
    return square


_DARKEST = np.float32(0.15)


def scatter(across: NDArray[np.float32], up: NDArray[np.float32], side: int) -> Image:
    """Points on one scale for both axes, whose diagonal is drawn."""
    dots = np.full((side, side, 3), _PAPER * 1.6, np.float32)
    low = min(float(across.min()), float(up.min()))
    high = max(float(across.max()), float(up.max()), low + 1e-12)
    margin = side // 16
    places = (np.stack([across, up]) - low) / (high - low) * (side - 2 * margin) + margin
    cv2.line(dots, (margin, side - margin), (side - margin, margin), (0.4,) * 3, 1, cv2.LINE_AA)
    for x, y in places.T.round().astype(int).tolist():
        cv2.circle(dots, (x, side - y), 1, (1.0, 0.75, 0.35), -1, cv2.LINE_AA)
    return dots


def square(count: int) -> int:
    """How many of `count` pictures stand in a row of a sheet that is about square."""
    return math.ceil(math.sqrt(count))


def curve(values: Sequence[float], width: int = 480, height: int = 160) -> Image:
    """A number over time as a line, with its lowest and its highest value at the edges."""
    heights = np.asarray(values, np.float64)
    low, high = float(heights.min()), float(heights.max())
    paper = Pillow.new("RGB", (width, height), (round(_PAPER * 255 * 1.6),) * 3)
    draw = ImageDraw.Draw(paper)
    margin = 22
    rows = height - margin - (heights - low) / max(high - low, 1e-12) * (height - 2 * margin)
    columns = np.linspace(4, width - 5, len(heights))
    draw.line([*zip(columns.tolist(), rows.tolist(), strict=True)], (255, 190, 90), 2, "curve")
    font = ImageFont.load_default(13)
    draw.text((6, 3), f"{high:.4g}", _INK, font)
    draw.text((6, height - 19), f"{low:.4g}", _INK, font)
    return np.asarray(paper, np.float32) / np.float32(255)


def _cell(picture: Image, label: str, width: int, lines: int) -> Image:
    height = round(picture.shape[0] * width / picture.shape[1])
    scaled = cv2.resize(picture.clip(0, 1), (width, height), interpolation=cv2.INTER_AREA)
    size = max(12, width // 28)
    font = ImageFont.load_default(size)
    spacing = round(size * 1.5)
    strip = Pillow.new("RGB", (width, spacing * lines), (round(_PAPER * 255),) * 3)
    draw = ImageDraw.Draw(strip)
    for number, line in enumerate(
        _wrapped(label, lines, lambda text: font.getlength(text) > width)
    ):
        draw.text((0, number * spacing), line, _INK, font)
    return np.concatenate([scaled, np.asarray(strip, np.float32) / 255]).astype(np.float32)


def _wrapped(text: str, most: int, overflows: Callable[[str], bool]) -> list[str]:
    """At most so many lines, broken between words; what does not fit the last one is cut."""
    lines, words = [""], text.split(" ")
    for number, word in enumerate(words):
        longer = f"{lines[-1]} {word}".strip()
        if not overflows(longer) or not lines[-1]:
            lines[-1] = longer
        elif len(lines) < most:
            lines.append(word)
        else:
            lines[-1] = " ".join([lines[-1], *words[number:]])
            break
    return [_cut(line, overflows) for line in lines]


def _cut(line: str, overflows: Callable[[str], bool]) -> str:
    while len(line) > 1 and overflows(line):
        line = line[:-2].rstrip() + "…"
    return line
