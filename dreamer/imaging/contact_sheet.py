"""Contact sheets: labeled pictures side by side."""

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
"""Most pixels of a sheet, which takes half a gigabyte of memory while it is made."""

_GAP = 8
_PAPER = 0.11
_INK = (222, 222, 222)

LINES = 5
"""Most lines of a label; longer ones are cut."""


def compose(
    pictures: Sequence[Image],
    labels: Sequence[str],
    columns: int,
    across: Sequence[str] = (),
    down: Sequence[str] = (),
) -> Image:
    """Arrange pictures row by row in one, each with its label below.

    What all labels begin with is written only once, above the sheet.

    Args:
        pictures: float32 `(h, w, 3)` of 0 to 1; all are scaled to the width of the first.
        labels: one per picture.
        columns: pictures per row.
        across: headings of the columns, if any.
        down: headings of the rows, if any; each is above its row.
    """
    width = pictures[0].shape[1]
    heading, labels = split_common_prefix(labels)
    full = columns * (width + _GAP) - _GAP
    cells = _make_cells(pictures, labels, width)
    height = max(cell.shape[0] for cell in cells)
    parts = [_draw_text(heading, full, width)] if heading else []
    if across:
        named = [_draw_text(each, width, width, _count_lines(across, width)) for each in across]
        parts.append(_place_in_row(named, full))
    for row, first in enumerate(range(0, len(cells), columns)):
        parts += [_draw_text(down[row], full, width)] if row < len(down) else []
        band = np.full((height, full, 3), _PAPER, np.float32)
        for column, cell in enumerate(cells[first : first + columns]):
            left = column * (width + _GAP)
            band[: cell.shape[0], left : left + width] = cell
        parts.append(band)
    return _stack(parts, full)


def split_common_prefix(labels: Sequence[str]) -> tuple[str, list[str]]:
    """Split labels into what they all begin with and the rest of each.

    The common part ends at a space, a colon or an equals sign. Without this, long labels of a
    layer's channels would lose their ends, which tell the channels apart.
    """
    alike = takewhile(lambda letters: len(set(letters)) == 1, zip(*labels, strict=False))
    common = "".join(letters[0] for letters in alike) if len(labels) > 1 else ""
    mark = re.match(r".*[\s:=]", common)
    if not mark:
        return "", list(labels)
    # A colon stays with the number of the channel.
    end = len(mark[0]) - mark[0].endswith(":")
    return mark[0].strip(" :"), [label[end:].strip() for label in labels]


def _stack(parts: Sequence[Image], width: int) -> Image:
    """Stack strips of one width, with gaps between them and around them."""
    height = sum(part.shape[0] + _GAP for part in parts) + _GAP
    sheet = np.full((height, width + 2 * _GAP, 3), _PAPER, np.float32)
    top = _GAP
    for part in parts:
        sheet[top : top + part.shape[0], _GAP : _GAP + width] = part
        top += part.shape[0] + _GAP
    return sheet


def _place_in_row(parts: Sequence[Image], width: int) -> Image:
    strip = np.full((parts[0].shape[0], width, 3), _PAPER, np.float32)
    for number, part in enumerate(parts):
        left = number * (part.shape[1] + _GAP)
        strip[:, left : left + part.shape[1]] = part[:, : width - left]
    return strip


