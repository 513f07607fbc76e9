"""Frames as they are stored."""

import numpy as np

from dreamer import arrays


def test_a_stored_frame_comes_back_as_it_was() -> None:
    every = np.arange(65536, dtype=np.uint16).reshape(64, -1, 1).repeat(3, -1)
    np.testing.assert_array_equal(arrays.to_stored(arrays.from_stored(every)), every)
    np.testing.assert_array_equal(arrays.to_bytes(every), np.round(every / 257).astype(np.uint8))
    assert arrays.to_stored(np.float32([[[-1, 0.5, 2]]])).tolist() == [[[0, 32768, 65535]]]
