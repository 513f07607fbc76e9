"""The floors of the design: imports point down, and light commands stay light."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "dreamer"
FLOORS = {
    "errors": 0,
    "arrays": 0,
    "phases": 0,
    "layers": 1,
    "formats": 1,
    "classes": 1,
    "schedule": 1,
    "fields": 2,
    "filmfields": 3,
    "feature": 3,
    "recipe": 4,
    "words": 5,
    "files": 5,
    "redraw": 5,
    "search": 5,
    "presets": 6,
    "describe": 6,
    "motion": 6,
    "nets": 6,
    "ascent": 6,
    "sheets": 6,
    "frames": 6,
    "targets": 7,
    "tiling": 7,
    "guides": 7,
    "assemble": 8,
    "filming": 9,
    "visualise": 9,
    "riding": 9,
    "api": 10,
    "cli": 10,
    "__main__": 11,
}
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py")


def room(module: str) -> str:
    return module.split(".")[1]


def imported(path: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module == "dreamer":
            names |= {f"dreamer.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
    return {name for name in names if name.startswith("dreamer.")}


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_point_down(path: Path) -> None:
    own = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    for name in imported(path):
        assert room(name) == own or FLOORS[room(name)] < FLOORS[own], f"{own} imports {name}"


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["image", "--help"],
        ["filters", "--help"],
        ["exemplars", "--help"],
        ["compare", "--help"],
        ["presets", "list"],
        ["models", "list"],
    ],
)
def test_light_commands_load_no_tensorflow(arguments: list[str]) -> None:
    code = f"""
import sys
sys.argv = ["dream", *{arguments!r}]
from dreamer.cli import main
try:
    main()
finally:
    assert "tensorflow" not in sys.modules and "keras" not in sys.modules
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout


@pytest.mark.parametrize(
    "command",
    [
        ["image"],
        ["class"],
        ["filters"],
        ["exemplars"],
        ["compare"],
        ["models", "layers"],
        ["presets", "show"],
    ],
)
def test_the_help_of_a_command_shows_an_example(command: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "dreamer", *command, "--help"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert f"dream {' '.join(command)} " in done.stdout.split("Example")[1]