def most_cells(size: Size, columns: int) -> int:
    """Return how many cells of `size` a sheet may have: whole rows, and at least one."""
    row = (size[0] + 2 * _GAP + size[1] // 12) * columns * (size[1] + _GAP)
    return columns * max(1, MOST_PIXELS // row)


def paper(side: int) -> Image:
    """Return an empty square cell."""
    return np.full((side, side, 3), _PAPER, np.float32)


def lay_on_paper(picture: Image, alpha: NDArray[np.float32] | None) -> Image:
    """Return a picture `(h, w, 3)` with the paper behind it, where it is not opaque."""
    if alpha is None:
        return picture
    return np.asarray(_PAPER + alpha[..., None] * (picture - _PAPER), np.float32)


def fit_into_square(picture: Image, side: int) -> Image:
    """Scale and center a picture in a square; paper surrounds it, and shows where it is NaN."""
    scale = side / max(picture.shape[:2])
    height, width = (max(1, round(length * scale)) for length in picture.shape[:2])
    interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    scaled = cv2.resize(picture, (width, height), interpolation=interpolation).clip(0, 1)
    square = paper(side)
    top, left = (side - height) // 2, (side - width) // 2
    square[top : top + height, left : left + width] = np.nan_to_num(scaled, nan=_PAPER)
    return square


def outline(picture: Image, box: tuple[slice, slice], width: int) -> Image:
    """Return a copy of a picture in which a light frame with a dark edge marks a rectangle.

    Args:
        picture: float32 `(h, w, 3)` of 0 to 1.
        box: the rows and the columns of the rectangle.
        width: of the frame, in pixels.
    """
    rows, columns = box
    marked = picture.copy()
    for thickness, color in ((width * 2, (0.0, 0.0, 0.0)), (width, (1.0, 1.0, 1.0))):
        first, last = (columns.start, rows.start), (columns.stop - 1, rows.stop - 1)
        cv2.rectangle(marked, first, last, color, thickness)
    return marked


def spotlight(picture: Image, light: NDArray[np.float32], side: int) -> Image:
    """Scale and center a picture in a square, dark where the light is 0.

    Args:
        picture: float32 `(h, w, 3)` of 0 to 1.
        light: `(h, w)` of any size, 0 to 1; it is stretched over the picture.
        side: of the square, in pixels.
    """
    square = fit_into_square(picture, side)
    scale = side / max(picture.shape[:2])
    size = tuple(max(1, round(length * scale)) for length in picture.shape[1::-1])
    top, left = (side - size[1]) // 2, (side - size[0]) // 2
    inside = square[top : top + size[1], left : left + size[0]]
    spot = cv2.resize(light.clip(0, 1), size, interpolation=cv2.INTER_LINEAR)
    inside[:] = darken(inside, np.asarray(spot, np.float32))
    return square


def darken(picture: Image, light: NDArray[np.float32]) -> Image:
    """Return a picture `(h, w, 3)` that is dark where the light `(h, w)`, 0 to 1, is 0."""
    # The square root, because to the eye half the light is more than half as bright.
    shade = _DARKEST + (1 - _DARKEST) * np.sqrt(light.clip(0, 1))
    return np.asarray(picture * shade[..., None], np.float32)


_DARKEST = np.float32(0.15)


def scatter(across: NDArray[np.float32], up: NDArray[np.float32], side: int) -> Image:
    """Plot points on one scale for both axes, with the diagonal."""
    dots = np.full((side, side, 3), _PAPER * 1.6, np.float32)
    low = min(float(across.min()), float(up.min()))
    high = max(float(across.max()), float(up.max()), low + 1e-12)
    margin = side // 16
    places = (np.stack([across, up]) - low) / (high - low) * (side - 2 * margin) + margin
    cv2.line(dots, (margin, side - margin), (side - margin, margin), (0.4,) * 3, 1, cv2.LINE_AA)
    for x, y in places.T.round().astype(int).tolist():
        cv2.circle(dots, (x, side - y), 1, (1.0, 0.75, 0.35), -1, cv2.LINE_AA)
    return dots


def choose_columns(count: int) -> int:
    """Return the number of columns with which a sheet of `count` pictures is about square.

    Three stand side by side, which leaves no hole.
    """
    return 3 if count == 3 else math.ceil(math.sqrt(count))


def curve(
    values: Sequence[float], marks: Sequence[float] = (), width: int = 480, height: int = 160
) -> Image:
    """Plot a number over time as a line, with its lowest and highest values at the edges.

    Args:
        values: the number at even moments.
        marks: shares of the time at which something happens, as a beat.
        width, height: in pixels.
    """
    heights = np.asarray(values, np.float64)
    low, high = float(heights.min()), float(heights.max())
    canvas = Pillow.new("RGB", (width, height), (round(_PAPER * 255 * 1.6),) * 3)
    draw = ImageDraw.Draw(canvas)
    margin = 22
    rows = height - margin - (heights - low) / max(high - low, 1e-12) * (height - 2 * margin)
    columns = np.linspace(4, width - 5, len(heights))
    for mark in marks:
        place = 4 + mark * (width - 9)
        draw.line([(place, margin), (place, height - margin)], (90, 110, 130), 1)
    draw.line([*zip(columns.tolist(), rows.tolist(), strict=True)], (255, 190, 90), 2, "curve")
    font = ImageFont.load_default(13)
    draw.text((6, 3), f"{high:.4g}", _INK, font)
    draw.text((6, height - 19), f"{low:.4g}", _INK, font)
    return np.asarray(canvas, np.float32) / np.float32(255)


def _make_cells(pictures: Sequence[Image], labels: Sequence[str], width: int) -> list[Image]:
    """Scale pictures to one width, each with a label below; all labels get as many lines.

    Where there are none, nothing is left for them.
    """
    lines = _count_lines(labels, width)
    cells = []
    for picture, label in zip(pictures, labels, strict=True):
        height = round(picture.shape[0] * width / picture.shape[1])
        scaled = cv2.resize(picture.clip(0, 1), (width, height), interpolation=cv2.INTER_AREA)
        below = [_draw_text(label, width, width, lines)] if any(labels) else []
        cells.append(np.concatenate([scaled, *below]))
    return cells


def _count_lines(labels: Sequence[str], width: int) -> int:
    return max(len(_wrapped(label, width, _font(width))) for label in labels)


def _font(cell: int) -> ImageFont.FreeTypeFont:
    """Return the font of a sheet whose cells are `cell` pixels wide."""
    font = ImageFont.load_default(max(12, cell // 28))
    assert isinstance(font, ImageFont.FreeTypeFont)
    return font


def _draw_text(text: str, width: int, cell: int, lines: int | None = None) -> Image:
    """Draw a wrapped text as a strip with room for `lines` lines, or as many as it needs."""
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
    """Break a text into lines: between words, and within words that are wider than a line."""

    def overflows(line: str) -> bool:
        return font.getlength(line) > width

    lines, words = [""], [part for word in text.split(" ") for part in _break_word(word, overflows)]
    for word in words:
        longer = f"{lines[-1]} {word}".strip()
        if overflows(longer) and lines[-1]:
            lines.append(word)
        else:
            lines[-1] = longer
    if len(lines) > LINES:
        lines = [*lines[: LINES - 1], f"{lines[LINES - 1][:-1].rstrip()}…"]
    return lines


def _break_word(word: str, overflows: Callable[[str], bool]) -> list[str]:
    """Split a word into parts that each fit into a line."""
    parts = [""]
    for letter in word:
        if overflows(parts[-1] + letter) and parts[-1]:
            parts.append(letter)
        else:
            parts[-1] += letter
    return parts
