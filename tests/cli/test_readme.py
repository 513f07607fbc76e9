"""Every command of the README and the pages parses, the quick ones dream, the gallery is theirs."""

import re
import runpy
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from helpers import ROOT

from dreamer.arrays import Image
from dreamer.files import photos

TEXT = (ROOT / "README.md").read_text("utf-8")
GALLERY = runpy.run_path(str(ROOT / "media" / "gallery.py"))

SLOW = ("-m ", "--watch", "--finish", "--guide", "--sheet", "finished.png", "--vary", "--depth")


PAGES = sorted((ROOT / "docs").rglob("*.md"))


def commands(text: str = TEXT) -> list[str]:
    blocks = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    lines = [re.split(r"\s# ", line)[0] for block in blocks for line in block.splitlines()]
    parts = [part.strip() for line in lines for part in line.split("&&")]
    return [part for part in parts if part.startswith("dream ")]


def in_tables() -> list[str]:
    cells = [
        cell.strip() for line in TEXT.splitlines() if line[:1] == "|" for cell in line.split("|")
    ]
    return [cell.strip("`") for cell in cells if re.fullmatch(r"`dream [^`]*`", cell)]


def quick() -> list[str]:
    dreams = [line for line in commands() if line.startswith("dream image photo.jpg")]
    return [line for line in dreams if not any(word in line for word in SLOW)]


@pytest.mark.parametrize("line", [*commands(), *in_tables(), *GALLERY["COMMANDS"]])
def test_a_command_parses(line: str, dream: Callable[..., Any]) -> None:
    # Options are parsed before the help is shown: a misspelt one is an error.
    assert dream(*shlex.split(line)[1:], "--help")[0] == 0
    assert dream(*shlex.split(line)[1:], "--no-such-option", "--help")[0] == 2


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_s_commands_parse_and_its_links_lead_somewhere(
    page: Path, dream: Callable[..., Any]
) -> None:
    text = page.read_text("utf-8")
    assert commands(text)
    for line in commands(text):
        assert dream(*shlex.split(line)[1:], "--help")[0] == 0, line
    for link in re.findall(r"\]\(([^)]+)\)", text):
        assert (page.parent / link).is_file(), link


@pytest.mark.parametrize("line", quick())
def test_a_quick_command_dreams(
    line: str,
    photo: Image,
    dream: Callable[..., Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    photos.write(tmp_path / "photo.jpg", photo)
    code, _, said = dream(*shlex.split(line)[1:], "--size", 96, "--steps", 1)
    assert code == 0, said
    assert len(list(tmp_path.rglob("*.png"))) == 1


def test_there_are_commands_of_every_kind() -> None:
    assert len(commands()) >= 40
    assert len(quick()) >= 8


@pytest.mark.parametrize("line", GALLERY["COMMANDS"])
def test_a_picture_of_the_gallery_stands_beside_its_command(line: str) -> None:
    assert f"`{line}`" in TEXT
    assert f"({GALLERY['picture'](line)})" in TEXT
    assert (ROOT / GALLERY["picture"](line)).is_file()


@pytest.mark.slow
def test_a_picture_of_the_gallery_is_made_again(dream: Callable[..., Any], tmp_path: Path) -> None:
    line = next(line for line in GALLERY["COMMANDS"] if "--of birds" in line)
    words = shlex.split(line)[1:]
    again = tmp_path / "again.jpg"
    words[words.index("-o") + 1] = str(again)
    words[1] = str(ROOT / words[1])
    assert dream(*words)[0] == 0
    before = photos.read(ROOT / GALLERY["picture"](line)).image
    after = photos.read(again).image
    # Another processor ends in another picture of the same birds.
    small = [cv2.resize(each, (60, 40), interpolation=cv2.INTER_AREA) for each in (before, after)]
    assert np.corrcoef(small[0].ravel(), small[1].ravel())[0, 1] > 0.8
