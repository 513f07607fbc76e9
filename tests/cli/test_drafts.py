"""Drafts as they are typed."""

import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dreamer.arrays import Image
from dreamer.files import metadata, photos
from dreamer.jobs.presets import read_finished

Dream = Callable[..., Any]


QUICK = ("--steps", 2, "--octaves", 3, "--strength", 15, "-q")


@pytest.fixture
def source(tmp_path: Path, photo: Image) -> Path:
    path = tmp_path / "a.png"
    photos.write(path, np.kron(photo, np.ones((2, 2, 1), np.float32)))
    return path


def test_a_finished_draft_is_the_direct_dream(dream: Dream, source: Path) -> None:
    draft, direct = source.with_name("a-draft.png"), source.with_name("direct.png")
    assert dream("image", source, *QUICK, "--draft") == (0, "", "")
    assert dream("image", source, *QUICK, "-o", direct)[0] == 0
    assert read_finished(draft).facts["draft"] < len(read_finished(direct).facts["sizes"])
    code, out, _ = dream("image", source, "--finish", draft)
    assert code == 0
    assert "a-dream.png" in out
    assert source.with_name("a-dream.png").read_bytes() == direct.read_bytes()
    assert photos.read(draft).image.shape == photos.read(direct).image.shape
    assert dream("image", source, "--finish", draft, "--opacity", 0.5)[0] == 0
    for wrong, named in (
        (("image", source, "--finish", draft, "--steps", 9), "leave out --steps"),
        (("image", draft, "--finish", draft), "another photo"),
        (("image", source, "--finish", direct), "is finished"),
    ):
        code, _, err = dream(*wrong)
        assert (code, named in err) == (2, True)


def test_a_strangers_draft_is_refused(dream: Dream, source: Path) -> None:
    draft = source.with_name("a-draft.png")
    dream("image", source, *QUICK, "--draft")
    data = draft.read_bytes()
    start = data.index(metadata.STATE)
    (length,) = struct.unpack(">I", data[start - 4 : start])
    for state in (b"", b"nonsense", zlib.compress(bytes(10_000_000))):
        chunk = metadata.STATE + state
        crc = struct.pack(">I", zlib.crc32(chunk))
        chunk = struct.pack(">I", len(state)) + chunk + crc
        draft.write_bytes(data[: start - 4] + chunk + data[start + 8 + length :])
        code, _, err = dream("image", source, "--finish", draft)
        assert code == 2
        assert "holds no state" in err
