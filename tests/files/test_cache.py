"""The user's cache: it is found, bounded, cleared, and never in the way."""

import os
from pathlib import Path

import pytest

from dreamer.files import cache


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(cache.FOLDER_VARIABLE, str(tmp_path / "kept"))
    return tmp_path / "kept"


def put(name: str, content: bytes) -> None:
    cache.write(name, lambda file: file.write(content))


def test_an_entry_is_named_by_its_parts_and_the_program(monkeypatch: pytest.MonkeyPatch) -> None:
    name = cache.name_entry("graph", 1)
    assert name == cache.name_entry("graph", 1)
    assert name != cache.name_entry("graph", 2)
    monkeypatch.setattr(cache, "_hash_program", lambda: "another program")
    assert name != cache.name_entry("graph", 1)


def test_what_is_written_is_found_by_its_owner_alone(folder: Path) -> None:
    name = cache.name_entry("one")
    assert cache.find(name) is None
    put(name, b"content")
    found = cache.find(name)
    assert found
    assert found.read_bytes() == b"content"
    assert [path.name for path in folder.iterdir()] == [name]
    assert folder.stat().st_mode & 0o077 == 0


def test_what_was_used_longest_ago_goes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "MOST_BYTES", 250)
    names = [cache.name_entry(number) for number in range(3)]
    for age, name in enumerate(names[:2]):
        put(name, b"0" * 100)
        found = cache.find(name)
        assert found
        os.utime(found, (1000 + age, 1000 + age))
    assert cache.find(names[0])
    put(names[2], b"0" * 100)
    assert [bool(cache.find(name)) for name in names] == [True, False, True]


def test_it_is_cleared_of_what_is_its_own(folder: Path) -> None:
    put(cache.name_entry("one"), b"12345")
    other = folder / "photo.jpg"
    other.write_bytes(b"a photo")
    assert cache.clear() == (1, 5)
    assert list(folder.iterdir()) == [other]
    assert cache.clear() == (0, 0)


def test_without_a_folder_nothing_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(cache.FOLDER_VARIABLE, "")
    put(cache.name_entry("one"), b"content")
    assert cache.find(cache.name_entry("one")) is None
    assert cache.clear() == (0, 0)


def test_a_folder_that_cannot_be_written_to_is_no_error(folder: Path) -> None:
    folder.write_bytes(b"a file is in its place")
    put(cache.name_entry("one"), b"content")
    assert cache.find(cache.name_entry("one")) is None
