"""Lines and words drawn over a picture, to tell what it is about."""

from collections.abc import Sequence

import cv2
import numpy as np
from PIL import Image as pillow
from PIL import ImageDraw, ImageFont

from dreamer.arrays import Image

CELLS = 8
"""Cells of a grid along the shorter side."""

_LIGHT, _DARK = 0.9, 0.1
_TEXT = (255, 255, 255)


def draw_grid(picture: Image) -> Image:
    """Draw a grid by which a motion can be followed, and mark the middle."""
    drawn = picture.copy()
    height, width = picture.shape[:2]
    step = max(4, min(height, width) // CELLS)
    for shift, tone in ((1, _DARK), (0, _LIGHT)):
        drawn[height // 2 % step + shift :: step] = tone
        drawn[:, width // 2 % step + shift :: step] = tone
    middle = width // 2, height // 2
    cv2.circle(drawn, middle, step // 3, (1.0, 0.3, 0.1), max(1, step // 12), cv2.LINE_AA)
    return drawn


def draw_lines(picture: Image, lines: Sequence[str]) -> Image:
    """Write lines of text into the upper left corner, on a shade."""
    size = max(10, min(picture.shape[:2]) // 22)
    font = ImageFont.load_default(size)
    height = round(1.35 * size)
    shaded = picture.copy()
    shaded[: height * len(lines) + size // 2] *= np.float32(0.45)
    canvas = pillow.fromarray((shaded * 255).astype(np.uint8))
    draw = ImageDraw.Draw(canvas)
    for number, line in enumerate(lines):
        draw.text((size // 2, size // 4 + number * height), line, _TEXT, font)
    return np.asarray(canvas, np.float32) / np.float32(255)
