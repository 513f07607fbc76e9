"""The states of drafts."""

import zlib

import numpy as np
import pytest

from dreamer.arrays import Image
from dreamer.errors import DreamerError
from dreamer.files import drafts


def test_a_state_survives_its_packing_and_nothing_else_is_unpacked(photo: Image) -> None:
    images = photo * np.float32(1.7) - np.float32(0.2)
    packed = drafts.pack(images)
    assert len(packed) < images.nbytes
    np.testing.assert_array_equal(drafts.unpack(packed, (72, 96), "x"), images)
    bomb = zlib.compress(bytes(72 * 96 * 12 + 1))
    bad = np.full((72, 96, 3), np.nan, np.float32)
    for data in (b"", b"no zlib", packed[:-20], bomb, drafts.pack(bad), drafts.pack(photo[:9])):
        with pytest.raises(DreamerError, match=r"x holds no state"):
            drafts.unpack(data, (72, 96), "x")
