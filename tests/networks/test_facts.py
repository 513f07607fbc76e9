"""Facts about a network: the next process that asks need not load it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dreamer.files import cache
from dreamer.networks import loading, memory, motif_size, weight_files
from dreamer.networks.network import Network


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(cache.FOLDER_VARIABLE, str(tmp_path))
    return tmp_path


def load() -> Network:
    return loading.build("dreamnet", weight_files.find_or_fetch("dreamnet"))


QUESTIONS: dict[str, Callable[[Network], Any]] = {
    "layers": lambda net: dict(net.layers),
    "units": lambda net: dict(net.units),
    "a name": lambda net: net.resolve("mixed3a_3x3_narrow"),
    "another": lambda net: net.resolve("conv2d2_pool_pre_relu"),
    "motif": lambda net: motif_size.find_motif_size(net, "mixed4c"),
    "memory": lambda net: memory.estimate_bytes_per_pixel(net, ["mixed4c", "mixed3a"]),
}


def test_known_facts_need_no_model(monkeypatch: pytest.MonkeyPatch) -> None:
    first = load()
    answers = {name: ask(first) for name, ask in QUESTIONS.items()}
    assert "model" in vars(first)
    first.facts.keep()
    second = load()
    assert {name: ask(second) for name, ask in QUESTIONS.items()} == answers
    assert "model" not in vars(second)


@pytest.mark.parametrize("damaged", [b"", b"{", b"\xff\xfe", b"[1, 2]"])
def test_damaged_facts_are_found_out_anew(folder: Path, damaged: bytes) -> None:
    first = load()
    assert first.entry
    (folder / first.entry).write_bytes(damaged)
    assert load().layers["mixed4c"] == 512


def test_a_network_that_no_file_holds_keeps_nothing(folder: Path, tiny: Network) -> None:
    assert tiny.layers
    tiny.facts.keep()
    assert loading.build("dreamnet", None).entry is None
    assert not list(folder.iterdir())


def test_other_weights_have_other_facts(tmp_path: Path) -> None:
    copy = tmp_path / "copy.npz"
    path = weight_files.find_or_fetch("dreamnet")
    assert path
    copy.write_bytes(path.read_bytes())
    assert loading.build("dreamnet", copy).entry == load().entry
    copy.write_bytes(path.read_bytes() + b"0")
    assert loading.build("dreamnet", copy).entry != load().entry
