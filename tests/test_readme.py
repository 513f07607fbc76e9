"""Every command of the README parses."""

import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

README = Path(__file__).parents[1] / "README.md"


def commands() -> list[str]:
    blocks = re.findall(r"```sh\n(.*?)```", README.read_text("utf-8"), re.DOTALL)
    lines = [re.split(r"\s# ", line)[0] for block in blocks for line in block.splitlines()]
    parts = [part.strip() for line in lines for part in line.split("&&")]
    return [part for part in parts if part.startswith("dream ")]


@pytest.mark.parametrize("line", commands())
def test_a_command_of_the_readme_parses(line: str, dream: Callable[..., Any]) -> None:
    # Options are parsed before the help is shown: a misspelt one is an error.
    assert dream(*shlex.split(line)[1:], "--help")[0] == 0
    assert dream(*shlex.split(line)[1:], "--no-such-option", "--help")[0] == 2


def test_the_readme_has_commands() -> None:
    assert len(commands()) >= 8
