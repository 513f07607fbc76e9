"""Contact sheets: labelled pictures side by side."""

import math
import re
from collections.abc import Callable, Sequence
from itertools import takewhile

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


LINES = 5
"""Of a label, at most; what is longer is cut."""


def compose(
    pictures: Sequence[Image],
    labels: Sequence[str],
    columns: int,
    across: Sequence[str] = (),
    down: Sequence[str] = (),
) -> Image:
    """One picture of many, row by row, each with its label below.

    What all labels begin with stands above the sheet, once.

    Args:
        pictures: float32 `(h, w, 3)` of 0 to 1; all are brought to the first one's width.
        labels: one a picture.
        columns: pictures in a row.
        across: what is above each column, if anything.
        down: what is above each row, if anything.
    """
    width = pictures[0].shape[1]
    heading, labels = parted(labels)
    full = columns * (width + _GAP) - _GAP
    cells = _cells(pictures, labels, width)
    height = max(cell.shape[0] for cell in cells)
    parts = [_text(heading, full, width)] if heading else []
    if across:
        named = [_text(each, width, width, _lines(across, width)) for each in across]
        parts.append(_beside(named, full))
    for row, first in enumerate(range(0, len(cells), columns)):
        parts += [_text(down[row], full, width)] if row < len(down) else []
        band = np.full((height, full, 3), _PAPER, np.float32)
        for column, cell in enumerate(cells[first : first + columns]):
            left = column * (width + _GAP)
            band[: cell.shape[0], left : left + width] = cell
        parts.append(band)
    return _stacked(parts, full)


def parted(labels: Sequence[str]) -> tuple[str, list[str]]:
    """What all labels begin with, up to a mark or a space, and what is left of each.

    The channels of a layer are told apart by what stands at their labels' end, which would be cut
    first.
    """
    alike = takewhile(lambda letters: len(set(letters)) == 1, zip(*labels, strict=False))
    common = "".join(letters[0] for letters in alike) if len(labels) > 1 else ""
    mark = re.match(r".*[\s:=]", common)
    if not mark:
        return "", list(labels)
    # A colon goes with a channel's number.
    end = len(mark[0]) - mark[0].endswith(":")
    return mark[0].strip(" :"), [label[end:].strip() for label in labels]


def _stacked(parts: Sequence[Image], width: int) -> Image:
    """Strips of one width one below the other, with gaps between them and around."""
    height = sum(part.shape[0] + _GAP for part in parts) + _GAP
    sheet = np.full((height, width + 2 * _GAP, 3), _PAPER, np.float32)
    top = _GAP
    for part in parts:
        sheet[top : top + part.shape[0], _GAP : _GAP + width] = part
        top += part.shape[0] + _GAP
    return sheet


def _beside(parts: Sequence[Image], width: int) -> Image:
    strip = np.full((parts[0].shape[0], width, 3), _PAPER, np.float32)
    for number, part in enumerate(parts):
        left = number * (part.shape[1] + _GAP)
        strip[:, left : left + part.shape[1]] = part[:, : width - left]
    return strip


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


def _cells(pictures: Sequence[Image], labels: Sequence[str], width: int) -> list[Image]:
    """Pictures at one width, each with a label below; all labels have room for the longest."""
    lines = _lines(labels, width)
    cells = []
    for picture, label in zip(pictures, labels, strict=True):
        height = round(picture.shape[0] * width / picture.shape[1])
        scaled = cv2.resize(picture.clip(0, 1), (width, height), interpolation=cv2.INTER_AREA)
        cells.append(np.concatenate([scaled, _text(label, width, width, lines)]))
    return cells


def _lines(labels: Sequence[str], width: int) -> int:
    return max(len(_wrapped(label, width, _font(width))) for label in labels)


def _font(cell: int) -> ImageFont.FreeTypeFont:
    """The font of a sheet whose cells are so wide."""
    font = ImageFont.load_default(max(12, cell // 28))
    assert isinstance(font, ImageFont.FreeTypeFont)
    return font


def _text(text: str, width: int, cell: int, lines: int | None = None) -> Image:
    """A strip with a text, wrapped; of so many lines, or of as many as it needs."""
    font = _font(cell)
    wrapped = _wrapped(text, width, font)
    spacing = round(font.size * 1.5)
    size = width, spacing * (lines or len(wrapped))
    strip = Pillow.new("RGB", size, (round(_PAPER * 255),) * 3)
    draw = ImageDraw.Draw(strip)
    for number, line in enumerate(wrapped):
        draw.text((0, number * spacing), line, _INK, font)
    return np.asarray(strip, np.float32) / np.float32(255)


def _wrapped(text: str, width: int, font: ImageFont.FreeTypeFont) -> list[str]:
    """Lines broken between words, and within those that are wider than a line."""

    def overflows(line: str) -> bool:
        return font.getlength(line) > width

    lines, words = [""], [part for word in text.split(" ") for part in _broken(word, overflows)]
    for word in words:
        longer = f"{lines[-1]} {word}".strip()
        if overflows(longer) and lines[-1]:
            lines.append(word)
        else:
            lines[-1] = longer
    if len(lines) > LINES:
        lines = [*lines[: LINES - 1], f"{lines[LINES - 1][:-1].rstrip()}…"]
    return lines


def _broken(word: str, overflows: Callable[[str], bool]) -> list[str]:
    """A word in parts that each fit into a line."""
    parts = [""]
    for letter in word:
        if overflows(parts[-1] + letter) and parts[-1]:
            parts.append(letter)
        else:
            parts[-1] += letter
    return parts
