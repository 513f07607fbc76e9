"""The floors of the design: imports point down, and light commands stay light."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "dreamer"
FLOORS = (
    {"errors", "arrays"},
    {"recipe", "ascent", "imaging", "motion", "files"},
    {"networks"},
    {"analysis", "training"},
    {"pipelines"},
    {"jobs"},
    {"cli", "api"},
    {"__main__"},
)
"""From the ground up: nothing imports from its own floor or from one above, but its own package."""

FLOOR = {package: number for number, floor in enumerate(FLOORS) for package in floor}
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py")


def package(module: str) -> str:
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


def test_few_modules_are_loose() -> None:
    loose = {path.stem for path in PACKAGE.glob("*.py")} - {"__init__"}
    assert loose == {"errors", "arrays", "api", "__main__"}


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_point_down(path: Path) -> None:
    own = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    for name in imported(path):
        other = package(name)
        assert other == own or FLOOR[other] < FLOOR[own], f"{own} imports {name}"


JOBS = sorted((PACKAGE / "jobs").glob("*.py"))


@pytest.mark.parametrize("path", JOBS, ids=lambda path: path.stem)
def test_jobs_know_neither_the_terminal_nor_signals(path: Path) -> None:
    names = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {str(node.module), *(f"{node.module}.{alias.name}" for alias in node.names)}
    foreign = {"typer", "click", "rich", "signal", "dreamer.cli", "dreamer.api"}
    assert not [name for name in names if foreign & {name, name.partition(".")[0]}]
    assert not [name for name in names if name.startswith(("dreamer.cli.", "dreamer.api."))]
    # What a job says goes to whoever listens.
    calls = {
        node.func.id
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    assert "print" not in calls


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["image", "--help"],
        ["video", "--help"],
        ["filters", "--help"],
        ["exemplars", "--help"],
        ["compare", "--help"],
        ["search", "--help"],
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
        ["video"],
        ["class"],
        ["search"],
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
