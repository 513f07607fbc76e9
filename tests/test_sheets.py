"""Contact sheets."""

import numpy as np

from dreamer import sheets


def test_pictures_stand_in_rows_with_their_labels() -> None:
    pictures = [np.full((30, 40, 3), shade, np.float32) for shade in (0.2, 0.4, 0.6, 0.8, 1.0)]
    sheet = sheets.compose(pictures, ["a", "b", "c", "d", "a label that is far too long"], 3)
    assert sheet.shape[1] == 3 * 40 + 4 * 8
    np.testing.assert_allclose(sheet[8:38, 8:48], 0.2)
    np.testing.assert_allclose(sheet[8:38, 104:144], 0.6)
    second = (sheet.shape[0] - 8) // 2 + 8
    np.testing.assert_allclose(sheet[second : second + 30, 8:48], 0.8)
    label = sheet[38 : second - 8, 8:48]
    assert label.max() > 0.5


def test_pictures_of_other_sizes_are_brought_to_one_width() -> None:
    pictures = [np.zeros((30, 40, 3), np.float32), np.ones((120, 80, 3), np.float32)]
    sheet = sheets.compose(pictures, ["", ""], 2)
    np.testing.assert_allclose(sheet[8:68, 56:96], 1)


def test_a_label_may_fill_several_lines() -> None:
    black = np.zeros((30, 200, 3), np.float32)
    label = "so many words that they go on in a second line, and a third, and then no further"

    def inked(lines: int) -> list[bool]:
        rows = sheets.compose([black], [label], 1, lines)[38:-8, 8:-8].max((1, 2)) > 0.5
        return [bool(strip.any()) for strip in np.split(rows, lines)]

    assert inked(1) == [True]
    assert inked(2) == [True, True]
    assert inked(4) == [True, True, True, False]
