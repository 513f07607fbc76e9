"""Where weights are found."""

import dataclasses
import hashlib
import io
from pathlib import Path

import pytest

from dreamer.errors import DreamerError
from dreamer.networks import loading, registry, weight_files


def test_weights_are_looked_for_where_the_variable_points(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(weight_files.FOLDER_VARIABLE, str(tmp_path))
    file = tmp_path / "inception_v3_any.h5"
    file.write_bytes(b"x")
    assert weight_files.find("inception_v3") == file
    with pytest.raises(DreamerError, match=r"nowhere\.h5"):
        weight_files.find("inception_v3", tmp_path / "nowhere.h5")


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A store for fetched weights of the test's own."""
    monkeypatch.delenv(weight_files.FOLDER_VARIABLE, raising=False)
    monkeypatch.setattr(weight_files, "store", lambda: tmp_path / "store")
    return tmp_path / "store"


@pytest.mark.parametrize(
    ("name", "file", "stored"),
    [
        ("googlenet", "exported.npz", "inception5h.npz"),
        (
            "mobilenet_v2",
            "mine.weights.h5",
            "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224.weights.h5",
        ),
        ("vgg16", "a.h5", "vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5"),
    ],
)
def test_a_fetched_file_is_found(
    name: str, file: str, stored: str, tmp_path: Path, store: Path
) -> None:
    source = tmp_path / file
    with pytest.raises(DreamerError, match="Cannot copy"):
        weight_files.fetch(name, source)
    source.write_bytes(b"x")
    assert weight_files.fetch(name, source).read_bytes() == b"x"
    assert weight_files.find(name) == store / stored


@pytest.mark.parametrize("source", [None, "inception5h.zip"])
def test_what_is_not_the_published_file_is_not_kept(
    source: str | None, tmp_path: Path, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        weight_files.urllib.request, "urlopen", lambda *_, **__: io.BytesIO(b"something else")
    )
    given = tmp_path / source if source else None
    if given:
        given.write_bytes(b"something else")
    with pytest.raises(DreamerError, match=r"is not the published inception5h\.zip"):
        weight_files.fetch("googlenet", given)
    assert not list(store.iterdir())


def test_the_published_file_is_kept(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = b"published"
    digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
    spec = dataclasses.replace(registry.SPECS["googlenet"], digest=digest)
    monkeypatch.setattr(registry, "SPECS", {"googlenet": spec})
    monkeypatch.setattr(weight_files.urllib.request, "urlopen", lambda *_, **__: io.BytesIO(data))
    assert weight_files.fetch("googlenet").read_bytes() == data


def test_without_weights_and_network_one_sentence_says_both_ways_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreachable(*_: object, **__: object) -> None:
        raise OSError("unreachable")

    monkeypatch.delenv(weight_files.FOLDER_VARIABLE, raising=False)
    monkeypatch.setattr(weight_files, "store", lambda: tmp_path)
    monkeypatch.setattr(weight_files.urllib.request, "urlopen", unreachable)
    with pytest.raises(DreamerError, match=r"--from inception5h\.zip.*dreamnet"):
        weight_files.find_or_fetch("googlenet")
    assert not list(tmp_path.iterdir())


def test_a_file_that_holds_no_weights_is_named(tmp_path: Path) -> None:
    for name, suffix in (("googlenet", ".pb"), ("googlenet", ".zip"), ("inception_v3", ".h5")):
        file = tmp_path / f"broken{suffix}"
        file.write_bytes(b"this is no network")
        with pytest.raises(DreamerError, match=f"broken{suffix} does not hold the weights"):
            _ = loading.load(name, file).model
