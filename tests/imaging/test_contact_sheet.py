"""Contact sheets."""

import numpy as np

from dreamer.imaging import contact_sheet


def test_pictures_stand_in_rows_with_their_labels() -> None:
    pictures = [np.full((30, 40, 3), shade, np.float32) for shade in (0.2, 0.4, 0.6, 0.8, 1.0)]
    sheet = contact_sheet.compose(pictures, ["a", "b", "c", "d", "a label that is far too long"], 3)
    assert sheet.shape[1] == 3 * 40 + 4 * 8
    np.testing.assert_allclose(sheet[8:38, 8:48], 0.2)
    np.testing.assert_allclose(sheet[8:38, 104:144], 0.6)
    second = (sheet.shape[0] - 8) // 2 + 8
    np.testing.assert_allclose(sheet[second : second + 30, 8:48], 0.8)
    label = sheet[38 : second - 8, 8:48]
    assert label.max() > 0.5


def test_pictures_of_other_sizes_are_brought_to_one_width() -> None:
    pictures = [np.zeros((30, 40, 3), np.float32), np.ones((120, 80, 3), np.float32)]
    sheet = contact_sheet.compose(pictures, ["", ""], 2)
    np.testing.assert_allclose(sheet[8:68, 56:96], 1)


def test_a_label_has_the_lines_it_needs_up_to_a_limit() -> None:
    black = np.zeros((30, 200, 3), np.float32)
    label = "so many words that they go on in a second line, and a third, and then no further"

    def inked(text: str) -> int:
        rows = contact_sheet.compose([black], [text], 1)[38:-8, 8:-8].max((1, 2)) > 0.5
        return sum(bool(strip.any()) for strip in np.split(rows, len(rows) // 18))

    assert inked("short") == 1
    assert inked(label) == 3
    assert inked(label * 4) == contact_sheet.LINES


def test_what_all_labels_begin_with_stands_above_them_once() -> None:
    labels = [f"fire4_expand3x3:{channel}  0.{channel}" for channel in (0, 11, 24)]
    assert contact_sheet.split_common_prefix(labels) == (
        "fire4_expand3x3",
        [":0  0.0", ":11  0.11", ":24  0.24"],
    )
    varied = [f"--set rate=0.00{value}" for value in (1, 2)]
    assert contact_sheet.split_common_prefix(varied) == ("--set rate=", ["0.001", "0.002"])
    assert contact_sheet.split_common_prefix(["mixed4c:1", "mixed4d:1"]) == (
        "",
        ["mixed4c:1", "mixed4d:1"],
    )
    assert contact_sheet.split_common_prefix(["alone:1"]) == ("", ["alone:1"])
    assert contact_sheet.split_common_prefix(["a:1", ""]) == ("", ["a:1", ""])


def test_a_long_word_goes_on_in_the_next_line() -> None:
    font = contact_sheet._font(96)
    wrapped = contact_sheet._wrapped("--set feature.parametrization=fourier", 96, font)
    assert "".join(wrapped).replace("--set", "") == "feature.parametrization=fourier"
    assert all(font.getlength(line) <= 96 for line in wrapped)


def test_rows_and_columns_are_named() -> None:
    black = [np.zeros((30, 40, 3), np.float32)] * 4
    plain = contact_sheet.compose(black, [""] * 4, 2)
    named = contact_sheet.compose(black, [""] * 4, 2, across=["one", "two"], down=["up", "down"])
    assert named.shape[0] > plain.shape[0]
    assert named.shape[1] == plain.shape[1]
    strips = (named.max((1, 2)) > 0.5).nonzero()[0]
    # One of the columns, and one of each row.
    assert (np.diff(strips) > 8).sum() == 2
